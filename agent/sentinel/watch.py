"""The watch over cameras and arm: learns from the first episodes, looks at every one after."""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent import suspension
from agent.durable import append_line
from agent.episode import Alarm, Episode, ScoredEpisode
from agent.errors import DataError
from agent.sentinel.arm import PLACE, ArmWatch, motion_of
from agent.sentinel.begun import Begun, pictures_of
from agent.settings import SentinelSettings
from calibration.complaints import CalibrationError

if TYPE_CHECKING:
    from agent.sentinel.cameras import CameraWatch
    from calibration.profile import Profile

log = logging.getLogger(__name__)

NAME = "sentinel"
FILE = "sentinel.jsonl"
ARM = "arm"

Told = Mapping[str, Mapping[str, float]]


class Sentinel:
    """Compares every episode with those with which the run began, or since learning was let go on.

    A lift says that a person has put the cell right: what comes after it is the new reference,
    unless another run's episodes were given as one.
    """

    def __init__(
        self,
        run: Path,
        settings: SentinelSettings,
        proprio: Sequence[str],
        given: Iterable[ScoredEpisode] = (),
        cell: Profile | None = None,
    ) -> None:
        """proprio: the robot's layout. given: another run's episodes that say how all should be.

        cell: whose cameras' lens and place, where it holds them, tell degrees and millimetres.
        """
        self._run, self._settings, self._cell = run, settings, cell
        self._place = [proprio.index(name) for name in PLACE if name in proprio]
        if len(self._place) != len(PLACE):
            log.info("the arm is not watched: its proprioception has no %s", ", ".join(PLACE))
            self._place = []
        self._lifts = 0
        self._begun = Begun()
        self._cameras: dict[str, CameraWatch] = {}
        self._arm: ArmWatch | None = None
        self._fixed = False
        self._known_rows: dict[str, Told] | None = None
        for scored in given:
            self._learn(scored.episode)
        self._fixed = self._begun.episodes > 0

    def recall(self, scored: ScoredEpisode) -> None:
        """Take in an episode noted before; what was measured then is not measured again."""
        episode = scored.episode
        self._heed_lifts(episode.id)
        if self._learning:
            self._learn(episode)
            return
        told = self._rows().get(episode.id)
        if told is None:
            self._look(episode)
        else:
            for name, watch in self._watches.items():
                watch.take(told.get(name, {}))
        if self._alarmed:
            self._forget()  # it was told before

    def note(self, scored: ScoredEpisode) -> Alarm | None:
        """Look at an episode just sealed. Raises StorageError."""
        episode = scored.episode
        self._heed_lifts(episode.id)
        if self._learning:
            self._learn(episode)
            self._record(episode, "learning", {}, "")
            return None
        told = self._look(episode)
        said = "; ".join(self._alarmed)
        self._record(episode, "watching", told, said)
        if not said:
            return None
        facts = {
            f"{name}/{figure}": value
            for name, watch in self._watches.items() if watch.alarmed
            for figure, value in watch.off.items()
        }  # fmt: skip
        self._forget()
        return Alarm(NAME, said, facts)

    @property
    def _learning(self) -> bool:
        return not self._fixed and self._begun.episodes < self._settings.reference_episodes

    @property
    def _watches(self) -> dict[str, CameraWatch | ArmWatch]:
        return {**self._cameras, **({ARM: self._arm} if self._arm else {})}

    @property
    def _alarmed(self) -> list[str]:
        bad = [watch for watch in self._watches.values() if watch.alarmed]
        return [watch.alarmed for watch in sorted(bad, key=lambda each: -each.share)]

    def _forget(self) -> None:
        for watch in self._watches.values():
            watch.forget()

    def _heed_lifts(self, episode: str) -> None:
        """Begin anew after a lift: a person has looked at the cell since."""
        rows = suspension.read(self._run).rows
        lifts = sum(isinstance(row, suspension.Lifted) and row.after < episode for row in rows)
        if lifts == self._lifts:
            return
        self._lifts = lifts
        if self._fixed:
            self._forget()
        else:
            self._begun, self._cameras, self._arm = Begun(), {}, None

    def _learn(self, episode: Episode) -> None:
        begun, settings = self._begun, self._settings
        begun.take(episode, settings.every_views, self._place)
        if begun.episodes < settings.reference_episodes:
            return
        cameras = _cameras(settings, begun, self._cell)
        arm = ArmWatch(settings)
        if arm.learn(begun.motions):
            self._arm = arm
        elif self._place:
            log.info("the arm moved too little to be watched: %d episodes", begun.episodes)
        self._cameras = cameras
        # The pictures have done their work; only how many there were is asked for again.
        self._begun = Begun(begun.episodes)

    def _look(self, episode: Episode) -> Told:
        seen = pictures_of(episode, self._settings.every_views)
        try:
            told = {name: watch.look(seen.get(name, [])) for name, watch in self._cameras.items()}
        except CalibrationError as error:
            raise DataError(f"episode {episode.id} cannot be watched: {error}") from error
        if self._arm is not None:
            told[ARM] = self._arm.look(motion_of(episode, self._place))
        return told

    def _record(self, episode: Episode, state: str, told: Told, alarm: str) -> None:
        row = {
            "episode": episode.id,
            "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "state": state,
            "figures": told,
            "shares": {name: round(watch.share, 3) for name, watch in self._watches.items()},
            "alarm": alarm,
        }
        append_line(self._run / FILE, json.dumps(row))

    def _rows(self) -> dict[str, Told]:
        """What was measured before, by episode; a torn line is measured again."""
        if self._known_rows is None:
            self._known_rows = _rows(self._run / FILE)
        return self._known_rows


def _cameras(
    settings: SentinelSettings, begun: Begun, cell: Profile | None
) -> dict[str, CameraWatch]:
    """A watch for each camera and moment that was seen often enough."""
    try:
        from agent.sentinel.cameras import CameraWatch
        from calibration.sightline import sightlines
    except ImportError as error:
        log.info("no camera is watched: %s; pip install 'vlarl-agent[calibrate]'", error)
        return {}
    # Of a camera on the hand the distance is known at home alone: not under way.
    sights = {} if cell is None else sightlines(cell)
    watches = {}
    for name, pictures in begun.pictures.items():
        if len(pictures) >= settings.reference_episodes:
            watches[name] = CameraWatch(name, settings, sights.get(name))
            watches[name].learn(pictures)
    return watches


def _rows(path: Path) -> dict[str, Told]:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return {}
    rows: dict[str, Told] = {}
    for line in lines:
        try:
            row = json.loads(line)
            if row["state"] == "watching":
                rows[str(row["episode"])] = {
                    str(name): {str(key): float(value) for key, value in each.items()}
                    for name, each in row["figures"].items()
                }
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return rows
