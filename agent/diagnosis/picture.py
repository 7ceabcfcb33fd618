"""A camera's start views over the reference's: red is where things were, cyan where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from agent.diagnosis.evidence import Sight
from agent.diagnosis.reference import KnownSight
from agent.durable import make_folder, storage_errors
from agent.episode import Uint8Array
from calibration.view import DARKEST, laid_over

LEAST_PX = 384  # a smaller picture is drawn larger


def overlay(known: KnownSight, sight: Sight) -> Uint8Array:
    """(h, w, 3): medians of the start views, then and now."""
    now = np.median(np.stack(sight.starts), axis=0).astype(np.uint8)
    then = np.clip(np.exp(known.still.typical) - DARKEST, 0.0, 255.0).astype(np.uint8)
    width, height = known.still.size
    large = np.asarray(Image.fromarray(then).resize((width, height)))
    return laid_over(np.repeat(large[:, :, None], 3, axis=2), now)


def write(folder: Path, name: str, picture: Uint8Array) -> Path:
    """Save as PNG in a folder. Raises StorageError."""
    make_folder(folder)
    path = folder / f"{name}.png"
    height, width = picture.shape[:2]
    times = max(1, -(-LEAST_PX // width))
    large = Image.fromarray(picture).resize((times * width, times * height), Image.Resampling.BOX)
    with storage_errors(path, "writing"):
        large.save(path)
    return path
