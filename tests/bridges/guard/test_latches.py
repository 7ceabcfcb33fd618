"""A stop that is found in the very moment somebody speaks holds all the same.

The cell's request names the next 0.1 s later and has 0.04 s of grace; so 0.2 s are silence.
"""

import numpy as np

from bridges.guard.arm import Mode
from bridges.wire import UNASKED, Kind, State
from tests.bridges.guard.cell import HOME, Desk
from tests.bridges.guard.test_keeper import only


def test_a_resume_lifts_no_stop_that_is_found_as_it_comes():
    for resume, simulated, sequence in (
        (lambda desk, after_s: desk.ask(Kind.RESUME, after_s=after_s), True, 3),
        (lambda desk, after_s: desk.say("resume", after_s=after_s), False, UNASKED),
    ):
        desk = Desk(simulated=simulated).running()
        reply = resume(desk, 0.2)
        # The arm is held where it is, and everybody hears why; once more lifts it.
        assert reply.hold
        assert np.array_equal(reply.target.pose.position_m, HOME.position_m)
        answer = only(reply)
        assert (answer.sequence, answer.state) == (sequence, State.HOLD)
        assert answer.reason == "no request in time: found only now; look, then say it again"
        assert only(resume(desk, 0.02)).state is State.RUNNING


def test_a_clear_lifts_no_fault_that_is_found_as_it_comes():
    desk = Desk().running()
    desk.tick(after_s=0.2)
    # Silent for more than the second that HOLD bears.
    assert "the agent stayed away: found only now" in desk.say("clear", after_s=1.1).why
    assert desk.state == "FAULT"
    assert desk.say("clear").why == ""
    assert desk.state == "DISARMED"


def test_a_release_does_not_end_the_guiding_that_is_found_as_it_comes():
    desk = Desk().running()
    why = "a hand on the arm: found only now; look, then say it again"
    assert desk.say("release", mode=Mode.GUIDING).why == why
    assert desk.keeper.machine.by_hand
    assert desk.say("release").why == ""
    assert not desk.keeper.machine.by_hand


def test_a_disarm_is_followed_whatever_is_found_as_it_comes():
    desk = Desk().running()
    reply = desk.say("disarm", after_s=0.2)
    assert (desk.state, reply.why, reply.hold) == ("DISARMED", "", True)


def test_a_verdict_hides_no_stop_that_is_found_as_it_comes():
    for word in ("success", "nonsense"):
        desk = Desk().running()
        reply = desk.say(word, after_s=0.2)
        assert desk.state == "HOLD"
        assert np.array_equal(reply.target.pose.position_m, HOME.position_m)
        assert (only(reply).state, only(reply).reason) == (State.HOLD, "no request in time")
