"""Milestones and keyframes of an episode, out of its gripper and its tool: VLA-RL's pseudo labels.

The gripper's opening, median-filtered, is cut where it changes by much within a short time: each
cut is a milestone, and the end is one. Keyframes are where the tool all but stands still. Progress
gives each of m milestones 1/m and runs between them with the length of the tool's way
(arXiv 2505.18719, section 4.3; the numbers are settings, since the paper gives none).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from agent.episode import Episode, RobotCard
from agent.errors import DataError, UsageError

Float64Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Names that robots' cards give to where the tool is (m) and how far the gripper is open.
POSITIONS = (("tool_x_m", "tool_y_m", "tool_z_m"), ("x", "y", "z"))
OPENINGS = (("opening",), ("left_finger", "right_finger"))
WIDEST = (1.0, 0.08)  # what the latter read when fully open


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """Every threshold of the segmentation.

    median_s: width of the median filter on the opening.
    cut_share, within_s: a cut is a change by more than this share of the opening's range in the
    episode, within this time. least_range: below this range (1.0 is fully open) nothing is cut.
    debounce_s: of two opposite cuts closer than this neither counts, of two alike the first; nor
    does a cut this close to either end, where fingers take their first shape or let go at last.
    slow_percentile, slow_m_s: a keyframe is slower than this percentile of the episode's speeds,
    or than this speed, whichever is more. apart_s: keyframes keep this far from cuts, from both
    ends and from one another.
    """

    median_s: float = 0.25
    cut_share: float = 0.3
    within_s: float = 0.5
    least_range: float = 0.25
    debounce_s: float = 0.5
    slow_percentile: float = 10.0
    slow_m_s: float = 0.01
    apart_s: float = 0.3

    def __post_init__(self) -> None:
        """Refuse what cannot be. Raises UsageError."""
        for name in ("median_s", "within_s", "debounce_s", "slow_m_s", "apart_s"):
            if not 0 <= (value := getattr(self, name)) < np.inf:
                raise UsageError(f"{name}: 0 or more and finite wanted, found {value}")
        for name, most in (("cut_share", 1.0), ("least_range", 1.0), ("slow_percentile", 100.0)):
            if not 0 < (value := getattr(self, name)) <= most:
                raise UsageError(f"{name}: above 0 and up to {most:g} wanted, found {value}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of the proprioception are what.

    position: three columns, m. opening: columns whose absolute values add up to the opening.
    widest: what they add up to when the gripper is fully open.
    """

    position: tuple[int, ...]
    opening: tuple[int, ...]
    widest: float
    control_hz: float


@dataclass(frozen=True, slots=True)
class Series:
    """An episode control step by control step, n + 1 moments, the first view's included.

    position_m: (n + 1, 3). opening: (n + 1,), 1.0 fully open. views: (steps + 1,), the moment of
    each recorded view. hz: moments a second.
    """

    position_m: Float64Array
    opening: Float64Array
    views: IntArray
    hz: float


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What was found in a series, as moments.

    milestones: the cuts and the end, rising. keyframes: rising, the milestones included.
    closing: for each milestone, whether the gripper closes there. opening: median-filtered.
    speed_m_s, progress: (n + 1,). slow_m_s: keyframes between milestones are slower.
    """

    milestones: IntArray
    keyframes: IntArray
    closing: NDArray[np.bool_]
    opening: Float64Array
    speed_m_s: Float64Array
    slow_m_s: float
    progress: Float64Array


def layout_of(card: RobotCard) -> Layout:
    """Find tool and gripper by the names on a robot's card. Raises UsageError where they lack."""
    names = card.proprio
    place = next((p for p in POSITIONS if set(p) <= set(names)), None)
    grip = next((n for n, o in enumerate(OPENINGS) if set(o) <= set(names)), None)
    if place is None or grip is None:
        raise UsageError(
            f"to cut episodes of {card.name}, proprioception with one of {POSITIONS} and one of "
            f"{OPENINGS} is wanted, found {names}; name them so in the robot's card or profile"
        )
    columns = [tuple(names.index(name) for name in each) for each in (place, OPENINGS[grip])]
    return Layout(columns[0], columns[1], WIDEST[grip], card.control_hz)


def series_of(episode: Episode, layout: Layout) -> Series:
    """Take an episode's tool and gripper out of what it felt. Raises DataError for other shapes."""
    if not episode.steps:
        raise DataError(f"episode {episode.id}: a step or more wanted, found none")
    rows = [episode.steps[0].observation.proprio[None], *(step.track for step in episode.steps)]
    wanted = max(*layout.position, *layout.opening) + 1
    if any(row.ndim != 2 or row.shape[1] < wanted for row in rows):
        shapes = sorted({row.shape[1:] for row in rows})
        raise DataError(
            f"episode {episode.id}: proprioception of {wanted} numbers or more wanted, "
            f"found {shapes}; is it an episode of this robot?"
        )
    felt = np.concatenate(rows).astype(np.float64)
    views = np.cumsum([0, *(len(step.track) for step in episode.steps)])
    opening = np.abs(felt[:, layout.opening]).sum(1) / layout.widest
    if not (np.isfinite(opening).all() and np.isfinite(felt[:, layout.position]).all()):
        raise DataError(f"episode {episode.id}: finite tool and gripper wanted, found NaN")
    return Series(felt[:, layout.position], opening, views, layout.control_hz)


