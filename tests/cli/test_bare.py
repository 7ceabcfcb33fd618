"""The main job where no extra is installed, as `make run` finds a fresh machine."""

import json
import subprocess
import sys

import pytest

# Every package that only an extra brings; None makes importing it fail as if it were absent.
EXTRAS = (
    "cv2", "scipy", "sklearn", "h5py", "pyarrow", "av", "mcap", "rerun", "bitsandbytes", "rclpy",
    "pyrealsense2", "usb", "matplotlib", "textual", "libero", "robosuite", "bddl", "tensorboard",
    "trackio", "wandb", "prometheus_client", "ray",
)  # fmt: skip
BARE = """
import sys
sys.modules.update(dict.fromkeys({extras!r}))
sys.argv = ["vlarl-agent", *{arguments!r}]
from agent.cli import main
main()
"""


def bare(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = BARE.format(extras=EXTRAS, arguments=arguments)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_a_run_acts_learns_and_scores_without_any_extra(tmp_path):
    few = ("--episodes", "8", "--held-out", "1", "--minutes", "5", "--json")
    learn = ("--set", "learn.epochs=1", "--set", "learn.every_episodes=4")
    done = bare("run", *few, *learn, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["episodes"] == 8
    assert outcome["updates"] > 0


def test_alignment_without_opencv_says_what_to_install(tmp_path):
    done = bare("run", "--align", "2", "--episodes", "4", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "pip install 'vlarl-agent[opencv]'" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "command", ["run", "eval", "demos", "pretrain", "prime", "plan", "diagnose", "export", "report"]
)
def test_every_command_says_what_it_does_without_any_extra(command):
    assert bare(command, "--help").returncode == 0
