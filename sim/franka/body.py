"""The seam between the ROS node and what moves: a body, and a painter of what its cameras see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.episode import Uint8Array
from sim.franka.pose import Felt, Pose
from sim.tabletop.arm import Float64Array

TICK_S = 0.005  # how finely the arm lives


@dataclass(frozen=True, slots=True)
class Sight:
    """A moment of the world that can be drawn later, in another thread."""

    parts: Mapping[str, Float64Array]


class Painter(Protocol):
    """Draws moments of a world; made, used and closed in one thread."""

    def draw(self, sight: Sight, camera: str) -> Uint8Array:
        """One picture (h, w, 3), upright RGB."""
        ...

    def close(self) -> None:
        """Let go of the drawing context. May be called twice."""
        ...


class Body(Protocol):
    """An arm in a world with a controller that follows a target and holds the last for ever."""

    def cameras(self) -> Mapping[str, float]:
        """Names of its cameras, and the vertical field of view of each in radians."""
        ...

    def painter(self) -> Painter:
        """Something to draw with, made in the thread that will draw."""
        ...

    def reset(self, task: str, start: int, seed: int) -> None:
        """Put world and arm at a start state, holding still with the hand open.

        Raises UsageError for a task or start state that does not exist; nothing has moved then.
        """
        ...

    def follow(self, target: Pose) -> None:
        """Take a new target in the base frame, to be held until the next one."""
        ...

    def grip(self, opening: float) -> None:
        """Take a new opening for the hand, 0 closed .. 1 open."""
        ...

    def stop(self) -> None:
        """Hold where the arm is now."""
        ...

    def tick(self) -> None:
        """Live through TICK_S."""
        ...

    def felt(self) -> Felt:
        """What the arm feels now."""
        ...

    @property
    def home(self) -> Pose:
        """Where the arm stood at the start state."""
        ...

    def met(self) -> bool:
        """Whether the task's goal is met right now."""
        ...

    def sight(self) -> Sight:
        """What there is to see now."""
        ...
