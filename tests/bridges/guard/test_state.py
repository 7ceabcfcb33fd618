"""The state machine: what leads where, and what never does."""

import math
from dataclasses import replace
from itertools import product

from bridges.guard.state import LEADS, Event, Machine, Tempo, What, after, refusal
from bridges.wire import State

TEMPO = Tempo(silence_s=0.6, grace_s=0.04, window=10, share=0.8, first_s=10.0, lost_s=1.0)
D, A, R, H, F = State.DISARMED, State.ARMED, State.RUNNING, State.HOLD, State.FAULT
# Where each event leads from each state, drawn by hand. Columns in the order D, A, R, H, F.
TABLE = {
    What.ARM: (A, A, R, H, F),
    What.DISARM: (D, D, D, D, F),
    What.BEGIN: (D, R, R, H, F),
    What.REST: (D, A, A, H, F),
    What.HOLD: (D, H, H, H, F),
    What.RESUME: (D, A, R, R, F),
    What.CLEAR: (D, A, R, H, D),
    What.BAD: (D, A, H, H, F),
    What.STALE: (D, A, H, H, F),
    What.HEARTBEAT_LOST: (D, A, H, H, F),
    What.REFLEX: (D, F, F, F, F),
    What.USER_STOP: (D, F, F, F, F),
    What.SECOND_PUBLISHER: (D, F, F, F, F),
    What.TAKE: (D, A, R, H, F),
    What.RELEASE: (D, A, R, H, F),
    What.MOVE: (D, A, R, H, F),
    What.BEAT: (D, A, R, H, F),
    What.TICK: (D, A, R, H, F),
}


def machine(state: State, **changes) -> Machine:
    told = Machine(state, "", episode=state in (R, H), now_s=0.0, due_s=0.5, heard_s=0.0,
                   stopped_s=0.0)  # fmt: skip
    return replace(told, **changes)


def on(before: Machine, what: What, at_s: float = 0.1, **told) -> Machine:
    return after(before, Event(what, at_s, next_s=told.pop("next_s", at_s + 0.1), **told), TEMPO)


def test_every_event_leads_where_the_table_says():
    assert set(TABLE) == set(What)
    for what, row in TABLE.items():
        for state, leads in zip((D, A, R, H, F), row, strict=True):
            assert on(machine(state), what).state is leads, (state, what)


def test_the_table_of_the_code_is_the_one_drawn_by_hand():
    for (state, what), leads in LEADS.items():
        assert TABLE[what][(D, A, R, H, F).index(state)] is leads


def test_nothing_leads_out_of_a_fault_but_clear_and_then_it_is_disarmed():
    for what, sick in product(What, (True, False)):
        found = on(machine(F, person=sick), what)
        assert found.state is (D if what is What.CLEAR else F)


def test_an_obstacle_keeps_the_arm_from_motion_and_is_named():
    for state, what in ((D, What.ARM), (A, What.BEGIN), (H, What.RESUME)):
        event = Event(what, 0.1, obstacle="stale")
        assert after(machine(state), event, TEMPO).state is state
        assert refusal(machine(state), event) == "stale"
        assert refusal(machine(state), Event(what, 0.1)) == ""
    # what leads out of motion heeds none
    assert on(machine(R), What.HOLD, obstacle="stale").state is H
    assert on(machine(F), What.CLEAR, obstacle="stale").state is D


def test_an_obstacle_is_no_excuse_where_no_motion_is_wanted():
    assert refusal(machine(A), Event(What.DISARM, 0.1, obstacle="stale")) == ""


def test_setpoints_that_come_outside_an_episode_change_nothing():
    now = machine(A)
    for number in range(20):
        now = on(now, What.MOVE, 0.1 + 0.02 * number, held=True)
    assert (now.state, now.recent) == (A, 0)


