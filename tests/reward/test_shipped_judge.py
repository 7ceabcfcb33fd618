"""The judge that ships knows a lifted cube from one on the table, and a black picture from both."""

import numpy as np

from agent.episode import Task, Terminated
from agent.reward.reader import Frames
from agent.reward.vlm import VlmReader
from agent.reward.vlm_folder import SHIPPED
from agent.settings import RobotSettings
from sim.tabletop.expert import TabletopExpert
from sim.tabletop.robot import Tabletop


def test_the_shipped_judge_follows_an_expert_from_the_table_to_the_lifted_cube():
    robot = Tabletop(RobotSettings())
    expert = TabletopExpert(robot)
    # A held-out start state: no training of the judge has seen it.
    views = [robot.reset(Task("lift-red-cube", "lift the red cube", 60, 80))]
    try:
        ending = None
        while ending is None:
            reading = robot.step(expert.act(views[-1:], 0.0)[0].actions)
            views.append(reading.observation)
            ending = reading.ending
    finally:
        robot.close()
    assert ending == Terminated("success")
    looks = {name: np.stack([view.images[name] for view in views]) for name in views[0].images}
    reader = VlmReader(SHIPPED)
    opinion = reader.read(Frames(looks, "lift the red cube"))
    assert opinion.success[-1] > 0.5
    assert opinion.success[: len(views) // 2].max() < 0.2
    assert np.corrcoef(opinion.progress, np.arange(len(views)))[0, 1] > 0.8
    # The last views again, as a camera that has gone black would show them.
    black = {name: np.concatenate([each[:1], np.zeros_like(each[-2:])])
             for name, each in looks.items()}  # fmt: skip
    assert reader.read(Frames(black, "lift the red cube")).success[1:].max() < 0.2
    # Another task, which a lifted cube does not fulfil.
    press = reader.read(Frames(looks, "press the button"))
    assert press.success[-1] < 0.5
