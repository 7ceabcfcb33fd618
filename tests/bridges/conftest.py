"""What tests on ROS need: a graph of their own, and a clock on the wall."""

import os
import time

import pytest


@pytest.fixture(autouse=True)
def own_graph(monkeypatch):
    """A domain of this process, so that neighbours on one machine do not hear each other."""
    monkeypatch.setenv("ROS_DOMAIN_ID", str(os.getpid() % 102))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


@pytest.fixture
def until():
    """Wait for something to become true, for a bounded time."""

    def wait(true, timeout_s=5.0):
        ends = time.monotonic() + timeout_s
        while time.monotonic() < ends:
            if true():
                return True
            time.sleep(0.005)
        return False

    return wait


@pytest.fixture(scope="module")
def cell(request, tmp_path_factory):
    """A simulated Franka and its guard, in processes of their own.

    They bear with a busy machine, less so for modules that test what is late: LIMIT_S.
    """
    pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")
    from tests.bridges.rehearsal import Rehearsal, own_domain, patient_cell

    own_domain()
    limit_s = getattr(request.module, "LIMIT_S", 2.5)
    cell = Rehearsal(patient_cell(tmp_path_factory.mktemp("cell"), limit_s=limit_s))
    try:
        yield cell.start()
    finally:
        cell.close()


@pytest.fixture(scope="module")
def arm(cell):
    """The arm of that cell behind the Robot seam."""
    from bridges.franka import FrankaArm
    from tests.bridges.franka_moves import settings, task

    arm = FrankaArm(settings(cell.profile))
    try:
        arm.reset(task(arm))
        yield arm
    finally:
        arm.close()
