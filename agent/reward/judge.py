"""The judge that looks at pictures: any reader's opinions of chosen views, made into a verdict."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.episode import Episode, Float32Array, Observation, RewardSignal
from agent.errors import DataError, RewardUnavailable
from agent.reward import question, verdict
from agent.reward.calibration import Calibration
from agent.reward.reader import Frames, Opinion, Reader
from agent.settings import RewardSettings

log = logging.getLogger(__name__)


class Seen(Protocol):
    """What was read already while the robot acted."""

    def opinions(self, views: Sequence[Observation]) -> Mapping[int, tuple[float, float, float]]:
        """Success, progress and uncertainty of these views, by their number, as far as known."""
        ...


class FrameJudge:
    """Reads every n-th view, the first and the last ones; says nothing of how an episode ended.

    calibration: makes probabilities of a reader's scores, and sets the bar. It reads pictures and
    the instruction; of the world's own verdict and privileged facts it knows nothing.
    """

    def __init__(
        self,
        reader: Reader,
        settings: RewardSettings,
        calibration: Calibration | None = None,
        seen: Seen | None = None,
    ) -> None:
        self._reader, self._settings, self._seen = reader, settings, seen
        self._calibration = calibration
        self._bar = verdict.bar_of(settings, calibration)

    @property
    def reader(self) -> Reader:
        """Who looks at the pictures."""
        return self._reader

    @property
    def bar(self) -> verdict.Bar:
        """What counts as success."""
        return self._bar

    def score(self, episode: Episode) -> RewardSignal:
        """Read the episode and judge it. Raises RewardUnavailable where no reader answers."""
        views = [*(step.observation for step in episode.steps), episode.last]
        numbers = chosen(len(views), self._settings.every_views, self._bar.n)
        success, progress, uncertainty = self._read(views, numbers)
        ruling = verdict.rule(success, uncertainty, self._bar, self._settings)
        believed = verdict.believed(
            ruling, float(success[0]), self._bar.theta, episode, self._settings.least_motion
        )
        if believed.why:
            log.info("episode %s: %s", episode.id, believed.why)
        every = np.arange(len(views))
        return RewardSignal(
            progress=_between(every, numbers, progress),
            success_probability=believed.probability,
            verdict=believed.verdict,
            source=f"{self._reader.id}{'; ' if believed.why else ''}{believed.why}",
            success=_between(every, numbers, success),
            uncertainty=_between(every, numbers, uncertainty),
        )

    def _read(
        self, views: Sequence[Observation], numbers: Sequence[int]
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        """Success (calibrated), progress and uncertainty of the chosen views, each (chosen,)."""
        known = dict(self._seen.opinions(views)) if self._seen is not None else {}
        # The first view is what progress is seen against, so it is always among those read.
        missing = [number for number in numbers if number not in known]
        if missing:
            asked = sorted({0, *missing})
            opinion = read(self._reader, [views[number] for number in asked], self._settings)
            rows = zip(opinion.success, opinion.progress, opinion.uncertainty, strict=True)
            known.update(zip(asked, rows, strict=True))
        table = np.array([known[number] for number in numbers], np.float32)
        success = table[:, 0]
        if self._calibration is not None:
            success = self._calibration.probability(success)
        return success, table[:, 1], table[:, 2]


def chosen(views: int, every: int, last: int) -> tuple[int, ...]:
    """Which of so many views are read: every n-th, and the last ones, which decide."""
    deciding = range(max(0, views - last), views)
    return tuple(sorted({*range(0, views, every), *deciding}))


def read(reader: Reader, views: Sequence[Observation], settings: RewardSettings) -> Opinion:
    """Ask a reader, and hold its answer to its shape. Raises RewardUnavailable."""
    try:
        instruction = question.cleaned(views[0].instruction)
    except DataError as error:
        raise RewardUnavailable(str(error)) from error
    names = settings.cameras.split(",") if settings.cameras else list(views[0].images)
    absent = [name for name in names if name not in views[0].images]
    if absent or not names:
        raise RewardUnavailable(
            f"pictures of {', '.join(names) or 'a camera'} wanted, found "
            f"{', '.join(views[0].images) or 'none'}; set reward.cameras"
        )
    images = {name: np.stack([view.images[name] for view in views]) for name in names}
    opinion = reader.read(Frames(images, instruction))
    for name in ("success", "progress", "uncertainty"):
        values = getattr(opinion, name)
        if values.shape != (len(views),):
            raise RewardUnavailable(
                f"{len(views)} values of {name} wanted from {reader.id}, found {values.shape}"
            )
        # NaN compares as False, so it is refused here too.
        if not bool(np.all((values >= 0.0) & (values <= 1.0))):
            raise RewardUnavailable(
                f"{name} of 0 to 1 wanted from {reader.id}, found {values.min()} to {values.max()}"
            )
    return opinion


def _between(every: NDArray[np.int_], numbers: Sequence[int], values: Float32Array) -> Float32Array:
    return np.asarray(np.interp(every, numbers, values), np.float32)
