"""One episode from the inside: what was seen, wanted, done, judged and learned from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.episode import (
    Decision,
    Episode,
    Observation,
    RewardSignal,
    ScoredEpisode,
    Step,
    Task,
    Verdict,
)
from agent.learn.explanation import SUFFIX, Explained, read
from agent.logbook.activity import group
from agent.logbook.asking import Asked
from agent.logbook.damage import Damage, Damages
from agent.logbook.episodes_view import EpisodeRow, Status, row_of
from agent.logbook.places import place
from agent.logbook.running import Running, running
from agent.logbook.tracks import Tracks, tracks
from agent.logbook.updates import UpdateRow, updates
from agent.reward.shaping import Rewards, shape
from agent.store.layout import JUDGED, Layout, row_actions
from agent.store.record import EpisodeRecord, read_record
from agent.store.run import open_run
from agent.store.steplog import ending_named


@dataclass(frozen=True, slots=True)
class Seen:
    """The numbers of one episode. missing: names of those `Tracks` that could not be read.

    rewards: by the run's settings, each part (n,); None where the judgement cannot be read.
    """

    tracks: Tracks
    missing: tuple[str, ...]
    rewards: Rewards | None


@dataclass(frozen=True, slots=True)
class EpisodeView:
    """One episode. facts: attributes as recorded (task, ending, source, extra and more).

    cameras: name to (h, w). seen: None where no step of it can be read.
    update: the one that used it up; explained: what that update made of it; each None without.
    asked: what another adapter thinks of it, filled by whoever asked.
    """

    row: EpisodeRow
    status: Status
    facts: Mapping[str, Any]
    cameras: Mapping[str, tuple[int, int]]
    seen: Seen | None
    update: UpdateRow | None
    explained: Explained | None
    damage: tuple[Damage, ...]
    asked: Asked | None = None


def episode(folder: Path, name: str) -> EpisodeView:
    """Everything about one episode but its pictures. folder: of the run. name: its id.

    Raises UsageError for a malformed or unknown id.
    """
    damages = Damages(folder)
    status, its = place(folder, name)
    history = updates(folder, damages)
    update = next((row for row in history if name in row.episodes), None)
    if status == "running":
        now = damages.read(its, running)
        return _running(folder, name, now, damages)
    record = damages.read(its, read_record)
    seen = None if record is None else _seen(folder, its, record, damages)
    return EpisodeView(
        row=row_of(folder, name, status, damages),
        status=status,
        facts={} if record is None else record.attributes,
        cameras={} if record is None or record.layout is None else record.layout.cameras,
        seen=seen,
        update=update,
        explained=None if update is None else _explained(folder, name, update, seen, damages),
        damage=damages.found,
    )


def _seen(folder: Path, its: Path, record: EpisodeRecord, damages: Damages) -> Seen | None:
    from agent.store.columns import read_columns  # and with it zarr, for episodes alone

    layout = record.layout
    if layout is None:
        return None
    values, wrong = read_columns(its, record)
    for column, what in wrong.items():
        if column not in JUDGED or record.status == "complete":
            damages.add(its / "data.zarr" / column, what)
    decisions = record.summary.decisions
    views = decisions + (record.status == "complete")
    found, missing = tracks(layout, values, (decisions, views))
    rewards = None
    if not {"progress", "applied", "applied_count", "executed"} & set(missing):
        scored = damages.read(its, lambda _: _scored(record, layout, found))
        rewards = None if scored is None else _rewards(folder, scored, damages)
    return Seen(found, missing, rewards)


def _running(folder: Path, name: str, now: Running | None, damages: Damages) -> EpisodeView:
    row = row_of(folder, name, "running", damages)
    if now is None or now.layout is None:
        return EpisodeView(row, "running", {}, {}, None, None, None, damages.found)
    found, missing = tracks(now.layout, now.values, (now.decisions, now.decisions))
    seen = Seen(found, tuple(each for each in missing if each not in JUDGED), None)
    return EpisodeView(
        row, "running", now.facts, now.layout.cameras, seen, None, None, damages.found
    )


def _explained(
    folder: Path,
    name: str,
    update: UpdateRow,
    seen: Seen | None,
    damages: Damages,
) -> Explained | None:
    path = folder / "updates" / f"{update.number:04d}{SUFFIX}"
    if not path.exists():
        return None
    found = (damages.read(path, read) or {}).get(name)
    if found is not None and seen is not None and found.decisions != seen.tracks.decisions:
        damages.add(
            path, f"episode {name}: want {seen.tracks.decisions} decisions, found {found.decisions}"
        )
        return None
    return found


def _rewards(folder: Path, scored: ScoredEpisode, damages: Damages) -> Rewards | None:
    told = damages.read(folder / "run.json", lambda path: open_run(path.parent))
    learn = {} if told is None else group(told.settings, "learn")
    try:
        return shape(
            scored, float(learn["gamma"]), float(learn["progress_weight"]), str(learn["shaping"]),
            float(learn.get("penalty_weight", 0.0)),  # older runs fined nothing
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        damages.add(folder / "run.json", f"no rewards without the settings of learning: {error!r}")
        return None


def _scored(record: EpisodeRecord, layout: Layout, found: Tracks) -> ScoredEpisode:
    """The episode without its pictures. Raises what damaged attributes raise."""
    facts, adapter = record.attributes, record.summary.adapter
    temperature = record.summary.temperature
    views = [
        Observation({}, proprio, layout.instruction, float(time_s))
        for proprio, time_s in zip(found.proprio, found.time_s, strict=True)
    ]
    steps = tuple(
        Step(
            views[index],
            Decision((), found.tokens[index], found.log_probs[index], adapter, temperature),
            row_actions(found.applied[index, : found.applied_count[index]]),
            found.executed[index],
            found.track[index, : found.applied_count[index]],
        )
        for index in range(found.decisions)
    )
    signal = RewardSignal(
        found.progress,
        float(facts["success_probability"]),
        Verdict(facts["verdict"]),
        str(facts["source"]),
    )
    whole = Episode(
        record.summary.id, Task(**facts["task"]), adapter, temperature, steps, views[-1],
        ending_named(facts["ending"]["reason"]),
    )  # fmt: skip
    return ScoredEpisode(whole, signal)
