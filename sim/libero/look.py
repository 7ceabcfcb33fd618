"""LIBERO's cameras by our names, and how their pictures are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CAMERAS: Mapping[str, str] = {"agentview": "agentview", "eye_in_hand": "robot0_eye_in_hand"}


@dataclass(frozen=True, slots=True)
class Look:
    """How pictures are drawn: px square, by egl or osmesa.

    drawn: faithful is robosuite's way, pixel by pixel. fast draws one sample a pixel, thinned
    meshes, no shadows and no reflections.
    """

    px: int
    gl: str
    drawn: Literal["faithful", "fast"]
