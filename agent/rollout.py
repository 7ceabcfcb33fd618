"""One episode, first view to last."""

from __future__ import annotations

from collections.abc import Callable

from agent import clock
from agent.episode import (
    Decision,
    Ending,
    Episode,
    Observation,
    Reading,
    Step,
    Task,
    Times,
    Truncated,
)
from agent.moves import must_be_moves
from agent.protocols import Eye, Policy, Recording, Robot


def run_episode(  # noqa: PLR0913  one parameter a part
    robot: Robot,
    policy: Policy,
    recording: Recording,
    task: Task,
    temperature: float,
    stop_wanted: Callable[[], bool] = lambda: False,
    *,
    eye: Eye | None = None,
) -> Episode:
    """Act from reset to an ending, keeping every step; the robot is at rest afterwards.

    `stop_wanted` is asked before each decision; True ends the episode as "stopped". `eye` sees
    each view before it is answered, the last one too.
    Whatever else goes wrong, the recording is abandoned with the reason and the error goes on.
    """
    try:
        last, ending = _act(robot, policy, recording, task, temperature, stop_wanted, eye=eye)
        return recording.finish(last, ending)
    except BaseException as error:
        recording.abandon(f"{type(error).__name__}: {error}")
        raise


def step_of(view: Observation, decision: Decision, decided_s: float, reading: Reading) -> Step:
    """One decision as it is recorded."""
    return Step(
        observation=view,
        decision=decision,
        applied=reading.applied,
        executed=reading.executed,
        track=reading.track,
        times=Times(decided_s, reading.sent_s, reading.applied_s),
        limits=reading.limits,
        by_hand=reading.by_hand,
    )


def _act(  # noqa: PLR0913  as above
    robot: Robot,
    policy: Policy,
    recording: Recording,
    task: Task,
    temperature: float,
    stop_wanted: Callable[[], bool],
    *,
    eye: Eye | None,
) -> tuple[Observation, Ending]:
    try:
        view, number = robot.reset(task), 0
        if eye is not None:
            eye.look(number, view)
        while not stop_wanted():
            (decision,) = policy.act([view], temperature)
            decided_s = clock.now_s()
            must_be_moves(decision)
            reading = robot.step(decision.actions)
            recording.append(step_of(view, decision, decided_s, reading))
            view, number = reading.observation, number + 1
            if eye is not None:
                eye.look(number, view)
            if reading.ending is not None:
                return view, reading.ending
        return view, Truncated("stopped")
    finally:
        robot.rest()
