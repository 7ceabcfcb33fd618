"""Shifts in LIBERO's own scenes: what they change, and what they leave as it was."""

import numpy as np
import pytest

from agent.episode import Action
from agent.settings import RobotSettings
from sim.libero.robot import Libero
from sim.libero.shifts import SHIFTS

pytestmark = [pytest.mark.libero, pytest.mark.slow]

SEEN = {
    "camera": 0.1, "camera_tilt": 3.0, "wrist_pan": 3.0, "light": 0.7, "colour": 0.3,
    "noise": 5.0, "texture": 2.0,
}  # fmt: skip
PUSH = [Action(np.array([-0.3, -0.6, -0.5, 0.1, 0, 0], np.float32), 0.0)] * 6


@pytest.fixture
def shifted(libero):
    """Build a robot with shifts as the unshifted one is built."""
    made = []

    def make(pictures="", **shift):
        told = {"pictures": pictures} if pictures else {}
        settings = RobotSettings(name="libero", image_px=84, shift=shift, **told)
        made.append(Libero(settings, None if pictures else ()))
        return made[-1]

    yield make
    for robot in made:
        robot.close()


def lived(robot, task):
    view = robot.reset(task)
    return view, robot.step(PUSH).observation, robot.world.state()


def where(robot):
    env = robot.world.official().env
    return {name: env.sim.data.body_xpos[env.obj_body_id[name]].copy() for name in env.objects_dict}


def test_neutral_strengths_leave_states_and_pictures_as_they_are(libero, shifted, task):
    plain = lived(libero, task())
    neutral = lived(shifted("faithful", **{card.name: card.neutral for card in SHIFTS}), task())
    np.testing.assert_array_equal(plain[2], neutral[2])
    for before, after in zip(plain[:2], neutral[:2], strict=True):
        assert before.instruction == after.instruction
        np.testing.assert_array_equal(before.proprio, after.proprio)
        for camera, image in before.images.items():
            np.testing.assert_array_equal(image, after.images[camera])


@pytest.mark.parametrize("pictures", ["faithful", "fast"])
def test_what_is_seen_otherwise_moves_as_before(libero, shifted, task, pictures):
    plain, other = lived(libero, task()), lived(shifted(pictures, **SEEN), task())
    np.testing.assert_array_equal(plain[2], other[2])
    np.testing.assert_array_equal(plain[1].proprio, other[1].proprio)
    for camera, image in plain[0].images.items():
        # Thinned meshes alone are off by less than 4 of 255.
        assert np.abs(image.astype(float) - other[0].images[camera]).mean() > 8.0


def test_smoother_and_heavier_things_start_where_they_did_and_half_open_fingers_stop(
    libero, shifted, task
):
    robot = shifted(friction=0.4, mass=3.0, gripper=0.5)
    robot.reset(task())
    libero.reset(task())
    for name, place in where(libero).items():
        assert where(robot)[name] == pytest.approx(place, abs=5e-4)
    was, now = (each.world.official().env.sim.model._model for each in (libero, robot))
    soup = now.body("alphabet_soup_1_main").id
    assert now.body_subtreemass[soup] == pytest.approx(3 * was.body_subtreemass[soup])
    assert now.body("robot0_link3").mass == was.body("robot0_link3").mass
    assert now.geom_friction == pytest.approx(0.4 * was.geom_friction)
    # Each finger goes 0 .. 0.04 m; half about the middle is 0.01 .. 0.03.
    hold, let = (Action(np.zeros(6, np.float32), opening) for opening in (0.0, 1.0))
    assert np.abs(robot.step([let] * 10).track[-1, 6:]) == pytest.approx([0.03] * 2, abs=2e-3)
    assert np.abs(robot.step([hold] * 10).track[-1, 6:]) == pytest.approx([0.01] * 2, abs=2e-3)


def test_things_elsewhere_and_further_ones_stand_free_in_reach_at_stored_and_drawn_starts(
    libero, shifted, task
):
    robot = shifted(distractors=4.0, poses=0.1, paraphrase=2.0, offset=0.02)
    for start in (3, 1003):
        libero.reset(task(start=start))
        before = where(libero)
        view = robot.reset(task(start=start))
        world, after = robot.world, where(robot)
        assert view.instruction == "get the alphabet soup and leave it in the hamper"
        assert len(world.extras) == 4
        assert not set(world.extras) & set(before)
        ways = [np.linalg.norm(after[name] - place) for name, place in before.items()]
        assert min(ways) > 0.02
        assert max(ways) < 0.105
        env = world.official().env
        things = {env.obj_body_id[name] for name in after}
        model, data = env.sim.model._model, env.sim.data._data
        roots = model.body_rootid[model.geom_bodyid[data.contact.geom[: data.ncon]]]
        assert not [pair for pair in roots if set(pair) <= things and pair[0] != pair[1]]
        # What fell or was pushed out of something would still move.
        free = [model.joint(thing.joints[-1]).dofadr[0] for thing in env.objects_dict.values()]
        assert max(np.abs(data.qvel[first : first + 6]).max() for first in free) < 0.05
        # Of the task's own things none stood further out than 0.76 m before.
        away = [np.linalg.norm(after[name][:2] - world.base()[:2]) for name in before]
        assert min(away) > 0.3
        assert max(away) < 0.8
        # 0.02 m along the diagonal: 0.02 / sqrt 2 = 0.01414 on each axis
        off = view.proprio[:2] - world.proprio()[:2]
        assert off == pytest.approx([0.01414, 0.01414], abs=1e-5)
        robot.reset(task(start=start))
        assert all((where(robot)[name] == place).all() for name, place in after.items())
