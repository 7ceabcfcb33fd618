"""How far a camera's view is off a reference: shift, turn and scale of what does not move in it.

Several pictures make the reference: its pixels are their medians, and what changed among them (the
arm, the things on the table) counts for little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.complaints import CalibrationError
from calibration.overlaying import agreement, edges, laid, levels_of, smaller

Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
Uint8Array = NDArray[np.uint8]

LONGEST_PX = 320  # larger pictures are made smaller: a hundredth of the width is what is looked for
SHARPEST = 1.0  # px, blur before anything is compared
DARKEST = 12.0  # grey levels added before the logarithm, so that noise in black counts for little
SPREAD_FLOOR = 0.05  # of log brightness: noise of a good camera
LEAST_EDGES = 0.005  # of the picture that must be edge


@dataclass(frozen=True, slots=True)
class ViewReference:
    """What a camera saw. size: (width, height) px of its pictures.

    typical, spread: (h, w) median log brightness and deviation, at the scale of comparison.
    """

    size: tuple[int, int]
    typical: Float32Array
    spread: Float32Array

    @property
    def px_per_px(self) -> float:
        """Pixels of the pictures to one of `typical`."""
        return self.size[0] / int(self.typical.shape[1])


@dataclass(frozen=True, slots=True)
class ViewOffset:
    """Where what the reference shows is found in a picture.

    shift_px: (right, down), of the picture's middle. rotation_deg: clockwise as seen. scale: above
    1 things look larger. confidence: correlation of the edges once laid over each other, 0 where
    there is nothing to compare.
    """

    shift_px: tuple[float, float]
    rotation_deg: float
    scale: float
    confidence: float

    @property
    def length_px(self) -> float:
        """How far the middle went."""
        return math.hypot(*self.shift_px)


@dataclass(frozen=True, slots=True)
class CameraMove:
    """What a view's offset says of its camera, in the camera's frame (x right, y down, z ahead).

    One view of a flat scene cannot tell a turn from a move sideways: turned_deg and moved_m are
    two readings of the same shift, pan and tilt or right and down. roll_deg and ahead_m are sure.
    """

    pan_deg: float
    tilt_deg: float
    roll_deg: float
    right_m: float
    down_m: float
    ahead_m: float

    @property
    def turned_deg(self) -> float:
        """The turn that explains the shift."""
        return math.hypot(self.pan_deg, self.tilt_deg)

    @property
    def moved_m(self) -> float:
        """The move sideways that explains it as well."""
        return math.hypot(self.right_m, self.down_m)


def reference(pictures: Sequence[Uint8Array], mask: BoolArray | None = None) -> ViewReference:
    """Make a reference of pictures (h, w, 3) or (h, w) of one camera. mask: True where static.

    Three pictures or more, with the arm and the things elsewhere, tell by themselves what is
    static. Raises CalibrationError for none, or sizes that differ.
    """
    if not pictures:
        raise CalibrationError("one picture or more wanted for a reference, found none")
    sizes = {picture.shape[:2] for picture in pictures}
    if len(sizes) > 1:
        raise CalibrationError(
            f"pictures of one size wanted, found {sorted(sizes)} (height, width)"
        )
    height, width = pictures[0].shape[:2]
    if mask is not None and mask.shape != (height, width):
        raise CalibrationError(f"a mask of {(height, width)} wanted, found {mask.shape}")
    stack = np.stack([_seen(picture) for picture in pictures])
    # Exposure may differ between the pictures; their medians are brought together first.
    stack -= np.median(stack, axis=(1, 2), keepdims=True) - np.median(stack)
    typical = np.median(stack, axis=0)
    spread = 1.4826 * np.median(np.abs(stack - typical), axis=0)
    if len(pictures) < 3:
        spread = np.zeros_like(typical)
    spread = np.hypot(cv2.GaussianBlur(spread, (0, 0), SHARPEST), SPREAD_FLOOR)
    if mask is not None:
        static = smaller(mask.astype(np.float32), typical.shape[1])
        spread = np.where(static > 0.99, spread, np.inf)
    return ViewReference((width, height), typical.astype(np.float32), spread.astype(np.float32))


def register(known: ViewReference, picture: Uint8Array, *, thorough: bool = True) -> ViewOffset:
    """Find how a picture (h, w, 3) or (h, w) lies over the reference.

    thorough: search far and turned too, not only around no motion at all, at four times the cost.
    Raises CalibrationError for a picture of another size.
    """
    height, width = picture.shape[:2]
    if (width, height) != known.size:
        raise CalibrationError(
            f"a picture of {known.size[0]} x {known.size[1]} px wanted, as the reference, found "
            f"{width} x {height}"
        )
    levels = levels_of(known.typical, 1.0 / known.spread, _seen(picture))
    if edges(levels[-1]).mean() < LEAST_EDGES:
        return ViewOffset((0.0, 0.0), 0.0, 1.0, 0.0)
    motion = laid(levels, thorough=thorough)
    confidence = agreement(levels[-1], motion)
    factor = known.px_per_px
    return ViewOffset(
        (float(motion[0]) * factor, float(motion[1]) * factor),
        math.degrees(float(motion[2])), math.exp(float(motion[3])), confidence,
    )  # fmt: skip


def camera_move(
    offset: ViewOffset, focal_px: float, distance_m: float, middle_px: tuple[float, float] = (0, 0)
) -> CameraMove:
    """What moved the view, from the focal length and the nominal distance of the scene.

    middle_px: the optical centre less the picture's middle, for a lens whose centre is elsewhere.
    """
    turn, scale = math.radians(offset.rotation_deg), offset.scale
    cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
    x, y = middle_px
    # The shift at the optical centre; about it a roll and an approach leave everything in place.
    right = offset.shift_px[0] + cosine * x - sine * y - x
    down = offset.shift_px[1] + sine * x + cosine * y - y
    return CameraMove(
        pan_deg=math.degrees(math.atan2(-right, focal_px)),
        tilt_deg=math.degrees(math.atan2(down, focal_px)),
        roll_deg=-offset.rotation_deg,
        right_m=-right * distance_m / focal_px,
        down_m=-down * distance_m / focal_px,
        ahead_m=distance_m * (1.0 - 1.0 / scale),
    )


def laid_over(before: Uint8Array, now: Uint8Array) -> Uint8Array:
    """Two pictures in one (h, w, 3): the reference red, the present one cyan, grey where alike."""
    greys = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) if each.ndim == 3 else each
             for each in (before, now)]  # fmt: skip
    return np.dstack([greys[0], greys[1], greys[1]])


def _seen(picture: Uint8Array) -> Float32Array:
    """Log brightness at the scale of comparison."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    width = min(grey.shape[1], max(1, round(LONGEST_PX * grey.shape[1] / max(grey.shape))))
    small = smaller(grey.astype(np.float32), width)
    return np.asarray(np.log(cv2.GaussianBlur(small, (0, 0), SHARPEST) + DARKEST), np.float32)
