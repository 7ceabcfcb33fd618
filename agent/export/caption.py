"""Words under a picture: what was to be done, by which adapter, and how far it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from agent.episode import Limit, ScoredEpisode, Uint8Array
from agent.export.rows import rows_of, views

LEAST_WIDTH = 384  # px; fewer cannot hold a line
LINE = 14  # px


def captioned(scored: ScoredEpisode, camera: str) -> Iterator[Uint8Array]:
    """The images of `views`, enlarged to be read, each with three lines under it."""
    episode, rows = scored.episode, rows_of(scored)
    font = ImageFont.load_default(size=11)
    for index, image in enumerate(views(scored, camera)):
        marks = ", ".join(str(each.name) for each in Limit(int(rows.limits[index])))
        if rows.by_hand[index]:
            marks = f"by hand {marks}".strip()
        yield _under(
            image,
            (
                f"{episode.id}  {episode.task.instruction}",
                f"adapter {episode.adapter}  step {index + 1}/{len(rows)}  {marks}",
                f"progress {rows.progress[index]:.2f}  verdict {scored.signal.verdict}",
            ),
            font,
        )


def _under(
    image: Uint8Array,
    lines: tuple[str, ...],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> Uint8Array:
    times = max(1, -(-LEAST_WIDTH // image.shape[1]))
    large = image.repeat(times, 0).repeat(times, 1)
    h, w = large.shape[:2]
    canvas = Image.new("RGB", (w, h + LINE * len(lines) + 4))
    canvas.paste(Image.fromarray(large), (0, 0))
    draw = ImageDraw.Draw(canvas)
    for row, line in enumerate(lines):
        draw.text((4, h + 2 + LINE * row), line, fill=(230, 230, 230), font=font)
    return np.asarray(canvas, np.uint8)
