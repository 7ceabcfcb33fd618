"""What the policy is asked."""

import pytest

from agent.errors import DataError
from agent.policy.prompt import clean, prompt_text


def test_the_prompt_is_the_published_one_in_lower_case():
    text = prompt_text("Pick up the RED cube")
    assert text == "In: What action should the robot take to pick up the red cube?\nOut:"


def test_line_breaks_and_hidden_characters_cannot_forge_a_prompt():
    # U+202E turns the text round, U+200B is an invisible space, U+0007 rings the bell.
    assert clean("open\u202e the\u200b\ndrawer\x07") == "open the drawer"


def test_a_long_instruction_is_cut_at_512_characters():
    assert len(clean("a" * 2000)) == 512


@pytest.mark.parametrize("nothing", ["", "  \n", "\u202e\u200b"])
def test_an_instruction_must_say_something(nothing):
    with pytest.raises(DataError, match="instruction"):
        clean(nothing)
