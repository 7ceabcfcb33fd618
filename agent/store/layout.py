"""The shape of one episode: fixed by its first step, held to by every other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episode import Action, Observation, Step
from agent.errors import UsageError
from agent.store.names import check_camera
from agent.store.packing import codec_of

AXES = 7  # six of the move, one of the gripper
JUDGED = ("progress", "success", "uncertainty")  # arrays of the judge's, one value a view
# Those of them that are absent where the judge says nothing of single views.
OPTIONAL = frozenset({"success", "uncertainty"})


@dataclass(frozen=True, slots=True)
class Layout:
    """What every step of an episode has in common.

    cameras: name to (h, w). proprio: p. privileged: m. actions: K and tokens: d a decision.
    codecs: how pictures are packed, by camera; zstd where nothing is said.
    """

    cameras: Mapping[str, tuple[int, int]]
    proprio: int
    privileged: int
    actions: int
    tokens: int
    instruction: str
    codecs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        view: Observation,
        step: Step | None = None,
        codecs: Mapping[str, str] | None = None,
    ) -> Layout:
        """The layout that this view and step set. Raises UsageError for what cannot be kept."""
        cameras = {}
        for name, image in view.images.items():
            if image.ndim != 3:
                raise UsageError(f"camera {name!r}: want an image (h, w, 3), found {image.shape}")
            cameras[check_camera(name)] = (image.shape[0], image.shape[1])
        return cls(
            cameras=cameras,
            proprio=view.proprio.size,
            privileged=view.privileged.size,
            actions=0 if step is None else len(step.decision.actions),
            tokens=0 if step is None else step.decision.tokens.size,
            instruction=view.instruction,
            codecs={name: codec_of(codecs or {}, name) for name in cameras},
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Layout:
        """Read what `to_json` gave."""
        cameras = {name: (int(h), int(w)) for name, (h, w) in values["cameras"].items()}
        return cls(**{**values, "cameras": cameras})

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one view's images."""
        return sum(3 * h * w for h, w in self.cameras.values())

    def check_view(self, view: Observation) -> None:
        """Raise UsageError unless this view has the layout."""
        if list(view.images) != list(self.cameras):
            raise UsageError(
                f"want cameras {list(self.cameras)} in every view, found {list(view.images)}"
            )
        for name, (h, w) in self.cameras.items():
            _check(f"camera {name!r}", view.images[name], (h, w, 3), np.uint8)
        _check("proprio", view.proprio, (self.proprio,), np.float32)
        _check("privileged", view.privileged, (self.privileged,), np.float32)
        if view.instruction != self.instruction:
            raise UsageError(
                f"the instruction changed from {self.instruction!r} to {view.instruction!r}; "
                "an episode has one"
            )
        if not math.isfinite(view.time_s):
            raise UsageError(f"want a finite time of capture, found {view.time_s}")

    def check_step(self, step: Step) -> None:
        """Raise UsageError unless this step has the layout."""
        self.check_view(step.observation)
        decision, taken = step.decision, len(step.applied)
        if len(decision.actions) != self.actions:
            raise UsageError(
                f"want {self.actions} actions in every decision, found {len(decision.actions)}"
            )
        if taken > self.actions:
            raise UsageError(f"want at most {self.actions} applied actions, found {taken}")
        _check("tokens", decision.tokens, (self.tokens,), np.int16)
        _check("log_probs", decision.log_probs, (self.tokens,), np.float32)
        _check("executed", step.executed, (self.actions,), np.bool_)
        _check("track", step.track, (taken, self.proprio), np.float32)
        for action in (*decision.actions, *step.applied):
            _check("delta", action.delta, (6,), np.float32)


def action_rows(actions: tuple[Action, ...]) -> NDArray[np.float64]:
    """Actions as (k, 7) float64: wide enough to hold both a float32 delta and a Python float."""
    rows = np.empty((len(actions), AXES), np.float64)
    for row, action in zip(rows, actions, strict=True):
        row[:6] = action.delta
        row[6] = action.gripper
    return rows


def row_actions(rows: NDArray[np.float64]) -> tuple[Action, ...]:
    """The actions that `action_rows` was given, exact to the bit."""
    return tuple(Action(row[:6].astype(np.float32), float(row[6])) for row in rows)


def _check(name: str, array: NDArray[Any], shape: tuple[int, ...], dtype: type) -> None:
    if array.shape != shape or array.dtype != dtype:
        wanted = np.dtype(dtype)
        raise UsageError(
            f"{name}: want {shape} {wanted} in every step, found {array.shape} {array.dtype}"
        )
