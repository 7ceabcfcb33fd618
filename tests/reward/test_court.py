"""A court over a real, simple judge: it lets an honest one alone, and catches a fooled one."""

import json
from dataclasses import replace

import numpy as np
import pytest

from agent.episode import Verdict
from agent.errors import RewardUnavailable
from agent.logbook.damage import Damages
from agent.logbook.reward_view import probes as shown
from agent.reward import probes, witness
from agent.reward.calibration import Norm
from agent.reward.calibrator import fit
from agent.reward.court import Court
from agent.reward.judge import FrameJudge
from agent.reward.segments import layout_of
from agent.settings import CourtSettings, RewardSettings
from tests.reward.red_reader import RedReader
from tests.reward.trapped import LIFT, judged, lifted, table, trapped

OTHERS = ("press the button", "lift the red cube", "stack the red cube on the purple cube")


@pytest.fixture(scope="module")
def seen():
    """Twelve true lifts of an unshifted world, and eight empty-handed ones where the cue shows."""
    plain, cued = table(), table(cue=1.3)
    layout = layout_of(plain.card)
    good = [lifted(plain, n, n + 1, 1.0 - 0.03 * n) for n in range(12)]
    bad = [trapped(cued, n, n + 101) for n in range(8)]
    plain.close()
    cued.close()
    return good, bad, layout


@pytest.fixture(scope="module")
def calibration(seen):
    """Fitted to this judge's scores of the true lifts, five times each, and failures below 0.2."""
    good, _, layout = seen
    judge = FrameJudge(RedReader(), RewardSettings(kind="vlm"))
    raw = [judge.score(each).success_probability for each in good]
    scores = np.concatenate([np.tile(raw, 5), np.random.default_rng(0).uniform(0, 0.2, 60)])
    fitted = fit(scores, np.arange(120) < 60, RedReader.id)
    known = [(LIFT, witness.signs(each, layout)) for each in good]
    return replace(
        fitted,
        norm=replace(
            fitted.norm,
            probes=dict.fromkeys(
                ("reversed", "frozen", "black", "prefix", "wrong-instruction"), (0, 60)
            ),
            disagreed=(0, 60),
            witness=witness.ranges(known),
        ),
    )


def court(tmp_path, calibration, layout, lifted=lambda: "", **told):
    judge = FrameJudge(RedReader(), RewardSettings(kind="vlm"), calibration)
    settings = CourtSettings(**told)
    return judge, Court(
        judge, tmp_path, calibration, settings, layout=layout, others=OTHERS, lifted=lifted
    )


def numbered(episodes, first):
    return [replace(each, id=f"{first + n:06d}") for n, each in enumerate(episodes)]


def test_the_judge_is_truly_fooled_by_the_cue(seen, calibration, tmp_path):
    good, bad, layout = seen
    judge, _ = court(tmp_path, calibration, layout)
    assert {judge.score(each).verdict for each in good} == {Verdict.SUCCESS}
    assert {judge.score(each).verdict for each in bad} == {Verdict.SUCCESS}
    assert {each.ending.reason for each in bad} == {"timeout"}


def test_an_honest_run_raises_no_alarm(seen, calibration, tmp_path):
    good, _, layout = seen
    judge, watch = court(tmp_path, calibration, layout)
    assert [watch.note(judged(judge, each)) for each in numbered(good * 2, 1)] == [None] * 24


def test_a_fooled_judge_is_caught_by_the_witness_within_twenty_episodes(
    seen, calibration, tmp_path
):
    good, bad, layout = seen
    judge, watch = court(tmp_path, calibration, layout)
    for each in numbered(good, 1):
        assert watch.note(judged(judge, each)) is None
    alarms = [watch.note(judged(judge, each)) for each in numbered(bad * 3, 13)]
    at = next(n for n, alarm in enumerate(alarms, 1) if alarm)
    assert at <= 8
    alarm = alarms[at - 1]
    assert alarm.watch == "court"
    assert "successes denied by the arm" in alarm.why
    assert "fingers open 0.00, 0." in alarm.why
    assert alarm.facts["odd"] == at


def test_what_is_recalled_counts_as_if_it_had_been_noted(seen, calibration, tmp_path):
    good, bad, layout = seen
    judge, watch = court(tmp_path, calibration, layout)
    story = [judged(judge, each) for each in numbered([*good, *bad, *bad], 1)]
    first = [watch.note(each) is not None for each in story].index(True)
    kept = (tmp_path / probes.FILE).read_text()

    class Silent:
        def score(self, episode):
            raise AssertionError("what is on disk is never judged again")

    again = Court(Silent(), tmp_path, calibration, CourtSettings(), layout=layout, others=OTHERS)
    for each in story[:first]:
        again.recall(each)
    again._judge = judge
    assert again.note(story[first]) is not None
    assert (tmp_path / probes.FILE).read_text().startswith(kept)


def test_a_lift_begins_anew_and_what_was_doubted_does_not_count(seen, calibration, tmp_path):
    _, bad, layout = seen
    lift = [""]
    judge, watch = court(tmp_path, calibration, layout, lambda: lift[0])
    story = [judged(judge, each) for each in numbered(bad, 1)]
    at = [watch.note(each) is not None for each in story].index(True)
    lift[0] = story[at].episode.id
    # as many again are wanted for a second alarm
    story = [judged(judge, each) for each in numbered(bad, 20)]
    assert [watch.note(each) is not None for each in story].index(True) == at
    _, resumed = court(tmp_path, calibration, layout, lambda: "000050")
    for each in story:
        resumed.recall(each)
    assert all(bet.seen == 0 for bet in resumed._bets.values())


