"""The tabletop in real time is the embedded tabletop."""

import numpy as np
import pytest

from agent.episode import Action, Task
from agent.errors import UsageError
from agent.settings import RobotSettings
from sim.franka.body import TICK_S
from sim.franka.pose import Pose
from sim.franka.table import TableBody, wish_of, within_reach
from sim.tabletop.arm import BASE_M, DOWN, turn, turned
from sim.tabletop.catalog import CAMERAS, CONTROL_HZ, FULL_SCALE
from sim.tabletop.robot import Tabletop
from sim.tabletop.shifts import Shifts, shifts_of

TICKS = round(1 / (CONTROL_HZ * TICK_S))


@pytest.fixture(scope="module")
def body():
    return TableBody(Shifts(), 96, "egl")


def beside(pose, x, y, z):
    return Pose(pose.position + np.array([x, y, z]), pose.axes)


class Hand:
    """Asks for deltas as a bridge does: from the measured place and the turn last asked for."""

    def __init__(self, body):
        self.body, self.axes = body, body.home.axes

    def step(self, delta, gripper):
        felt = self.body.felt()
        move = np.asarray(delta) * FULL_SCALE
        self.axes = turned(move[3:]) @ self.axes
        self.body.follow(Pose(felt.pose.position + move[:3], self.axes))
        self.body.grip(gripper)
        for _ in range(TICKS):
            self.body.tick()


def felt_as_proprio(body):
    felt = body.felt()
    place = felt.pose.position + BASE_M
    return [*place, *turn(felt.pose.axes @ DOWN.T), felt.opening]


@pytest.mark.parametrize(
    "shift", [{}, {"drift": 0.18}, {"rotate": 0.6, "gain": 1.4}, {"delay": 2.0}, {"offset": 0.05}],
    ids=str,
)  # fmt: skip
def test_targets_a_control_step_apart_move_it_as_actions_move_the_embedded_arm(shift):
    body = TableBody(shifts_of(shift), 96, "egl")
    robot = Tabletop(RobotSettings(shift=shift), cameras=())
    body.reset("lift-red-cube", 50, 0)
    robot.reset(Task("lift-red-cube", "as you like", 50, 100))
    hand, rng = Hand(body), np.random.default_rng(0)
    for _ in range(20):
        delta = np.append(rng.uniform(-0.5, 0.5, 3), rng.uniform(-0.1, 0.1, 3))
        gripper = float(rng.integers(0, 2))
        reading = robot.step([Action(delta.astype(np.float32), gripper)])
        hand.step(delta.astype(np.float32), gripper)
        assert felt_as_proprio(body) == pytest.approx(reading.track[-1][:7], abs=1e-5)
    robot.close()


def test_it_begins_as_the_embedded_arm_does_to_the_last_pixel(body):
    robot = Tabletop(RobotSettings(image_px=96))
    view = robot.reset(Task("stack-red-cube-purple-cube", "as you like", 60, 100))
    body.reset("stack-red-cube-purple-cube", 60, 0)
    painter = body.painter()
    for camera in CAMERAS:
        assert (painter.draw(body.sight(), camera) == view.images[camera]).all()
    painter.close()
    assert felt_as_proprio(body) == pytest.approx(view.proprio[:7], abs=1e-6)
    robot.close()


def test_a_still_arm_holds_its_place_for_seconds(body):
    body.reset("lift-red-cube", 51, 0)
    before = body.felt().pose.position
    for _ in range(500):
        body.tick()
    assert body.felt().pose.position == pytest.approx(before, abs=2e-4)


def test_a_target_is_held_for_ever(body):
    body.reset("lift-red-cube", 51, 0)
    target = beside(body.home, 0.03, 0.02, 0.0)
    body.follow(target)
    for _ in range(300):
        body.tick()
    assert body.felt().pose.position == pytest.approx(target.position, abs=1e-3)


def test_a_target_far_away_pulls_no_harder_than_one_at_a_tenth_of_a_metre():
    ways = []
    for far in (0.1, 0.3):
        body = TableBody(Shifts(), 32, "egl")
        body.reset("lift-red-cube", 51, 0)
        body.follow(beside(body.home, 0.0, far, 0.0))
        body.tick()
        ways.append(body.felt().speeds)
    assert ways[0] == pytest.approx(ways[1], abs=1e-9)
    assert np.abs(ways[0]).max() > 1e-3


@pytest.mark.parametrize("ticks", [4, 5])
def test_a_target_pulls_within_the_tick_it_comes_in(ticks):
    # The controller thinks every second tick; a new target does not wait for the next thought.
    body = TableBody(Shifts(), 32, "egl")
    body.reset("lift-red-cube", 51, 0)
    for _ in range(ticks):
        body.tick()
    body.follow(beside(body.home, 0.03, 0.0, 0.0))
    body.tick()
    # kp 300 / s2 times 0.03 m for 5 ms: 45 mm/s at the tool, and it is the joints that turn
    assert np.abs(body.felt().speeds).max() > 0.01


def test_a_target_out_of_reach_is_brought_to_where_the_arm_reaches_with_ease():
    # shoulder at (-0.5, 0, 0.333): 1 m ahead of it becomes 0.765 m, 0.1 m below it 0.425 m
    assert within_reach(np.array([0.5, 0.0, 0.333])) == pytest.approx([0.265, 0.0, 0.333])
    assert within_reach(np.array([-0.5, 0.0, 0.233])) == pytest.approx([-0.5, 0.0, -0.092])
    inside = np.array([0.0, 0.1, 0.05])
    assert within_reach(inside) is inside


def test_stopping_drops_what_was_still_to_come():
    body = TableBody(shifts_of({"delay": 2.0}), 32, "egl")
    body.reset("lift-red-cube", 51, 0)
    body.follow(beside(body.home, 0.05, 0.0, 0.0))
    body.stop()
    for _ in range(100):
        body.tick()
    assert body.felt().pose.position == pytest.approx(body.home.position, abs=2e-4)


@pytest.mark.parametrize("text", ["lift-red-cube", "Lift the red cube.", "grab the red cube"])
def test_a_task_is_known_by_its_name_and_its_wordings(text):
    assert wish_of(text).name == "lift-red-cube"


def test_an_unknown_task_is_refused_and_nothing_moves(body):
    body.reset("lift-red-cube", 52, 0)
    before = body.felt().pose.position
    with pytest.raises(UsageError, match=r"press-button \(press the button\)"):
        body.reset("make tea", 0, 0)
    with pytest.raises(UsageError, match="start at 0"):
        body.reset("lift-red-cube", -1, 0)
    assert (body.felt().pose.position == before).all()


def test_a_shift_of_words_is_refused():
    with pytest.raises(UsageError, match="paraphrase"):
        TableBody(shifts_of({"paraphrase": 1.0}), 32, "egl")
