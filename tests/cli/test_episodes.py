"""`vlarl-agent episodes`, on a small real recording."""

import json
import shutil
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


def test_fsck_sets_the_damaged_episode_aside_and_ends_with_0_once_all_is_in_order(run: Path):
    largest = max((run / "episodes").rglob("*"), key=lambda file: file.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])
    first = vlarl("episodes", "fsck", str(run), "--dry-run")
    assert first.returncode == 3
    assert "would be set aside in quarantine" in first.stdout
    assert vlarl("episodes", "fsck", str(run)).returncode == 0
    assert (run / "quarantine" / "000001").is_dir()
    assert vlarl("episodes", "fsck", str(run), "--dry-run").stdout == "all in order\n"


def test_prune_keeps_what_an_update_used_or_waits_for_and_removes_only_with_yes(run: Path):
    (run / "updates").mkdir()
    text = vlarl("episodes", "prune", str(run), "--keep", "0", "--yes").stdout
    assert "1 must stay: the next update waits for it" in text
    report = {"number": 1, "adapter": "0001", "parent": "base", "episodes": ["000001"],
              "kept": True, "why": "", "metrics": {}}  # fmt: skip
    (run / "updates" / "0001.json").write_text(json.dumps(report))
    text = vlarl("episodes", "prune", str(run), "--keep", "0", "--yes").stdout
    assert "1 must stay: used by an update" in text
    assert "give --yes" in vlarl("episodes", "prune", str(run), "--keep", "0", "--used").stdout
    assert (run / "episodes" / "000001").is_dir()
    vlarl("episodes", "prune", str(run), "--keep", "0", "--used", "--yes")
    assert not (run / "episodes" / "000001").is_dir()
    assert vlarl("episodes", "prune", str(run)).returncode == 2
    assert vlarl("episodes", "prune", str(run), "--gib", "inf").returncode == 2  # no limit either


def test_compact_and_import_say_what_they_did(run: Path, tmp_path: Path):
    assert vlarl("episodes", "compact", str(run)).stdout.startswith("0 episodes compacted")
    packed = shutil.make_archive(str(tmp_path / "one"), "zip", run / "episodes", "000001")
    done = vlarl("episodes", "import", packed, "--into", str(tmp_path / "other"), "--json")
    assert json.loads(done.stdout)["episodes"] == ["000001"]
    assert vlarl("episodes", "verify", str(tmp_path / "other")).returncode == 0
    (tmp_path / "bad.hdf5").write_bytes(b"nothing")
    done = vlarl("episodes", "import", str(tmp_path / "bad.hdf5"), "--into", str(run))
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
