"""Which arm pose to look from next: the one that tells most about the camera.

Every candidate's picture is predicted; what it would add to the information on the camera's place
and lens, the board's own place eliminated, is the gain in nats of the Gaussian that the least
squares leave (D-optimal design; Fedorov 1972): half the growth of log det.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from calibration.board import Board, Seen, points_of
from calibration.camera import Intrinsics, locate, project, shifted
from calibration.loop import STEP, Errors, Guess, Loop, predicted, whiteners
from calibration.reach import Reach, Vector, along
from calibration.rigid import Float64Array, apart, inverse, motion, nudged
from calibration.workspace import Box

FEELER_RAD = (0.26, 0.4)  # tilts and turns about the line of sight of the first, blind proposals
STEEPEST_RAD = math.radians(50.0)
RIM_PX = 4.0
SHOWN = 0.4  # of the board's corners, at least
TRIES = 24
KEPT = 12  # corners of a view that are reckoned with: more only take longer
# What is known of a lens before any picture: focal length and centre in px, distortion.
LENS_DOUBT = np.array([60.0, 60.0, 15.0, 15.0, 0.3, 0.5, 0.01, 0.01, 0.5])


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the tool may be sent: the workspace's box, and the arm's own reach."""

    box: Box
    reach: Reach


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pose to look from. tool: (4, 4) in the base. joints_rad: (7,).

    gain_nats: what it is worth, NaN where nothing is known yet. deviation_m: of the camera's place
    after it, NaN likewise. corners: of the board that should then be seen.
    """

    tool: Float64Array
    joints_rad: Vector
    gain_nats: float = math.nan
    deviation_m: float = math.nan
    corners: int = 0


def feelers(
    bounds: Bounds, start_rad: Vector, tool: Float64Array, ahead_m: float
) -> Iterator[Proposal]:
    """The first poses, about a point ahead_m along the tool's z axis that the camera looks at.

    They need no knowledge of the camera: each turns the tool about that point by a little.
    """
    tilt, roll = FEELER_RAD
    turns = [
        (tilt, 0, 0), (0, tilt, 0), (0, 0, roll), (-tilt, 0, -roll), (0, -tilt, roll / 2),
        (tilt, tilt, -roll / 2), (-tilt, tilt, roll), (tilt, -tilt, 0),
    ]  # fmt: skip
    point = motion(np.zeros(3), [0.0, 0.0, ahead_m])
    for turn in turns:
        for share in (1.0, 0.6, 0.35):
            there = tool @ point @ motion(np.multiply(turn, share), np.zeros(3)) @ inverse(point)
            found = _reachable(bounds, start_rad, there)
            if found is not None:
                yield Proposal(there, found)
                break


def propose(
    loop: Loop, guess: Guess, bounds: Bounds, joints_rad: Vector, rng: np.random.Generator
) -> Proposal | None:
    """The candidate worth most after the views of `loop`; None where no candidate can be reached.

    guess: where camera and board are, as far as is known. joints_rad: of the arm now.
    """
    known = information(loop, guess, range(len(loop.seen)))
    before = _about_camera(known)
    best: Proposal | None = None
    errors = Errors(corner_px=0.1)
    for _ in range(TRIES):
        place = _perturbed(loop, rng)
        seen = _foreseen(loop.board, loop.camera, place)
        if seen is None:
            continue
        hand = guess.camera @ place @ inverse(guess.board)
        tool = inverse(hand) if loop.mount == "on-hand" else hand
        if not bounds.box.contains(tool[:3, 3]):
            continue
        more = replace(loop, tool_in_base=tool[np.newaxis], seen=(seen,))
        after = _about_camera(known + information(more, guess, [0], errors, prior=False))
        gain = 0.5 * float(np.linalg.slogdet(after)[1] - np.linalg.slogdet(before)[1])
        if best is not None and gain <= best.gain_nats:
            continue
        joints = _reachable(bounds, joints_rad, tool)
        if joints is not None:
            spread = math.sqrt(float(np.trace(np.linalg.inv(after)[:3, :3])))
            best = Proposal(tool, joints, gain, spread, len(seen.ids))
    return best


def information(
    loop: Loop,
    guess: Guess,
    views: Sequence[int],
    errors: Errors | None = None,
    *,
    prior: bool = True,
) -> Float64Array:
    """What views tell (21, 21) of camera pose, board pose and lens; a wide prior on the lens."""
    errors = errors or Errors(corner_px=0.1)
    total = np.zeros((21, 21))
    if prior:
        total[12:, 12:] = np.diag(1.0 / LENS_DOUBT**2)
        total[:12, :12] = np.eye(12)  # a metre and a radian: nothing, but never singular
    for view in views:
        alone = _thinned(loop.only([view]))
        (weight,) = whiteners(alone, guess.camera, guess.board, errors)
        here = predicted(alone, 0, guess.camera, guess.board).ravel()
        slopes = np.stack([(_moved(alone, guess, axis) - here) / STEP for axis in np.eye(21)], 1)
        white = weight @ slopes
        total += white.T @ white
    return total


def rough_lens(board: Board, seen: Sequence[Seen], width_px: int, height_px: int) -> Intrinsics:
    """A lens good enough to plan with, from the homographies of a few tilted views."""
    points = [points_of(board, each).astype(np.float32) for each in seen]
    pixels = [each.corners_px.astype(np.float32) for each in seen]
    found = cv2.initCameraMatrix2D(points, pixels, (width_px, height_px), 1.0)
    matrix = np.asarray(found, np.float64)
    if not (np.isfinite(matrix).all() and 0.2 < matrix[0, 0] / width_px < 5.0):
        # The field of view of most cameras: 60 degrees.
        focal = 0.87 * width_px
        matrix = np.array([[focal, 0, width_px / 2], [0, focal, height_px / 2], [0, 0, 1.0]])
    return Intrinsics(width_px, height_px, matrix, np.zeros(5), np.diag(LENS_DOUBT**2))


def too_similar(tool: Float64Array, others: Sequence[Float64Array]) -> bool:
    """Whether a pose tells next to nothing that another has not told: 1 cm and 4 degrees near."""
    near = (apart(tool, other) for other in others)
    return any(far_m < 0.01 and far_rad < math.radians(4.0) for far_m, far_rad in near)


def _thinned(loop: Loop) -> Loop:
    """One view with KEPT of its corners, spread over all of them."""
    (seen,) = loop.seen
    kept = np.unique(np.linspace(0, len(seen.ids) - 1, KEPT).round().astype(int))
    return replace(loop, seen=(Seen(seen.ids[kept], seen.corners_px[kept]),))


def _moved(loop: Loop, guess: Guess, axis: Float64Array) -> Float64Array:
    if axis[12:].any():
        loop = replace(loop, camera=shifted(loop.camera, STEP * axis[12:]))
    camera = nudged(guess.camera, STEP * axis[:6])
    return predicted(loop, 0, camera, nudged(guess.board, STEP * axis[6:12])).ravel()


def _about_camera(known: Float64Array) -> Float64Array:
    """Information (15, 15) on camera and lens, the board's place being whatever fits best."""
    ours = [*range(6), *range(12, 21)]
    board = slice(6, 12)
    mixed = known[board][:, ours]
    reduced: Float64Array = known[np.ix_(ours, ours)] - mixed.T @ np.linalg.solve(
        known[board, board], mixed
    )
    return reduced


