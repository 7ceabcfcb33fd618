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
DEADLINES = ("tests/bridges/", "tests/sim/franka/", "tests/contracts/test_franka", "test_bringup")
LATE = (*DEADLINES, "tests/tui/")
GIVING_WAY = 10


def _is_of(nodeid, places):
    return any(part in nodeid for part in places)


def pytest_collection_modifyitems(items):
    for item in items:
        if _is_of(item.nodeid, LATE):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))
    items.sort(key=lambda item: not _is_of(item.nodeid, DEADLINES))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Side by side: a file's tests on one process, and all that keep deadlines one by one."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return "deadlines" if _is_of(nodeid, DEADLINES) else nodeid.split("::", 1)[0]

    return ByFile(config, log)


def pytest_runtest_setup(item):
    # What keeps no deadline gives way to what does; that is begun first.
    side_by_side = "PYTEST_XDIST_WORKER" in os.environ
    if side_by_side and not _is_of(item.nodeid, DEADLINES) and os.nice(0) < GIVING_WAY:
        os.nice(GIVING_WAY - os.nice(0))


@pytest.fixture(scope="session")
def point_checkpoint(tmp_path_factory):
    """A fresh VLA that fits tests/point_robot.py and answers much at random."""
    return save_point_checkpoint(tmp_path_factory.mktemp("point"))
