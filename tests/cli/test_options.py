"""Flags and the settings they mean."""

import pytest

from agent.cli.options import resolve
from agent.errors import UsageError


@pytest.mark.parametrize(
    ("said", "pictures", "render"),
    [("fast", "fast", "egl"), ("faithful", "faithful", "egl"), ("osmesa", "faithful", "osmesa")],
)
def test_render_says_how_pictures_look_or_what_draws_them(said, pictures, render):
    robot = resolve(None, None, render=said).settings.robot
    assert (robot.pictures, robot.render) == (pictures, render)


def test_render_refuses_what_is_neither():
    with pytest.raises(UsageError, match="render"):
        resolve(None, None, render="pretty")
