"""A workspace taught by points: the box about them, what an arm reaches of it, and a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from calibration.complaints import CalibrationError
from calibration.reach import Reach, Vector, joints_for, tool_of
from calibration.rigid import Float64Array
from calibration.workspace import Box

LEAST_SIDE_M = 0.05
ACROSS = 6  # points looked at along each side
LEAST_REACHED = 0.5
FARTHEST_M = 1.4  # from the base, further than either model's arm is long with its hand
_PX, _MARGIN_PX, _SPAN_M = 620, 70, 1.1
_LINE = ImageFont.load_default(size=16)


@dataclass(frozen=True, slots=True)
class Reached:
    """points: (n, 3) m over the box. reached: (n,) bool, the tool pointing as at home."""

    points: Float64Array
    reached: NDArray[np.bool_]

    @property
    def share(self) -> float:
        """How much of the box the arm reaches."""
        return float(self.reached.mean())


def box_about(points_m: Sequence[ArrayLike], margin_m: float = 0.0) -> Box:
    """The box that holds all points (3,) m. Raises CalibrationError where it is too thin."""
    if len(points_m) < 2:
        raise CalibrationError(f"two corners or more wanted for a workspace, found {len(points_m)}")
    points = np.array([np.asarray(each, np.float64) for each in points_m])
    if points.shape[1:] != (3,) or not np.isfinite(points).all():
        raise CalibrationError(
            f"finite points of x, y and z in metres wanted, found {points.tolist()}"
        )
    low, high = points.min(0) - margin_m, points.max(0) + margin_m
    sides = high - low
    if sides.min() < LEAST_SIDE_M:
        thin = "xyz"[int(sides.argmin())]
        raise CalibrationError(
            f"a box of {1000 * LEAST_SIDE_M:.0f} mm or more along each axis wanted, found "
            f"{1000 * sides.min():.0f} mm along {thin}; teach corners that lie apart along {thin}"
        )
    return Box(_three(low), _three(high))


def reached(box: Box, reach: Reach, home_rad: Vector) -> Reached:
    """Which points of a box the arm reaches from home with its tool turned as there.

    Raises CalibrationError where home lies outside, or less than half of the box is reached.
    """
    home = tool_of(home_rad)
    if not box.contains(home[:3, 3]):
        x, y, z = home[:3, 3]
        raise CalibrationError(
            f"a workspace that holds home ({x:.3f}, {y:.3f}, {z:.3f}) wanted, found {box.low_m} to "
            f"{box.high_m}; teach more corners, or set [home] joints_rad"
        )
    axes = [np.linspace(low, high, ACROSS) for low, high in zip(box.low_m, box.high_m, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    found = np.zeros(len(points), np.bool_)
    near: list[tuple[Vector, Vector]] = [(home[:3, 3], home_rad)]
    # From the nearest point to home on outwards: each begins with the joints of its neighbour.
    for index in np.argsort(np.linalg.norm(points - home[:3, 3], axis=1)):
        if np.linalg.norm(points[index]) > FARTHEST_M:
            continue
        tool = home.copy()
        tool[:3, 3] = points[index]
        start = min(near, key=lambda each: float(np.linalg.norm(each[0] - points[index])))[1]
        joints = joints_for(reach.model, tool, start)
        if joints is not None and reach.allows(joints):
            found[index] = True
            near.append((points[index], joints))
    result = Reached(points, found)
    if result.share < LEAST_REACHED:
        raise CalibrationError(
            f"a box of which the arm reaches {100 * LEAST_REACHED:.0f} % or more wanted, it "
            f"reaches {100 * result.share:.0f} %; are the numbers metres in the arm's base frame?"
        )
    return result


def draw(box: Box, found: Reached, home_m: ArrayLike, file: Path) -> None:
    """Draw the box from above and from the side, and what of it is reached, as a PNG."""
    picture = Image.new("RGB", (2 * _PX, _PX + 40), "white")
    pen = ImageDraw.Draw(picture)
    home = np.asarray(home_m, np.float64)
    for column, (title, right, up) in enumerate((("from above", 1, 0), ("from the side", 0, 2))):
        frame = _Frame(column * _PX, right, up)
        _paper(pen, frame, title)
        _dots(pen, frame, found)
        low, high = np.array(box.low_m), np.array(box.high_m)
        pen.rectangle(_ordered(frame.at(low), frame.at(high)), outline="#1f4e9c", width=3)
        for point, name, colour in ((home, "home", "#c0392b"), (np.zeros(3), "base", "black")):
            x, y = frame.at(point)
            pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=colour)
            pen.text((x + 8, y - 22), name, fill=colour, font=_LINE)
    told = (
        ", ".join(
            f"{name} {low:.2f} to {high:.2f}"
            for name, low, high in zip("xyz", box.low_m, box.high_m, strict=True)
        )
        + f" m; {100 * found.share:.0f} % is reached; full dots: at every depth, hollow: at "
        "some, crosses: at none"
    )
    pen.text((_MARGIN_PX, _PX + 8), told, fill="black", font=_LINE)
    picture.save(file, "PNG")


@dataclass(frozen=True, slots=True)
class _Frame:
    """One view of the cell on the paper. right, up: the axes that point there."""

    left_px: int
    right: int
    up: int

    def at(self, point: Float64Array) -> tuple[float, float]:
        """Where a point (3,) m is drawn. From above x points up and y, as seen, to the left."""
        scale = (_PX - 2 * _MARGIN_PX) / _SPAN_M
        across = -point[1] + _SPAN_M / 2 if self.right == 1 else point[0] + 0.2
        height = point[self.up] + 0.2
        return self.left_px + _MARGIN_PX + scale * across, _PX - _MARGIN_PX - scale * height


def _paper(pen: ImageDraw.ImageDraw, frame: _Frame, title: str) -> None:
    pen.text((frame.left_px + _MARGIN_PX, 14), title, fill="black", font=_LINE)
    for tenth in range(-5, 10):
        value = tenth / 10
        for axis in (frame.right, frame.up):
            start, end = np.zeros(3), np.zeros(3)
            other = frame.up if axis == frame.right else frame.right
            low, high = (-0.55, 0.55) if axis == 1 else (-0.2, 0.9)
            if not low <= value <= high:
                continue
            start[axis] = end[axis] = value
            start[other], end[other] = (-0.55, 0.55) if other == 1 else (-0.2, 0.9)
            pen.line((frame.at(start), frame.at(end)), fill="#e4e4e4")
            if tenth % 2 == 0:
                x, y = frame.at(start)
                spot = (x - 12, y + 4) if axis == frame.right else (frame.left_px + 26, y - 9)
                pen.text(spot, f"{value:.1f}", fill="#777777", font=_LINE)
    names = "xyz"
    pen.text(
        (frame.left_px + _PX - 55, _PX - 62), f"{names[frame.right]} m", fill="black", font=_LINE
    )
    pen.text((frame.left_px + 22, 40), f"{names[frame.up]} m", fill="black", font=_LINE)


def _dots(pen: ImageDraw.ImageDraw, frame: _Frame, found: Reached) -> None:
    columns: dict[tuple[float, float], list[bool]] = {}
    for point, got in zip(found.points, found.reached, strict=True):
        x, y = frame.at(point)
        columns.setdefault((round(x, 1), round(y, 1)), []).append(bool(got))
    for (x, y), got_all in columns.items():
        spot = (x - 4, y - 4, x + 4, y + 4)
        if all(got_all):
            pen.ellipse(spot, fill="#2e8b57")
        elif any(got_all):
            pen.ellipse(spot, outline="#2e8b57", width=2)
        else:
            pen.line((x - 4, y - 4, x + 4, y + 4), fill="#c0392b", width=2)
            pen.line((x - 4, y + 4, x + 4, y - 4), fill="#c0392b", width=2)


def _ordered(
    one: tuple[float, float], other: tuple[float, float]
) -> tuple[float, float, float, float]:
    (x1, y1), (x2, y2) = one, other
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _three(values: Float64Array) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 4) for value in values)
    return x, y, z
