"""How far a camera's views are off those that a policy was trained on, and a picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from calibration.view import (
    CameraMove,
    ViewOffset,
    camera_move,
    laid_over,
    reference,
    register,
)

Uint8Array = NDArray[np.uint8]

UNLIKE = 0.3  # confidence below which the two may not show the same scene


@dataclass(frozen=True, slots=True)
class Alignment:
    """offset: the median over the views. spread_px: of one view. move: None without a lens."""

    offset: ViewOffset
    spread_px: float
    views: int
    move: CameraMove | None

    @property
    def told(self) -> dict[str, object]:
        """As plain JSON."""
        return asdict(self)


def align(
    wanted: Sequence[Uint8Array],
    seen: Sequence[Uint8Array],
    focal_px: float | None,
    distance_m: float,
) -> Alignment:
    """Lay views over those wanted. Raises CalibrationError where there are none, or of two sizes.

    focal_px, distance_m: the lens and how far the scene is, for the camera's own move.
    """
    known = reference(wanted)
    found = [register(known, each) for each in seen]
    rows = np.array([(*o.shift_px, o.rotation_deg, o.scale, o.confidence) for o in found])
    right, down, turn, scale, confidence = (float(value) for value in np.median(rows, axis=0))
    offset = ViewOffset((right, down), turn, scale, confidence)
    spread = float(1.4826 * np.median(np.abs(rows[:, :2] - [right, down])))
    move = camera_move(offset, focal_px, distance_m) if focal_px else None
    return Alignment(offset, spread, len(found), move)


def aligned_said(found: Alignment) -> str:
    """The figures on a line or two."""
    offset, move = found.offset, found.move
    right, down = offset.shift_px
    first = (
        f"what it sees is {right:+.1f} px right and {down:+.1f} px down of where it should be, "
        f"turned {offset.rotation_deg:+.1f} deg clockwise, {offset.scale:.3f} times as large; "
        f"{found.views} views, each +- {found.spread_px:.1f} px, likeness {offset.confidence:.2f}"
    )
    lines = [first]
    if offset.confidence < UNLIKE:
        lines.append("the likeness is low: little stands still in these views, or it is another")
    if move is not None:
        lines.append(
            f"the camera is panned {move.pan_deg:+.1f} and tilted {move.tilt_deg:+.1f} deg, or "
            f"stands {1000 * move.right_m:+.0f} mm right and {1000 * move.down_m:+.0f} mm down; "
            f"rolled {move.roll_deg:+.1f} deg, {1000 * move.ahead_m:+.0f} mm ahead"
        )
    return "\n  ".join(lines)


def save_overlay(
    file: Path, pairs: Sequence[tuple[Sequence[Uint8Array], Sequence[Uint8Array]]]
) -> None:
    """Write the typical views of each pair over each other, side by side."""
    laid = [laid_over(_typical(wanted), _typical(seen)) for wanted, seen in pairs]
    tallest = max(each.shape[0] for each in laid)
    padded = [np.pad(each, ((0, tallest - each.shape[0]), (0, 0), (0, 0))) for each in laid]
    Image.fromarray(np.hstack(padded)).save(file)


def _typical(pictures: Sequence[Uint8Array]) -> Uint8Array:
    return np.asarray(np.median(np.stack(pictures), axis=0), np.uint8)
