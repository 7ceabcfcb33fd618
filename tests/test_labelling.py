"""Labels of episodes that the embedded arm really recorded, and a judge held to the same truth."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from agent import logbook
from agent.appraisal import appraise, judged
from agent.cli.app import app
from agent.coaching import Lesson, record
from agent.episode import RewardSignal, Truncated, Verdict
from agent.errors import RewardUnavailable, UsageError
from agent.labelling import Thresholds, label_runs
from agent.logbook.truth import truths
from agent.registry import make_phase
from agent.reward.label_file import fingerprint, read_head, read_labels
from agent.reward.labels import LabelSettings
from agent.reward.quality import spearman
from agent.settings import RobotSettings, Settings
from agent.store.reader import ZarrReader
from agent.teaching import lessons_of

SMALL = {"image_px": 16, "task": "*"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """One demonstration of each task, and one of each in which two moves of three are random."""
    folder = tmp_path_factory.mktemp("labelling")
    for name, noise in (("shown", 0.0), ("spoilt", 0.7)):
        settings = Settings(robot=RobotSettings(**SMALL))
        record(settings, folder / name, Lesson(7, noise, None, 0.0, 1000))
    return folder


def vlarl(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_a_recorded_grasp_is_labelled_where_the_fingers_closed(recorded, tmp_path):
    counted = label_runs([recorded / "shown", recorded / "spoilt"], tmp_path / "labels")
    known = [each for run in ("shown", "spoilt") for each in truths(recorded / run)]
    assert counted.episodes == 14
    assert counted.succeeded == sum(bool(each.success) for each in known) >= 7
    assert counted.failed == 14 - counted.succeeded > 0
    labels = list(read_labels(tmp_path / "labels"))
    assert sum(counted.counts.values()) == len(labels) == read_head(tmp_path / "labels").labels
    # The fourth demonstration lifts: one cut, so that its milestones are the grasp and the end.
    milestones = [
        each.view
        for each in labels
        if (each.run, each.episode, each.why) == ("shown", "000004", "milestone")
    ]
    lift = ZarrReader(recorded / "shown").read("000004").episode
    views = [*(step.observation for step in lift.steps), lift.last]
    opening = [float(view.proprio[6]) for view in views]
    assert len(milestones) == 2
    assert milestones[1] == len(views) - 1
    assert opening[milestones[0] - 5] > 0.9
    assert opening[milestones[0]] < 0.75
    assert opening[-1] == pytest.approx(0.5, abs=0.05)  # a cube of 4 cm in a gripper of 8


def test_labels_name_where_they_come_from(recorded, tmp_path):
    label_runs([recorded / "shown"], tmp_path / "labels")
    head = read_head(tmp_path / "labels")
    for each in head.episodes:
        run = (tmp_path / "labels" / head.runs[each.run]).resolve()
        assert fingerprint(ZarrReader(run).read(each.episode).episode) == each.fingerprint
    assert {each.by for each in head.episodes} == {"world"}


def test_labels_of_which_all_start_states_are_kept_apart_teach_nothing(recorded, tmp_path):
    label_runs([recorded / "shown"], tmp_path / "labels")
    with pytest.raises(UsageError, match="share of 1 keeps all of their start states apart"):
        lessons_of([tmp_path / "labels"], held_out=1.0)
    learned, apart = lessons_of([tmp_path / "labels"], held_out=0.0)
    assert len(learned.exercises) == read_head(tmp_path / "labels").labels
    assert apart is None


def test_what_a_person_typed_wins_over_the_world(recorded, tmp_path):
    logbook.label(recorded / "shown", "000001", "failure")
    try:
        label_runs([recorded / "shown"], tmp_path / "labels")
        first = next(iter(read_head(tmp_path / "labels").episodes))
        assert (first.success, first.by) == (False, "person")
        whys = {e.why for e in read_labels(tmp_path / "labels") if e.episode == "000001"}
        assert whys == {"failed"}
    finally:
        (recorded / "shown" / "labels.jsonl").unlink()


def test_labels_and_the_true_phase_go_up_together(recorded, tmp_path):
    told = Thresholds(labels=LabelSettings(every_s=0.05))  # every view
    label_runs([recorded / "shown"], tmp_path / "labels", told)
    phase_of = make_phase("tabletop")
    answers: dict[str, dict[int, float]] = {}
    for each in read_labels(tmp_path / "labels"):
        if each.question == "progress" and each.since == 0:
            answers.setdefault(each.episode, {})[each.view] = each.answer
    for name, seen in answers.items():
        phase = phase_of(ZarrReader(recorded / "shown").read(name).episode)
        assert len(seen) == len(phase)
        assert spearman([seen[view] for view in range(len(phase))], phase) > 0.95


def test_the_command_labels_and_draws_and_says_how_many(recorded, tmp_path):
    out, picture = tmp_path / "labels", tmp_path / "000005.png"
    done = vlarl(
        "reward", "label", recorded / "shown", "--out", out, "--picture", picture, "--json",
        "--set", "labels.every_s=0",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["episodes"] == told["succeeded"] == 7
    kinds = Counter((e.question, e.why) for e in read_labels(out))
    assert {(e["question"], e["why"]): e["labels"] for e in told["counts"]} == dict(kinds)
    assert read_head(out).settings["labels"]["every_s"] == 0
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "segments.cut_shar=0.2"], "nearest key is segments.cut_share"),
        (["--set", "segments.cut_share=much"], "a number wanted"),
        (["--set", "layout.position=0,1,2"], "all of its keys"),
        (["--set", "segments.median_s=nan"], "0 or more and finite"),
        ([], "--out FOLDER"),
    ],
)
def test_wrong_words_are_refused_with_what_is_right(recorded, tmp_path, words, said):
    out = ["--out", tmp_path / "labels"] if words else []
    done = vlarl("reward", "label", recorded / "shown", *out, *words)
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert not (tmp_path / "labels").exists()


class Contrary:
    """Says the opposite of the ending, and nothing of a demonstration that touches."""

    def score(self, episode):
        if episode.task.name == "reach-red-cube":
            raise RewardUnavailable("closed today")
        won = episode.ending == Truncated("timeout")
        rising = np.linspace(0, 1, len(episode.steps) + 1).astype(np.float32)
        verdict = Verdict.SUCCESS if won else Verdict.FAILURE
        return RewardSignal(rising, 0.9 if won else 0.2, verdict, "contrary/1; a remark")


def test_a_judge_that_says_the_opposite_is_wrong_throughout(recorded):
    found = appraise(list(judged([recorded / "shown", recorded / "spoilt"], Contrary())))
    said, silent = found.whole.confusion, found.whole.silent
    assert silent == 2
    assert said.true_success == said.true_failure == said.unknown == 0
    assert said.false_success + said.false_failure == 12
    assert found.whole.false_positives.share == found.whole.false_negatives.share == 1.0
    assert found.whole.roc.area.value == 0.0
    # 0.9 of failures, 0.2 of successes: their squares are 0.81 and 0.64.
    wanted = (0.81 * said.false_success + 0.64 * said.false_failure) / 12
    assert found.whole.brier == pytest.approx(wanted)
    # Its progress rises throughout, and the truth of a demonstration nearly so.
    assert found.whole.order.value == pytest.approx(1.0)
    assert found.sources == ("contrary/1",)
    assert [each.name for each in found.tasks if each.silent] == ["reach-red-cube"]


def test_a_judge_that_is_not_there_ends_its_evaluation_with_the_code_of_a_silent_judge(recorded):
    nobody = ["--reward", "http", "--set", "reward.url=http://127.0.0.1:9"]
    done = vlarl(*("reward", "eval", recorded / "shown", *nobody, "--set", "reward.retries=0"))
    assert isinstance(done.exception, RewardUnavailable), done.output
    assert done.exception.exit_code == 5
    assert "found none in 5 episodes" in str(done.exception)


def test_what_the_run_recorded_is_read_and_drawn(recorded, tmp_path):
    picture = tmp_path / "judge.png"
    runs = [recorded / "shown", recorded / "spoilt"]
    done = vlarl("reward", "eval", *runs, "--recorded", "--picture", picture, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["sources"] == ["outcome/1"]
    assert told["whole"]["accuracy"]["won"] == told["whole"]["accuracy"]["tried"] == 14
    assert len(told["tasks"]) == 7
    assert picture.read_bytes()[:4] == b"\x89PNG"
    text = vlarl("reward", "eval", *runs, "--recorded").stdout
    assert "accuracy         14/14  100.0 %" in text
    assert "area under ROC   1.000" in text


def test_without_a_truth_there_is_nothing_to_hold_a_judge_to(recorded):
    known = list(judged([recorded / "shown"]))
    with pytest.raises(UsageError, match="found none of 7"):
        appraise([replace(each, success=None) for each in known])