def test_a_grave_fault_is_not_made_light_of_by_a_stale_state():
    grave = machine(F, person=True, reason="reflex", episode=True, stale_s=0.0)
    found = on(grave, What.STALE, 5.0)
    assert (found.state, found.person, found.reason) == (F, True, "reflex")


def test_a_refusal_says_what_state_is_wanted():
    told = refusal(machine(R), Event(What.ARM, 0.1))
    assert told == "arm wants DISARMED, the guard is RUNNING"
    told = refusal(machine(D), Event(What.DISARM, 0.1))
    assert told == "disarm wants ARMED or RUNNING or HOLD, the guard is DISARMED"
    for what in (What.MOVE, What.BEAT, What.REST, What.TAKE, What.RELEASE, What.HOLD):
        assert refusal(machine(D), Event(what, 0.1)) == ""


def test_after_an_episode_was_put_to_rest_resume_leads_to_armed():
    held = on(on(machine(R), What.HOLD), What.REST, 0.2)
    assert (held.state, held.episode) == (H, False)
    assert on(held, What.RESUME, 0.3).state is A
    # and an episode that goes on is resumed as one, with no reason left over
    resumed = on(on(machine(R), What.HOLD, why="a person"), What.RESUME, 0.2)
    assert (resumed.state, resumed.episode, resumed.reason) == (R, True, "")


def test_disarming_ends_the_episode():
    assert not on(machine(H), What.DISARM).episode
    assert on(on(machine(A), What.BEGIN), What.MOVE, 0.2).episode


def test_the_first_setpoint_may_take_its_time_and_the_next_may_not():
    begun = on(machine(A, beat_due_s=0.2), What.BEGIN)
    assert on(begun, What.TICK, 10.0).state is R
    assert on(begun, What.TICK, 10.2).state is H
    moved = on(begun, What.MOVE, 1.0, next_s=1.1)
    # announced for 1.1, and 40 ms of grace
    assert on(moved, What.TICK, 1.13).state is R
    found = on(moved, What.TICK, 1.15)
    assert (found.state, found.reason) == (H, "no request in time")


def test_no_announcement_buys_more_than_the_longest_silence():
    moved = on(machine(R), What.MOVE, 1.0, next_s=99.0)
    assert on(moved, What.TICK, 1.59).state is R
    assert on(moved, What.TICK, 1.61).state is H
    # one for the past buys the grace alone, and so does none at all
    for next_s in (0.5, math.nan, -math.inf):
        moved = on(machine(R), What.MOVE, 1.0, next_s=next_s)
        assert on(moved, What.TICK, 1.03).state is R
        assert on(moved, What.TICK, 1.05).state is H


def test_an_agent_that_beats_has_to_be_heard_when_it_said():
    beating = on(machine(R, due_s=5.0), What.BEAT, 0.1, next_s=0.2)
    assert on(beating, What.TICK, 0.23).state is R
    found = on(beating, What.TICK, 0.25)
    assert (found.state, found.reason) == (H, "no beat in time")
    assert on(on(beating, What.BEAT, 0.2, next_s=0.3), What.TICK, 0.25).state is R
    assert on(on(beating, What.MOVE, 0.2, next_s=0.5), What.TICK, 0.45).state is R
    # but no beat stands for a setpoint
    assert on(on(machine(R), What.BEAT, 0.4, next_s=0.9), What.TICK, 0.51).state is H


def test_a_silent_agent_is_lost_after_a_second():
    held = on(machine(R), What.TICK, 0.6)
    assert held.state is H
    assert on(held, What.TICK, 1.59).state is H
    found = on(held, What.TICK, 1.61)
    assert (found.state, found.reason, found.person) == (F, "the agent stayed away", False)
    # one that is heard again is slow, not lost
    assert on(on(held, What.MOVE, 1.5), What.TICK, 2.4).state is H
    assert on(on(held, What.MOVE, 1.5), What.TICK, 2.6).state is F
    # a lost heartbeat is silence as well; a person's hold is not, and may take all day
    assert on(on(machine(R), What.HEARTBEAT_LOST), What.TICK, 1.2).state is F
    assert on(on(machine(R), What.HOLD), What.TICK, 1e4).state is H
    # with no episode open nobody is waited for
    assert on(replace(held, episode=False), What.TICK, 9.0).state is H


