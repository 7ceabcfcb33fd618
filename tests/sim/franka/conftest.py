"""One simulated Franka as a process for all tests that speak with one."""

import pytest


@pytest.fixture(scope="session")
def session_arm():
    pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")
    from benchmarks.simulated_arm import SimulatedArm

    with SimulatedArm() as arm:
        yield arm


@pytest.fixture
def arm(session_arm):
    """Sound, at start state 0."""
    assert session_arm.put(fault="") == ""
    assert session_arm.reset("touch the mark", 0).success
    return session_arm
