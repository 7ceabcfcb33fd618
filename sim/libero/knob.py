"""Turning a stove's knob."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.libero.motion import Move, downward, fly, yaw
from sim.libero.sight import Sight

Float64Array = NDArray[np.float64]

_CLOSING_STEPS = 11


class Knob:
    """Takes the ridge of a knob between the fingers and turns the hand."""

    def __init__(self, stove: str) -> None:
        self._stove = stove
        self._gripping = 0
        self._leaving = 0
        self.busy = False

    def next(self, sight: Sight) -> Move:
        """Give the move for the scene as it is now."""
        joint = sight.joint(self._stove, self._stove)
        cloud, tool = joint.points(), sight.tool
        top = float(cloud[:, 2].max())
        ridge = cloud[cloud[:, 2] > top - 0.01][:, :2]
        middle = (ridge.min(axis=0) + ridge.max(axis=0)) / 2
        centred = ridge - middle
        _, axes = np.linalg.eigh(centred.T @ centred)
        across = float(np.arctan2(axes[1, 0], axes[0, 0]))  # the fingers close on its thin side
        here = yaw(tool)
        across = here + (across - here + np.pi / 2) % np.pi - np.pi / 2
        grip = np.array([*middle, top - 0.018])
        if sight.holds(("turnon", self._stove)):
            return self._leave(tool.position, downward(here), grip)
        flat = float(np.linalg.norm(tool.position[:2] - grip[:2]))
        if self._gripping:
            self._gripping += 1
            if self._gripping > 60:
                self._gripping = 0
            turned = self._gripping > _CLOSING_STEPS
            self.busy = True
            return Move(grip, downward(here + 0.5 if turned else across), 0.0)
        if flat < 0.012 and tool.position[2] < grip[2] + 0.006:
            self._gripping = 1
        if flat < 0.01 and abs(across - here) < 0.1 and sight.gap() > 0.07:
            return Move(grip, downward(across), 1.0)
        hover = grip + np.array([0, 0, 0.05])
        return Move(fly(tool, hover, sight.points(*sight.names)), downward(across), 1.0)

    def _leave(self, here: Float64Array, rotation: Float64Array, grip: Float64Array) -> Move:
        self._leaving += 1
        self._gripping = 0
        self.busy = self._leaving < 16
        if self._leaving < 7:
            return Move(here, rotation, 1.0)
        return Move(np.array([*here[:2], grip[2] + 0.12]), rotation, 1.0)
