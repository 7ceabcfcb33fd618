"""Lessons on the tabletop: the expert answers, and what it said is what is recorded."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from agent.coaching import Lesson, record
from agent.coaching_parts import part_folders, record_parts
from agent.episode import Verdict
from agent.settings import Settings
from agent.store.reader import ZarrReader

pytestmark = pytest.mark.slow

SETTINGS = Settings.model_validate(
    {"robot": {"name": "tabletop", "task": "lift-red-cube", "image_px": 32}, "run": {"seed": 5}}
)


def lesson(**changes):
    plain = {"episodes": 2, "noise": 0.0, "driver": None, "driven": 0.0, "fresh": None}
    return Lesson(**(plain | changes))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lesson") / "run"
    told = []
    won = record(SETTINGS, folder, lesson(), lambda *row: told.append(row))
    return folder, won, told


def episodes(folder):
    reader = ZarrReader(folder)
    return [reader.read(name) for name in reader.ids()]


def test_the_expert_succeeds_and_every_episode_is_told_and_sealed(plain):
    folder, won, told = plain
    assert won == 2
    assert told == [(1, 2, 1), (2, 2, 2)]
    scored = episodes(folder)
    assert [s.signal.verdict for s in scored] == [Verdict.SUCCESS] * 2
    assert {s.episode.adapter for s in scored} == {"expert"}
    assert {row.use for row in ZarrReader(folder).summaries()} == {"demonstration"}


def test_the_same_lesson_gives_the_same_episodes(plain, tmp_path):
    record(SETTINGS, tmp_path / "run", lesson())
    for mine, theirs in zip(episodes(tmp_path / "run"), episodes(plain[0]), strict=True):
        assert mine.episode.task == theirs.episode.task
        tracks = [np.concatenate([x.track for x in s.episode.steps]) for s in (mine, theirs)]
        assert np.array_equal(*tracks)


def test_two_processes_record_the_episodes_that_one_would(plain, tmp_path):
    told = []
    won = record_parts(SETTINGS, tmp_path, lesson(), 2, lambda *row: told.append(row))
    # two episodes in two processes: one each
    assert won == 2
    assert sorted(told) == [(tmp_path / "part-0", 1, 1), (tmp_path / "part-1", 1, 1)]
    found = [scored for folder in part_folders(tmp_path, 2) for scored in episodes(folder)]
    for mine, theirs in zip(found, episodes(plain[0]), strict=True):
        assert mine.episode.task == theirs.episode.task
        tracks = [np.concatenate([x.track for x in s.episode.steps]) for s in (mine, theirs)]
        assert np.array_equal(*tracks)


def test_noise_moves_the_arm_and_leaves_the_experts_answers(tmp_path):
    record(SETTINGS, tmp_path / "run", lesson(episodes=1, noise=0.3))
    (scored,) = episodes(tmp_path / "run")
    own = np.concatenate([step.executed for step in scored.episode.steps])
    assert 0 < own.sum() < len(own)
    for step in scored.episode.steps:
        for asked, done, kept in zip(
            step.decision.actions, step.applied, step.executed, strict=False
        ):
            assert np.array_equal(asked.delta, done.delta) == bool(kept)


def test_fresh_starts_are_none_of_the_stored_ones(plain, tmp_path):
    record(SETTINGS, tmp_path / "run", lesson(episodes=1, fresh=1_000_000))
    (scored,) = episodes(tmp_path / "run")
    # First of its seed: 1 000 000 + 5 x 100 000.
    assert scored.episode.task.start == 1_500_000
    stored = {s.episode.task.start for s in episodes(plain[0])}
    assert scored.episode.task.start not in stored


def test_killed_the_one_who_asked_its_processes_record_no_more(tmp_path):
    command = ["demos", "--task", "lift-red-cube", "--episodes", "400", "--workers", "2"]
    recorder = subprocess.Popen(
        [sys.executable, "-m", "agent.cli", *command, "--out", str(tmp_path)]
    )
    try:
        _wait(lambda: len(list(tmp_path.glob("part-*/manifest.jsonl"))) == 2)
    finally:
        recorder.kill()
        recorder.wait()
    _wait(lambda: not _users(tmp_path))


def _users(folder):
    """Processes whose open files lie in a folder."""
    links = Path("/proc").glob("[0-9]*/fd/*")
    return {link.parts[2] for link in links if str(folder) in _target(link)}


def _target(link):
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _wait(done):
    until = time.monotonic() + 60
    while not done():
        assert time.monotonic() < until
        time.sleep(0.1)
