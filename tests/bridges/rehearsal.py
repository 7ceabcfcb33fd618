"""A robot cell to rehearse in: the simulated Franka and the guard, each in its own process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from std_msgs.msg import String

from bridges.node import Link
from calibration.profile import find

ROOT = Path(__file__).parents[2]
PATIENT = """[freshness]
joints_s = {limit_s}
pose_s = {limit_s}
camera_s = {limit_s}
request_s = {limit_s}
frozen_frames = 40
"""


class Rehearsal:
    """Both processes on the graph of this process, and a hand in what happens there."""

    def __init__(self, profile: str, backend: str = "kinematic", *more: str) -> None:
        self.profile, self._backend, self._more = profile, backend, more
        self.arm: subprocess.Popen[str] | None = None
        self.guard: subprocess.Popen[str] | None = None
        self._link = Link("rehearsal")

    def start(self) -> Rehearsal:
        self.start_arm()
        self.start_guard()
        self._link.open()
        self._operator = self._link.publisher("/vlarl/operator", String, 10)
        self.wait_for("/joint_states")
        self.wait_for("/vlarl/answer")
        return self

    def wait_for(self, topic: str, timeout_s: float = 40.0) -> None:
        """Until a process has started: on a busy machine its imports alone take many seconds."""
        ends_s = time.monotonic() + timeout_s
        while not self._link.publishers(topic):
            assert time.monotonic() < ends_s, topic
            time.sleep(0.02)

    def start_arm(self) -> None:
        self.arm = _python(
            "sim.franka", "--backend", self._backend, "--profile", self.profile, *self._more
        )

    def start_guard(self) -> None:
        self.guard = _python("bridges.guard", "--profile", self.profile)

    def say(self, word: str) -> None:
        """A person says a word."""
        self._operator.publish(String(data=word))

    def fault(self, text: str) -> None:
        """Something breaks, or is whole again with ""."""
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=text)
        asked = SetParameters.Request(parameters=[Parameter(name="fault", value=value)])
        answer = self._link.call("/simulated_franka/set_parameters", SetParameters, asked, 10.0)
        assert answer.results[0].successful, answer.results[0].reason

    def close(self) -> None:
        self._link.close()
        for process in (self.guard, self.arm):
            end(process)


def end(process: subprocess.Popen[str] | None, number: int = signal.SIGTERM) -> None:
    """End a process, and wait until it has."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5.0)


def patient_cell(folder: Path, name: str = "tabletop", limit_s: float = 2.5) -> str:
    """A shipped profile for a machine that is busy with other tests: readings may be older."""
    before, _, rest = find(name).read_text().partition("[freshness]\n")
    after = rest[rest.index("\n[") :]
    path = folder / f"patient_{name}.toml"
    path.write_text(before + PATIENT.format(limit_s=limit_s) + after)
    return str(path)


def own_domain() -> None:
    """Let this process and its children hear only each other."""
    os.environ["ROS_DOMAIN_ID"] = str(os.getpid() % 102)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"


def _python(module: str, *told: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *told],
        cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    time.sleep(0.05)
    assert process.poll() is None, module
    return process
