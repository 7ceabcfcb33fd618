"""What a run is told where nobody says anything."""

import pytest

from agent.cli.build import usual
from agent.cli.shipped import checkpoint_of, shipped
from agent.configuration import resolve


def told(*sets: str):
    return usual(resolve(sets=list(sets)))


def test_the_shipped_libero_policy_gets_the_pictures_and_the_temperature_it_learned_with():
    found = told("robot.name=libero")
    assert found.settings.robot.pictures == "fast"
    assert found.settings.policy.temperature == 0.5
    assert found.origins["robot.pictures"] == "usual for a run on libero"


def test_a_named_checkpoint_and_a_word_of_ones_own_are_left_alone():
    named = told("robot.name=libero", "policy.checkpoint=mine").settings
    assert (named.robot.pictures, named.policy.temperature) == ("faithful", 1.0)
    said = told("robot.name=libero", "policy.temperature=0.7").settings
    assert (said.robot.pictures, said.policy.temperature) == ("fast", 0.7)


@pytest.mark.parametrize("robot", ["tabletop", "libero", "franka"])
def test_a_checkpoint_is_shipped_for_every_robot(robot):
    assert (shipped(robot) / "model.safetensors").is_file()
    assert checkpoint_of("", robot) == shipped(robot)
    assert str(checkpoint_of("elsewhere", robot)) == "elsewhere"


def test_libero_has_a_policy_of_its_own():
    assert shipped("libero") != shipped("tabletop") == shipped("franka")
