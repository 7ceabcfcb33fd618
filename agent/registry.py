"""Names of robots and experts, and the classes behind them, loaded only when asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.episode import Episode, Float32Array
from agent.errors import UsageError
from agent.protocols import Examiner, Onlooker, Policy, Robot
from agent.settings import RobotSettings

ROBOTS: Mapping[str, str] = {
    "tabletop": "sim.tabletop.robot:Tabletop",
    "libero": "sim.libero.robot:Libero",
    "franka": "bridges.franka:FrankaArm",
}
# What to do where a package that a robot stands on is absent.
REMEDIES: Mapping[str, str] = {
    "rclpy": "pip install 'vlarl-agent[ros]', or source a ROS 2 that fits this Python",
    "std_msgs": "pip install 'vlarl-agent[ros]', or source a ROS 2 that fits this Python",
    "sensor_msgs": "pip install 'vlarl-agent[ros]', or source a ROS 2 that fits this Python",
    "geometry_msgs": "pip install 'vlarl-agent[ros]', or source a ROS 2 that fits this Python",
    "libero": "see docs/libero.md",
}
# Published sets of tasks, and the robot that offers each.
SUITES: Mapping[str, str] = dict.fromkeys(
    ("libero_spatial", "libero_object", "libero_goal", "libero_10", "libero_90"), "libero"
)
# The cards of what each simulated world can be shifted by.
SHIFTS: Mapping[str, str] = {
    "tabletop": "sim.tabletop.shifts:SHIFTS",
    "libero": "sim.libero.shifts:SHIFTS",
}
EXPERTS: Mapping[str, str] = {
    "tabletop": "sim.tabletop.expert:TabletopExpert",
    "libero": "sim.libero.expert:LiberoExpert",
}
# What tells how far a recorded episode truly was, view by view, where a simulator knows.
PHASES: Mapping[str, str] = {"tabletop": "sim.tabletop.phase:phase_of"}
ONLOOKERS: Mapping[str, str] = {"franka": "bridges.looking:FrankaOnlooker"}
EXAMINERS: Mapping[str, str] = {"franka": "bridges.examining:examine"}


@dataclass(frozen=True, slots=True)
class Companions:
    """What runs beside the agent of a robot: modules, and the profiles they are given."""

    guard: str
    simulated: str
    profile: str
    simulated_profile: str
    simulated_options: tuple[str, ...] = ()


COMPANIONS: Mapping[str, Companions] = {
    "franka": Companions(
        "bridges.guard", "sim.franka", "franka", "tabletop", ("--backend", "tabletop")
    )
}


def robot_of(suite: str) -> str:
    """The robot that offers a published suite. Raises UsageError for a name nobody knows."""
    if suite not in SUITES:
        near = difflib.get_close_matches(suite, SUITES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no suite is called {suite!r}; known: {', '.join(SUITES)}{hint}")
    return SUITES[suite]


def companions_of(robot: str) -> Companions:
    """What a robot needs beside the agent. Raises UsageError where it needs nothing."""
    if robot not in COMPANIONS:
        raise UsageError(
            f"nothing has to be brought up for robot {robot!r}; known: {', '.join(COMPANIONS)}"
        )
    return COMPANIONS[robot]


def make_robot(settings: RobotSettings) -> Robot:
    """Build the robot that the settings name. Raises UsageError for a name nobody knows."""
    factory: Callable[[RobotSettings], Robot] = _resolve(settings.name, ROBOTS, "robot")
    return factory(settings)


def make_expert(settings: RobotSettings, robot: Robot) -> Policy:
    """Build the scripted expert that drives this robot."""
    factory: Callable[[Robot], Policy] = _resolve(settings.name, EXPERTS, "expert")
    return factory(robot)


def make_phase(robot: str) -> Callable[[Episode], Float32Array] | None:
    """Load what tells the true phase of each view of an episode; None for other robots."""
    return _resolve(robot, PHASES, "robot with a phase") if robot in PHASES else None


def shifts_of(robot: str) -> tuple[str, ...]:
    """Names of what this robot's world can be shifted by. Raises UsageError for other robots."""
    return tuple(card.name for card in _resolve(robot, SHIFTS, "robot with shifts"))


def make_onlooker(settings: RobotSettings, camera: str, *, posed: bool) -> Onlooker:
    """Build what looks through a camera of this robot's cell; posed: and where the tool is."""
    factory: Callable[..., Onlooker] = _resolve(settings.name, ONLOOKERS, "robot with an onlooker")
    return factory(settings, camera, posed=posed)


def make_examiner(settings: RobotSettings) -> Examiner:
    """Load what looks whether this robot is ready."""
    examiner: Examiner = _resolve(settings.name, EXAMINERS, "robot with an examination of its own")
    return examiner


def _resolve(name: str, known: Mapping[str, str], kind: str) -> Any:  # noqa: ANN401
    target = known.get(name, name)
    module_name, colon, attribute = target.partition(":")
    if not colon:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "or give one as module:Class"
        raise UsageError(f"no {kind} is called {name!r}; known: {', '.join(known)}; {hint}")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        remedy = REMEDIES.get((getattr(error, "name", None) or "").partition(".")[0], "")
        why = f"{error}; {remedy}" if remedy else str(error)
        raise UsageError(f"{kind} {name!r} ({target}) cannot be loaded: {why}") from error
