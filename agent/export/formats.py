"""The formats by name, and the packages that each one needs."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

from agent.errors import UsageError
from agent.export.part import Format
from agent.export.source import Source

# Format to (packages it imports, extra that brings them).
NEEDS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "lerobot": (("pyarrow", "av"), "export"),
    "mp4": (("av",), "export"),
    "mcap": (("mcap",), "export"),
    "rerun": (("rerun",), "rerun"),
    "peft": ((), ""),
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """How episodes are to be written. caption: words under each picture of a clip."""

    caption: bool = False


def check_format(name: str) -> None:
    """Raise UsageError for a format nobody knows, or one whose packages are not installed."""
    if name not in NEEDS:
        raise UsageError(f"no export format is called {name!r}; known: {', '.join(NEEDS)}")
    packages, extra = NEEDS[name]
    lacking = [each for each in packages if importlib.util.find_spec(each) is None]
    if lacking:
        raise UsageError(
            f"format {name} wants {', '.join(lacking)}, not installed here; "
            f"pip install 'vlarl-agent[{extra}]'"
        )


def make_format(name: str, source: Source, wishes: Wishes) -> Format:
    """The format that writes episodes of this run. Raises UsageError as `check_format`."""
    check_format(name)
    if wishes.caption and name != "mp4":
        raise UsageError(f"--caption is for mp4; format {name} carries the same as data")
    hz, proprio = source.control_hz, source.proprio
    if name == "lerobot":
        from agent.export.lerobot import LeRobot

        return LeRobot(hz, source.robot, proprio)
    if name == "mp4":
        from agent.export.clips import Clips

        return Clips(hz, caption=wishes.caption)
    if name == "mcap":
        from agent.export.mcap_log import McapLog

        return McapLog(hz, proprio)
    if name == "rerun":
        from agent.export.rerun_log import RerunLog

        return RerunLog(hz, proprio)
    raise UsageError(f"format {name} is of adapters, not of episodes")
