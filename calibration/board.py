"""A ChArUco board: drawn at its exact size for printing, and found in pictures."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from calibration.complaints import CalibrationError
from calibration.rigid import Float64Array

DICTIONARIES = {
    f"{bits}x{bits}_{count}": getattr(cv2.aruco, f"DICT_{bits}X{bits}_{count}")
    for bits in (4, 5, 6)
    for count in (50, 100, 250)
}
PRINT_PX_PER_M = 11811  # 300 dpi
RULER_M, MARGIN_M = 0.1, 0.01
LEAST_PRINT_M, LARGEST_PRINT_M = 0.002, 1.5  # a marker that a camera can read; the longest board
LEAST_CORNERS = 6  # fewer do not fix a pose well


@dataclass(frozen=True, slots=True)
class Board:
    """columns, rows: squares. square_m, marker_m: sides as printed; measure them with a caliper."""

    columns: int = 8
    rows: int = 6
    square_m: float = 0.03
    marker_m: float = 0.022
    dictionary: str = "5x5_100"

    def __post_init__(self) -> None:
        if self.columns < 3 or self.rows < 3:
            raise CalibrationError(
                f"a board of 3 x 3 squares or more wanted, found {self.columns} x {self.rows}"
            )
        if not 0 < self.marker_m < self.square_m < 1:
            raise CalibrationError(
                "0 < marker < square < 1 m wanted, found marker "
                f"{self.marker_m} m and square {self.square_m} m; sizes are in metres"
            )
        if self.dictionary not in DICTIONARIES:
            raise CalibrationError(
                f"a marker dictionary of {', '.join(DICTIONARIES)} wanted, found "
                f"{self.dictionary!r}"
            )
        wanted, held = self.columns * self.rows // 2, int(self.dictionary.split("_")[1])
        if wanted > held:
            raise CalibrationError(
                f"{wanted} markers wanted for {self.columns} x {self.rows} squares, dictionary "
                f"{self.dictionary} has {held}; take a larger one"
            )

    @property
    def charuco(self) -> cv2.aruco.CharucoBoard:
        """The board as OpenCV knows it."""
        dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARIES[self.dictionary])
        size = (self.columns, self.rows)
        return cv2.aruco.CharucoBoard(size, self.square_m, self.marker_m, dictionary)

    @property
    def corners_m(self) -> Float64Array:
        """Inner corners (n, 3) m in the board's frame: x along columns, y along rows, z = 0."""
        return _corners(self)


@dataclass(frozen=True, slots=True)
class Seen:
    """A board in one picture. ids: (n,) which inner corners. corners_px: (n, 2) x, y."""

    ids: NDArray[np.int64]
    corners_px: Float64Array


def find(board: Board, picture: NDArray[np.uint8]) -> Seen | None:
    """Find the board in a picture (h, w) or (h, w, 3); None where too little of it is seen."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    # OpenCV gives None where it finds nothing, which its types do not know.
    found: tuple[Any, ...] = cv2.aruco.CharucoDetector(board.charuco).detectBoard(grey)
    corners, ids = found[:2]
    if ids is None or len(ids) < LEAST_CORNERS or _in_a_line(board, ids.ravel()):
        return None
    return Seen(ids.ravel().astype(np.int64), corners.reshape(-1, 2).astype(np.float64))


def draw(board: Board, px_per_square: int, margin_px: int = 0) -> NDArray[np.uint8]:
    """Draw the board (h, w) uint8, its first corner at the top left, in a white margin."""
    size = (
        board.columns * px_per_square + 2 * margin_px,
        board.rows * px_per_square + 2 * margin_px,
    )
    return np.asarray(board.charuco.generateImage(size, marginSize=margin_px), np.uint8)


def save_print(board: Board, file: Path) -> tuple[float, float]:
    """Write the board for printing at its exact size, as .pdf or .png; returns its size in m.

    A bar of 100 mm below it shows whether the printer scaled the page.
    """
    if file.suffix.lower() not in {".pdf", ".png"}:
        raise CalibrationError(f"a .pdf or .png file wanted, found {file}")
    longest_m = max(board.columns, board.rows) * board.square_m
    if board.marker_m < LEAST_PRINT_M or longest_m > LARGEST_PRINT_M:
        raise CalibrationError(
            f"markers of {1000 * LEAST_PRINT_M:g} mm or more on a board of {LARGEST_PRINT_M:g} m "
            f"or less wanted for printing, found {1000 * board.marker_m:g} mm on {longest_m:g} m"
        )
    px = round(board.square_m * PRINT_PX_PER_M)
    per_m = px / board.square_m
    page = _with_ruler(board, draw(board, px, round(MARGIN_M * per_m)), per_m)
    dots_per_inch = per_m * 0.0254
    image = Image.fromarray(page)
    if file.suffix.lower() == ".pdf":
        image.save(file, "PDF", resolution=dots_per_inch)
    else:
        image.save(file, "PNG", dpi=(dots_per_inch, dots_per_inch))
    return page.shape[1] / per_m, page.shape[0] / per_m


def points_of(board: Board, seen: Seen) -> Float64Array:
    """Where the seen corners are on the board (n, 3) m."""
    return np.asarray(board.corners_m[seen.ids])


def enough(board: Board, views: Sequence[Seen | None], wanted: int) -> list[int]:
    """Numbers of the views that show the board. Raises CalibrationError for fewer than wanted."""
    good = [number for number, seen in enumerate(views) if seen is not None]
    if len(good) < wanted:
        raise CalibrationError(
            f"{wanted} pictures that show the board wanted, found {len(good)} among {len(views)}; "
            f"is it the {board.columns} x {board.rows} board of {board.dictionary} markers, "
            "whole, sharp and lit?"
        )
    return good


@functools.cache
def _corners(board: Board) -> Float64Array:
    """As Board.corners_m: a fit asks for them thousands of times."""
    corners = np.asarray(board.charuco.getChessboardCorners(), np.float64)
    corners.setflags(write=False)
    return corners


def _with_ruler(board: Board, drawn: NDArray[np.uint8], per_m: float) -> NDArray[np.uint8]:
    left = round(MARGIN_M * per_m)
    text = (
        f"bar: 100 mm   {board.columns} x {board.rows}, square {1000 * board.square_m:g} mm, "
        f"marker {1000 * board.marker_m:g} mm, {board.dictionary}"
    )
    scale = 1.3 * per_m / PRINT_PX_PER_M
    (long, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
    # A narrow board stands on a page that holds the whole bar and all of the text.
    wide = max(drawn.shape[1], 2 * left + max(round(RULER_M * per_m), long))
    drawn = np.pad(drawn, ((0, 0), (0, wide - drawn.shape[1])), constant_values=255)
    strip = np.full((round(0.012 * per_m), wide), 255, np.uint8)
    strip[: round(0.002 * per_m), left : left + round(RULER_M * per_m)] = 0
    place = (left, round(0.008 * per_m))
    cv2.putText(strip, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 0, 2, cv2.LINE_AA)
    return np.vstack([drawn, strip])


def _in_a_line(board: Board, ids: NDArray[np.integer[Any]]) -> bool:
    """Whether the corners lie on one line: they then fix no pose."""
    points = board.corners_m[ids, :2]
    spread = np.linalg.svd(points - points.mean(0), compute_uv=False)
    return bool(spread[1] < 0.5 * board.square_m)
