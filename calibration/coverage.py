"""What views of a board still lack, and what is wrong with a picture: the words of a guide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.board import Board, Seen, points_of
from calibration.rigid import Float64Array

CELLS = (3, 4)  # rows, columns of the picture in which corners are wanted
ENOUGH_VIEWS = 20
TILTED_VIEWS = 8
# Side of the smallest square seen over the largest: some 12 degrees at two board lengths.
TILTED = 0.82
NEAR_FAR = 1.35  # largest board over smallest
BLURRED, DARK, BURNT = 40.0, 35.0, 0.08


@dataclass(frozen=True, slots=True)
class Coverage:
    """covered: (3, 4) which parts of the picture held a corner. tilted: views; spread: of sizes."""

    views: int
    covered: NDArray[np.bool_]
    tilted: int
    spread: float

    @property
    def share(self) -> float:
        """How much of what is wanted is there, 0 .. 1."""
        parts = (
            self.views / ENOUGH_VIEWS,
            float(self.covered.mean()),
            self.tilted / TILTED_VIEWS,
            (self.spread - 1.0) / (NEAR_FAR - 1.0),
        )
        return float(np.mean([min(1.0, part) for part in parts]))

    @property
    def varied(self) -> bool:
        """Whether the views differ enough, however many they are."""
        return bool(self.covered.all() and self.tilted >= TILTED_VIEWS and self.spread >= NEAR_FAR)

    @property
    def wish(self) -> str:
        """What the next view should show; "" where nothing is missing."""
        if not self.covered.all():
            row, column = (int(each) for each in np.argwhere(~self.covered)[0])
            height = ("top", "middle", "bottom")[row]
            side = ("far left", "left", "right", "far right")[column]
            return f"bring the board to the {height}, {side} of the picture"
        if self.tilted < TILTED_VIEWS:
            return f"tilt the board: {self.tilted} of {TILTED_VIEWS} tilted views"
        if self.spread < NEAR_FAR:
            return "go nearer with one view and farther with another"
        if self.views < ENOUGH_VIEWS:
            return f"take more views: {self.views} of {ENOUGH_VIEWS}"
        return ""


def coverage(board: Board, views: Sequence[Seen | None], width_px: int, height_px: int) -> Coverage:
    """What the views cover so far; those without the board count for nothing."""
    seen = [view for view in views if view is not None]
    covered = np.zeros(CELLS, np.bool_)
    sizes, tilted = [], 0
    for view in seen:
        cells = view.corners_px / [width_px, height_px] * [CELLS[1], CELLS[0]]
        columns, rows = np.clip(cells.astype(int), 0, [CELLS[1] - 1, CELLS[0] - 1]).T
        covered[rows, columns] = True
        size, slant = _shape(board, view)
        sizes.append(size)
        tilted += slant < TILTED
    spread = max(sizes) / min(sizes) if sizes else 1.0
    return Coverage(len(seen), covered, tilted, spread)


def spoilt(picture: NDArray[np.uint8]) -> str:
    """What is wrong with a picture (h, w) or (h, w, 3) and what to do; "" where nothing is."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    if float(grey.mean()) < DARK:
        return "too dark: more light, or a longer exposure"
    # Where white runs over, it also runs into the black and moves the corners.
    if float((grey >= 254).mean()) > BURNT:
        return "burnt out: less light, or a shorter exposure"
    # The spread of the Laplacian is small where nothing is sharp (Pertuz et al. 2013).
    if float(np.var(cv2.Laplacian(grey, cv2.CV_64F))) < BLURRED:
        return "blurred: hold still, focus, and fix the focus"
    return ""


def _shape(board: Board, view: Seen) -> tuple[float, float]:
    """Mean size of a square (px), and how much smaller the far ones are than the near ones."""
    known = points_of(board, view)[:, :2]
    across = np.asarray(cv2.findHomography(known, view.corners_px)[0], np.float64)
    steps = np.array([[0.0, 0.0], [board.square_m, 0.0], [0.0, board.square_m]])
    here, ahead, below = (_mapped(known + step, across) for step in steps)
    (right_x, right_y), (down_x, down_y) = (ahead - here).T, (below - here).T
    side = np.sqrt(np.abs(right_x * down_y - right_y * down_x))
    return float(side.mean()), float(side.min() / side.max())


def _mapped(points: Float64Array, across: Float64Array) -> Float64Array:
    return np.asarray(cv2.perspectiveTransform(points[np.newaxis], across)[0], np.float64)
