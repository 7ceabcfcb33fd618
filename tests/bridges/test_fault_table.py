"""A short form of the table of faults: each really injected into real processes."""

import signal

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from benchmarks.ros_cell import Cell
from benchmarks.ros_faults import ARM_FAULTS, arm_row, guard_row, policy_rows, profile_row

pytestmark = [pytest.mark.ros, pytest.mark.slow]

# Of the arm's faults one that is mended, and one that only a person may clear.
SHORT = [row for row in ARM_FAULTS if row[1] in {"joints_dropped", "reflex"}]


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    patch.setenv("ROS_DOMAIN_ID", "0")  # the cell takes one of its own, and this restores ours
    with Cell(tmp_path_factory.mktemp("cell")) as cell:
        yield cell
    patch.undo()


@pytest.fixture(autouse=True)
def own_graph(cell, monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", str(cell.arm.domain))


def test_a_policy_that_answers_nonsense_too_much_or_too_late_is_stopped(cell):
    rows = policy_rows(cell)
    assert [row.number for row in rows] == [1, 2, 3, 4, 12]
    assert [row for row in rows if not row.ok] == []


def test_a_panda_profile_on_a_research_3_is_refused(cell):
    row = profile_row(cell)
    assert row.ok, row


@pytest.mark.parametrize("fault", SHORT, ids=lambda fault: fault[1])
def test_an_arm_that_breaks_under_way_is_at_rest_and_goes_on_when_it_may(cell, fault):
    row = arm_row(cell, *fault)
    assert row.ok, row
    assert row.stop_mm < 80  # what the controller may still pull to, by the profile's lead


def test_a_guard_that_is_killed_leaves_the_arm_at_its_last_target(cell):
    row = guard_row(cell, signal.SIGKILL)
    assert row.ok, row
    assert row.stop_mm < 80
