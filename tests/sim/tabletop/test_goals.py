"""Each goal is asked of a world put together by hand: met, and almost met."""

import mujoco
import numpy as np
import pytest

from sim.tabletop.catalog import WISHES
from sim.tabletop.goals import met, surface_distance

WISH = {wish.kind: wish for wish in WISHES}
FAR = (-0.12, 0.2, 0.02)


@pytest.fixture
def world(table, task):
    table.reset(task())
    return table.world


def put(world, name, place, speed=0.0):
    joint = world.model.joint(name)
    world.data.qpos[joint.qposadr[0] : joint.qposadr[0] + 7] = (*place, 1, 0, 0, 0)
    world.data.qvel[joint.dofadr[0]] = speed
    mujoco.mj_forward(world.model, world.data)


@pytest.mark.parametrize(
    ("aside", "height", "done"),
    # basket floor 0.004 + half a cube 0.02 - 0.0005 into the floor; the inside is 0.055 wide
    [(0.0, 0.0235, True), (0.034, 0.0235, True), (0.0, 0.06, False), (0.1, 0.02, False)],
)
def test_in_the_basket_is_inside_and_low(world, aside, height, done):
    x, y, _ = world.where("basket")
    put(world, "red-cube", (x + aside, y, height))
    assert met(world, WISH["basket"], np.array(FAR)) is done


def test_a_cube_still_sliding_in_the_basket_is_not_there_yet(world):
    x, y, _ = world.where("basket")
    # still is less than 0.05 m/s
    put(world, "red-cube", (x, y, 0.0235), speed=0.06)
    assert not met(world, WISH["basket"], np.array(FAR))


@pytest.mark.parametrize(
    ("aside", "height", "done"),
    # plate 0.008 high + half a cylinder 0.025 - 0.0005; radius 0.055
    [(0.0, 0.0325, True), (0.05, 0.0325, True), (0.06, 0.0325, False), (0.0, 0.05, False)],
)
def test_on_the_plate_is_touching_it_with_the_middle_over_it(world, aside, height, done):
    x, y, _ = world.where("plate")
    put(world, "blue-cylinder", (x, y - aside, height))
    assert met(world, WISH["plate"], np.array(FAR)) is done


@pytest.mark.parametrize(
    ("aside", "height", "done"),
    # two halves of 0.02 on top of the purple cube's own 0.02
    [(0.0, 0.0597, True), (0.015, 0.0597, True), (0.0, 0.075, False), (0.045, 0.02, False)],
)
def test_stacked_is_on_top_and_touching(world, aside, height, done):
    put(world, "purple-cube", (0.0, 0.0, 0.02))
    for name in ("green-block", "blue-cylinder", "yellow-ball", "cyan-cylinder"):
        put(world, name, (-0.3, 0.1 * len(name) - 1.0, 0.02))
    put(world, "red-cube", (aside, 0.0, height))
    assert met(world, WISH["stack"], np.array(FAR)) is done


@pytest.mark.parametrize(("aside", "done"), [(0.0, True), (0.044, True), (0.046, False)])
def test_in_the_zone_is_the_middle_inside_its_edge(world, aside, done):
    x, y, _ = world.where("zone")
    # the zone is 0.045 to either side along x
    put(world, "green-block", (x + aside, y, 0.02))
    assert met(world, WISH["push"], np.array(FAR)) is done


def test_a_block_carried_over_the_zone_is_not_pushed(world):
    x, y, _ = world.where("zone")
    put(world, "green-block", (x, y, 0.05))
    assert not met(world, WISH["push"], np.array(FAR))


def test_touching_a_cube_and_knocking_it_away_differ(world):
    under = world.tip - (0.0, 0.0, 0.035)
    # the tip is 0.035 over the middle, so 0.015 over the top: within 0.02
    put(world, "red-cube", under)
    assert met(world, WISH["reach"], under)
    assert not met(world, WISH["reach"], under + np.array([0.03, 0.0, 0.0]))


def test_lifted_is_high_and_in_the_fingers(world):
    put(world, "red-cube", (0.0, 0.0, 0.2))
    # high, but nothing holds it
    assert not met(world, WISH["lift"], np.array([0.0, 0.0, 0.02]))


def test_a_button_counts_from_seven_tenths_down(world):
    joint = world.model.joint("cap")
    for travel, done in ((0.0, False), (-0.0080, False), (-0.0088, True)):
        # 0.7 x 12 mm = 8.4 mm
        world.data.qpos[joint.qposadr[0]] = travel
        assert met(world, WISH["press"], np.array(FAR)) is done


def test_distance_is_to_the_surface_and_nought_inside(world):
    put(world, "red-cube", (0.0, 0.0, 0.02))
    # 0.05 from the middle along x, half a cube is 0.02
    assert surface_distance(world, "red-cube", np.array([0.05, 0.0, 0.02])) == pytest.approx(0.03)
    # past an edge: 3-4-5
    beyond = np.array([0.023, 0.024, 0.02])
    assert surface_distance(world, "red-cube", beyond) == pytest.approx(0.005)
    assert surface_distance(world, "red-cube", np.array([0.01, 0.0, 0.02])) == 0.0
