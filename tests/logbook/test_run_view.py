"""A run at a glance, against what the session itself saw of it."""

import os
import shutil
import signal

import numpy as np
import pytest

from agent import logbook
from agent.episode import Limit, RewardSignal, Terminated, Truncated, UpdateReport, Verdict
from agent.errors import UsageError
from agent.interval import wilson
from agent.learn.ledger import Ledger
from agent.logbook.activity import writer
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from benchmarks.crash_store import in_child
from tests.logbook.acted import TASK, step, view


def test_success_is_what_the_session_saw(whole_run):
    seen = logbook.run(whole_run.folder)
    assert [point.won for point in seen.points] == whole_run.won
    assert (seen.whole.won, seen.whole.tried) == (sum(whole_run.won), 20)
    bounds = wilson(sum(whole_run.won), 20)
    assert (seen.whole.low, seen.whole.high) == (bounds.low, bounds.high)
    # the window holds 24, so the last point is all of the 20
    assert seen.points[-1].rate == seen.recent == seen.whole
    assert seen.points[2].rate.won == sum(whole_run.won[:3])
    assert sum(each.rate.tried for each in seen.by_adapter) == 20
    assert next(each.adapter for each in seen.by_adapter) == "base"


def test_updates_and_evaluations_are_those_of_the_session(whole_run):
    seen = logbook.run(whole_run.folder)
    assert [(row.number, row.why, row.episodes) for row in seen.updates] == [
        (report.number, report.why, report.episodes) for report in whole_run.reports
    ]
    assert [dict(row.metrics) for row in seen.updates] == [r.metrics for r in whole_run.reports]
    before, after = seen.evaluations
    assert (before.phase, before.adapter, before.rate.tried) == ("before", "base", 4)
    assert (after.rate.won, after.adapter) == (whole_run.outcome.after.k, seen.adapter)
    assert seen.paired.p_value == whole_run.outcome.paired_p


def test_start_states_are_weighed_as_the_curriculum_weighs_them(whole_run):
    seen = logbook.run(whole_run.folder)
    arms = [(each.episode.task.name, each.episode.task.start) for each in whole_run.episodes]
    won = [arm for arm, won in zip(arms, whole_run.won, strict=True) if won]
    assert {(arm.task, arm.start): (arm.rate.won, arm.rate.tried) for arm in seen.arms} == {
        arm: (won.count(arm), arms.count(arm)) for arm in arms
    }
    # variance: a b / ((a + b)^2 (a + b + 1)) without the square, a = 1 + won, b = 1 + lost
    for arm in seen.arms:
        a, b = 1 + arm.rate.won, 1 + arm.rate.tried - arm.rate.won
        assert arm.weight == pytest.approx(a * b / ((a + b) * (a + b + 1)))
    weights = [arm.weight for arm in seen.arms]
    assert weights == sorted(weights, reverse=True)


def test_disk_counts_every_byte_of_episodes_adapters_updates_and_evaluations(whole_run):
    folder = whole_run.folder
    spent = logbook.run(folder).spent
    # the record of an episode is not among its own files
    stored = [p for p in (folder / "episodes").rglob("*") if p.name != "episode.json"]
    for part in ("adapters", "updates", "evaluations"):
        stored += (folder / part).rglob("*")
    assert spent.used_bytes == sum(path.stat().st_size for path in stored if path.is_file())
    assert spent.free_bytes > 0


def recorded(folder, steps, *, why="", verdict=Verdict.SUCCESS):
    """Record one episode of these steps into a run."""
    store = ZarrStore(folder)
    store.open()
    recording = store.begin(TASK, "base", 1.0)
    for each in steps:
        recording.append(each)
    if why:
        recording.abandon(why)
    else:
        won = verdict is Verdict.SUCCESS
        recording.finish(view(9.0), Terminated("success") if won else Truncated("timeout"))
        progress = np.zeros(len(steps) + 1, np.float32)
        recording.seal(RewardSignal(progress, 0.7, verdict, "judge/1"))
    store.close()


@pytest.fixture
def guarded(tmp_path):
    """A run with limits, a person's hands, an interruption and an unknown verdict."""
    folder = tmp_path / "guarded"
    create_run(folder, {}, {})
    recorded(folder, [step(0), step(1, limits=Limit.BOX | Limit.SPEED, executed=(True, False))])
    recorded(folder, [step(0, limits=Limit.BOX), step(1, by_hand=True, executed=(False, False))])
    recorded(folder, [step(0)], why="RobotFault: the arm is gone")
    recorded(folder, [step(0)], verdict=Verdict.UNKNOWN)
    return folder


def test_safety_counts_decisions_held_to_each_limit(guarded):
    safe = logbook.run(guarded).safety
    assert dict(safe.limits) == {"box": 2, "speed": 1}
    assert (safe.decisions, safe.control_steps, safe.by_hand) == (6, 12, 1)
    # executed: 2 + 1, 2 + 0, 2, 2 of 12
    assert safe.executed_share == pytest.approx(9 / 12)
    assert (safe.interrupted, dict(safe.reasons)) == (1, {"RobotFault: the arm is gone": 1})
    assert "fault" in {event.kind for event in logbook.events(guarded).events}