def test_a_state_that_stays_stale_is_lost_after_a_second():
    held = on(machine(R), What.STALE, 0.2)
    assert held.state is H
    assert on(held, What.STALE, 1.19).state is H
    found = on(held, What.STALE, 1.21)
    assert (found.state, found.reason) == (F, "the arm's state stayed away")
    # fresh in between counts anew
    fresh = on(held, What.TICK, 1.0)
    assert on(fresh, What.STALE, 1.3).state is H
    assert on(on(fresh, What.STALE, 1.3), What.STALE, 2.2).state is H


def test_too_many_held_requests_hold_the_arm():
    # more than 8 of the last 10
    def run(pattern: str) -> Machine:
        now = machine(R)
        for number, letter in enumerate(pattern):
            now = on(now, What.MOVE, 0.1 + 0.02 * number, held=letter == "x")
        return now

    assert run("xxxxxxxx").state is R
    assert run("xxxxxxxxx").state is H
    assert run("xxxxxxxx..").state is R
    assert run("xxxxxxx.xx").state is H
    assert run("..xxxxxxxx").state is R
    assert "9 of the last 10" in run("xxxxxxxxx").reason
    # a resumed episode starts with a clean slate
    resumed = on(run("xxxxxxxxx"), What.RESUME, 1.0)
    assert on(resumed, What.MOVE, 1.1, held=True).state is R


def test_a_person_who_has_the_arm_is_not_hurried():
    taken = on(machine(R), What.TAKE)
    assert taken.by_hand
    assert on(taken, What.TICK, 99.0).state is R
    released = on(taken, What.RELEASE, 99.0)
    assert not released.by_hand
    assert on(released, What.TICK, 108.0).state is R
    assert on(released, What.TICK, 109.1).state is H
    # a release of nothing buys no time
    assert on(on(machine(R), What.RELEASE), What.TICK, 0.6).state is H


def test_hands_stay_on_through_everything_but_release():
    for what in set(What) - {What.RELEASE}:
        assert on(machine(R, by_hand=True), what).by_hand


def test_a_clock_that_goes_back_holds_and_blocks():
    for at_s in (-1.0, math.nan, -math.inf):
        found = on(machine(R), What.TICK, at_s)
        assert (found.state, found.reason, found.now_s) == (H, "the clock went back", 0.0)
        assert on(machine(A), What.TICK, at_s).state is H
        assert on(machine(H), What.RESUME, at_s).state is H
        assert on(machine(D), What.ARM, at_s).state is D
        # a stop is heard whatever the clock says, and nothing is made better by it
        assert on(machine(R), What.REFLEX, at_s).state is F
        assert on(machine(F), What.TICK, at_s).state is F
        assert on(machine(D), What.TICK, at_s).state is D


def test_what_a_person_must_lift_is_marked():
    for what in (What.REFLEX, What.USER_STOP, What.SECOND_PUBLISHER):
        assert on(machine(R), what).person
        # and one that comes on top of a lesser fault marks it too, with its name
        found = on(machine(F), what, why="on top")
        assert (found.person, found.reason) == (True, "on top")
    assert on(machine(R), What.HOLD).person
    assert on(machine(R), What.DISARM).person
    assert on(on(machine(R), What.STALE), What.HOLD).person
    assert not on(machine(R), What.STALE).person
    assert not on(machine(R), What.BAD).person
    assert not on(on(machine(R), What.REFLEX), What.CLEAR).person


def test_a_state_without_a_reason_given_is_named_by_its_event():
    assert on(machine(R), What.USER_STOP).reason == "user stop"
    assert on(machine(R), What.HOLD, why="space bar").reason == "space bar"
