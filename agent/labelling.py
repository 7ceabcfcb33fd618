"""Labels of recorded runs: episodes read one after the other, cut, labelled and written."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import ValidationError

from agent.episode import Episode
from agent.errors import DataError, UsageError
from agent.logbook.truth import truths
from agent.protocols import Robot
from agent.registry import make_robot
from agent.reward.label_file import LabelHead, Labelled, fingerprint, write_labels
from agent.reward.labels import LabelSettings, Told, labels_of
from agent.reward.segments import Layout, SegmentSettings, layout_of, series_of
from agent.settings import RobotSettings
from agent.store.reader import ZarrReader
from agent.store.run import open_run


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All that labelling is told. layout: None takes it from the robot's card."""

    segments: SegmentSettings = field(default_factory=SegmentSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)
    layout: Layout | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of labelling. counts: labels by (question, why). unknown: without a truth."""

    episodes: int
    succeeded: int
    failed: int
    unknown: int
    counts: Mapping[tuple[str, str], int]


def label_runs(
    runs: Sequence[Path],
    out: Path,
    thresholds: Thresholds | None = None,
    on_episode: Callable[[int], None] = lambda _: None,
) -> Counted:
    """Label every sealed episode of some runs, and keep the labels in a folder.

    Raises UsageError where no episode's outcome is known, DataError for one that is damaged.
    """
    told, names = thresholds or Thresholds(), _named(runs)
    seen: list[Told] = []
    listed: list[Labelled] = []
    for name, run in names.items():
        layout = told.layout or layout_of_run(run)
        reader = ZarrReader(run)
        for known in truths(run):
            episode = reader.read(known.id).episode
            asked = instruction_of(episode)
            series, task = series_of(episode, layout), episode.task
            # Pictures are let go of here: what stays of an episode is a few kilobytes.
            seen.append(Told(name, known.id, task.name, asked, task.start, known.success, series))
            found = (known.success, known.by, fingerprint(episode))
            listed.append(Labelled(name, known.id, task.name, asked, *found))
            on_episode(len(seen))
    if all(each.success is None for each in seen):
        raise UsageError(
            f"episodes whose outcome is known wanted, found none of {len(seen)}; "
            "say it with: vlarl-agent episodes label RUN ID success|failure"
        )
    labels = list(labels_of(seen, told.labels, told.segments))
    settings = {"segments": asdict(told.segments), "labels": asdict(told.labels)}
    places = {name: os.path.relpath(run, out) for name, run in names.items()}
    write_labels(out, LabelHead(places, tuple(listed), settings, len(labels)), labels)
    outcomes = [each.success for each in seen]
    return Counted(
        len(seen),
        outcomes.count(True),
        outcomes.count(False),
        outcomes.count(None),
        Counter((each.question, each.why) for each in labels),
    )


def layout_of_run(run: Path) -> Layout:
    """Where a run's robot keeps tool and gripper in its proprioception, by the robot's card."""
    return layout_of(robot_of_run(run).card)


def robot_of_run(run: Path) -> Robot:
    """The robot that a run was made with; nothing of it is started."""
    # The robot's table alone: whatever else an older or newer program saved does not matter here.
    told = open_run(run).settings.get("robot", {})
    try:
        return make_robot(RobotSettings.model_validate(told))
    except ValidationError as error:
        raise DataError(f"{run}: its robot's settings cannot be read: {error}") from error


def instruction_of(episode: Episode) -> str:
    """What was asked: a world may word a task in its own way."""
    return episode.last.instruction or episode.task.instruction


def _named(runs: Sequence[Path]) -> Mapping[str, Path]:
    """Runs by short names of their own. Raises UsageError for one that is given twice."""
    places = [run.resolve() for run in runs]
    if len(set(places)) < len(places):
        raise UsageError(f"each run once wanted, found one twice in {', '.join(map(str, runs))}")
    many = Counter(place.name for place in places)
    return {
        place.name if many[place.name] == 1 else f"{place.name}-{number}": place
        for number, place in enumerate(places, 1)
    }
