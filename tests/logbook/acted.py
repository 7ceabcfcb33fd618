"""Steps of a little arm with two actions a decision, as a guard or a person left them."""

import numpy as np

from agent.episode import NO_LIMIT, Action, Decision, Observation, Step, Task, Times

TASK = Task("pick_cube", "pick up the cube", 3, 50)


def view(time_s):
    """What is seen at a moment: one camera, whose pictures tell the time."""
    image = np.full((8, 8, 3), int(10 * time_s) % 256, np.uint8)
    return Observation({"front": image}, np.full(4, time_s, np.float32), "pick up the cube", time_s)


def step(number, *, limits=NO_LIMIT, by_hand=False, executed=(True, True)):
    """Decision `number`, seen at that second, decided 20 ms later and sent 5 ms after that."""
    action = Action(np.full(6, 0.5, np.float32), 1.0)
    decision = Decision(
        (action, action), np.full(14, number, np.int16), np.full(14, -1.0, np.float32), "base", 1.0
    )
    track = np.zeros((2, 4), np.float32)
    times = Times(number + 0.02, number + 0.025, number + 0.03)
    done = np.array(executed, np.bool_)
    return Step(
        view(float(number)), decision, (action, action), done, track, times, limits, by_hand
    )