def _perturbed(loop: Loop, rng: np.random.Generator) -> Float64Array:
    """A board in the camera's frame (4, 4) like one that was seen, seen from elsewhere."""
    board, view = loop.board, int(rng.integers(len(loop.seen)))
    place = locate(board, loop.seen[view], loop.camera)
    size = np.array([board.columns, board.rows, 0.0]) * board.square_m
    aim = motion(np.zeros(3), size * np.append(rng.uniform(0.2, 0.8, 2), 0.0))
    turn = rng.normal(0.0, [0.35, 0.35, 0.6])
    away = inverse(aim) @ inverse(place)  # the camera from the point that it turns about
    away = motion(turn, np.zeros(3)) @ away
    away[:3, 3] *= math.exp(rng.normal(0.0, 0.2))
    # Then it looks a little aside, so that the board comes to the picture's rims as well.
    aside = motion(np.append(rng.normal(0.0, 0.12, 2), 0.0), np.zeros(3))
    seen_from: Float64Array = inverse(aim @ away @ aside)
    return seen_from


def _foreseen(board: Board, camera: Intrinsics, place: Float64Array) -> Seen | None:
    """The corners of a board at a place, or None where too few would be in the picture."""
    if place[2, 3] < 0.05 or math.acos(min(1.0, abs(float(place[2, 2])))) > STEEPEST_RAD:
        return None
    # A lens known by few views may fold far corners in; without its distortion it cannot.
    straight = replace(camera, distortion=np.zeros(5))
    pixels = project(board.corners_m, place, straight)
    size = np.array([camera.width_px, camera.height_px])
    shown = ((pixels > RIM_PX) & (pixels < size - RIM_PX)).all(1)
    if shown.mean() < SHOWN:
        return None
    return Seen(np.flatnonzero(shown), pixels[shown])


def _reachable(bounds: Bounds, start_rad: Vector, tool: Float64Array) -> Vector | None:
    if not bounds.box.contains(tool[:3, 3]):
        return None
    return along(bounds.reach, start_rad, tool)


def said(tool: Float64Array) -> str:
    """A tool pose in words a person can set by hand: mm in the base, degrees about x, y and z."""
    x, y, z = (1000 * float(value) for value in tool[:3, 3])
    rx, ry, rz = Rotation.from_matrix(tool[:3, :3]).as_euler("xyz", degrees=True)
    return f"x {x:.0f}, y {y:.0f}, z {z:.0f} mm; roll {rx:.0f}, pitch {ry:.0f}, yaw {rz:.0f} deg"
