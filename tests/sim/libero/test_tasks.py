import subprocess
import sys

import pytest

from agent.errors import UsageError
from sim.libero.tasks import find_pin, task_cards


def test_starts_for_learning_gating_and_reporting_are_disjoint_and_cover_all_fifty():
    for card in task_cards():
        assert card.train == tuple(range(25))
        assert card.gate == tuple(range(25, 30))
        assert card.held_out == tuple(range(30, 50))


def test_horizons_are_those_of_the_suites():
    horizons = {card.name: card.horizon_steps for card in task_cards()}
    assert horizons["libero_spatial/0"] == 220
    assert horizons["libero_object/9"] == 280
    assert horizons["libero_goal/3"] == 300
    assert horizons["libero_10/9"] == 520
    assert horizons["libero_90/89"] == 400


def test_an_unknown_task_is_an_error_that_names_a_near_one():
    with pytest.raises(UsageError, match="is it 'libero_object/1'"):
        find_pin("libero_objekt/1")


def test_listing_tasks_loads_neither_libero_nor_torch():
    code = (
        "import sys; from agent.settings import RobotSettings; from sim.libero.robot import Libero;"
        "assert len(Libero(RobotSettings(name='libero')).tasks()) == 130;"
        "sys.exit(bool({'libero', 'robosuite', 'mujoco', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
