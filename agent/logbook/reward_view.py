"""How far the judge can be trusted: against typed labels, against the world, and in its odds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.logbook.damage import DAMAGED, Damage, Damages
from agent.logbook.episodes_view import EpisodeRow, rows
from agent.logbook.health import JudgeHealth, judge_health
from agent.logbook.rate import Rate
from agent.logbook.run_view import head
from agent.logbook.truth import SIMULATED, ended, typed

BINS = 10
PROBES = "probes.jsonl"
# The judge that repeats the world's own verdict: to hold it against the world tells nothing.
REPEATS = "outcome/"


@dataclass(frozen=True, slots=True)
class Confusion:
    """Verdicts against the truth. against: "labels", "world" or both. unknown: said nothing.

    true_success: said success and it was; false_success: said so and it was not; and so on.
    """

    against: str
    true_success: int
    false_success: int
    true_failure: int
    false_failure: int
    unknown: int

    @property
    def known(self) -> int:
        """Episodes with a verdict and a truth."""
        return self.true_success + self.false_success + self.true_failure + self.false_failure

    @property
    def accuracy(self) -> Rate:
        """Verdicts that were true."""
        return Rate.counted(self.true_success + self.true_failure, self.known)


@dataclass(frozen=True, slots=True)
class Bin:
    """Episodes with a success probability in [low, high), the last bin with 1.0.

    said: mean probability. came: how many truly succeeded.
    """

    low: float
    high: float
    said: float
    came: Rate


@dataclass(frozen=True, slots=True)
class Probe:
    """One check of the judge on material whose answer is known. when: UTC, ISO 8601."""

    name: str
    wanted: str
    found: str
    probability: float | None
    source: str
    when: str


@dataclass(frozen=True, slots=True)
class RewardView:
    """What is known of the judge. A confusion is None where there is nothing to hold it against.

    bins: calibration against labels where typed, else the world; () without either.
    brier: mean squared difference of probability and truth over the same episodes, None without.
    disagreed: ids where a label and the verdict differ. notes: what is not known, and why.
    """

    health: JudgeHealth
    labels: Confusion | None
    world: Confusion | None
    bins: tuple[Bin, ...]
    brier: float | None
    disagreed: tuple[str, ...]
    probes: tuple[Probe, ...]
    notes: tuple[str, ...]
    damage: tuple[Damage, ...]


def reward(folder: Path) -> RewardView:
    """The judge of a run. Raises UsageError where there is no run."""
    damages = Damages(folder)
    top = head(folder, damages)
    table = [r for r in rows(folder, damages) if r.status == "sealed" and r.summary is not None]
    simulated = top.robot in SIMULATED
    world = ended if simulated else _nothing
    by_label, by_world = confusion(table, typed, "labels"), confusion(table, world, "world")
    pairs = [
        (row.summary.success_probability, truth)
        for row in table
        if row.summary is not None and row.summary.success_probability is not None
        if (truth := typed(row) if typed(row) is not None else world(row)) is not None
    ]
    found = probes(folder, damages)
    return RewardView(
        health=judge_health(table),
        labels=by_label,
        world=by_world,
        bins=calibration(pairs),
        brier=brier(pairs),
        disagreed=tuple(
            row.id for row in table if row.label and row.won not in {None, row.label == "success"}
        ),
        probes=found,
        notes=_notes(table, simulated=simulated, labelled=by_label is not None, probed=bool(found)),
        damage=damages.found,
    )


def confusion(
    table: Sequence[EpisodeRow], truth: Callable[[EpisodeRow], bool | None], against: str
) -> Confusion | None:
    """Count verdicts by whether they were true; None where no truth is known."""
    known = [(row.won, real) for row in table if (real := truth(row)) is not None]
    if not known:
        return None
    return Confusion(
        against,
        true_success=known.count((True, True)),
        false_success=known.count((True, False)),
        true_failure=known.count((False, False)),
        false_failure=known.count((False, True)),
        unknown=sum(won is None for won, _ in known),
    )


def calibration(pairs: Sequence[tuple[float, bool]]) -> tuple[Bin, ...]:
    """Ten bins of equal width; empty ones are left out."""
    found = []
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        inside = [(p, t) for p, t in pairs if min(int(p * BINS), BINS - 1) == number]
        if inside:
            said = sum(p for p, _ in inside) / len(inside)
            found.append(Bin(low, high, said, Rate.of(t for _, t in inside)))
    return tuple(found)


def brier(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """Mean squared difference of probability and truth; None of none."""
    return sum((p - t) ** 2 for p, t in pairs) / len(pairs) if pairs else None


def probes(folder: Path, damages: Damages) -> tuple[Probe, ...]:
    """What probes.jsonl tells, one a line with the fields of `Probe`; () where there is none."""
    text = damages.read(folder / PROBES, lambda path: path.read_text("utf-8", "replace")) or ""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found.append(_probe(line))
        except DAMAGED:
            damages.add(folder / PROBES, f"line {number} is torn or altered")
    return tuple(found)


def _probe(line: str) -> Probe:
    values = json.loads(line)
    chance = values.get("probability")
    words = {key: str(values[key]) for key in ("name", "wanted", "found", "source", "when")}
    return Probe(probability=None if chance is None else float(chance), **words)


def _nothing(_: EpisodeRow) -> bool | None:
    return None


def _notes(
    table: Sequence[EpisodeRow], *, simulated: bool, labelled: bool, probed: bool
) -> tuple[str, ...]:
    notes = []
    if not table:
        notes.append("no sealed episode yet")
    if not labelled:
        notes.append("no label was typed: `vlarl-agent episodes label RUN ID success|failure`")
    if not simulated:
        notes.append("this robot's world has no verdict of its own: only labels tell the truth")
    sources = {row.summary.source for row in table if row.summary is not None}
    if simulated and sources and all(source.startswith(REPEATS) for source in sources):
        notes.append("this judge repeats the world's verdict, so the two cannot differ")
    if not probed:
        notes.append("no probe of the judge is recorded")
    return tuple(notes)
