"""The stored start states; `python -m sim.tabletop.starts` writes the file anew, bit for bit."""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.episode import Float32Array
from agent.errors import DataError, UsageError
from sim.tabletop.arm import Float64Array, joints_for
from sim.tabletop.catalog import PLACED, START_STATES, WISHES, Wish

FILE = Path(__file__).with_name("starts.npz")
_TURN_RAD = 0.17  # things stand at most this far from square
_SPACING_M = 0.082  # leaves an open hand room beside its object
_SIX_DIGITS = 6  # rounding hides the last bits, where machines differ


@dataclass(frozen=True, slots=True)
class Start:
    """One start state. joints: (7,) rad. placed: (10, 3) x m, y m, yaw rad, ordered as PLACED."""

    joints: Float64Array
    placed: Float64Array


def start_of(task: str, number: int) -> Start:
    """One start state: stored below 100, drawn anew from its number above.

    Raises UsageError for an unknown task or a negative number.
    """
    stored = _stored()
    if f"{task}.joints" not in stored:
        known = ", ".join(wish.name for wish in WISHES)
        raise UsageError(f"no task is called {task!r}; known: {known}")
    if number < 0:
        raise UsageError(f"start state {number} of {task} wanted; numbers start at 0")
    if number >= START_STATES:
        wish = next(wish for wish in WISHES if wish.name == task)
        return draw(wish, np.random.default_rng([zlib.crc32(task.encode()), number]))
    return Start(
        stored[f"{task}.joints"][number].astype(np.float64),
        stored[f"{task}.placed"][number].astype(np.float64),
    )


def generate() -> dict[str, Float32Array]:
    """Draw all start states, each from its own seed.

    Arrays <task>.joints (100, 7) rad and <task>.placed (100, 10, 3), as in Start.
    """
    arrays: dict[str, Float32Array] = {}
    for wish in WISHES:
        word = zlib.crc32(wish.name.encode())
        starts = [draw(wish, np.random.default_rng([word, n])) for n in range(START_STATES)]
        arrays[f"{wish.name}.joints"] = np.array([start.joints for start in starts], np.float32)
        arrays[f"{wish.name}.placed"] = np.array([start.placed for start in starts], np.float32)
    return arrays


def draw(wish: Wish, rng: np.random.Generator) -> Start:
    """Draw one start state: tool over the table, things apart, the fixtures at their places."""
    tool = np.array([-0.04, 0.0, 0.17]) + rng.uniform([-0.03, -0.05, -0.02], [0.03, 0.05, 0.02])
    placed = np.zeros((len(PLACED), 3))
    for name, (x, y) in {
        "basket": (0.165, 0.147),
        "plate": (0.165, -0.147),
        "zone": (0.15, 0),
    }.items():
        placed[PLACED.index(name), :2] = rng.uniform((x - 0.01, y - 0.01), (x + 0.01, y + 0.01))
    loose = [n for n, name in enumerate(PLACED) if name not in {"basket", "plate", "zone"}]
    for _ in range(1000):
        if _scatter(wish, placed, loose, rng):
            break
    else:
        raise RuntimeError(f"no room for the things of {wish.name}")
    placed[loose, 2] = rng.uniform(-_TURN_RAD, _TURN_RAD, len(loose))
    placed[PLACED.index("button"), 2] = 0.0
    return Start(np.round(joints_for(tool), _SIX_DIGITS), np.round(placed, _SIX_DIGITS))


def _scatter(wish: Wish, placed: Float64Array, loose: list[int], rng: np.random.Generator) -> bool:
    """Put the loose things down one by one; False when one finds no room."""
    block = PLACED.index("green-block")
    pushing = wish.kind == "push"
    spacing, reach_y = (0.066, 0.18) if pushing else (_SPACING_M, 0.16)
    if pushing:
        placed[block, :2] = rng.uniform([-0.06, -0.035], [0.0, 0.035])
        loose = [block] + [n for n in loose if n != block]
    for count in range(1 if pushing else 0, len(loose)):
        for _ in range(60):
            spot = rng.uniform([-0.13, -reach_y], [0.045, reach_y])
            apart = np.linalg.norm(placed[loose[:count], :2] - spot, axis=1)
            # What is pushed needs a free way ahead and room for the hand behind.
            ahead = pushing and abs(spot[1] - placed[block, 1]) < 0.06
            if not ahead and (count == 0 or apart.min() > spacing):
                placed[loose[count], :2] = spot
                break
        else:
            return False
    return True


@functools.cache
def _stored() -> dict[str, Float32Array]:
    try:
        with np.load(FILE, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise DataError(
            f"start states wanted in {FILE.name}, found {error}; "
            "write them with: python -m sim.tabletop.starts"
        ) from error


if __name__ == "__main__":
    np.savez(FILE, **generate())  # type: ignore[arg-type]  # numpy types its flag and arrays alike
