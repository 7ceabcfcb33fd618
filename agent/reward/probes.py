"""Questions to a judge whose answer is known: the same episode, spoilt in five ways."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from agent.durable import append_line
from agent.episode import Episode, Observation, RewardSignal, Uint8Array, Verdict
from agent.errors import DataError, RewardUnavailable
from agent.protocols import RewardModel
from agent.reward.silence import UNLABELLED

FILE = "probes.jsonl"
MARGIN = 0.2  # by how much half an episode may seem more of a success than the whole
NO_SUCCESS, NO_HIGHER, NO_ANSWER = "no success", "no higher", "no answer"

View = Callable[[Observation], Observation]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a judge said to one probe; it passed where found is what was wanted.

    probability: of success. source: the judge. when: UTC, ISO 8601.
    """

    episode: str
    name: str
    wanted: str
    found: str
    probability: float | None
    source: str
    when: str

    @property
    def passed(self) -> bool | None:
        """Whether the judge was right; None where it did not answer."""
        return None if self.found == NO_ANSWER else self.found == self.wanted


def ask(
    judge: RewardModel, episode: Episode, signal: RewardSignal, others: Sequence[str]
) -> tuple[Answer, ...]:
    """Put every probe to the judge.

    episode: one that it called a success, with `signal`; a judge that says no to everything would
    pass with any other. others: instructions of other tasks, () where there are none.
    """
    return tuple(
        _asked(judge, spoil(), name, signal.success_probability)
        for name, spoil in spoilt(episode, others).items()
    )


def _asked(judge: RewardModel, episode: Episode, name: str, whole: float) -> Answer:
    """One answer. whole: the success probability of the episode as it was."""
    wanted, wrong = (NO_HIGHER, "higher") if name == "prefix" else (NO_SUCCESS, "success")
    try:
        found = judge.score(episode)
    except RewardUnavailable as error:
        silent = " ".join(str(error).split())[:200]
        return Answer(episode.id, name, wanted, NO_ANSWER, None, silent, _now())
    if found.source.startswith(UNLABELLED):
        return Answer(episode.id, name, wanted, NO_ANSWER, None, found.source, _now())
    chance = round(float(found.success_probability), 4)
    right = chance <= whole + MARGIN if name == "prefix" else found.verdict is not Verdict.SUCCESS
    said = wanted if right else wrong
    return Answer(episode.id, name, wanted, said, chance, found.source, _now())


def spoilt(episode: Episode, others: Sequence[str]) -> Mapping[str, Callable[[], Episode]]:
    """The spoilt episodes by the name of their probe; what the arm felt and did stays as it was.

    wrong-instruction: another task's words, those with the fewest in common. reversed: the film
    runs backwards. frozen: the camera stands still from the first view on. black: it sees nothing.
    prefix: the first half alone.
    """
    films = _views(episode)
    backwards = dict(enumerate(reversed(films)))
    number = {id(view): at for at, view in enumerate(films)}
    made: dict[str, Callable[[], Episode]] = {
        "reversed": lambda: _filmed(
            episode, lambda view: replace(view, images=backwards[number[id(view)]].images)
        ),
        "frozen": lambda: _filmed(episode, lambda view: replace(view, images=films[0].images)),
        "black": lambda: _filmed(episode, lambda view: replace(view, images=_black(view.images))),
        "prefix": lambda: _half(episode),
    }
    words = unlike(films[0].instruction, others)
    if words:
        made["wrong-instruction"] = lambda: _filmed(
            episode, lambda view: replace(view, instruction=words)
        )
    return made


def unlike(instruction: str, others: Sequence[str]) -> str:
    """The instruction with the smallest share of words in common; "" where all are the same."""
    mine = set(instruction.lower().split())

    def alike(other: str) -> float:
        theirs = set(other.lower().split())
        return len(mine & theirs) / max(len(mine | theirs), 1)

    rest = [other for other in others if alike(other) < 1.0]
    return min(rest, key=alike, default="")


def keep(run: Path, answers: Sequence[Answer]) -> None:
    """Append answers to a run's probes.jsonl, durably. Raises StorageError."""
    for answer in answers:
        append_line(run / FILE, json.dumps(asdict(answer)))


def kept(run: Path) -> dict[str, tuple[Answer, ...]]:
    """All answers of a run, by episode; torn lines are left out. Raises DataError for the disk."""
    try:
        lines = (run / FILE).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DataError(f"{run / FILE} cannot be read: {error}; restore it") from error
    found: dict[str, tuple[Answer, ...]] = {}
    for line in lines:
        try:
            answer = Answer(**json.loads(line))
        except (ValueError, TypeError):
            continue
        found[answer.episode] = (*found.get(answer.episode, ()), answer)
    return found


def _views(episode: Episode) -> list[Observation]:
    return [*(step.observation for step in episode.steps), episode.last]


def _filmed(episode: Episode, seen: View) -> Episode:
    steps = tuple(replace(step, observation=seen(step.observation)) for step in episode.steps)
    return replace(episode, steps=steps, last=seen(episode.last))


def _half(episode: Episode) -> Episode:
    middle = max(1, len(episode.steps) // 2)
    whole = _views(episode)
    return replace(episode, steps=episode.steps[:middle], last=replace(whole[middle]))


def _black(images: Mapping[str, Uint8Array]) -> dict[str, Uint8Array]:
    return {name: np.zeros_like(image) for name, image in images.items()}


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