def segment(series: Series, settings: SegmentSettings | None = None) -> Segmentation:
    """Cut a series into milestones, and find its keyframes and its progress."""
    told = settings or SegmentSettings()
    end = len(series.opening) - 1
    opening = median(series.opening, _moments(told.median_s, series.hz))
    near = told.debounce_s * series.hz
    found = _cuts(opening, series.hz, told)
    cuts = [(at, sign) for at, sign in found if at > 0 and near <= at <= end - near and at < end]
    milestones = np.array([*(at for at, _ in cuts), end], np.int64)
    closing = np.array([*(sign < 0 for _, sign in cuts), False], np.bool_)
    speed = speed_of(series)
    slow = max(float(np.percentile(speed, told.slow_percentile)), told.slow_m_s)
    apart = told.apart_s * series.hz
    between = _slow_moments(speed, slow, [0, *milestones], apart)
    keyframes = np.unique([*between, *milestones]).astype(np.int64)
    progress = _progress(series.position_m, milestones)
    return Segmentation(milestones, keyframes, closing, opening, speed, slow, progress)


def median(values: Float64Array, width: int) -> Float64Array:
    """Median of the `width` values around each, fewer at both ends; an even width counts as odd."""
    half = width // 2
    padded = np.pad(values, half, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    found: Float64Array = np.nanmedian(windows, axis=1)
    return found


def speed_of(series: Series) -> Float64Array:
    """The tool's speed, m/s, by central differences; one-sided at both ends."""
    if len(series.position_m) < 2:
        return np.zeros(len(series.position_m))
    found: Float64Array = np.linalg.norm(np.gradient(series.position_m, axis=0), axis=1)
    return found * series.hz


def _moments(seconds: float, hz: float) -> int:
    return max(1, round(seconds * hz))


def _cuts(opening: Float64Array, hz: float, told: SegmentSettings) -> list[tuple[int, int]]:
    """Moments at which the opening is halfway through a great change, each with its sign."""
    extent, lag = float(np.ptp(opening)), _moments(told.within_s, hz)
    if extent < told.least_range or len(opening) < 2:
        return []
    later = np.minimum(np.arange(len(opening)) + lag, len(opening) - 1)
    change = opening[later] - opening
    signs = np.where(np.abs(change) > told.cut_share * extent, np.sign(change), 0).astype(int)
    found: list[tuple[int, int]] = []
    for first, last in _stretches(signs):
        sign, until = int(signs[first]), int(later[last])
        level = (opening[first] + opening[until]) / 2
        passed = sign * (opening[first : until + 1] - level) >= 0
        found.append((first + int(np.argmax(passed)), sign))
    return _debounced(found, told.debounce_s * hz)


def _debounced(cuts: list[tuple[int, int]], least: float) -> list[tuple[int, int]]:
    """Let go of cuts that are too close, the closest pair first."""
    gaps = [after[0] - before[0] for before, after in pairwise(cuts)]
    if not gaps or min(gaps) >= least:
        return cuts
    at = gaps.index(min(gaps))
    alike = cuts[at][1] == cuts[at + 1][1]
    return _debounced(cuts[: at + alike] + cuts[at + 2 :], least)


def _stretches(signs: IntArray) -> list[tuple[int, int]]:
    """First and last moment of each stretch of one sign other than 0."""
    edges = np.flatnonzero(np.diff(signs, prepend=0, append=0))
    pairs = [(int(a), int(b) - 1) for a, b in pairwise(edges)]
    return [pair for pair in pairs if signs[pair[0]] != 0]


def _slow_moments(speed: Float64Array, slow: float, ends: list[int], apart: float) -> list[int]:
    """Local minima of the speed below `slow`, the middle of each where it is flat."""
    found: list[int] = []
    steps = np.diff(speed)
    moving = np.flatnonzero(steps)
    for before, after in pairwise(moving):
        at = (int(before) + 1 + int(after)) // 2
        dips = steps[before] < 0 < steps[after]
        if not dips or speed[at] >= slow or min(abs(at - end) for end in ends) < apart:
            continue
        if not found or at - found[-1] >= apart:
            found.append(at)
        elif speed[at] < speed[found[-1]]:
            found[-1] = at
    return found


def _progress(position_m: Float64Array, milestones: IntArray) -> Float64Array:
    """Each milestone is worth the same; between two, progress goes with the way of the tool."""
    way = np.concatenate([[0.0], np.linalg.norm(np.diff(position_m, axis=0), axis=1).cumsum()])
    progress = np.zeros(len(way))
    first = 0
    for number, last in enumerate(milestones):
        length = way[last] - way[first]
        # A tool that stands while the gripper works gets on with the time.
        part = way[first : last + 1] - way[first] if length > 0 else np.arange(last - first + 1.0)
        progress[first : last + 1] = (number + part / max(part[-1], 1e-12)) / len(milestones)
        first = int(last)
    return progress
