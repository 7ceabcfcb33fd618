"""What every robot must do, and what only one can whose world repeats itself to the bit.

A test file inherits a class and has a fixture `robot`, made once, or `fresh`, made for each test.
"""

import numpy as np
import pytest

from agent.episode import Action, Observation, Reading, Task, Terminated, Truncated
from agent.errors import UsageError
from agent.protocols import Robot

STILL = Action(np.zeros(6, np.float32), 1.0)


def first_task(robot: Robot, horizon_steps: int = 50, seed: int = 0) -> Task:
    card = robot.tasks()[0]
    return Task(
        card.name, card.instruction, card.train[min(1, len(card.train) - 1)], horizon_steps, seed
    )


def move(*delta: float) -> Action:
    return Action(np.array(delta, np.float32), 1.0)


def same(one: Observation, other: Observation) -> bool:
    return (
        one.images.keys() == other.images.keys()
        and all(np.array_equal(one.images[name], other.images[name]) for name in one.images)
        and np.array_equal(one.proprio, other.proprio)
        and one.instruction == other.instruction
    )


class RobotContract:
    """blur: m, rad and openings that an arm may move on by between two looks."""

    blur = 0.02

    def check_view(self, robot: Robot, view: Observation) -> None:
        assert tuple(view.images) == robot.card.cameras
        for image in view.images.values():
            assert image.dtype == np.uint8
            assert image.ndim == 3
            assert image.shape[2] == 3
        assert view.proprio.dtype == np.float32
        assert view.proprio.shape == (len(robot.card.proprio),)
        assert np.isfinite(view.proprio).all()

    def check_reading(self, robot: Robot, reading: Reading, asked: int) -> None:
        assert 1 <= len(reading.applied) <= asked
        assert reading.executed.shape == (asked,)
        assert reading.executed.dtype == np.bool_
        # what was never reached was not carried out
        assert not reading.executed[len(reading.applied) :].any()
        assert reading.track.shape == (len(reading.applied), len(robot.card.proprio))
        assert reading.track.dtype == np.float32

    def test_task_names_differ_and_their_starts_are_disjoint(self, robot):
        cards = robot.tasks()
        assert len({card.name for card in cards}) == len(cards) > 0
        for card in cards:
            starts = (*card.train, *card.gate, *card.held_out)
            assert len(set(starts)) == len(starts) > 0
            assert card.instruction
            assert card.horizon_steps > 0

    def test_the_card_gives_a_scale_for_each_of_six_numbers(self, robot):
        assert len(robot.card.full_scale) == 6
        assert min(robot.card.full_scale) > 0
        assert robot.card.control_hz > 0

    def test_the_first_view_is_as_the_card_says(self, robot):
        task = first_task(robot)
        view = robot.reset(task)
        self.check_view(robot, view)
        assert view.instruction

    def test_a_step_answers_for_each_action(self, robot):
        robot.reset(first_task(robot))
        reading = robot.step([STILL, move(0.2, 0, 0, 0, 0, 0), STILL])
        self.check_view(robot, reading.observation)
        self.check_reading(robot, reading, 3)
        assert len(reading.applied) == 3
        assert reading.ending is None
        # felt at the end of the last step, and seen a moment before or after it
        assert reading.track[-1] == pytest.approx(reading.observation.proprio, abs=self.blur)

    def test_more_than_full_scale_is_cut_and_said_to_be(self, robot):
        robot.reset(first_task(robot))
        reading = robot.step([move(3.0, 0, 0, 0, 0, 0), STILL])
        assert reading.applied[0].delta[0] <= 1.0
        assert not reading.executed[0]

    @pytest.mark.parametrize(
        "bad",
        [
            Action(np.full(6, np.nan, np.float32), 1.0),
            Action(np.array([0, 0, np.inf, 0, 0, 0], np.float32), 1.0),
            Action(np.zeros(6, np.float32), float("nan")),
            Action(np.zeros(5, np.float32), 1.0),
            Action(np.zeros((1, 6), np.float32), 1.0),
        ],
    )
    def test_a_bad_action_is_refused_before_any_motion(self, robot, bad):
        before = robot.reset(first_task(robot))
        with pytest.raises(UsageError):
            robot.step([move(1, 0, 0, 0, 0, 0), bad])
        # the good action ahead of the bad one did not move the arm: a still step stays put
        after = robot.step([STILL]).track[0]
        assert after[:3] == pytest.approx(before.proprio[:3], abs=2e-3)

    def test_time_runs_out_within_a_chunk(self, robot):
        robot.reset(first_task(robot, horizon_steps=2))
        reading = robot.step([STILL] * 4)
        self.check_reading(robot, reading, 4)
        assert len(reading.applied) == 2
        assert reading.ending == Truncated("timeout")
        assert not isinstance(reading.ending, Terminated)

    def test_a_step_after_the_ending_is_refused(self, robot):
        robot.reset(first_task(robot, horizon_steps=1))
        assert robot.step([STILL]).ending is not None
        with pytest.raises(UsageError):
            robot.step([STILL])

    def test_an_unknown_task_and_start_are_refused(self, robot):
        task = first_task(robot)
        with pytest.raises(UsageError):
            robot.reset(Task("no-such-task", "", 0, 10))
        with pytest.raises(UsageError):
            robot.reset(Task(task.name, task.instruction, -1, 10))

    def test_rest_may_be_called_at_any_time_and_reset_follows_it(self, robot):
        robot.rest()
        robot.reset(first_task(robot))
        robot.step([STILL])
        robot.rest()
        robot.rest()
        robot.reset(first_task(robot))
        assert robot.step([STILL]).ending is None


