"""Launch files and units: what they start exists, takes those options, and really starts."""

import ast
import configparser
import importlib.util
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAUNCH = ROOT / "launch"
FILES = sorted(LAUNCH.glob("*.launch.py"))
UNITS = sorted((LAUNCH / "systemd").glob("*.service"))


def named(path):
    return path.name


def strings(node):
    return [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and type(n.value) is str]


def commands(file):
    """The `arguments` of every Node in a launch file that starts a Python module."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Node":
            (told,) = [k.value for k in node.keywords if k.arg == "arguments"] or [None]
            if told is not None:
                yield strings(told)


def options_of(module):
    """The options that a module says it takes; the agent's are those of `run`."""
    sub = ["run"] if module == "agent.cli" else []
    done = subprocess.run(
        [sys.executable, "-m", module, *sub, "--help"],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=True,
    )  # fmt: skip
    return set(re.findall(r"--[a-z][a-z-]*", done.stdout))


@pytest.fixture(scope="module")
def known():
    pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")
    return {module: options_of(module) for module in ("agent.cli", "bridges.guard", "sim.franka")}


@pytest.mark.parametrize("file", FILES, ids=named)
def test_every_node_starts_a_module_of_ours_with_options_that_it_takes(file, known):
    found = list(commands(file))
    assert found or file.name == "cameras.launch.py"
    for dash, module, *told in found:
        assert dash == "-m"
        options = {word for word in told if word.startswith("--")}
        assert options
        assert options <= known[module]


@pytest.mark.parametrize("file", FILES, ids=named)
def test_the_end_of_one_process_ends_the_others(file):
    nodes = [
        node
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Node"
    ]
    assert nodes
    for node in nodes:
        words = {keyword.arg for keyword in node.keywords}
        assert "respawn" not in words
        assert "on_exit" in words or file.name == "cameras.launch.py"


def test_the_page_lists_every_file():
    page = (LAUNCH / "README.md").read_text()
    assert all(f"`{file.name}`" in page for file in FILES)


@pytest.mark.parametrize("unit", UNITS, ids=named)
def test_a_unit_restarts_nothing_and_is_watched(unit):
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read(unit)
    service = parser["Service"]
    assert service["Restart"] == "no"
    assert service["Type"] == "notify"
    assert float(service["WatchdogSec"]) > 0
    assert float(service["TimeoutStopSec"]) <= 10  # row 15 of the fault table
    module = re.search(r"-m ([a-z.]+)", service["ExecStart"])[1]
    assert importlib.util.find_spec(module) is not None


@pytest.mark.ros
@pytest.mark.slow
def test_the_rehearsal_starts_and_ends_for_real():
    """Where ROS's own `launch` is there, which no package index has."""
    pytest.importorskip("launch_ros", reason="needs a sourced ROS 2")
    go = (
        "import sys; from launch import LaunchDescription, LaunchService; "
        "from launch.actions import IncludeLaunchDescription; "
        "from launch.launch_description_sources import PythonLaunchDescriptionSource as Source; "
        "s = LaunchService(argv=[]); s.include_launch_description(LaunchDescription(["
        "IncludeLaunchDescription(Source(sys.argv[1]), launch_arguments=[('backend', 'kinematic')])"
        "])); sys.exit(s.run())"
    )
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(os.getpid() % 102),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", go, str(LAUNCH / "simulated_franka.launch.py")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    said: list[str] = []

    def read():
        with process.stdout as lines:
            said.extend(lines)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    ends = time.monotonic() + 30.0
    while not ("guard of tabletop" in "".join(said) and ": ready" in "".join(said)):
        assert time.monotonic() < ends, "".join(said)
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.wait(15.0)
    reader.join(5.0)
    assert "".join(said).count("process has finished cleanly") == 2
