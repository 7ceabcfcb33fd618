"""One simulated Franka as a process for the tests of a module."""

import pytest


@pytest.fixture(scope="module")
def living_arm():
    pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")
    from benchmarks.simulated_arm import SimulatedArm

    with SimulatedArm() as arm:
        yield arm


@pytest.fixture
def arm(living_arm):
    """Sound, at start state 0."""
    assert living_arm.put(fault="") == ""
    assert living_arm.reset("touch the mark", 0).success
    return living_arm
