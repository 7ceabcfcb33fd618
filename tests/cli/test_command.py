"""The command as a user starts it: what it prints, and what it ends with."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from agent.cli.app import without_ros
from agent.settings import Settings

COMMAND = "import sys; from agent.cli import main; sys.argv[0] = 'vlarl-agent'; main()"


def vlarl(*arguments: str, folder: Path | None = None, **environment: str):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("VLARL_")}
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env=kept | environment,
        check=False,
    )


def test_version_is_that_of_the_project_file():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    done = vlarl("--version")
    assert (done.returncode, done.stdout) == (0, f"vlarl-agent {project['project']['version']}\n")


def test_a_refused_setting_is_one_line_on_stderr_and_ends_with_2():
    done = vlarl("config", "show", "--set", "learn.gamma=2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: learn.gamma: wanted a number > 0 and <= 1")
    assert done.stderr.count("\n") == 1


def test_a_flag_nobody_knows_ends_with_2():
    assert vlarl("config", "show", "--sett", "x").returncode == 2


def test_config_show_is_a_file_that_config_reads_back(tmp_path: Path):
    first = vlarl("config", "show", "--shift", "rotate=0.6,gain=1.4", "--set", "run.out='a \"b\"'")
    file = tmp_path / "settings.toml"
    file.write_text(first.stdout)
    again = vlarl("config", "show", "--config", str(file))
    assert again.stdout == first.stdout
    assert tomllib.loads(again.stdout)["robot"]["shift"] == {"rotate": 0.6, "gain": 1.4}
    assert tomllib.loads(again.stdout)["run"]["out"] == 'a "b"'


def test_config_show_origins_names_flag_variable_and_default():
    done = vlarl(
        "config", "show", "--origins", "--task", "x", "--set", "run.seed=3", VLARL_LEARN__RANK="2"
    )
    said = {
        line.split(" = ")[0]: line.split("# ")[1]
        for line in done.stdout.splitlines()
        if "#" in line
    }
    assert said["task"] == "flag --task"
    assert said["seed"] == "--set run.seed=3"
    assert said["rank"] == "environment VLARL_LEARN__RANK"
    assert said["alpha"] == "default"


def test_config_show_json_is_the_whole_of_the_settings():
    told = json.loads(vlarl("config", "show", "--json").stdout)
    assert told["settings"] == Settings().model_dump(mode="json")
    assert set(told["origins"].values()) == {"default"}


def test_a_reader_that_leaves_early_ends_it_quietly():
    # the reading end is closed before anything is written
    child = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "config", "show"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    child.stdout.close()
    said = child.stderr.read()
    child.stderr.close()
    assert (child.wait(timeout=60), said) == (1, "")


RAISING = """
import sys, time
from agent import configuration
from agent.cli import main
def show(*_):
    {body}
configuration.resolve = show
sys.argv = ["vlarl-agent", "config", "show"]
main()
"""


def test_a_bug_keeps_its_traceback_and_ends_with_1():
    done = subprocess.run(
        [sys.executable, "-c", RAISING.format(body="raise ZeroDivisionError('a bug')")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("ZeroDivisionError: a bug\n")


def test_interrupting_ends_with_130():
    body = "print('here', flush=True); time.sleep(60)"
    child = subprocess.Popen(
        [sys.executable, "-c", RAISING.format(body=body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout.readline() == "here\n"
    time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=60) == 130
    child.stdout.close()


@pytest.mark.slow
def test_doctor_says_the_same_in_text_and_in_json():
    text, told = vlarl("doctor"), vlarl("doctor", "--json")
    checks = json.loads(told.stdout)
    assert text.returncode == told.returncode == checks["exit_code"]
    assert [line.split()[0] for line in text.stdout.splitlines()] == [
        each["status"] for each in checks["checks"]
    ]
    names = [each["name"] for each in checks["checks"]]
    assert names[:4] == ["python", "packages", "rooms", "torch"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["run", "--ros-args", "-r", "__ns:=/left", "-p", "x:=1"], ["run"]),
        (["run", "--ros-args", "-r", "a:=b", "--", "--seed", "3"], ["run", "--seed", "3"]),
        (["run", "--", "x", "--ros-args", "--ros-args", "--"], ["run", "--", "x"]),
        (["run", "--seed", "3"], ["run", "--seed", "3"]),
    ],
)
def test_what_ros_adds_to_a_command_is_left_out(given, kept):
    assert without_ros(given) == kept
