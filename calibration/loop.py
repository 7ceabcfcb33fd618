"""The loop that a board closes between an arm and a camera, and its best fit.

Robot-world and hand-eye (Zhuang et al. 1994). Camera on the hand:
board_in_camera = inv(camera) inv(tool_i) board, camera in the tool's frame, board in the base's.
Camera beside the arm: board_in_camera = inv(camera) tool_i board, camera in the base's frame and
board in the tool's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.optimize import least_squares

from calibration.board import Board, Seen, points_of
from calibration.camera import Intrinsics, locate, project, shifted
from calibration.rigid import Float64Array, inverse, nudged

Mount = Literal["on-hand", "beside"]

LEAST_NOISE_PX = 0.01
STEP = 1e-6  # m and rad, for slopes by differences


@dataclass(frozen=True, slots=True)
class Errors:
    """What is uncertain in a view, standard deviations an axis: a corner, and the arm's pose.

    corner_px: 0 for what the pictures themselves say (`corner_noise`).
    """

    corner_px: float = 0.0
    arm_m: float = 1.2e-4
    arm_rad: float = 3e-4


@dataclass(frozen=True, slots=True)
class Loop:
    """Everything measured. tool_in_base: (n, 4, 4), one a picture in `seen`."""

    mount: Mount
    board: Board
    camera: Intrinsics
    tool_in_base: Float64Array
    seen: tuple[Seen, ...]

    def only(self, views: Sequence[int]) -> Loop:
        """The same with some of the views; one may count twice."""
        chosen = tuple(self.seen[view] for view in views)
        return replace(self, tool_in_base=self.tool_in_base[list(views)], seen=chosen)


@dataclass(frozen=True, slots=True)
class Guess:
    """Two poses that may close the loop. rms_px: of the median view, so that a bad one is mute."""

    name: str
    camera: Float64Array
    board: Float64Array
    rms_px: float = float("inf")


@dataclass(frozen=True, slots=True)
class Fit:
    """covariance: (6, 6) of the camera's pose in its own frame, m and rad.

    squares: (views,) mean weighed square, 1 where `Errors` is right. rms_px: (views,).
    """

    camera: Float64Array
    board: Float64Array
    intrinsics: Intrinsics
    covariance: Float64Array
    squares: Float64Array
    rms_px: Float64Array


def board_in_camera(
    mount: Mount, tool: Float64Array, camera: Float64Array, board: Float64Array
) -> Float64Array:
    """The board's pose in the camera's frame that closes the loop."""
    hand = inverse(tool) if mount == "on-hand" else tool
    closed: Float64Array = inverse(camera) @ hand @ board
    return closed


def predicted(
    loop: Loop,
    view: int,
    camera: Float64Array,
    board: Float64Array,
    tool: Float64Array | None = None,
) -> Float64Array:
    """Where a view's corners should be (n, 2) px. tool: elsewhere than it was said to be."""
    tool = loop.tool_in_base[view] if tool is None else tool
    points = points_of(loop.board, loop.seen[view])
    return project(points, board_in_camera(loop.mount, tool, camera, board), loop.camera)


def close(loop: Loop, guess: Guess, errors: Errors, *, free: bool, rounds: int = 2) -> Fit:
    """Fit both poses, and with `free` the camera's intrinsics, by generalised least squares.

    A corner's weight holds what the arm's own error does to it: the arm moves all corners of a
    view together, so many corners in one view do not outvote the other views.
    """
    size = 21 if free else 12
    if not errors.corner_px:
        errors = replace(errors, corner_px=corner_noise(loop))
    loop_now, camera, board = loop, guess.camera, guess.board
    jacobian = np.zeros((0, size))
    for _ in range(rounds):
        weights = whiteners(loop_now, camera, board, errors)
        found = least_squares(
            _residuals,
            np.zeros(size),
            args=(loop_now, camera, board, weights),
            # Huber's loss: a view not yet recognised as strange must not pull the others.
            loss="huber",
            f_scale=3.0,
            x_scale="jac",
            max_nfev=40,
        )
        loop_now, camera, board = _moved(found.x, loop_now, camera, board)
        jacobian = found.jac
    off = [predicted(loop_now, n, camera, board) - s.corners_px for n, s in enumerate(loop.seen)]
    squares = [
        float(((w @ each.ravel()) ** 2).mean()) for w, each in zip(weights, off, strict=True)
    ]
    # Where residuals are larger than `errors` says, so is the doubt.
    scale = max(1.0, float(np.mean(squares)))
    return Fit(
        camera=camera,
        board=board,
        intrinsics=loop_now.camera,
        covariance=np.asarray(np.linalg.pinv(jacobian.T @ jacobian)[:6, :6] * scale, np.float64),
        squares=np.array(squares),
        rms_px=np.array([float(np.sqrt((each**2).sum(1).mean())) for each in off]),
    )


def corner_noise(loop: Loop) -> float:
    """Standard deviation of a corner, px an axis: how well each view's board fits a pose alone."""
    found = []
    for seen in loop.seen:
        points = points_of(loop.board, seen)
        off = project(points, locate(loop.board, seen, loop.camera), loop.camera) - seen.corners_px
        # Six numbers of the pose were fitted to them.
        found.append(float(np.sqrt((off**2).sum() / max(1, off.size - 6))))
    return max(LEAST_NOISE_PX, float(np.median(found)))


def whiteners(
    loop: Loop, camera: Float64Array, board: Float64Array, errors: Errors
) -> list[Float64Array]:
    """For each view the matrix that makes its residuals independent and of unit size."""
    arm = np.diag([errors.arm_m**2] * 3 + [errors.arm_rad**2] * 3)
    made = []
    for view, tool in enumerate(loop.tool_in_base):
        here = predicted(loop, view, camera, board).ravel()
        slopes = [
            (predicted(loop, view, camera, board, nudged(tool, STEP * axis)).ravel() - here) / STEP
            for axis in np.eye(6)
        ]
        effect = np.stack(slopes, axis=1)
        spread = errors.corner_px**2 * np.eye(len(here)) + effect @ arm @ effect.T
        made.append(np.linalg.inv(np.linalg.cholesky(spread)))
    return made


def _residuals(
    change: Float64Array,
    loop: Loop,
    camera: Float64Array,
    board: Float64Array,
    weights: Sequence[Float64Array],
) -> Float64Array:
    loop, camera, board = _moved(change, loop, camera, board)
    return np.concatenate(
        [
            weights[view] @ (predicted(loop, view, camera, board) - seen.corners_px).ravel()
            for view, seen in enumerate(loop.seen)
        ]
    )


def _moved(
    change: Float64Array, loop: Loop, camera: Float64Array, board: Float64Array
) -> tuple[Loop, Float64Array, Float64Array]:
    if len(change) > 12:
        loop = replace(loop, camera=shifted(loop.camera, change[12:]))
    return loop, nudged(camera, change[:6]), nudged(board, change[6:12])
