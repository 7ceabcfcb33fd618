"""Real little runs of the shipped VLA, one healthy and one with two faults in it."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from agent.cli.app import app
from agent.cli.shipped import SHIPPED
from agent.diagnosis import reference, told
from agent.diagnosis.evidence import Grip, gather
from agent.diagnosis.gripping import gripping
from agent.diagnosis.ladder import RUNGS, diagnose
from agent.diagnosis.looking import look
from agent.diagnosis.measuring import measure
from agent.diagnosis.ranges import ranges
from agent.errors import DataError, UsageError
from agent.policy.action_tokens import read_stats
from agent.store.reader import ZarrReader
from benchmarks.faulty_runs import Case, Fault, record

TASK = "reach-red-cube"
FAULTY = Fault("frame", {"rotate": -0.8, "delay": 2.0})


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {
        name: record(Case(fault, TASK, 5), folder, 8)
        for name, fault in (("healthy", Fault("none")), ("faulty", FAULTY))
    }


@pytest.fixture(scope="module")
def scored(runs):
    reader = ZarrReader(runs["healthy"])
    return [reader.read(name) for name in reader.ids()]


@pytest.fixture(scope="module")
def known():
    return reference.load(SHIPPED / reference.FILE)


def judged(scored, known):
    seen = gather(scored)
    found = diagnose(measure(seen, known), known, seen.episodes)
    return found.verdict, {each.rung: each for each in found.findings}


def changed(scored, change):
    """The same episodes with every step passed through `change`."""
    return [
        dataclasses.replace(
            each,
            episode=dataclasses.replace(
                each.episode, steps=tuple(change(step) for step in each.episode.steps)
            ),
        )
        for each in scored
    ]


def test_a_healthy_run_has_nothing_wrong(runs):
    found = look(runs["healthy"], None, SHIPPED)
    assert found.verdict == "none"
    assert {each.rung: each.status for each in found.findings} == dict.fromkeys(RUNGS, "ok")


def test_a_turned_and_late_arm_is_told_with_the_figures(runs):
    found = {each.rung: each for each in look(runs["faulty"], None, SHIPPED).findings}
    assert found["frame"].status == found["delay"].status == "off"
    # -0.8 rad is 45.8 degrees clockwise; contact and the arm's own lag make it a little uncertain
    assert found["frame"].facts["turn_deg"] == pytest.approx(45.8, abs=7.0)
    assert found["frame"].facts["axis_z"] < -0.95
    assert found["delay"].facts["delay_steps"] == 2
    assert {found[rung].status for rung in ("normalisation", "camera", "light", "gain")} == {"ok"}


def test_the_command_prints_the_ladder_and_json_has_the_same(runs, tmp_path):
    drawn = CliRunner().invoke(app, ["diagnose", str(runs["faulty"]), "--picture", str(tmp_path)])
    assert drawn.exit_code == 0, drawn.output
    assert "verdict from 8 episodes: frame" in drawn.output
    assert {path.name for path in tmp_path.iterdir()} == {"agentview.png", "eye_in_hand.png"}
    said = CliRunner().invoke(app, ["diagnose", str(runs["faulty"]), "--json"])
    values = json.loads(said.stdout)
    assert values["verdict"] == "frame"
    assert [row["rung"] for row in values["rungs"]] == list(RUNGS)


def test_what_could_not_be_looked_at_is_told_and_what_would_show_it(scored, known):
    def mute(step):
        none = np.zeros(0, np.int16), np.zeros(0, np.float32)
        decision = dataclasses.replace(step.decision, tokens=none[0], log_probs=none[1])
        return dataclasses.replace(step, decision=decision)

    seen = gather(changed(scored, mute))
    found = diagnose(measure(seen, known), known, seen.episodes)
    assert found.verdict == "none"
    said = told.said(found)
    assert "nothing is wrong in what could be seen; not seen: normalisation" in said
    assert "normalisation could not be looked at: look at a run in which the policy acts" in said
    assert told.values(found)["unseen"] == ["normalisation"]


def test_a_rung_below_the_verdict_that_was_not_seen_is_told_with_it(scored, known):
    seen = measure(gather(scored), known)
    assert not seen.blind
    other = dataclasses.replace(
        seen, blind={"agentview": "camera agentview: too dark"},
        views={"eye_in_hand": seen.views["eye_in_hand"]},
        gripping=dataclasses.replace(seen.gripping, opened=0.0),
    )  # fmt: skip
    found = diagnose(other, known, 8)
    assert found.verdict == "gripper"
    assert "verdict from 8 episodes: gripper; lower and not seen: camera" in told.said(found)
    assert found.unseen[0].said.endswith("camera agentview: too dark")


def test_nothing_privileged_is_looked_at(scored, known):
    def blind(step):
        view = dataclasses.replace(step.observation, privileged=np.full(39, np.nan, np.float32))
        return dataclasses.replace(step, observation=view)

    assert judged(changed(scored, blind), known)[0] == "none"


def test_other_statistics_than_those_of_training_are_read_off_the_actions(scored, known):
    def halved(step):
        actions = tuple(
            dataclasses.replace(each, delta=each.delta * np.float32(0.5))
            for each in step.decision.actions
        )
        decision = dataclasses.replace(step.decision, actions=actions)
        return dataclasses.replace(step, decision=decision)

    verdict, found = judged(changed(scored, halved), known)
    assert verdict == "normalisation"
    # -1 .. 1 became -0.5 .. 0.5
    assert "q01 (-0.50, -0.50, -0.50" in found["normalisation"].said


def test_one_camera_that_moved_is_named_and_by_how_much(scored, known):
    def rolled(step):
        images = dict(step.observation.images)
        images["eye_in_hand"] = np.roll(images["eye_in_hand"], 4, axis=1)
        view = dataclasses.replace(step.observation, images=images)
        return dataclasses.replace(step, observation=view)

    verdict, found = judged(changed(scored, rolled), known)
    assert verdict == "camera"
    assert found["camera"].facts["moved"] == "eye_in_hand"
    assert found["camera"].facts["eye_in_hand.right_px"] == pytest.approx(4.0, abs=0.3)


def test_failures_with_all_else_well_are_the_policys(scored, known):
    lost = [
        dataclasses.replace(each, signal=dataclasses.replace(each.signal, verdict="failure"))
        for each in scored
    ]
    assert judged(lost, known)[0] == "policy"


def test_a_gripper_turned_round_or_stuck_is_told_from_one_that_holds_something(known):
    steps = np.arange(40)
    asked = np.where(steps < 20, 1.0, 0.0)
    held = Grip("lift-red-cube", asked, np.where(steps < 22, 1.0, 0.48))
    swapped = Grip("lift-red-cube", asked, 1.0 - asked)
    assert gripping([held]).opened == 1.0
    assert gripping([held]).least["lift-red-cube"] == pytest.approx(0.48)
    assert gripping([swapped]).opened == 0.0
    assert known.gripping.usual["lift-red-cube"] == pytest.approx(0.48, abs=0.05)
    assert known.gripping.usual[TASK] < 0.05


def test_too_few_episodes_no_run_no_reference_and_another_robot_are_refused(
    runs, scored, known, tmp_path
):
    with pytest.raises(DataError, match=r"8 sealed episodes or more wanted .* found 7"):
        gather(scored[:7])
    with pytest.raises(UsageError, match="holds no run"):
        look(tmp_path, None, SHIPPED)
    with pytest.raises(UsageError, match="--make"):
        look(runs["healthy"], tmp_path / "none.npz", SHIPPED)
    other = dataclasses.replace(known, robot="franka", proprio=7)
    with pytest.raises(
        DataError, match=r"a run of franka wanted, .* found 8 and agentview 96 x 96"
    ):
        measure(gather(scored), other)


def test_a_torn_reference_is_refused(tmp_path):
    torn = tmp_path / "reference.npz"
    shutil.copy(SHIPPED / reference.FILE, torn)
    torn.write_bytes(torn.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"it is no \.npz file; make it again"):
        reference.load(torn)


def test_a_reference_of_too_few_pictures_is_refused(runs, tmp_path):
    made = CliRunner().invoke(
        app, ["diagnose", str(runs["healthy"]), "--make", str(tmp_path / "reference.npz")]
    )
    assert isinstance(made.exception, DataError)
    assert "a reference needs more" in str(made.exception)


def test_statistics_of_a_run_are_such_as_a_checkpoint_reads(scored, runs, tmp_path):
    out = tmp_path / "dataset_statistics.json"
    done = CliRunner().invoke(
        app, ["calibrate", "statistics", str(runs["healthy"]), "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    written = json.loads(out.read_text())
    stats = read_stats(written, "tabletop")
    assert list(stats.mask) == [True] * 6 + [False]
    asked = np.array([a.delta for s in scored for t in s.episode.steps for a in t.applied])
    assert stats.q99[0] == pytest.approx(np.quantile(asked[:, 0], 0.99), abs=1e-6)
    assert written["tabletop"]["num_trajectories"] == 8
    with pytest.raises(DataError, match="100 actions or more wanted"):
        ranges(scored[:1], successes=True)


def test_statistics_count_a_run_once_and_miss_none(runs, tmp_path):
    out = str(tmp_path / "dataset_statistics.json")
    command, run = ["calibrate", "statistics", "--all", "--out", out], str(runs["healthy"])
    twice = CliRunner().invoke(app, [*command, run, run])
    assert "of 8 episodes" in twice.output
    none = CliRunner().invoke(app, [*command, run, str(tmp_path / "none")])
    assert isinstance(none.exception, UsageError)
    assert "none holds no run" in str(none.exception)
