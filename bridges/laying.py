"""The world at the start of an episode: a simulated one is put there, a real one by a person."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.clock import now_s
from agent.episode import Task
from agent.errors import RobotFault, UsageError
from bridges.asking import GuardLine
from bridges.node import Link
from bridges.person import Operator
from bridges.readying import PERSON_S
from bridges.wire import OPERATOR_TOPIC, State
from calibration.profile import Topics

log = logging.getLogger(__name__)

_SIMULATED = "simulated_franka"
_SERVICE_S = 10.0
_HOME_S = 35.0
_LOOK_S = 0.05


def lay_simulated(link: Link, topics: Topics, task: Task) -> None:
    """Put a simulated arm and its world at the task's start state.

    Raises UsageError where it knows no such task or start, RobotFault where it does not answer.
    """
    from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
    from rcl_interfaces.srv import SetParameters
    from std_srvs.srv import Trigger

    text, whole = ParameterType.PARAMETER_STRING, ParameterType.PARAMETER_INTEGER
    values = (
        Parameter(name="task", value=ParameterValue(type=text, string_value=task.instruction)),
        Parameter(name="start", value=ParameterValue(type=whole, integer_value=task.start)),
        Parameter(name="seed", value=ParameterValue(type=whole, integer_value=task.seed)),
    )
    asked = SetParameters.Request(parameters=list(values))
    name = topics.full(f"{_SIMULATED}/set_parameters")
    for result in link.call(name, SetParameters, asked, _SERVICE_S).results:
        if not result.successful:
            raise UsageError(f"the simulated arm takes no such start: {result.reason}")
    done = link.call(topics.full(f"{_SIMULATED}/reset"), Trigger, Trigger.Request(), _SERVICE_S)
    if not done.success:
        raise UsageError(f"the simulated arm cannot be put at {task}: {done.message}")


def lay_by_hand(
    guard: GuardLine, operator: Operator, task: Task, pause: Callable[[float], None]
) -> None:
    """Bring the arm home, then ask a person to lay the scene, and wait for it.

    Raises RobotFault where the arm does not get home, or nobody comes for ten minutes.
    """
    home = guard.go_home(_HOME_S, pause)
    if home.reason or home.state is not State.ARMED:
        raise RobotFault(f"the arm at home wanted, the guard is {home.state}: {home.reason}")
    operator.words()
    log.warning(
        "lay the scene for %r, start %d; then press r, or say 'resume' on %s",
        task.instruction, task.start, OPERATOR_TOPIC,
    )  # fmt: skip
    ends_s = now_s() + PERSON_S
    while "resume" not in operator.words():
        if now_s() > ends_s:
            raise RobotFault(f"a scene laid by a person wanted, nobody came in {PERSON_S:.0f} s")
        pause(_LOOK_S)