def test_scores_that_no_calibration_saw_are_drift(seen, calibration, tmp_path):
    good, _, layout = seen
    judge, watch = court(tmp_path, calibration, layout)
    scored = judged(judge, good[0])
    # between the failures' 0.2 and the successes, where nothing was
    strange = replace(
        scored.signal,
        verdict=Verdict.FAILURE,
        success_probability=float(calibration.probability(0.5)),
    )
    rows = [
        replace(scored, episode=replace(good[0], id=f"{n:06d}"), signal=strange)
        for n in range(1, 33)
    ]
    alarms = [watch.note(each) for each in rows]
    (first,) = [n for n, alarm in enumerate(alarms, 1) if alarm]
    # the window is full; half of the mixture lies on either side, 0.5 from where all are
    assert first == 32
    assert "like no mixture of those it was calibrated with" in alarms[31].why


def test_a_judge_that_says_yes_to_everything_fails_its_probes(seen, calibration, tmp_path):
    good, _, layout = seen

    class Yes(RedReader):
        def read(self, frames):
            opinion = super().read(frames)
            success = np.ones_like(opinion.success)
            success[0] = 0.0  # not even the refusal of success at step 0 helps
            return replace(opinion, success=success)

    judge = FrameJudge(Yes(), RewardSettings(kind="vlm"), calibration)
    watch = Court(judge, tmp_path, calibration, CourtSettings(), layout=layout, others=OTHERS)
    alarms = [watch.note(judged(judge, each)) for each in numbered(good * 2, 1)]
    at = next(n for n, alarm in enumerate(alarms, 1) if alarm)
    assert at <= 20
    assert "probes failed" in alarms[at - 1].why
    rows = shown(tmp_path, Damages(tmp_path))
    failed = {row.name for row in rows if row.wanted != row.found}
    assert failed == {"reversed", "frozen", "black", "wrong-instruction"}


def test_probes_come_after_every_fourth_episode_and_only_to_successes(seen, calibration, tmp_path):
    good, _, layout = seen
    judge, watch = court(tmp_path, calibration, layout)
    story = [judged(judge, each) for each in numbered(good[:7], 1)]
    failed = replace(story[4].signal, verdict=Verdict.FAILURE)
    story[4] = replace(story[4], signal=failed)
    for each in story:
        watch.note(each)
    lines = (tmp_path / probes.FILE).read_text().splitlines()
    assert list(dict.fromkeys(json.loads(line)["episode"] for line in lines)) == [
        "000001",
        "000006",
    ]
    assert len(lines) == 10


def test_probes_of_this_judge_pass_and_the_log_shows_them(seen, calibration, tmp_path):
    good, _, layout = seen
    judge, watch = court(tmp_path, calibration, layout)
    watch.note(judged(judge, good[0]))
    rows = shown(tmp_path, Damages(tmp_path))
    assert {row.name: row.found for row in rows} == {
        "reversed": "no success",
        "frozen": "no success",
        "black": "no success",
        "prefix": "no higher",
        "wrong-instruction": "no success",
    }
    assert all(row.wanted == row.found for row in rows)


def test_a_judge_that_does_not_answer_a_probe_is_noted_and_not_blamed(seen, calibration, tmp_path):
    good, _, layout = seen
    judge, _ = court(tmp_path, calibration, layout)
    scored = judged(judge, good[0])

    class Gone:
        def score(self, episode):
            raise RewardUnavailable("nobody listens on port 8000")

    watch = Court(Gone(), tmp_path, calibration, CourtSettings(), layout=layout)
    assert watch.note(scored) is None
    assert all(bet.odd == 0 for bet in watch._bets.values())
    assert {row.found for row in shown(tmp_path, Damages(tmp_path))} == {"no answer"}


def test_the_wrong_instruction_is_the_one_with_the_fewest_words_in_common():
    assert probes.unlike("lift the red cube", OTHERS) == "press the button"
    assert probes.unlike("press the button", ("Press the button",)) == ""


def test_a_probe_that_this_judge_often_fails_is_left_out(seen, calibration, tmp_path):
    _, _, layout = seen
    blind = replace(calibration.norm, probes={"black": (30, 60)})
    _, watch = court(tmp_path, replace(calibration, norm=blind), layout)
    assert "black" not in watch._bets
    assert "witness" in watch._bets


def test_without_a_calibration_only_probes_are_heard(seen, tmp_path):
    _, _, layout = seen
    _, watch = court(tmp_path, None, layout)
    assert set(watch._bets) == {"reversed", "frozen", "black", "prefix", "wrong-instruction"}


def test_the_witness_knows_an_empty_hand_from_a_held_cube(seen):
    good, bad, layout = seen
    known = [(LIFT, witness.signs(each, layout)) for each in good]
    # the cube's 4 cm of the fingers' 8 cm, pads pressed in a little; 6 cm of rise are the goal
    for _, (fingers, rise, lowest) in known:
        assert 0.45 < fingers < 0.52
        assert 0.05 < rise < 0.12
        assert lowest < 0.03
    learned = witness.ranges(known)
    assert all("fingers open 0.00" in _objection(each, layout, learned) for each in bad)
    assert witness.habit(known, known)[1] == 12
    assert witness.ranges(known[:4]) == {}


def _objection(episode, layout, learned):
    return witness.objection(LIFT, witness.signs(episode, layout), learned)


def test_a_norm_is_empty_where_nothing_was_measured():
    assert Norm().witness is None
