"""Run the guard: python -m bridges.guard --profile PROFILE; ends with the arm held."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
from types import FrameType

from agent.errors import RobotFault, UsageError, VlarlError
from agent.notify import Watchdog
from bridges.guard.talk import Talk
from calibration.complaints import ProfileError
from calibration.profile import Profile, load

log = logging.getLogger("bridges.guard")

_LOOK_S = 0.05
_NICENESS = -10


def main(arguments: list[str]) -> int:
    """Guard one arm until SIGINT or SIGTERM; the exit code."""
    talk = Talk(sys.stderr.fileno())
    logging.basicConfig(
        level=logging.INFO, handlers=[talk], format="%(asctime)s guard %(levelname)s %(message)s"
    )
    try:
        return _guard(arguments)
    except VlarlError as error:
        log.error("%s", error)
        return error.exit_code
    finally:
        talk.close()


def _guard(arguments: list[str]) -> int:
    try:
        from rclpy.utilities import remove_ros_args
    except ImportError as error:
        raise RobotFault(
            f"ROS 2 wanted, but rclpy cannot be imported ({error}); source your ROS 2, or "
            "pip install 'vlarl-agent[ros]'"
        ) from error
    from bridges.guard.node import Guard

    parser = argparse.ArgumentParser(prog="python -m bridges.guard", description=__doc__)
    parser.add_argument("--profile", default="franka", help="a shipped profile, or a file")
    parser.add_argument("--namespace", help="in place of the profile's")
    told = parser.parse_args(remove_ros_args(["guard", *arguments])[1:])
    profile = _cell(told.profile, told.namespace)
    ended = []

    def end(number: int, _frame: FrameType | None) -> None:
        ended.append(number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)
    guard, watchdog = Guard(profile), Watchdog(os.environ)
    try:
        guard.open(["guard", *arguments])
        _be_prompt()
        watchdog.ready(f"guard of {profile.name}")
        while not ended:
            guard.serve(_LOOK_S)
            watchdog.alive()
    finally:
        watchdog.stopping()
        guard.close()
    return 0


def _be_prompt() -> None:
    """Come before the machine's other work, where that is allowed, and be held up by less."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    except OSError as error:
        log.info("the guard runs at ordinary priority (%s)", error.strerror)
    # What lives as long as the process is not looked through for garbage again.
    gc.collect()
    gc.freeze()


def _cell(name_or_path: str, namespace: str | None) -> Profile:
    try:
        profile = load(name_or_path)
    except ProfileError as error:
        raise UsageError(str(error)) from error
    if namespace is None:
        return profile
    topics = profile.topics.model_copy(update={"namespace": namespace.strip("/")})
    return profile.model_copy(update={"topics": topics})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
