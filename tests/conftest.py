"""What many tests need: a small real VLA in its folder, and a place to run it."""

import os
import signal

import pytest
import torch

from benchmarks.point_session import save_point_checkpoint

torch.set_num_threads(1)
# A shell that starts tests in the background has Ctrl-C ignored, and every child inherits it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Processes that find each other over real DDS and keep real deadlines: where a busy machine takes
# its cores away for a second, an honest fault comes instead of the one wanted. Tried again, twice.
REAL_TIME = ("tests/bridges/", "tests/sim/franka/", "tests/contracts/test_franka", "tests/tui/")
DEADLINES, GIVING_WAY = "deadlines", 10


def pytest_collection_modifyitems(items):
    for item in items:
        place = item.path.as_posix()
        if any(part in place for part in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))
        # Tests of one file share what is slow to make; those that keep deadlines run one by one.
        alone = item.get_closest_marker("ros") or any(part in place for part in REAL_TIME[:3])
        item.add_marker(pytest.mark.xdist_group(DEADLINES if alone else place))


def pytest_runtest_setup(item):
    # Side by side, what keeps no deadline gives way to what does; that group is begun first.
    side_by_side = "PYTEST_XDIST_WORKER" in os.environ
    keeps_deadlines = any(mark.args == (DEADLINES,) for mark in item.iter_markers("xdist_group"))
    if side_by_side and not keeps_deadlines and os.nice(0) < GIVING_WAY:
        os.nice(GIVING_WAY - os.nice(0))


@pytest.fixture(scope="session")
def point_checkpoint(tmp_path_factory):
    """A fresh VLA that fits tests/point_robot.py and answers much at random."""
    return save_point_checkpoint(tmp_path_factory.mktemp("point"))
