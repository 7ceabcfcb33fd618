"""The robot contract, held against every simulated robot this machine can build."""

import importlib.util
from collections.abc import Callable

import pytest

from agent.hands import NoisyHands
from agent.protocols import Robot
from agent.settings import RobotSettings
from sim.libero.install import find_assets
from sim.libero.robot import Libero
from sim.tabletop.robot import Tabletop
from tests.contracts.robot_contract import (
    FreshRepeatableRobotContract,
    SimulatedRobotContract,
)


def tabletop() -> Robot:
    return Tabletop(RobotSettings(image_px=48))


def dim_noisy_tabletop() -> Robot:
    return Tabletop(RobotSettings(image_px=48, shift={"light": 0.6, "noise": 8.0, "gain": 1.2}))


def steady_hands() -> Robot:
    return NoisyHands(tabletop(), 0.0, seed=0)


def libero() -> Robot:
    for name in ("libero", "robosuite", "bddl"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: see docs/libero.md")
    if not find_assets(""):
        pytest.skip("LIBERO's assets are not here: set VLARL_LIBERO_ASSETS")
    return Libero(RobotSettings(name="libero", image_px=48))


FACTORIES: tuple[Callable[[], Robot], ...] = (tabletop, dim_noisy_tabletop, steady_hands)
SLOW_FACTORIES: tuple[Callable[[], Robot], ...] = (libero,)


def _params(factories, *marks):
    return [pytest.param(make, id=make.__name__, marks=marks) for make in factories]


@pytest.fixture(
    scope="module",
    params=_params(FACTORIES) + _params(SLOW_FACTORIES, pytest.mark.libero, pytest.mark.slow),
)
def robot(request):
    robot = request.param()
    yield robot
    robot.close()


@pytest.fixture(params=_params(FACTORIES))
def fresh(request):
    robot = request.param()
    yield robot
    robot.close()


class TestRobots(SimulatedRobotContract):
    pass


class TestFreshRobots(FreshRepeatableRobotContract):
    pass
