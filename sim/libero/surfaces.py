"""What table, floor and walls look like, and the hues of things: pictures in a compiled model."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.errors import DataError
from sim.libero.shifts import PICTURES

# The model's names of what lies under and behind the things; a desk's own picture counts as wood.
_SURFACES = (
    "texplane", "tex-wall", "tex-table", "tex-table-legs", "tex-desk", "tex-living_room_table",
)  # fmt: skip
_WOOD = PICTURES.index("martin_novak_wood_table.png")


def dress(model: mujoco.MjModel, number: int, assets: Path) -> None:
    """Give each surface the picture that follows its own by `number`; 0 changes nothing.

    Raises DataError where the assets lack it.
    """
    if not number:
        return
    for texture in range(model.ntex):
        if model.texture(texture).name not in _SURFACES:
            continue
        own = Path(_file_of(model, texture)).name
        at = PICTURES.index(own) if own in PICTURES else _WOOD
        path = assets / "textures" / PICTURES[(at + number) % len(PICTURES)]
        pixels = _pixels(model, texture)
        try:
            with Image.open(path) as picture:
                size = pixels.shape[1], pixels.shape[0]
                pixels[:] = np.asarray(picture.convert("RGB").resize(size))[:, :, : pixels.shape[2]]
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error}; see docs/libero.md") from error


def turn_hues(model: mujoco.MjModel, bodies: Iterable[int], turns: float) -> None:
    """Turn the hues of what these bodies and their parts are drawn with; 0 changes nothing."""
    if not turns:
        return
    geoms = np.flatnonzero(np.isin(model.body_rootid[model.geom_bodyid], list(bodies)))
    materials = np.unique(model.geom_matid[geoms])
    materials = materials[materials >= 0]
    for texture in np.unique(model.mat_texid[materials]):
        if texture >= 0:
            pixels = _pixels(model, int(texture))
            pixels[:] = _turned(pixels, turns)
    for colours, numbers in ((model.mat_rgba, materials), (model.geom_rgba, geoms)):
        # A geom of MuJoCo's own grey has its material's colour: no grey may change at all.
        hued = numbers[np.ptp(colours[numbers, :3], axis=1) > 0.0]
        rgb = np.rint(255 * colours[hued, :3]).astype(np.uint8)
        colours[hued, :3] = _turned(rgb, turns) / 255.0


def light_up(model: mujoco.MjModel, factor: float) -> None:
    """Make every lamp brighter or darker; 1 changes nothing."""
    head = model.vis.headlight
    for lamp in (
        model.light_ambient, model.light_diffuse, model.light_specular,
        head.ambient, head.diffuse, head.specular,
    ):  # fmt: skip
        lamp[:] = lamp * factor


def _pixels(model: mujoco.MjModel, texture: int) -> NDArray[np.uint8]:
    """(h, w, channels) of a texture, in the model's own memory."""
    shape = (
        int(model.tex_height[texture]), int(model.tex_width[texture]),
        int(model.tex_nchannel[texture]),
    )  # fmt: skip
    begin = int(model.tex_adr[texture])
    found: NDArray[np.uint8] = model.tex_data[begin : begin + shape[0] * shape[1] * shape[2]]
    return found.reshape(shape)


def _file_of(model: mujoco.MjModel, texture: int) -> str:
    begin = int(model.tex_pathadr[texture])
    return "" if begin < 0 else model.paths[begin:].split(b"\0", 1)[0].decode()


def _turned(rgb: NDArray[np.uint8], turns: float) -> NDArray[np.uint8]:
    """(..., 3) with hues turned, greys, lightest and darkest channel kept, as in HSV."""
    codes = rgb[..., 0].astype(np.int32) << 16 | rgb[..., 1].astype(np.int32) << 8 | rgb[..., 2]
    found = np.zeros(1 << 24, np.bool_)  # of all colours there are: no sorting of pixels
    found[codes] = True
    kinds = np.flatnonzero(found)
    few = np.stack([kinds >> 16, kinds >> 8 & 255, kinds & 255], axis=1).astype(np.float32)
    high, low = few.max(axis=1), few.min(axis=1)
    span = np.where(high > low, high - low, 1.0)
    red, green, blue = few.T
    hue = np.select(
        [high == red, high == green],
        [(green - blue) / span % 6.0, (blue - red) / span + 2.0],
        (red - green) / span + 4.0,
    )
    hue = (hue + 6.0 * turns) % 6.0
    # Each channel is high within one sixth of its own hue, low beyond two, and goes evenly between.
    away = np.stack([np.abs((hue - own + 3.0) % 6.0 - 3.0) for own in (0.0, 2.0, 4.0)], axis=1)
    share = np.clip(2.0 - away, 0.0, 1.0)
    turned = np.empty((1 << 24, 3), np.uint8)
    turned[kinds] = np.rint(low[:, None] + share * (high - low)[:, None])
    return np.asarray(turned[codes])
