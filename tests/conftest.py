"""What many tests need: a small real VLA in its folder, and a place to run it."""

import pytest
import torch

from benchmarks.point_session import save_point_checkpoint

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def point_checkpoint(tmp_path_factory):
    """A fresh VLA that fits tests/point_robot.py and answers much at random."""
    return save_point_checkpoint(tmp_path_factory.mktemp("point"))
