"""The whole agent over real DDS: VLA, judge, learner and store against guard and simulated arm."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from agent.episode import Limit
from agent.settings import RobotSettings
from agent.store.reader import ZarrReader
from bridges.examining import examine
from calibration.profile import find, load
from tests.bridges.rehearsal import Rehearsal, own_domain

pytestmark = [pytest.mark.ros, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
COMMAND = "import sys; from agent.cli import main; sys.argv[0] = 'vlarl-agent'; main()"
TOLD = (
    "run", "--robot", "franka", "--profile", "tabletop", "--task", "lift the red cube",
    "--episodes", "2", "--held-out", "1", "--minutes", "3", "--json",
    "--set", "robot.horizon_steps=40", "--set", "learn.every_episodes=2",
    "--set", "learn.warmup_episodes=1", "--set", "learn.epochs=1",
    "--set", "learn.progress_weight=0.1",
)  # fmt: skip


def vlarl(*told):
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *told],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def cell():
    own_domain()
    cell = Rehearsal("tabletop", "tabletop").start()
    yield cell
    cell.close()


def state_of_guard():
    found = {each.name: each for each in examine(RobotSettings(name="franka", profile="tabletop"))}
    return found["guard"].found.partition(",")[0]


@pytest.fixture(scope="module")
def ran(cell, tmp_path_factory):
    out = tmp_path_factory.mktemp("ran")
    done = vlarl(*TOLD, "--out", str(out))
    said, talk = done.communicate(timeout=150)
    assert done.returncode == 0, talk
    return json.loads(said), talk, next(out.iterdir())


def test_it_acts_learns_once_and_comes_to_rest(ran):
    outcome, _, _ = ran
    assert (outcome["robot"], outcome["task"]) == ("franka", "lift-the-red-cube")
    assert (outcome["episodes"], outcome["updates"]) == (2, 1)
    assert state_of_guard() == "ARMED"  # at rest: nothing may move until the next begin


def test_the_update_really_learned_from_what_the_arm_did(ran):
    _, _, folder = ran
    update = json.loads((folder / "updates" / "0001.json").read_text())
    assert len(update["episodes"]) == 2
    assert update["metrics"]["update/decisions"] > 0
    assert update["metrics"]["update/gradient_steps"] > 0


def test_every_step_tells_when_it_was_seen_decided_sent_and_applied(ran):
    _, talk, folder = ran
    reader = ZarrReader(folder)
    for episode_id in reader.ids():
        episode = reader.read(episode_id).episode
        for step in episode.steps:
            times = step.times
            assert step.observation.time_s < times.decided_s < times.sent_s < times.applied_s
            assert times.applied_s - step.observation.time_s < 1.0
            assert step.limits & ~Limit.BOX & ~Limit.GRIPPER & ~Limit.SINGULAR == Limit(0)
            assert not step.by_hand
    assert "control rate" in talk


def test_run_and_episodes_name_the_cell(ran):
    _, _, folder = ran
    sha256 = load("tabletop").sha256
    assert json.loads((folder / "cell.json").read_text())["sha256"] == sha256
    for record in (folder / "episodes").glob("*/episode.json"):
        assert sha256 in record.read_text()


def await_steps(process, runs):
    """Wait until a running episode has grown by a step or two."""
    ends, sizes = time.monotonic() + 90, set()
    while len(sizes) < 3:
        assert time.monotonic() < ends
        assert process.poll() is None, process.communicate()
        sizes |= {log.stat().st_size for log in runs.glob("*/staging/*/steps.log")}
        time.sleep(0.02)


def test_ctrl_c_in_an_episode_rests_the_arm_keeps_the_steps_and_the_run_goes_on(cell, tmp_path):
    profile = tmp_path / "cell.toml"
    profile.write_text(find("tabletop").read_text())
    told = [str(profile) if word == "tabletop" else word for word in TOLD]
    done = vlarl(*told, "--no-update", "--held-out", "0", "--out", str(tmp_path / "runs"))
    await_steps(done, tmp_path / "runs")
    done.send_signal(signal.SIGINT)
    time.sleep(0.05)
    done.send_signal(signal.SIGINT)  # an impatient second one tears nothing
    _, talk = done.communicate(timeout=30)  # ten seconds' work where nobody else works
    assert done.returncode == 130, talk
    (folder,) = (tmp_path / "runs").iterdir()
    assert len(ZarrReader(folder).interrupted()) == 1
    assert state_of_guard() == "ARMED"

    profile.write_text(find("tabletop").read_text().replace("lead_m = 0.09", "lead_m = 0.08"))
    other = vlarl("run", "--resume", str(folder))
    _, talk = other.communicate(timeout=60)
    assert other.returncode == 2
    assert "limits.lead_m was 0.09, is 0.08" in talk
