"""How rough surfaces are and how heavy things, in a compiled model."""

from __future__ import annotations

from collections.abc import Iterable

import mujoco
import numpy as np


def roughen(model: mujoco.MjModel, factor: float) -> None:
    """Make every contact rougher or smoother; 1 changes nothing.

    MuJoCo takes the rougher of two surfaces, so that smoother things alone would change little.
    """
    if factor != 1.0:
        model.geom_friction[:] = model.geom_friction * factor


def weigh(model: mujoco.MjModel, bodies: Iterable[int], factor: float) -> None:
    """Make bodies with their parts heavier or lighter; 1 changes nothing."""
    if factor == 1.0:
        return
    parts = np.isin(model.body_rootid, list(bodies))
    model.body_mass[parts] *= factor
    model.body_inertia[parts] *= factor
    # What the solver of contacts knows of each body's weight.
    mujoco.mj_setConst(model, mujoco.MjData(model))
