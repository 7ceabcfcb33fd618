"""`vlarl-agent episodes`, on a small real recording."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agent.configuration import resolve, to_dict
from agent.episode import (
    Action,
    Decision,
    Observation,
    RewardSignal,
    Step,
    Task,
    Terminated,
    Verdict,
)
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore

COMMAND = "import sys; from agent.cli import main; sys.argv[0] = 'vlarl-agent'; main()"


def vlarl(*arguments: str):
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def view(rng: np.random.Generator) -> Observation:
    image = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return Observation({"front": image}, np.zeros(8, np.float32), "pick up the cube", 1.0)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that holds one sealed episode of one step."""
    folder = tmp_path / "run"
    resolved = resolve()
    create_run(folder, to_dict(resolved.settings), resolved.origins)
    rng = np.random.default_rng(0)
    action = Action(np.full(6, 0.5, np.float32), 1.0)
    tokens, log_probs = np.full(7, 128, np.int16), np.full(7, -1.0, np.float32)
    decision = Decision((action,), tokens, log_probs, "base", 1.0)
    track = np.zeros((1, 8), np.float32)
    store = ZarrStore(folder)
    store.open()
    recording = store.begin(Task("pick_cube", "pick up the cube", 0, 50), "base", 1.0)
    recording.append(Step(view(rng), decision, (action,), np.ones(1, np.bool_), track))
    recording.finish(view(rng), Terminated("success"))
    progress = np.array([0.0, 1.0], np.float32)
    recording.seal(RewardSignal(progress, 1.0, Verdict.SUCCESS, "simulator"))
    store.close()
    return folder


def test_ls_lists_the_episode_and_its_verdict(run: Path):
    done = vlarl("episodes", "ls", str(run), "--json")
    (row,) = json.loads(done.stdout)
    assert (done.returncode, row["id"], row["verdict"]) == (0, "000001", "success")
    assert "pick_cube" in vlarl("episodes", "ls", str(run)).stdout


def test_show_tells_one_episode(run: Path):
    done = vlarl("episodes", "show", str(run), "000001")
    assert done.returncode == 0
    assert "pick up the cube" in done.stdout


def test_verify_ends_with_0_for_a_whole_run_and_3_for_a_damaged_one(run: Path):
    assert vlarl("episodes", "verify", str(run)).returncode == 0
    largest = max((run / "episodes").rglob("*"), key=lambda file: file.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)
    done = vlarl("episodes", "verify", str(run))
    assert done.returncode == 3
    assert "000001" in done.stdout


def test_a_folder_that_is_no_run_ends_with_2(tmp_path: Path):
    done = vlarl("episodes", "ls", str(tmp_path / "none"))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
