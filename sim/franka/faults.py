"""What can be wrong with the simulated arm on purpose, as one line of words."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from agent.errors import UsageError

# Each fault: what it does, and the value it takes, None where it takes none.
FAULTS: Mapping[str, tuple[str, float | None]] = {
    "camera_stale": ("no more pictures come", None),
    "camera_frozen": ("the same picture comes again and again, with new stamps", None),
    "camera_black": ("pictures are black", None),
    "state_dropped": ("joints, pose and gripper are told no more", None),
    "joints_dropped": ("joints are told no more", None),
    "pose_dropped": ("the tool's pose is told no more", None),
    "state_delayed": ("joints, pose and gripper are told so many seconds late", 0.5),
    "state_nan": ("joints and pose are told as NaN", None),
    "wrong_frame": ("the pose names another frame", None),
    "stamps": ("all stamps are so many seconds off, past below 0", -5.0),
    "commands_ignored": ("targets and gripper commands are not heard", None),
    "reflex": ("the arm stops and reports a reflex", None),
    "user_stop": ("the arm stops and reports its user stop", None),
    "idle": ("no controller is active: the arm stops, hears nothing and reports idle", None),
    "guiding": ("a person has the arm: it hears nothing and reports guiding", None),
    "second_publisher": ("somebody else may publish targets", None),
    "kill": ("the process dies at once", None),
}
_PER_CAMERA = ("camera_stale", "camera_frozen", "camera_black")
_MODES = {
    "reflex": "reflex", "user_stop": "user_stopped", "guiding": "guiding", "idle": "idle",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults in force. strengths: value by name; cameras: those that a name is limited to."""

    strengths: Mapping[str, float] = field(default_factory=dict)
    cameras: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def has(self, name: str, camera: str = "") -> bool:
        """Whether a fault is in force, for this camera where it is a camera's."""
        only = self.cameras.get(name, frozenset())
        return name in self.strengths and (not only or camera in only)

    def strength(self, name: str) -> float:
        """How strong it is; 0 where it is not in force."""
        return self.strengths.get(name, 0.0)

    @property
    def mode(self) -> str:
        """The mode that a fault puts the arm in, "" for none. In any of them it hears nothing."""
        return next((mode for name, mode in _MODES.items() if name in self.strengths), "")


def read(text: str, cameras: Collection[str]) -> Faults:
    """Read "name[=value][@camera], ..."; "" is no fault at all.

    Raises UsageError for an unknown name, camera or value; then nothing changes.
    """
    strengths: dict[str, float] = {}
    limited: dict[str, frozenset[str]] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        rest, at, camera = part.partition("@")
        name, equals, value = rest.partition("=")
        if name not in FAULTS:
            near = difflib.get_close_matches(name, FAULTS, n=1, cutoff=0.0)[0]
            raise UsageError(
                f"no fault is called {name!r}; known: {', '.join(FAULTS)}; did you mean {near!r}?"
            )
        usual = FAULTS[name][1]
        if equals and usual is None:
            raise UsageError(f"fault {name} takes no value, found {value!r}")
        strengths[name] = _number(name, value) if equals else (usual or 0.0)
        if at:
            if name not in _PER_CAMERA or camera not in cameras:
                raise UsageError(
                    f"one of {', '.join(_PER_CAMERA)} at one of {', '.join(cameras)} wanted, "
                    f"found {part!r}"
                )
            limited[name] = limited.get(name, frozenset()) | {camera}
    return Faults(strengths, limited)


def table() -> str:
    """Every fault in a Markdown table."""
    rows = [
        f"| `{name}` | {what} | {'-' if usual is None else f'{usual:g}'} |"
        for name, (what, usual) in FAULTS.items()
    ]
    return "\n".join(("| fault | what happens | s, where not given |", "|---|---|---|", *rows))


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not abs(number) <= 3600.0 or (name == "state_delayed" and number < 0):
        raise UsageError(f"fault {name} takes seconds, an hour at most, found {value!r}")
    return number
