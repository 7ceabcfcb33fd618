"""Boards seen by a known camera from known places, computed and not drawn."""

import numpy as np

from benchmarks.board_scene import TRUE, looks_at
from calibration.board import Board, Seen
from calibration.camera import project
from calibration.rigid import inverse, motion, nudged

CAMERA = motion([0.03, -0.02, 1.55], [0.045, 0.02, 0.035])  # in the tool's frame
BOARD = motion([3.1, 0.02, 0.3], [0.45, -0.1, 0.02])  # in the base's
MIDDLE = np.array([0.12, 0.09, 0.0])


def one_view(board, camera_in_board, rng, noise_px):
    pixels = project(board.corners_m, inverse(camera_in_board), TRUE)
    shown = ((pixels > 5) & (pixels < [TRUE.width_px - 5, TRUE.height_px - 5])).all(1)
    spoilt = pixels[shown] + rng.normal(0, noise_px, (int(shown.sum()), 2))
    return Seen(np.flatnonzero(shown), spoilt)


def views(count, seed=0, noise_px=0.05, jitter_m=0.0, steepest_deg=45.0):
    """Tool poses (n, 4, 4) as an arm with that jitter tells them, and what the camera saw."""
    rng = np.random.default_rng(seed)
    tools, seen = [], []
    for _ in range(count):
        aim = MIDDLE + np.append(rng.uniform(-0.05, 0.05, 2), 0.0)
        place = looks_at(aim, rng.uniform(0.28, 0.42), rng, steepest_deg)
        seen.append(one_view(Board(), place, rng, noise_px))
        true = BOARD @ place @ inverse(CAMERA)
        tools.append(nudged(true, np.append(rng.normal(0, jitter_m, 3), np.zeros(3))))
    return np.stack(tools), seen
