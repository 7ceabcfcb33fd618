"""Things that a task does not name, written into its file before LIBERO builds the scene."""

from __future__ import annotations

import re
import zlib

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.errors import UsageError

Float64Array = NDArray[np.float64]

# Groceries of LIBERO's that stand by themselves; every one is in the forty tasks' assets.
CATEGORIES = (
    "alphabet_soup", "bbq_sauce", "butter", "chocolate_pudding", "cookies", "cream_cheese",
    "ketchup", "milk", "orange_juice", "salad_dressing", "tomato_sauce",
)  # fmt: skip
_AWAY_M = 50.0  # where nothing is hit by what has no place yet
_OBJECTS = re.compile(r"\(:objects\b[^)]*")


def choose_extras(bddl: str, task: str, count: int) -> tuple[str, ...]:
    """Categories of `count` more things, the same for a task at each time; none is in its scene.

    Raises UsageError where fewer are left.
    """
    absent = [each for each in CATEGORIES if not re.search(rf"\b{each}(?:_\d+)?\b", bddl)]
    if len(absent) < count:
        raise UsageError(
            f"{task} has most of LIBERO's groceries already: shift distractors wants at most "
            f"{len(absent)} here, found {count}"
        )
    order = np.random.default_rng(zlib.crc32(task.encode())).permutation(len(absent))
    return tuple(absent[number] for number in order[:count])


def extra_names(categories: tuple[str, ...]) -> tuple[str, ...]:
    """What the scene calls them."""
    return tuple(f"{category}_1" for category in categories)


def with_extras(bddl: str, categories: tuple[str, ...]) -> str:
    """A task file with one more thing of each category, after its own."""
    pairs = zip(extra_names(categories), categories, strict=True)
    lines = "".join(f"    {name} - {category}\n" for name, category in pairs)
    # A function, because a thing's name is no pattern.
    return _OBJECTS.sub(lambda found: f"{found[0].rstrip()}\n{lines}  ", bddl, count=1)


def widened(model: mujoco.MjModel, state: Float64Array, joints: tuple[str, ...]) -> Float64Array:
    """A state, (1 + nq + nv,), with these free joints' things far away and at rest.

    state: of the whole scene, or of the scene without them, as stored ones are.
    """
    own, wide = np.ones(1 + model.nq + model.nv, np.bool_), np.zeros(1 + model.nq + model.nv)
    for number, joint in enumerate(joints):
        q, v = 1 + model.joint(joint).qposadr[0], 1 + model.nq + model.joint(joint).dofadr[0]
        own[q : q + 7], own[v : v + 6] = False, False
        wide[q : q + 7] = _AWAY_M + number, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0
    wide[own] = state[own] if len(state) == len(own) else state
    return wide
