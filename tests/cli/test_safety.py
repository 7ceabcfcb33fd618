"""`vlarl-agent safety report`: out of what a run really recorded."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from agent import cell
from agent.cli.app import app
from agent.episode import RewardSignal, Verdict
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from calibration.profile import load
from tests.episodes import episode_of


@pytest.fixture
def run(tmp_path):
    """A run of one episode whose every view was answered by a command 21 ms later."""
    create_run(tmp_path, {}, {})
    cell.keep(tmp_path, load("franka"))
    store, episode = ZarrStore(tmp_path, free_bytes=0), episode_of(steps=5)
    store.open()
    recording = store.begin(episode.task, "base", 1.0)
    for step in episode.steps:
        recording.append(step)
    recording.finish(episode.last, episode.ending)
    recording.seal(RewardSignal(np.zeros(6, np.float32), 0.0, Verdict.FAILURE, "test"))
    store.close()
    return tmp_path


def test_the_report_adds_up_the_recorded_moments(run):
    done = CliRunner().invoke(app, ["safety", "report", str(run)])
    assert done.exit_code == 0, done.output
    # Decided 10 ms after the view, sent 10 ms later, applied 1 ms later: 21 ms, of which
    # 0.25 m/s makes 5 mm.
    assert "sensor age and inference   p50    10.0 ms" in done.output
    assert "our reaction in all        p50    21.0 ms" in done.output
    assert "5 mm at 0.25 m/s" in done.output


def test_programs_get_the_same_numbers_and_no_nan(run):
    done = CliRunner().invoke(app, ["safety", "report", str(run), "--json"])
    told = json.loads(done.stdout)
    assert told["reaction"]["p99_s"] == pytest.approx(0.021)
    assert told["cadence"]["achieved_hz"] == pytest.approx(5.0)
    assert "no safety function" in told["note"]
