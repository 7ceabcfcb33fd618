"""What a judge is asked: a fixed template in which the instruction is data and nothing else."""

from __future__ import annotations

import unicodedata

from agent.errors import DataError

LONGEST = 512  # characters of an instruction
YES, NO = "yes", "no"
# One token each in the vocabularies in use; answer i of n stands for progress i / (n - 1).
BINS = tuple("0123456789")

SUCCESS = 'Task: "{task}" First and latest view. Is the task done? Answer yes or no.'
PROGRESS = 'Task: "{task}" First and latest view. How far is it? Answer 0 to 9.'
MILESTONE = 'Task: "{task}" First and latest view. Was a part just completed? Answer yes or no.'

# Letters, marks and numbers of any script, and these. No bracket, pipe or quotation mark is among
# them: chat markers and the template's own frame cannot be written.
_KEPT = frozenset(" .,;:!?'()/%+-_&")
_KEPT_KINDS = frozenset("LMN")


def cleaned(instruction: str) -> str:
    """The instruction as one line of plain words, 512 characters at most.

    Control, format and bidirectional characters, markers and quotation marks are gone, look-alikes
    of other widths are folded first. Raises DataError where no letter is left.
    """
    # Before folding, which may make eighteen characters out of one.
    folded = unicodedata.normalize("NFKC", instruction[: 4 * LONGEST])
    kept = "".join(_plain(each) for each in folded)
    said = " ".join(kept.split())[:LONGEST].strip()
    if not any(each.isalpha() for each in said):
        raise DataError(
            f"an instruction in words wanted, found {instruction[:40]!r}; "
            "a judge needs to know what was to be done"
        )
    return said


def asked(template: str, instruction: str) -> str:
    """Fill a template of this module with an instruction, which is cleaned here."""
    return template.format(task=cleaned(instruction))


def _plain(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _KEPT or kind[0] in _KEPT_KINDS:
        return character
    # A format character joins what stands around it; anything else was a gap.
    return "" if kind == "Cf" else " "
