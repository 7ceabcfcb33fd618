"""Labels of hand-made episodes: every question and answer worked out by hand."""

import numpy as np
import pytest

from agent.errors import UsageError
from agent.reward.labels import LabelSettings, Told, diverged, labels_of
from tests.reward.series import grasp, series

# 60 moments of 1 mm, a view every 10 and at 59: 0 10 20 30 40 50 59. The milestone at 22 is first
# seen in view 3 (moment 30); the end, moment 59, in view 6.
LIFT = series(every=10)


def told(name, task="lift", *, success=True, start=0, made=LIFT):
    return Told("run", name, task, f"{task} it", start, success, made)


def asked(labels, question, why=None):
    return [
        (each.view, each.since, each.answer)
        for each in labels
        if each.question == question and why in {None, each.why}
    ]


def test_a_success_is_done_at_its_end_and_not_half_a_second_before():
    # 0.5 s are 10 moments: views up to moment 49 say no. 0.1 s are 2: view 6 alone says yes.
    labels = list(labels_of([told("1")]))
    assert asked(labels, "success", "end") == [(6, 0, 1.0)]
    assert asked(labels, "success", "not yet") == [(view, 0, 0.0) for view in range(5)]


def test_progress_is_asked_at_keyframes_and_between_them():
    # Progress at moments 10, 20: 10/44, 20/44; from the cut at 22 on 0.5 + (moment - 22)/74.
    labels = list(labels_of([told("1")]))
    seen = {view: answer for view, since, answer in asked(labels, "progress") if since == 0}
    wanted = [0, 10 / 44, 20 / 44, 0.5 + 8 / 74, 0.5 + 18 / 74, 0.5 + 28 / 74, 1.0]
    assert [seen[view] for view in range(7)] == pytest.approx(wanted)
    alone = list(labels_of([told("1")], LabelSettings(every_s=0)))
    assert {view for view, since, _ in asked(alone, "progress") if since == 0} == {0, 3, 6}


def test_milestones_are_passed_under_way_and_undone_backwards():
    labels = list(labels_of([told("1")]))
    assert asked(labels, "milestone", "milestone") == [(3, 0, 1.0), (6, 3, 1.0)]
    assert asked(labels, "milestone", "underway") == [(1, 0, 0.0), (4, 3, 0.0)]
    assert asked(labels, "milestone", "reversed") == [(0, 3, 0.0), (3, 6, 0.0)]


def test_held_against_the_end_an_earlier_view_shows_no_progress():
    assert asked(labels_of([told("1")]), "progress", "reversed") == [(3, 6, 0.0)]


def test_a_success_is_asked_what_other_tasks_ask_in_turn():
    tasks = ("lift", "press", "push", "stack")
    labels = list(labels_of([told(str(n), task) for n, task in enumerate(tasks)]))
    wrong = [(e.episode, e.instruction, e.answer) for e in labels if e.why == "wrong instruction"]
    # lift: the first two of press, push, stack; press: its third and, round again, its first.
    assert wrong[:4] == [
        ("0", "press it", 0.0),
        ("0", "push it", 0.0),
        ("1", "stack it", 0.0),
        ("1", "lift it", 0.0),
    ]
    assert all(not answer for _, _, answer in wrong)


def test_what_is_done_on_the_way_is_not_asked_as_wrong():
    both = [told("1"), told("2", "touch")]
    implied = LabelSettings(implied=(("lift it", "touch it"),))
    wrong = [e.instruction for e in labels_of(both, implied) if e.why == "wrong instruction"]
    assert wrong == ["lift it"]


def test_a_failure_says_no_from_where_it_left_the_successes():
    # From moment 31 on it is 200 mm aside, where 30 mm are near: views 4 to 6.
    aside = series(every=10)
    aside.position_m[31:, 1] = 0.2
    labels = list(labels_of([told("1"), told("2", success=False, made=aside)]))
    failed = [e.view for e in labels if e.why == "failed"]
    assert diverged(aside, [LIFT], LabelSettings()) == 31
    assert failed == [4, 5, 6]
    assert diverged(LIFT, [LIFT], LabelSettings()) == 59


def test_a_short_excursion_is_no_divergence():
    # 10 moments are the patience of 0.5 s; away from 20 to 29 it comes back, to 30 it has left.
    for until, wanted in ((30, 59), (31, 20)):
        away = series(every=10)
        away.position_m[20:until, 1] = 0.2
        assert diverged(away, [LIFT], LabelSettings()) == wanted


def test_without_a_success_from_its_start_state_a_failures_second_half_counts():
    # Half of moment 59 is 30 (29.5, to even): views 3 to 6.
    labels = labels_of([told("1"), told("2", success=False, start=1)])
    assert [e.view for e in labels if e.why == "failed"] == [3, 4, 5, 6]


def test_fingers_that_close_on_nothing_passed_no_milestone():
    # In the success they close to 0.4, here to 0: below half of it. The cut, at 22, is seen in view
    # 3, and half way to the end, moment 40, in view 4.
    held = told("1", made=series(0.4 + 0.6 * grasp(), every=10))
    empty = told("2", success=False, made=LIFT)
    labels = [e for e in labels_of([held, empty]) if e.why == "empty grasp"]
    assert [(e.episode, e.question, e.view, e.answer) for e in labels] == [
        ("2", "milestone", 4, 0.0),
        ("2", "milestone", 3, 0.0),
    ]


def test_where_successes_too_close_on_nothing_a_closed_hand_tells_nothing():
    labels = labels_of([told("1"), told("2", success=False)])
    assert not [e for e in labels if e.why == "empty grasp"]


def test_an_episode_whose_outcome_nobody_knows_gives_no_label():
    assert not list(labels_of([told("1", success=None)]))


def test_no_question_is_asked_twice():
    labels = list(labels_of([told("1", made=series(every=1)), told("2", success=False)]))
    keys = [(e.episode, e.view, e.since, e.question, e.instruction) for e in labels]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("wrong", [{"every_s": -1.0}, {"near_m": 0.0}, {"without": 1.5}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        LabelSettings(**wrong)


def test_answers_do_not_depend_on_what_else_is_labelled():
    alone = [e for e in labels_of([told("1")]) if e.why != "wrong instruction"]
    among = labels_of([told("0", "press"), told("1"), told("2", success=False)])
    again = [e for e in among if e.episode == "1" and e.why != "wrong instruction"]
    assert alone == again
    assert np.isfinite([e.answer for e in again]).all()
