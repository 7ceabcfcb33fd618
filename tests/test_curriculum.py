"""Weights of start states stay finite and favour what the mode says."""

import math
from collections import Counter

import pytest

from agent.curriculum import choose_cards, next_task, tasks_of, weight
from agent.episode import TaskCard
from agent.errors import UsageError

CARDS = (
    TaskCard("lift-cube", "lift the cube", 40, (0, 1, 2), (3,), (4, 5)),
    TaskCard("press-button", "press the button", 40, (0, 1), (), (2,)),
)


@pytest.mark.parametrize("mode", ["variance", "paper", "uniform"])
@pytest.mark.parametrize(("won", "tried"), [(0, 0), (0, 9), (9, 9), (5, 10)])
def test_every_weight_is_positive_and_finite(mode, won, tried):
    found = weight(won, tried, mode)
    assert found > 0
    assert math.isfinite(found)


def test_variance_is_that_of_a_beta_posterior():
    # Beta(2, 1): 2 * 1 / (3 * 4) = 1/6. Unseen, Beta(1, 1): 1 / (2 * 3) = 1/6.
    assert weight(1, 1, "variance") == pytest.approx(1 / 6)
    assert weight(0, 0, "variance") == pytest.approx(1 / 6)
    assert weight(5, 10, "variance") > weight(10, 10, "variance")


def test_the_papers_formula_favours_what_fails():
    # exp((0.5 - 0) / 0.25) = e^2, and 1 at one half.
    assert weight(0, 4, "paper", tau=0.25) == pytest.approx(math.e**2)
    assert weight(2, 4, "paper", tau=0.25) == 1.0


def test_a_state_at_one_half_does_not_take_all():
    record = {("lift-cube", 0): (1, 2)}
    drawn = Counter(next_task(CARDS[:1], record, (0, n), "paper").start for n in range(60))
    assert set(drawn) == {0, 1, 2}


def test_the_same_seed_draws_the_same_task_and_only_training_states():
    first = [next_task(CARDS, {}, (7, n)) for n in range(50)]
    assert first == [next_task(CARDS, {}, (7, n)) for n in range(50)]
    cards = {card.name: card for card in CARDS}
    assert all(task.start in cards[task.name].train for task in first)
    assert len({(task.name, task.start) for task in first}) == 5


def test_splits_are_listed_in_order_and_cut_to_the_limit():
    assert [(t.name, t.start) for t in tasks_of(CARDS, "held_out", 1)] == [
        ("lift-cube", 4),
        ("press-button", 2),
    ]


def test_names_and_patterns_choose_cards():
    assert choose_cards(CARDS, "press-*") == CARDS[1:]
    assert choose_cards(CARDS, "") == CARDS
    with pytest.raises(UsageError, match=r"no task matches 'stack'.*lift-cube, press-button"):
        choose_cards(CARDS, "lift-cube, stack")
