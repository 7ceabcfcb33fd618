"""Named ways in which LIBERO differs from what a policy was trained in; they compose."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sim.libero.wording import WORDINGS
from sim.shifting.cards import ShiftCard, check
from sim.shifting.frame import shifted
from sim.shifting.shared import MASS, MOVING, SEEING, SharedShifts

Float64Array = NDArray[np.float64]

MOST_DISTRACTORS = 4
# Of table, floor and walls, in the order in which they follow each other.
PICTURES = (
    "light-gray-floor-tile.png",
    "seamless_wood_planks_floor.png",
    "light-gray-plaster.png",
    "martin_novak_wood_table.png",
    "yellow_linen_wall_texture.png",
    "gray_ceramic_tile.png",
)


@dataclass(frozen=True, slots=True)
class Shifts(SharedShifts):
    """The strength of every shift; the defaults are LIBERO as it is."""

    texture: float = 0.0
    poses: float = 0.0
    target: float = 0.0

    @property
    def rearrange(self) -> bool:
        """Whether start states are changed."""
        return bool(self.poses or self.target or self.distractors)


SHIFTS = (
    *MOVING,
    *SEEING,
    ShiftCard(
        "texture", "table, floor and walls change their pictures", "number",
        0.0, 0.0, float(len(PICTURES) - 1),
    ),
    ShiftCard("friction", "whatever touches is rougher or smoother", "factor", 1.0, 0.1, 5.0),
    MASS,
    ShiftCard("poses", "what stands on the table stands elsewhere", "m", 0.0, 0.0, 0.2),
    ShiftCard("target", "the thing to be carried stands elsewhere", "m", 0.0, 0.0, 0.2),
    ShiftCard(
        "distractors", "further things of LIBERO's stand about", "number",
        0.0, 0.0, float(MOST_DISTRACTORS),
    ),
    ShiftCard(
        "paraphrase", "the task is asked in other words: which", "number",
        0.0, 0.0, float(WORDINGS),
    ),
)  # fmt: skip


def shifts_of(strengths: Mapping[str, float]) -> Shifts:
    """Read shifts by name. Raises UsageError for an unknown name or a strength out of range."""
    check(strengths, SHIFTS)
    return Shifts(**strengths)


class ActionShift:
    """Makes of each command what the shifts say; the one who asks is not told.

    What is delayed begins with the arm still and the hand open.
    """

    def __init__(self, shifts: Shifts) -> None:
        self._shifts = shifts
        self._waiting: deque[Float64Array] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget the commands under way."""
        still = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0])
        self._waiting = deque([still] * round(self._shifts.delay))

    def apply(self, command: Float64Array) -> Float64Array:
        """Give the command LIBERO gets for this one, (7,), its deltas within [-1, 1]."""
        self._waiting.append(command)
        due = self._waiting.popleft()
        closing = due[6] if self._shifts.gripper >= 0.0 else -due[6]
        return np.append(np.clip(shifted(due[:6], self._shifts), -1.0, 1.0), closing)


if {card.name for card in SHIFTS} != {field.name for field in fields(Shifts)}:
    raise TypeError("every shift needs a card and a field of the same name")
