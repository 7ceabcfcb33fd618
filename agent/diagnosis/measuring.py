"""A run beside the reference: everything that can be told in a figure, before any judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from agent.diagnosis.evidence import Evidence, Sight
from agent.diagnosis.gripping import Gripping, gripping
from agent.diagnosis.reference import KnownSight, Reference
from agent.errors import DataError
from agent.policy.action_tokens import EPS, Float64Array, to_values
from calibration.complaints import CalibrationError
from calibration.expected import lay
from calibration.looks import OtherLooks, looks, other
from calibration.motion import Change, change, respond, spread
from calibration.view import register

DRAWS = 12


@dataclass(frozen=True, slots=True)
class Moved:
    """A camera's view: (right, down) px of its pictures, clockwise deg, scale; and their doubts.

    agreement: correlation with what was expected, once laid over it.
    """

    right_px: float
    down_px: float
    rotation_deg: float
    scale: float
    agreement: float
    doubt_px: float
    doubt_deg: float
    doubt_scale: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """q01, q99: (7,) as the run's own actions tell them, NaN where it never said enough.

    off: largest difference of an action from what the reference makes of its tokens, full scale.
    """

    off: float
    q01: Float64Array
    q99: Float64Array


@dataclass(frozen=True, slots=True)
class Measured:
    """None where a thing could not be measured.

    blind: by camera that could not be compared, why not. still: why the arm's answer is unknown.
    turn_sd (deg), gain_sd (log), bias_sd ((3,) commands): over resampled episodes.
    chance: probability of so few successes or fewer, had all been well.
    """

    views: Mapping[str, Moved]
    looks: Mapping[str, OtherLooks]
    change: Change | None
    turn_sd: float
    gain_sd: float
    bias_sd: Float64Array
    gripping: Gripping | None
    statistics: Statistics | None
    won: int
    tried: int
    chance: float
    blind: Mapping[str, str]
    still: str


def measure(seen: Evidence, known: Reference) -> Measured:
    """Compare. Raises DataError for a run of another robot than the reference's."""
    _same_robot(seen, known)
    blind, still = {}, ""
    motions = known.free(seen.motions, seen.places)
    found = None
    doubts: tuple[float, float, Float64Array] = (np.inf, np.inf, np.full(3, np.inf))
    try:
        found = change(respond(motions, known.response.lag), known.response)
        doubts = spread(motions, known.response, DRAWS, 0)
    except CalibrationError as error:
        still = f"how the arm answers: {error}"
    views = {}
    for name, sight in known.sights.items():
        try:
            views[name] = _moved(sight, seen.sights[name])
        except CalibrationError as error:
            blind[name] = f"camera {name}: {error}"
    won, tried = (sum(each[side] for each in seen.tally.values()) for side in (0, 1))
    delay = max(found.delay_steps, 0) if found else 0
    return Measured(
        views=views,
        looks={n: other(looks(seen.sights[n].starts), s.looks) for n, s in known.sights.items()},
        change=found, turn_sd=doubts[0], gain_sd=doubts[1], bias_sd=doubts[2],
        gripping=gripping(seen.grips, delay) if seen.grips else None,
        statistics=_statistics(seen, known), won=won, tried=tried,
        chance=_chance(seen.tally, known.tally), blind=blind, still=still,
    )  # fmt: skip


def _same_robot(seen: Evidence, known: Reference) -> None:
    sizes = {name: sight.starts[0].shape[1::-1] for name, sight in seen.sights.items()}
    wanted = {name: tuple(sight.still.size) for name, sight in known.sights.items()}
    if seen.proprio != known.proprio or any(
        sizes.get(name) != size for name, size in wanted.items()
    ):
        raise DataError(
            f"a run of {known.robot} wanted, as the reference: {known.proprio} values of "
            f"proprioception, cameras {_told(wanted)}; found {seen.proprio} and {_told(sizes)}; "
            "give this robot's reference with --against"
        )


def _told(sizes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {w} x {h}" for name, (w, h) in sorted(sizes.items())) or "none"


def _moved(known: KnownSight, sight: Sight) -> Moved:
    width = known.still.size[0]
    if known.moving is not None:
        laid = lay(known.moving, sight.poses, sight.greys, sight.owners)
        right, down, turn, scale = laid.doubt
        return Moved(
            width * laid.right, width * laid.down, laid.rotation_deg, laid.scale, laid.agreement,
            width * float(np.hypot(right, down)), float(np.degrees(turn)), scale,
        )  # fmt: skip
    offsets = [register(known.still, picture) for picture in sight.starts]
    rows = np.array(
        [[*o.shift_px, o.rotation_deg, o.scale, o.confidence] for o in offsets], np.float64
    )
    middle = np.median(rows, axis=0)
    off = 1.4826 * np.median(np.abs(rows - middle), axis=0) / np.sqrt(len(rows))
    right, down, turn, scale, agreement = (float(value) for value in middle)
    doubt = float(np.hypot(off[0], off[1]))
    return Moved(right, down, turn, scale, agreement, doubt, float(off[2]), float(off[3]))


def _statistics(seen: Evidence, known: Reference) -> Statistics | None:
    if not len(seen.tokens):
        return None
    values = to_values(seen.tokens)
    stats = known.stats
    scaled = 0.5 * (values + 1.0) * (stats.q99 - stats.q01 + EPS) + stats.q01
    expected = np.where(stats.mask, scaled, np.clip(values, 0.0, 1.0))
    off = float(np.abs(seen.asked - expected).max())
    q01, q99 = np.full(7, np.nan), np.full(7, np.nan)
    for axis in np.flatnonzero(stats.mask):
        if np.ptp(values[:, axis]) > 0:
            slope, start = np.polyfit(values[:, axis], seen.asked[:, axis], 1)
            q01[axis], q99[axis] = start - slope, start + slope
    return Statistics(off, q01, q99)


def _chance(ours: Mapping[str, tuple[int, int]], theirs: Mapping[str, tuple[int, int]]) -> float:
    """P(so few or fewer), each task at the reference's rate (Laplace's), all if it lacks one."""
    total = tuple(sum(each[side] for each in theirs.values()) for side in (0, 1))
    chances = np.ones(1)  # of 0, 1, ... successes
    for task, (_, tried) in ours.items():
        won, of = theirs.get(task, total)
        rate = (won + 1.0) / (of + 2.0)
        for _ in range(tried):
            chances = np.convolve(chances, [1.0 - rate, rate])
    won = sum(each[0] for each in ours.values())
    return float(chances[: won + 1].sum())
