"""Short episodes of the table-top: a lift that succeeds, and one that only shows the cue."""

import numpy as np

from agent.episode import Action, Decision, Episode, ScoredEpisode, Step, Task
from agent.settings import RobotSettings
from sim.tabletop.moves import best_move
from sim.tabletop.robot import Tabletop

LIFT = "lift-red-cube"


def lifted(robot, start, number=1, speed=1.0):
    """The expert's episode. speed: of its moves."""

    def move():
        best = best_move(robot.world, robot.wish)
        return Action(best.delta * np.float32(speed), best.gripper)

    return acted(robot, start, number, move, 80)


def trapped(robot, start, number=1):
    """Straight down, and up again with fingers closed on nothing."""
    moves = [-0.7] * 14 + [0.4] * 10
    rest = iter(moves)

    def move():
        return Action(np.array([0, 0, next(rest), 0, 0, 0], np.float32), 0.0)

    return acted(robot, start, number, move, len(moves))


def acted(robot, start, number, move, steps):
    task = Task(LIFT, "lift the red cube", start, steps, number)
    view, rows, ending = robot.reset(task), [], None
    nothing = np.zeros(0, np.float32)
    while ending is None:
        action = move()
        decision = Decision((action,), np.zeros(0, np.int16), nothing, "base", 1.0)
        reading = robot.step((action,))
        rows.append(Step(view, decision, reading.applied, reading.executed, reading.track))
        view, ending = reading.observation, reading.ending
    return Episode(f"{number:06d}", task, "base", 1.0, tuple(rows), view, ending)


def table(**shift):
    return Tabletop(RobotSettings(shift=shift, image_px=48))


def judged(judge, episode):
    return ScoredEpisode(episode, judge.score(episode))
