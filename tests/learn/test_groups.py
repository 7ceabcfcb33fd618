"""Episodes of one start state compared with each other."""

import numpy as np
import pytest

from agent.learn.groups import agree, groups_of, leave_one_out, normalised


@pytest.mark.parametrize("size", [2, 3, 4, 8, 16])
def test_leaving_one_out_is_what_a_loop_over_the_others_gives(size):
    outcomes = np.random.default_rng(size).normal(size=size).astype(np.float32)
    slow = [
        outcomes[at] - sum(outcomes[other] for other in range(size) if other != at) / (size - 1)
        for at in range(size)
    ]
    assert leave_one_out(outcomes) == pytest.approx(slow, abs=1e-5)


def test_one_success_of_four_weighs_one_and_each_failure_a_third():
    # 1 - 0 = 1; 0 - (1 + 0 + 0) / 3 = -1/3.
    found = leave_one_out(np.array([0, 1, 0, 0], np.float32))
    assert found == pytest.approx([-1 / 3, 1, -1 / 3, -1 / 3])


def test_one_success_of_four_by_the_groups_spread():
    # mean 1/4, variance 1/4 * 3/4 = 3/16: (3/4) / (sqrt(3)/4) = sqrt(3), (-1/4) / ... = -1/sqrt(3).
    found = normalised(np.array([0, 1, 0, 0], np.float32))
    assert found == pytest.approx([-(3**-0.5), 3**0.5, -(3**-0.5), -(3**-0.5)])


def test_a_group_of_one_and_a_group_of_equals_agree():
    assert agree(np.array([1], np.float32))
    assert agree(np.array([1, 1, 1], np.float32))
    assert not agree(np.array([1, 0], np.float32))


def test_groups_are_found_wherever_their_members_stand():
    assert groups_of(["a", "b", "a", "c", "b"]) == [[0, 2], [1, 4], [3]]
