"""Who says whether an episode succeeded: a person first, then a world that knows."""

import pytest

from agent import cell
from agent.logbook.episodes_view import EpisodeRow
from agent.logbook.truth import Truth, truth, world_tells
from agent.store.summary import Summary
from calibration.profile import load


def row(ending, label=""):
    summary = Summary(
        "000001", "lift", "lift it", 0, 0, "base", 1.0, "", 3, 3, ending, "success", 0.9, 1.0, ""
    )
    return EpisodeRow("000001", "sealed", summary, label)


@pytest.mark.parametrize(
    ("ending", "simulated", "wanted"),
    [
        ("success", True, (True, "world")),
        ("timeout", True, (False, "world")),
        ("stopped", True, (None, "")),
        # A real arm's episode ends as success or fault by the operator's word alone.
        ("success", False, (True, "person")),
        ("fault", False, (False, "person")),
        ("timeout", False, (None, "")),
        ("human", False, (None, "")),
    ],
)
def test_the_ending_tells_where_somebody_stands_behind_it(ending, simulated, wanted):
    assert truth(row(ending), simulated=simulated) == Truth("000001", *wanted)


def test_a_typed_label_wins_over_any_ending():
    said = truth(row("success", "failure"), simulated=True)
    assert said == Truth("000001", success=False, by="person")


def test_what_the_judge_said_is_no_truth():
    assert truth(row("timeout"), simulated=False).success is None


def test_an_episode_without_a_record_is_unknown():
    assert truth(EpisodeRow("000001", "sealed", None), simulated=True).success is None


def test_a_simulated_arms_cell_speaks_for_its_world_and_a_real_ones_does_not(tmp_path):
    assert world_tells(tmp_path, "tabletop")
    assert not world_tells(tmp_path, "franka")
    cell.keep(tmp_path, load("franka"))
    assert not world_tells(tmp_path, "franka")
    cell.keep(tmp_path, load("tabletop"))
    assert world_tells(tmp_path, "franka")
