"""Faults in a row: borne with growing waits, then not any more."""

import pytest

from agent.clock import now_s
from agent.errors import RobotFault
from agent.patience import LONGEST_WAIT_S, Patience


def test_as_many_faults_as_retries_are_borne_and_the_next_one_is_not():
    patience, fault = Patience(2, 0.0), RobotFault("no camera")
    patience.bear(fault)
    patience.bear(fault)
    with pytest.raises(RobotFault, match="no camera"):
        patience.bear(fault)


def test_a_success_in_between_begins_the_count_anew():
    patience = Patience(1, 0.0)
    for _ in range(5):
        patience.bear(RobotFault("x"))
        patience.relieved()


def test_each_wait_is_twice_the_one_before():
    patience, waited = Patience(3, 0.1), []
    for _ in range(3):
        began_s = now_s()
        patience.bear(RobotFault("x"))
        waited.append(now_s() - began_s)
    # 0.1, 0.2, 0.4 s, each looked at every 0.05 s.
    assert waited == pytest.approx([0.1, 0.2, 0.4], abs=0.09)


def test_a_long_wait_ends_when_somebody_wants_to_stop():
    began_s = now_s()
    Patience(9, LONGEST_WAIT_S, lambda: now_s() > began_s + 0.1).bear(RobotFault("x"))
    assert now_s() - began_s < 1.0
