"""How far a task truly is, worked out by hand from where things lie."""

from dataclasses import replace

import numpy as np
import pytest

from agent.episode import Task, Terminated
from agent.errors import DataError
from sim.tabletop.catalog import LANDMARKS
from sim.tabletop.phase import phase_of
from tests.episodes import episode_of


def lying(task, things, places, tools, ending=None):
    """An episode whose views find thing, place and tool at these points, m."""
    episode = episode_of(len(things) - 1)
    views = [*(step.observation for step in episode.steps), episode.last]
    known = []
    for view, *points in zip(views, things, places, tools, strict=True):
        marks = np.zeros((len(LANDMARKS), 3), np.float32)
        marks[:3] = points
        known.append(replace(view, privileged=marks.ravel()))
    steps = [replace(s, observation=v) for s, v in zip(episode.steps, known[:-1], strict=True)]
    return replace(
        episode, task=Task(task, task, 0, 9), steps=tuple(steps), last=known[-1],
        ending=ending or episode.ending,
    )  # fmt: skip


def along(*x):
    return [(each, 0.0, 0.0) for each in x]


def test_reaching_is_the_share_of_the_way_that_is_behind():
    # The cube is 13 cm away and 3 cm are enough: 10 cm to go, 5 cm behind, then gone astray.
    found = phase_of(
        lying("reach-red-cube", along(0.13, 0.13, 0.13), along(0, 0, 0), along(0, 0.05, -0.1))
    )
    assert found == pytest.approx([0.0, 0.5, 0.0])


def test_placing_is_half_the_way_to_the_thing_and_half_its_own():
    # Reached at once in the second view; then 5 of 20 cm to the basket: 1/2 + 1/8.
    things, places = along(0.1, 0.1, 0.15), along(0.3, 0.3, 0.3)
    found = phase_of(lying("pick-red-cube-basket", things, places, along(0, 0.1, 0.15)))
    assert found == pytest.approx([0.0, 0.5, 0.625])


def test_lifting_counts_height_up_to_six_centimetres():
    things = [(0.1, 0, 0.02), (0.1, 0, 0.05), (0.1, 0, 0.1)]
    tools = [(0.4, 0, 0.02), *things[1:]]
    found = phase_of(lying("lift-red-cube", things, things, tools))
    assert found == pytest.approx([0.0, 0.75, 1.0])  # 3 of 6 cm, then more than 6


def test_what_ended_as_done_is_done():
    still = along(0.1, 0.1)
    made = lying("press-button", still, still, along(0, 0.02), Terminated("success"))
    assert phase_of(made)[-1] == 1.0


def test_without_what_only_a_simulator_knows_there_is_no_phase():
    with pytest.raises(DataError, match="39 privileged numbers"):
        phase_of(episode_of(2))
