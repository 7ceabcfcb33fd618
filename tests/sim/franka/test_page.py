"""docs/simulated-franka.md, against the process it describes."""

import re
from pathlib import Path

from sim.franka import table as tabletop
from sim.franka.faults import table

PAGE = (Path(__file__).parents[3] / "docs" / "simulated-franka.md").read_text()


def test_the_page_has_the_table_of_faults():
    assert table() in PAGE


def test_the_page_tells_how_far_targets_stay_from_the_shoulder():
    near, far = re.search(r"stay ([\d.]+) to ([\d.]+) m from the shoulder", PAGE).groups()
    assert (float(near), float(far)) == (tabletop._NEAREST_M, tabletop._FARTHEST_M)