class ActingRobotContract(RobotContract):
    """For robots that do what they are told, and no mere replay."""

    def test_the_tool_goes_where_it_is_told(self, robot):
        for axis in range(3):
            before = robot.reset(first_task(robot)).proprio[:3]
            delta = np.zeros(6)
            delta[axis] = 0.6
            after = robot.step([move(*delta)] * 6).observation.proprio[:3]
            travelled = after - before
            # six moves of 0.6 x 5 cm: a lagging arm covers some of it, and along that axis
            assert travelled[axis] > 0.02
            assert abs(np.delete(travelled, axis)).max() < 0.4 * travelled[axis]


class RepeatableRobotContract(RobotContract):
    """For robots whose world stands still between steps, and comes back exactly."""

    blur = 1e-3

    def test_the_same_task_gives_the_same_view_to_the_bit(self, robot):
        task = first_task(robot)
        first = robot.reset(task)
        robot.step([move(0.7, -0.5, -0.3, 0, 0.2, 0)] * 3)
        assert same(first, robot.reset(task))

    def test_the_same_actions_give_the_same_course(self, robot):
        actions = [move(0.5, 0.4, -0.2, 0, 0, 0.1), STILL, move(-0.3, 0.1, 0.2, 0.1, 0, 0)]
        readings = []
        for _ in range(2):
            robot.reset(first_task(robot))
            readings.append(robot.step(actions))
        assert np.array_equal(readings[0].track, readings[1].track)
        assert same(readings[0].observation, readings[1].observation)


class SimulatedRobotContract(RepeatableRobotContract, ActingRobotContract):
    """For simulated robots with many start states."""

    def test_other_starts_look_different(self, robot):
        task = first_task(robot)
        other = Task(task.name, task.instruction, task.start + 1, task.horizon_steps)
        assert not same(robot.reset(task), robot.reset(other))


class FreshRobotContract:
    """For robots cheap enough to be made anew for each test."""

    def test_a_step_before_reset_is_refused(self, fresh):
        with pytest.raises(UsageError):
            fresh.step([STILL])

    def test_a_robot_closed_twice_wakes_up_again(self, fresh):
        task = first_task(fresh)
        fresh.close()
        fresh.reset(task)
        fresh.close()
        fresh.close()
        fresh.rest()
        with pytest.raises(UsageError):
            fresh.step([STILL])
        assert fresh.reset(task).instruction
        assert fresh.step([STILL]).ending is None
        fresh.close()


class FreshRepeatableRobotContract(FreshRobotContract):
    """For simulated robots."""

    def test_two_robots_show_the_same_view(self, fresh):
        task = first_task(fresh)
        first = fresh.reset(task)
        fresh.close()
        # closed is not broken: the same robot wakes up again, with the same world
        assert same(first, fresh.reset(task))
        fresh.close()
