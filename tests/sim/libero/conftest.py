"""One real LIBERO scene for all tests that need one; building it takes seconds."""

import importlib.util
from collections.abc import Callable, Iterator

import pytest

from agent.episode import Task
from agent.settings import RobotSettings
from sim.libero.install import find_assets
from sim.libero.robot import Libero


def _absent() -> str:
    for name in ("libero", "robosuite", "bddl"):
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed: see docs/libero.md"
    return "" if find_assets("") else "LIBERO's assets are not here: set VLARL_LIBERO_ASSETS"


@pytest.fixture(scope="session")
def libero() -> Iterator[Libero]:
    if why := _absent():
        pytest.skip(why)
    robot = Libero(RobotSettings(name="libero", image_px=84))
    yield robot
    robot.close()


@pytest.fixture(scope="session")
def task() -> Callable[..., Task]:
    def make(start: int = 3, horizon_steps: int = 280, seed: int = 0) -> Task:
        return Task(
            "libero_object/0",
            "pick up the alphabet soup and place it in the basket",
            start,
            horizon_steps,
            seed,
        )

    return make
