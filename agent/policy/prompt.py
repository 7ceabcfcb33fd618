"""The words a policy is asked with."""

from __future__ import annotations

import unicodedata

from agent.errors import DataError

LONGEST = 512  # characters of an instruction
BEFORE = "In: What action should the robot take to"
AFTER = "?\nOut:"


def prompt_text(instruction: str) -> str:
    """Give OpenVLA's prompt, `In: What action should the robot take to {instruction}? Out:`.

    A line break stands before `Out:`.
    """
    return f"{BEFORE} {clean(instruction)}{AFTER}"


def clean(instruction: str) -> str:
    """Lower the case, drop control and bidirectional characters, cap the length.

    Raises DataError where nothing is left.
    """
    seen = "".join(
        character
        for character in " ".join(instruction[: 4 * LONGEST].split())
        if not unicodedata.category(character).startswith("C")
    )
    short = " ".join(seen.lower().split())[:LONGEST].strip()
    if not short:
        raise DataError("an instruction must say something; found none")
    return short
