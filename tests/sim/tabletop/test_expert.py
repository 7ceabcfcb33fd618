import numpy as np
import pytest

from agent.episode import Task, Terminated
from agent.errors import UsageError
from agent.hands import NoisyHands
from agent.settings import RobotSettings
from sim.tabletop.catalog import CARDS, LANDMARKS
from sim.tabletop.expert import TabletopExpert, landmarks
from sim.tabletop.robot import Tabletop

SUCCESS = Terminated("success")


def play(robot, card, start):
    """Let the expert play one episode; gives its ending and number of steps."""
    expert = TabletopExpert(robot)
    view = robot.reset(Task(card.name, card.instruction, start, card.horizon_steps))
    for count in range(card.horizon_steps):
        (decision,) = expert.act([view], 0.0)
        reading = robot.step(decision.actions)
        view = reading.observation
        if reading.ending:
            return reading.ending, count + 1
    raise AssertionError("the horizon did not end the episode")


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_the_expert_succeeds_in_little_more_than_half_the_horizon(table, card):
    for start in (0, 44, 83, 99):
        ending, steps = play(table, card, start)
        assert ending == SUCCESS
        assert steps < 0.6 * card.horizon_steps


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_the_expert_recovers_from_unsteady_hands(table, card):
    hands = NoisyHands(table, 0.15, seed=0)
    done = [play(hands, card, start)[0] == SUCCESS for start in range(2, 8)]
    # at 95 % a start, five or more of six come out 97 times in 100; the noise is seeded
    assert sum(done) >= 5


def test_the_expert_is_a_function_of_the_state_alone(table):
    card = CARDS[4]
    fresh, old = TabletopExpert(table), TabletopExpert(table)
    table.reset(Task(card.name, card.instruction, 3, card.horizon_steps))
    for _ in range(30):
        move = old.label()
        assert np.array_equal(move.delta, fresh.label().delta)
        assert np.array_equal(move.delta, TabletopExpert(table).label().delta)
        table.step([move])


def test_moves_are_moderate_and_of_the_right_type(table):
    card = CARDS[5]
    view = table.reset(Task(card.name, card.instruction, 7, card.horizon_steps))
    expert = TabletopExpert(table)
    for _ in range(50):
        (decision,) = expert.act([view], 1.0)
        (action,) = decision.actions
        assert action.delta.dtype == np.float32
        assert np.linalg.norm(action.delta[:3]) <= 0.7 + 1e-6
        assert decision.tokens.shape == decision.log_probs.shape == (0,)
        assert decision.adapter == expert.adapter == "expert"
        view = table.step([action]).observation


def test_landmarks_have_one_shape_for_every_task(table):
    for card in CARDS:
        table.reset(Task(card.name, card.instruction, 0, 10))
        marks = landmarks(NoisyHands(table, 0.1, 0))
        assert marks.shape == (len(LANDMARKS), 3)
        assert marks.dtype == np.float32
        assert np.isfinite(marks).all()


def test_the_expert_wants_a_tabletop_that_was_reset():
    with pytest.raises(UsageError, match="reset"):
        TabletopExpert(Tabletop(RobotSettings())).label()
    with pytest.raises(UsageError, match="Tabletop"):
        TabletopExpert(object())
