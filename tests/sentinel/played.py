"""Episodes of the embedded arm, played by its expert with some noise, for the sentinel's tests."""

import numpy as np

from agent.episode import (
    Action,
    Decision,
    Episode,
    RewardSignal,
    ScoredEpisode,
    Step,
    Task,
    Verdict,
)
from agent.settings import RobotSettings
from sim.tabletop.expert import TabletopExpert
from sim.tabletop.robot import Tabletop

NOISE = np.array([0.3, 0.3, 0.3, 0.05, 0.05, 0.05])
SIGNAL = RewardSignal(np.zeros(2, np.float32), 0.0, Verdict.FAILURE, "none")


class Player:
    """Plays episodes by number, at table-tops whose shift may differ from one to the next."""

    def __init__(self, cameras=("agentview", "eye_in_hand"), task="lift-red-cube", steps=32):
        self._cameras, self._task, self._steps, self._robots = cameras, task, steps, {}

    def play(self, number, **shift):
        """One episode (the given number is also its start state), as a sealed one would be read."""
        key = tuple(sorted(shift.items()))
        robot = self._robots.get(key)
        if robot is None:
            robot = self._robots[key] = Tabletop(RobotSettings(shift=shift), self._cameras)
        expert = TabletopExpert(robot)
        card = next(card for card in robot.tasks() if card.name == self._task)
        task = Task(card.name, card.instruction, number, self._steps, number)
        rng = np.random.default_rng(number)
        view, steps, ending = robot.reset(task), [], None
        while ending is None:
            (wanted,) = expert.act([view], 0.0)
            actions = tuple(noisy(action, rng) for action in wanted.actions)
            done = robot.step(actions)
            decision = Decision(actions, wanted.tokens, wanted.log_probs, "base", 0.0)
            steps.append(Step(view, decision, done.applied, done.executed, done.track))
            view, ending = done.observation, done.ending
        episode = Episode(f"{number:06d}", task, "base", 0.0, tuple(steps), view, ending)
        return ScoredEpisode(episode, SIGNAL)

    def close(self):
        for robot in self._robots.values():
            robot.close()


def noisy(action, rng):
    """An action as an exploring policy might have taken it."""
    delta = np.clip(action.delta + rng.normal(0, NOISE), -1, 1).astype(np.float32)
    return Action(delta, action.gripper)
