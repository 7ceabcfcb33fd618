"""What the envelope is told, what it remembers, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.episode import Limit
from bridges.pose import Pose

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """The arm as it was last heard of.

    joints_rad: (7,). gripper: 0 closed .. 1 open, NaN where nothing tells.
    joints_at_s, pose_at_s: arrival, monotonic.
    joints_stamp_s, pose_stamp_s: how old the message called itself when it arrived; a wall clock's
    word, so it counts against a reading and never for it.
    """

    joints_rad: Vector
    pose: Pose
    gripper: float
    joints_at_s: float
    pose_at_s: float
    joints_stamp_s: float
    pose_stamp_s: float


@dataclass(frozen=True, slots=True)
class Command:
    """A published target, and what may still be spent after it.

    at_s: monotonic. moved_m: (3,) from the target before it; 0 after a rest.
    credit_m, credit_rad: way that time has earned and no target has used.
    credit_n: targets that time has earned.
    """

    pose: Pose
    gripper: float
    at_s: float
    moved_m: Vector
    credit_m: float
    credit_rad: float
    credit_n: float


@dataclass(frozen=True, slots=True)
class Held:
    """A request held to the envelope.

    command: what may be published; None where it was refused. refused: why, None where it was not.
    stop: so wrong, or the arm so unknown, that motion must end.
    """

    command: Command | None
    limits: Limit
    refused: str | None = None
    stop: bool = False


class Refusal(Exception):
    """A request that no holding back makes right; told to the agent, never raised to a caller."""

    def __init__(self, limits: Limit, why: str, *, stop: bool = False) -> None:
        super().__init__(why)
        self.limits, self.why, self.stop = limits, why, stop
