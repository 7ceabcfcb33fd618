"""A camera's intrinsics and distortion from views of a board, with how far they can be trusted.

Zhang (2000), "A flexible new technique for camera calibration", by OpenCV; the covariance is that
of least squares at its solution, the views' own poses eliminated by their Schur complement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.board import Board, Seen, enough, points_of
from calibration.complaints import CalibrationError
from calibration.rigid import Float64Array, motion

LEAST_VIEWS = 8
LEAST_TILT_DEG = 15.0  # boards held parallel to the picture do not fix the focal length
OUTLIER = 3.0  # a view this many times the median residual is left out
NOISE_PX = 0.3  # but not one that is as good as a good camera's views are
MOST_RMS_PX = 2.0
PARAMETERS = ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3")


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """matrix: (3, 3) px. distortion: (5,) k1 k2 p1 p2 k3, OpenCV's order.

    covariance: (9, 9) of PARAMETERS in px and 1.
    """

    width_px: int
    height_px: int
    matrix: Float64Array
    distortion: Float64Array
    covariance: Float64Array

    @property
    def deviations(self) -> dict[str, float]:
        """Standard deviation of each parameter."""
        return dict(zip(PARAMETERS, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class CameraFit:
    """views: numbers of those used. board_in_camera: (views, 4, 4). residuals_px: (views,) rms."""

    intrinsics: Intrinsics
    views: tuple[int, ...]
    left_out: tuple[int, ...]
    board_in_camera: Float64Array
    residuals_px: Float64Array

    @property
    def rms_px(self) -> float:
        """Root mean square of all residuals, views weighed alike."""
        return float(np.sqrt((self.residuals_px**2).mean()))


def calibrate(
    board: Board, views: Sequence[Seen | None], width_px: int, height_px: int
) -> CameraFit:
    """Fit a camera to views of a board; views that do not fit the others are left out.

    Raises CalibrationError for too few views, a board never tilted, or one of another size.
    """
    used = enough(board, views, LEAST_VIEWS)
    left_out: list[int] = []
    fit = _fit(board, views, used, (width_px, height_px))
    limit = max(NOISE_PX, OUTLIER * float(np.median(fit.residuals_px)))
    bad = [number for number, rms in zip(used, fit.residuals_px, strict=True) if rms > limit]
    if bad and len(used) - len(bad) >= LEAST_VIEWS:
        left_out, used = bad, [number for number in used if number not in bad]
        fit = _fit(board, views, used, (width_px, height_px))
    _must_be_sound(board, fit)
    return CameraFit(
        fit.intrinsics, tuple(used), tuple(left_out), fit.board_in_camera, fit.residuals_px
    )


def locate(board: Board, seen: Seen, camera: Intrinsics) -> Float64Array:
    """Pose of the board in the camera's frame (4, 4), from one view."""
    points = points_of(board, seen)
    found, turned, moved = cv2.solvePnP(
        points, seen.corners_px, camera.matrix, camera.distortion, flags=cv2.SOLVEPNP_IPPE
    )
    if not found:
        raise CalibrationError("a pose of the board wanted, none fits; hold the board still")
    turned, moved = cv2.solvePnPRefineLM(
        points, seen.corners_px, camera.matrix, camera.distortion, turned, moved
    )
    return motion(turned.ravel(), moved.ravel())


def project(points_m: Float64Array, pose: Float64Array, camera: Intrinsics) -> Float64Array:
    """Where points (n, 3) m of a frame appear (n, 2) px. pose: that frame in the camera's."""
    turned, _ = cv2.Rodrigues(pose[:3, :3])
    found, _ = cv2.projectPoints(points_m, turned, pose[:3, 3], camera.matrix, camera.distortion)
    return np.asarray(found, np.float64).reshape(-1, 2)


def shifted(camera: Intrinsics, change: Float64Array) -> Intrinsics:
    """The camera with its PARAMETERS changed by (9,)."""
    matrix = camera.matrix.copy()
    matrix[[0, 1, 0, 1], [0, 1, 2, 2]] += change[:4]
    return replace(camera, matrix=matrix, distortion=camera.distortion + change[4:])


def tilts_deg(board_in_camera: Float64Array) -> Float64Array:
    """Angle (views,) between the board's normal and the optical axis."""
    return np.asarray(np.degrees(np.arccos(np.clip(np.abs(board_in_camera[:, 2, 2]), 0.0, 1.0))))


def _fit(
    board: Board, views: Sequence[Seen | None], used: Sequence[int], size: tuple[int, int]
) -> CameraFit:
    seen = [view for view in (views[number] for number in used) if view is not None]
    points = [points_of(board, view).astype(np.float32) for view in seen]
    pixels = [view.corners_px.astype(np.float32) for view in seen]
    _, matrix, distortion, turned, moved = cv2.calibrateCamera(points, pixels, size, None, None)
    found = np.asarray(matrix, np.float64), np.asarray(distortion, np.float64).ravel()[:5]
    poses = np.stack([motion(r.ravel(), t.ravel()) for r, t in zip(turned, moved, strict=True)])
    errors, covariance = _spread(points, pixels, list(zip(turned, moved, strict=True)), found)
    intrinsics = Intrinsics(size[0], size[1], *found, covariance)
    return CameraFit(intrinsics, tuple(used), (), poses, errors)


def _spread(
    points: Sequence[NDArray[np.float32]],
    pixels: Sequence[NDArray[np.float32]],
    poses: Sequence[tuple[ArrayLike, ArrayLike]],
    camera: tuple[Float64Array, Float64Array],
) -> tuple[Float64Array, Float64Array]:
    """Residuals (views,) px and the covariance (9, 9) of the intrinsics."""
    information, squares, count = np.zeros((9, 9)), 0.0, 0
    errors = []
    for known, found, (turn, move) in zip(points, pixels, poses, strict=True):
        predicted, slopes = cv2.projectPoints(known, np.asarray(turn), np.asarray(move), *camera)
        residual = (predicted.reshape(-1, 2) - found).ravel()
        errors.append(float(np.sqrt((residual**2).mean() * 2)))
        squares, count = squares + float(residual @ residual), count + len(residual)
        # OpenCV's columns: rotation, translation, focal lengths, centre, distortion.
        pose, own = slopes[:, :6], slopes[:, 6:15]
        mixed = pose.T @ own
        information += own.T @ own - mixed.T @ np.linalg.solve(pose.T @ pose, mixed)
    free = max(1, count - 9 - 6 * len(points))
    return np.array(errors), np.asarray(np.linalg.pinv(information) * (squares / free), np.float64)


def _must_be_sound(board: Board, fit: CameraFit) -> None:
    steepest = float(tilts_deg(fit.board_in_camera).max())
    if steepest < LEAST_TILT_DEG:
        raise CalibrationError(
            f"views tilted by {LEAST_TILT_DEG:g} deg or more wanted, the steepest is "
            f"{steepest:.0f} deg: the focal length is then not known; tilt the board"
        )
    if fit.rms_px > MOST_RMS_PX:
        raise CalibrationError(
            f"residuals below {MOST_RMS_PX:g} px wanted, found {fit.rms_px:.1f} px; is it the "
            f"{board.columns} x {board.rows} board, flat and printed unscaled?"
        )
