"""The family of adapters: who came from whom, how each did, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.errors import UsageError
from agent.interval import Paired, probability_worse
from agent.logbook.damage import Damage, Damages
from agent.logbook.episodes_view import rows
from agent.logbook.rate import Rate
from agent.logbook.success import Evaluation, by_adapter, compared, curve, evaluations
from agent.logbook.updates import UpdateRow, acting, updates
from agent.logbook.weights import Apart, Weights, apart, weights

BASE = "base"
State = Literal["acting", "promoted", "rolled back", "discarded", "base", "unrecorded"]
_UNRECORDED: State = "unrecorded"


@dataclass(frozen=True, slots=True)
class AdapterRow:
    """One adapter or candidate. depth: updates between it and the base.

    update: its number, None for the base. episodes: ids it was made of. acted: how the episodes
    it acted in came out. evaluations: of it, on held-out states. gone: its folder is missing.
    state "unrecorded": there is a folder, and no report that can be read tells of it.
    """

    name: str
    parent: str
    depth: int
    state: State
    update: int | None
    why: str
    when: str
    episodes: tuple[str, ...]
    acted: Rate
    evaluations: tuple[Evaluation, ...]
    metrics: Mapping[str, float]
    gone: bool


@dataclass(frozen=True, slots=True)
class AdaptersView:
    """All adapters, each after its parent, children in the order they were made."""

    acting: str
    rows: tuple[AdapterRow, ...]
    damage: tuple[Damage, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two adapters side by side.

    apart: how far what they add to the base's weights is; None where weights are missing.
    second_better: probability that the second succeeds more often, from the episodes that each
    acted in (different start states, uniform priors). paired: on held-out states both tried.
    """

    first: AdapterRow
    second: AdapterRow
    apart: Apart | None
    second_better: float
    paired: Paired | None
    damage: tuple[Damage, ...]


def adapters(folder: Path) -> AdaptersView:
    """Every adapter and candidate of a run."""
    damages = Damages(folder)
    return AdaptersView(*_family(folder, damages), damages.found)


def compare(folder: Path, first: str, second: str) -> Comparison:
    """Compare two adapters of a run. Raises UsageError for a name that the run does not know."""
    damages = Damages(folder)
    _, family = _family(folder, damages)
    ours, theirs = _named(family, first), _named(family, second)
    loaded = [_weights(folder, row, damages) for row in (ours, theirs)]
    gap = None
    if loaded[0] is not None and loaded[1] is not None:
        gap = apart(loaded[0], loaded[1])
    return Comparison(
        ours,
        theirs,
        gap,
        second_better=probability_worse(
            (theirs.acted.won, theirs.acted.tried), (ours.acted.won, ours.acted.tried)
        ),
        paired=(
            compared(ours.evaluations[-1], theirs.evaluations[-1])
            if ours.evaluations and theirs.evaluations
            else None
        ),
        damage=damages.found,
    )


def _family(folder: Path, damages: Damages) -> tuple[str, tuple[AdapterRow, ...]]:
    history = updates(folder, damages)
    now = acting(history)
    acted = {each.adapter: each.rate for each in by_adapter(curve(rows(folder, damages, history)))}
    scores = evaluations(folder, damages)
    made = [row for row in history if row.outcome in {"kept", "discarded"}]
    parents = {BASE: "", **{row.adapter: row.parent for row in made}}
    lost = [name for name in _folders(folder, damages) if name not in parents]
    states = {**dict.fromkeys(lost, _UNRECORDED), **_states(history, now)}
    parents |= dict.fromkeys(lost, "")
    depths = _in_order(parents)

    def row(name: str, update: UpdateRow | None) -> AdapterRow:
        kept = states[name] not in {"discarded", "base", "unrecorded"} and name != BASE
        return AdapterRow(
            name=name,
            parent=parents[name],
            depth=depths[name],
            state=states[name],
            update=None if update is None else update.number,
            why="" if update is None else update.why,
            when="" if update is None else update.when,
            episodes=() if update is None else update.episodes,
            acted=acted.get(name, Rate.of(())),
            evaluations=tuple(each for each in scores if each.adapter == name),
            metrics={} if update is None else update.metrics,
            gone=kept and not (folder / "adapters" / name).is_dir(),
        )

    found = {name: row(name, None) for name in (BASE, *lost)}
    found |= {each.adapter: row(each.adapter, each) for each in made}
    family = tuple(found[name] for name in depths)
    gone = [each.name for each in family if each.gone]
    if gone:
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        what = f"folders of adapters that were kept are gone: {', '.join(gone[:3])}{more}"
        damages.add(folder / "adapters", what)
    return now, family


def _folders(folder: Path, damages: Damages) -> list[str]:
    """Names of the adapters that have a folder; one being written is none yet."""
    place = folder / "adapters"
    found = damages.read(place, lambda path: [each.name for each in path.iterdir()]) or []
    return sorted(name for name in found if not name.startswith((".", "staging-")))


def _states(history: Sequence[UpdateRow], now: str) -> Mapping[str, State]:
    """What became of each: an adapter is rolled back when one before it acts again."""
    states: dict[str, State] = {BASE: "base"}
    at = BASE
    for row in history:
        if row.outcome == "discarded":
            states[row.adapter] = "discarded"
        elif row.outcome == "kept":
            at = row.adapter
            states[at] = "promoted"
        elif row.outcome == "rolled back":
            if at != BASE:
                states[at] = "rolled back"
            at = row.adapter
    states[now] = "acting"
    return states


def _in_order(parents: Mapping[str, str]) -> Mapping[str, int]:
    """Names with their depth, each after its parent; those of an unknown parent come last."""
    children: dict[str, list[str]] = {}
    for name, parent in parents.items():
        children.setdefault(parent, []).append(name)
    depths: dict[str, int] = {}
    # Damaged reports may name each other in a circle: whoever is left over begins anew.
    for root in (BASE, *parents):
        waiting = [(root, 0)]
        while waiting:
            name, depth = waiting.pop()
            if name not in depths:
                depths[name] = depth
                waiting += [(child, depth + 1) for child in reversed(children.get(name, []))]
    return depths


def _named(family: Sequence[AdapterRow], name: str) -> AdapterRow:
    for row in family:
        if row.name == name:
            return row
    known = ", ".join(row.name for row in family[-12:])
    raise UsageError(f"no adapter is called {name[:40]!r}; this run knows: {known}")


def _weights(folder: Path, row: AdapterRow, damages: Damages) -> Weights | None:
    if row.name == BASE:
        return {}
    if row.state == "discarded":
        return None
    return damages.read(folder / "adapters" / row.name, weights)
