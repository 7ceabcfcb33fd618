"""`vlarl-agent bringup`: real processes on a graph of their own, started and ended together."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

pytestmark = [pytest.mark.ros, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
COMMAND = "import sys; from agent.cli import main; sys.argv[0] = 'vlarl-agent'; main()"
READY = "guard of tabletop, targets to /target_pose", "kinematic backend, namespace '': ready"


class Brought:
    """The command with everything it said so far."""

    def __init__(self, *told):
        environment = {
            **os.environ,
            "ROS_DOMAIN_ID": str(os.getpid() % 102),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "bringup", *told],
            cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self.process.stderr as lines:
            for line in lines:
                self.said += line

    def wait_for(self, *texts):
        ends = time.monotonic() + 30.0
        while not all(text in self.said for text in texts):
            assert time.monotonic() < ends, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.05)

    def children(self):
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {module_of(int(pid)): int(pid) for pid in listed.split()}

    def ended(self):
        code = self.process.wait(15.0)
        self._reader.join(5.0)
        return code


def module_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[3]


def gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except OSError:
        return True


@pytest.fixture
def brought():
    started = Brought("--simulated", "--sim-options", "--backend kinematic")
    yield started
    if started.process.poll() is None:
        started.process.terminate()
    started.ended()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_guard_and_simulated_arm_start_and_end_together(brought, number):
    brought.wait_for(*READY)
    children = brought.children()
    assert set(children) == {"bridges.guard", "sim.franka"}
    brought.process.send_signal(number)
    assert brought.ended() == 130
    assert all(gone(pid) for pid in children.values())
    assert "ended on request" in brought.said


def test_where_one_dies_all_end_and_nothing_is_started_again(brought):
    brought.wait_for(*READY)
    children = brought.children()
    os.kill(children["bridges.guard"], signal.SIGKILL)
    assert brought.ended() == 4
    assert gone(children["sim.franka"])
    assert "guard ended by itself with -9" in brought.said
    assert brought.said.count("guard of tabletop") == 1


def test_nothing_outlives_the_command_even_where_it_is_killed(brought):
    brought.wait_for(*READY)
    children = brought.children()
    brought.process.kill()
    ends = time.monotonic() + 15.0
    while not all(gone(pid) for pid in children.values()):
        assert time.monotonic() < ends, children
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("nobody",), "nothing has to be brought up for robot 'nobody'; known: franka"),
        (("--profile", "none"), "shipped: franka, panda, tabletop"),
        (("--simulated", "--profile", "panda"), "a profile of a simulated cell wanted"),
        (("--sim-options", "--shift x=1"), "need --simulated"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(told, said):
    started = Brought(*told)
    assert started.ended() == 2
    assert said in started.said
