"""Pictures that a sensor has spoilt."""

from __future__ import annotations

import numpy as np

from agent.episode import Uint8Array


def noisy(image: Uint8Array, sigma: float, rng: np.random.Generator) -> Uint8Array:
    """Add Gaussian noise of `sigma` grey levels to a picture (h, w, 3)."""
    return np.clip(np.rint(image + rng.normal(0.0, sigma, image.shape)), 0, 255).astype(np.uint8)
