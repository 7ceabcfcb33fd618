"""What many tests need: a small real VLA in its folder, and a place to run it."""

import pytest
import torch

from benchmarks.point_session import save_point_checkpoint

torch.set_num_threads(1)

# Processes that find each other over real DDS and keep real deadlines: where a busy machine takes
# its cores away for a second, an honest fault comes instead of the one wanted. Tried again, twice.
REAL_TIME = ("tests/bridges/", "tests/sim/franka/", "tests/contracts/test_franka", "tests/tui/")


def pytest_collection_modifyitems(items):
    for item in items:
        if any(part in item.path.as_posix() for part in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))


@pytest.fixture(scope="session")
def point_checkpoint(tmp_path_factory):
    """A fresh VLA that fits tests/point_robot.py and answers much at random."""
    return save_point_checkpoint(tmp_path_factory.mktemp("point"))
