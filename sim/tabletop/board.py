"""A calibration board on the table, drawn as it is printed."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import numpy as np

from agent.errors import UsageError
from sim.tabletop.arm import Float64Array

if TYPE_CHECKING:
    from calibration.board import Board

FILE = "board.png"
TEXTURE_PX = 64  # a square
MARGIN_PX = 32
WHITE = 215  # of 255: paper; brighter, and the scene's light burns it out
LIFT_M = 0.001  # above the table, so that the two are told apart
_FORM = re.compile(r"^(\d+)x(\d+):([\d.]+):([\d.]+)(?::(\w+))?$")


def board_of(text: str) -> Board:
    """Read "8x6:25:18" or "8x6:25:18:5x5_100": columns x rows, square mm, marker mm, dictionary.

    Raises UsageError for anything else, or for what no board can be.
    """
    found = _FORM.match(text)
    if found is None:
        raise UsageError(f"a board such as 8x6:25:18 (squares, mm, mm) wanted, found {text!r}")
    try:
        from calibration.board import Board
        from calibration.complaints import CalibrationError
    except ImportError as error:
        raise UsageError(
            f"{error}; a board is drawn with: pip install 'vlarl-agent[calibrate]'"
        ) from error
    columns, rows, square, marker, dictionary = found.groups()
    try:
        return Board(
            int(columns), int(rows), float(square) / 1000, float(marker) / 1000,
            dictionary or "5x5_100",
        )  # fmt: skip
    except (CalibrationError, ValueError) as error:
        raise UsageError(f"--board {text}: {error}") from error


def with_board(scene: str, board: Board) -> tuple[str, dict[str, bytes]]:
    """The scene (MJCF) with the board flat in the middle of the table, and its texture by name."""
    margin_m = MARGIN_PX / TEXTURE_PX * board.square_m
    half_x, half_y = (
        count * board.square_m / 2 + margin_m for count in (board.columns, board.rows)
    )
    asset = (
        f'<asset><texture name="board" type="2d" file="{FILE}"/><material name="board" '
        'texture="board" texuniform="false" specular="0" reflectance="0"/></asset>'
    )
    # A texture's y points up from the middle; so does the table's, seen from above.
    lies = (
        f'<geom name="board" type="plane" size="{half_x} {half_y} 0.001" pos="0 0 {LIFT_M}" '
        'material="board" contype="0" conaffinity="0"/>'
    )
    # Without it the edges of the squares are stairs, and corners are found between the steps.
    smooth = scene.replace('offsamples="0"', 'offsamples="4"', 1)
    body = smooth.replace("<worldbody>", asset + "<worldbody>" + lies, 1)
    return body, {FILE: _texture(board)}


def board_in_table(board: Board) -> Float64Array:
    """The board's frame (4, 4) in the table's: x along columns, y along rows, z into the table."""
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[:3, 3] = (
        -board.columns * board.square_m / 2, board.rows * board.square_m / 2, LIFT_M,
    )  # fmt: skip
    return pose


def _texture(board: Board) -> bytes:
    from PIL import Image

    from calibration.board import draw

    kept = io.BytesIO()
    drawn = np.minimum(draw(board, TEXTURE_PX, MARGIN_PX), WHITE).astype(np.uint8)
    Image.fromarray(drawn).convert("RGB").save(kept, "PNG")
    return kept.getvalue()
