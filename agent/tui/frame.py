"""A picture in a terminal: half-blocks, two pixels a cell, or a ramp where there is no colour."""

from __future__ import annotations

from functools import lru_cache
from textwrap import wrap

import numpy as np
from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from agent.episode import Uint8Array

# From dark to bright: what a cell shows where colours are not wanted.
RAMP = " .:-=+*#%@"
_SHADES = 6  # bits kept of a colour: enough for the eye, few enough for the cache of styles


class FrameView(Widget):
    """Shows one camera image as large as fits, its sides in proportion."""

    DEFAULT_CSS = "FrameView { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self.image: Uint8Array | None = None
        self._strips: list[Strip] = []
        self._drawn: tuple[int, int] = (-1, -1)
        self.camera, self.note = "", ""

    def show(self, name: str, image: Uint8Array | None, note: str = "") -> None:
        """Show an image (h, w, 3) uint8 below its name, or the note where there is none."""
        self.camera, self.image, self.note, self._drawn = name, image, note, (-1, -1)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of cells."""
        width, height = self.size
        if self._drawn != (width, height):
            self._strips = self._draw(width, height)
            self._drawn = (width, height)
        if not 0 <= y < len(self._strips):
            return Strip.blank(width, self.visual_style.rich_style)
        return self._strips[y]

    def _draw(self, width: int, height: int) -> list[Strip]:
        blank = self.visual_style.rich_style
        head = Strip([Segment(self.camera[:width].center(width), blank + Style(dim=True))], width)
        height -= 1
        if self.image is None or not self.image.size or width < 2 or height < 1:
            words = [line.center(width) for line in wrap(self.note, max(width - 2, 1))]
            note = [Strip([Segment(line, blank)], width) for line in words]
            return [head, *[Strip.blank(width, blank)] * max(0, (height - len(note)) // 2), *note]
        columns, rows = fitted(self.image.shape[1], self.image.shape[0], width, height)
        lines = (
            ramp(self.image, columns, rows, blank)
            if self.app.no_color
            else half_blocks(self.image, columns, rows)
        )
        left = (width - columns) // 2
        top = (height - rows) // 2
        before, after = Segment(" " * left, blank), Segment(" " * (width - columns - left), blank)
        drawn = [Strip([before, *line, after], width) for line in lines]
        return [head, *[Strip.blank(width, blank)] * top, *drawn]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As high as the place it is given."""
        return container.height


def fitted(image_w: int, image_h: int, width: int, height: int) -> tuple[int, int]:
    """Columns and rows of the largest picture in width x height cells, its sides in proportion.

    A cell is two pixels high, so that a pixel is about square.
    """
    scale = min(width / image_w, 2 * height / image_h)
    columns = max(1, min(width, round(image_w * scale)))
    rows = max(1, min(height, round(image_h * scale / 2)))
    return columns, rows


def half_blocks(image: Uint8Array, columns: int, rows: int) -> list[list[Segment]]:
    """Lines of upper half-blocks: in front the upper pixel's colour, behind the lower's."""
    pixels = _scaled(image, columns, 2 * rows).astype(np.uint32)
    step = 8 - _SHADES
    # The middle of its shade stands for a colour, so that white stays near white.
    pixels = np.minimum((pixels >> step << step) + (1 << step >> 1), 255)
    packed = (pixels[..., 0] << 16) | (pixels[..., 1] << 8) | pixels[..., 2]
    upper, lower = packed[0::2], packed[1::2]
    # Neighbours of one colour become one segment: flat parts of a picture cost next to nothing.
    changes = np.ones((rows, columns), np.bool_)
    changes[:, 1:] = (upper[:, 1:] != upper[:, :-1]) | (lower[:, 1:] != lower[:, :-1])
    lines = []
    for row in range(rows):
        starts = np.flatnonzero(changes[row])
        lengths = np.diff(starts, append=columns).tolist()
        tops, bottoms = upper[row, starts].tolist(), lower[row, starts].tolist()
        lines.append(
            [
                Segment("▀" * length, _style(top, bottom))
                for length, top, bottom in zip(lengths, tops, bottoms, strict=True)
            ]
        )
    return lines


def ramp(image: Uint8Array, columns: int, rows: int, style: Style) -> list[list[Segment]]:
    """Lines of characters from dark to bright (ITU-R BT.601 luma), one a cell."""
    pixels = _scaled(image, columns, rows).astype(np.float32)
    luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    levels = np.minimum(luma * len(RAMP) / 256, len(RAMP) - 1).astype(int)
    return [[Segment("".join(RAMP[level] for level in line), style)] for line in levels.tolist()]


def _scaled(image: Uint8Array, width: int, height: int) -> Uint8Array:
    smaller = width < image.shape[1]
    # The mean of what falls into a cell keeps thin things visible.
    how = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize((width, height), how))


@lru_cache(maxsize=1 << 16)
def _style(upper: int, lower: int) -> Style:
    return Style(color=_colour(upper), bgcolor=_colour(lower))


@lru_cache(maxsize=1 << 14)
def _colour(packed: int) -> Color:
    return Color.from_rgb(packed >> 16, packed >> 8 & 255, packed & 255)
