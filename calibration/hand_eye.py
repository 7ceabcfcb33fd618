"""Where a camera sits on an arm, or beside it, from views of a board at known arm poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.board import Board, Seen, enough
from calibration.camera import Intrinsics, locate
from calibration.closed_form import closed_form
from calibration.complaints import CalibrationError
from calibration.loop import Errors, Fit, Guess, Loop, Mount, board_in_camera, close
from calibration.rigid import Float64Array, apart, inverse, rotation_vector

LEAST_VIEWS = 8
LEAST_TURN_DEG = 20.0  # between tool poses
LEAST_CROSS_TURN_DEG = 5.0  # about a second axis: else the loop does not close uniquely
OUTLIER = 4.0
ROUNDS = 4
DRAWS = 12


@dataclass(frozen=True, slots=True)
class HandEye:
    """fit: the camera's pose in the tool's frame (on-hand) or the base's, the board's in the other.

    views: numbers of the pictures used. closed: OpenCV's own solutions, the best first.
    gap_m, gap_rad: how far the loop fails to close at the board, rms over the views.
    """

    mount: Mount
    fit: Fit
    views: tuple[int, ...]
    left_out: tuple[int, ...]
    closed: tuple[Guess, ...]
    gap_m: float
    gap_rad: float

    @property
    def deviation_m(self) -> float:
        """Standard deviation of the camera's place."""
        return float(np.sqrt(np.trace(self.fit.covariance[:3, :3])))

    @property
    def deviation_rad(self) -> float:
        """Standard deviation of the camera's direction."""
        return float(np.sqrt(np.trace(self.fit.covariance[3:, 3:])))


def solve(  # noqa: PLR0913  what was measured, and how well
    mount: Mount,
    board: Board,
    camera: Intrinsics,
    tool_in_base: Float64Array,
    seen: Sequence[Seen | None],
    errors: Errors | None = None,
    *,
    free: bool = True,
) -> HandEye:
    """Find the camera; views whose arm pose or picture fits no other are left out.

    tool_in_base: (n, 4, 4), one a picture. free: fit the intrinsics again with the arm's poses,
    which know more about them than the pictures alone.
    Raises CalibrationError for too few views, or for tool poses that turn too little.
    """
    if len(tool_in_base) != len(seen):
        raise CalibrationError(
            f"one arm pose a picture wanted, found {len(tool_in_base)} and {len(seen)}"
        )
    errors = errors or Errors()
    used = enough(board, seen, LEAST_VIEWS)
    shown = tuple(each for each in seen if each is not None)
    loop = Loop(mount, board, camera, np.asarray(tool_in_base, np.float64)[used], shown)
    _must_turn(loop.tool_in_base)
    closed = closed_form(loop)
    guess, left = closed[0], list(range(len(used)))
    for _ in range(ROUNDS):
        fit = close(loop.only(left), guess, errors, free=free)
        guess = Guess("refined", fit.camera, fit.board)
        strange = _strange(fit.squares)
        if not strange or len(left) - len(strange) < LEAST_VIEWS:
            break
        left = [view for index, view in enumerate(left) if index not in strange]
    gap_m, gap_rad = _gap(loop.only(left), fit)
    views = tuple(used[view] for view in left)
    out = tuple(number for number in used if number not in views)
    return HandEye(mount, fit, views, out, tuple(closed), gap_m, gap_rad)


def bootstrap(
    loop: Loop, fit: Fit, draws: int, seed: int, errors: Errors | None = None
) -> tuple[float, float]:
    """Spread of the camera's pose over resampled views: standard deviations (m, rad).

    loop: the views that were used.
    """
    rng = np.random.default_rng(seed)
    guess = Guess("found", fit.camera, fit.board)
    gaps: list[tuple[float, float]] = []
    while len(gaps) < draws:
        drawn = rng.choice(len(loop.seen), len(loop.seen)).tolist()
        if len(set(drawn)) >= LEAST_VIEWS // 2:
            again = close(loop.only(drawn), guess, errors or Errors(), free=True, rounds=1)
            gaps.append(apart(fit.camera, again.camera))
    spread = np.sqrt((np.array(gaps) ** 2).mean(0))
    return float(spread[0]), float(spread[1])


def spread_of(
    found: HandEye, board: Board, tool_in_base: Float64Array, seen: Sequence[Seen | None]
) -> tuple[float, float]:
    """`bootstrap` over the views that a solution used, by DRAWS draws."""
    shown = tuple(each for number in found.views if (each := seen[number]) is not None)
    tools = np.asarray(tool_in_base, np.float64)[list(found.views)]
    loop = Loop(found.mount, board, found.fit.intrinsics, tools, shown)
    return bootstrap(loop, found.fit, DRAWS, seed=0)


def _strange(squares: Float64Array) -> list[int]:
    """Views far worse than the median one; at most a third, the worst first."""
    limit = OUTLIER * max(float(np.median(squares)), 0.25)
    bad = [index for index in np.argsort(-squares).tolist() if squares[index] > limit]
    return bad[: max(1, len(squares) // 3)]


def _gap(loop: Loop, fit: Fit) -> tuple[float, float]:
    gaps = [
        apart(
            board_in_camera(loop.mount, tool, fit.camera, fit.board),
            locate(loop.board, seen, fit.intrinsics),
        )
        for tool, seen in zip(loop.tool_in_base, loop.seen, strict=True)
    ]
    spread = np.sqrt((np.array(gaps) ** 2).mean(0))
    return float(spread[0]), float(spread[1])


def _must_turn(tools: Float64Array) -> None:
    """Raise CalibrationError where the tool turned too little, or about one axis only."""
    turns = np.degrees([rotation_vector(inverse(tools[0]) @ tool) for tool in tools[1:]])
    most = float(np.linalg.norm(turns, axis=1).max())
    across = float(np.linalg.svd(turns, compute_uv=False)[1] / np.sqrt(len(turns)))
    if most < LEAST_TURN_DEG or across < LEAST_CROSS_TURN_DEG:
        raise CalibrationError(
            f"tool poses turned by {LEAST_TURN_DEG:g} deg and more, about two axes, wanted; the "
            f"largest turn is {most:.0f} deg, and {across:.1f} deg about a second axis; "
            "turn the wrist as well as moving it"
        )