def test_what_the_judge_could_not_tell_is_no_try(guarded):
    seen = logbook.run(guarded)
    assert (seen.whole.won, seen.whole.tried, seen.episodes) == (2, 2, 3)
    assert (seen.judge.success, seen.judge.failure, seen.judge.unknown) == (2, 0, 1)
    assert dict(seen.judge.sources) == {"judge/1": 3}


def test_labels_are_held_against_the_judge(guarded):
    logbook.label(guarded, "000001", "success")
    logbook.label(guarded, "000002", "failure")
    logbook.label(guarded, "000004", "failure")
    judge = logbook.run(guarded).judge
    # the fourth has a label and no verdict, so it neither agrees nor differs
    assert (judge.labelled, judge.agreed) == (2, 1)


def test_a_run_is_live_while_its_writer_lives_and_holds_the_lock(whole_run, tmp_path):
    folder = tmp_path / "live"
    create_run(folder, {"run": {"episodes": 5}}, {})
    assert not logbook.run(folder).activity.live
    store = ZarrStore(folder)
    store.open()
    recording = store.begin(TASK, "base", 1.0)
    for number in range(3):
        recording.append(step(number))
    now = logbook.run(folder)
    assert (now.activity.pid, now.activity.phase) == (os.getpid(), "acting")
    assert now.activity.doing == "acting episode 000001, decision 4"
    store.close()
    # this process lives on, but writes no more
    after = logbook.run(folder).activity
    assert (after.live, after.phase) == (False, "stopped")
    assert logbook.run(whole_run.folder).activity.phase == "finished"


def test_a_killed_writer_is_not_live(tmp_path):
    create_run(tmp_path / "run", {}, {})

    def hold(tell):
        ZarrStore(tmp_path / "run").open()
        tell("open")
        signal.pause()

    pid, reading = in_child(hold)
    try:
        os.read(reading, 20)
        assert writer(tmp_path / "run") == pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)
    assert writer(tmp_path / "run") is None


def test_what_a_run_is_doing_follows_its_files(copy):
    (copy / "outcome.json").unlink()
    store = ZarrStore(copy)
    store.open()
    try:
        assert logbook.run(copy).activity.phase == "idle"
        for path in (copy / "evaluations").glob("after-*"):
            path.unlink()
        assert logbook.run(copy).activity.phase == "scoring after"
        (copy / "adapters" / "staging-0003").mkdir()
        assert logbook.run(copy).activity.doing == "learning: update 3"
        (copy / "adapters" / "staging-0003").rmdir()
        shutil.rmtree(copy / "episodes")
        shutil.rmtree(copy / "evaluations")
        shutil.rmtree(copy / "updates")
        assert logbook.run(copy).activity.phase == "scoring before"
    finally:
        store.close()


def test_runs_are_listed_the_newest_first_and_strangers_left_out(whole_run, tmp_path):
    for name, created in (
        ("old", "2026-01-01T00:00:00+00:00"),
        ("new", "2026-02-01T00:00:00+00:00"),
    ):
        create_run(tmp_path / name, {}, {})
        path = tmp_path / name / "run.json"
        path.write_text(
            path.read_text().replace(logbook.run(tmp_path / name).head.created, created)
        )
    (tmp_path / "stranger").mkdir()
    assert [row.head.name for row in logbook.runs(tmp_path).rows] == ["new", "old"]
    (row,) = logbook.runs(whole_run.folder).rows
    assert (row.episodes, row.updates) == (20, len(whole_run.reports))
    with pytest.raises(UsageError):
        logbook.runs(tmp_path / "none")
    with pytest.raises(UsageError):
        logbook.run(tmp_path / "stranger")


def test_a_withdrawn_adapter_is_told_from_the_one_that_acts(tmp_path):
    create_run(tmp_path, {}, {})
    ledger = Ledger(tmp_path)
    ledger.open()
    measured = {"update/kl_step": 0.1}
    for number, adapter, parent, kept, metrics in (
        (1, "0001", "base", True, measured),
        (2, "0002", "0001", False, measured),
        (3, "0003", "0001", True, measured),
        (4, "0001", "base", True, {}),  # as the session writes a roll-back
        (5, "0001", "0001", False, {}),  # nothing to learn from
    ):
        ledger.commit(UpdateReport(number, adapter, parent, (), kept, "why", metrics), None)
    family = logbook.adapters(tmp_path)
    assert family.acting == "0001"
    assert {row.name: row.state for row in family.rows} == {
        "base": "base", "0001": "acting", "0002": "discarded", "0003": "rolled back",
    }  # fmt: skip
    assert [(row.name, row.depth) for row in family.rows] == [
        ("base", 0), ("0001", 1), ("0002", 2), ("0003", 2),
    ]  # fmt: skip
    outcomes = [row.outcome for row in logbook.run(tmp_path).updates]
    assert outcomes == ["kept", "discarded", "kept", "rolled back", "skipped"]
