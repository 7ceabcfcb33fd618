"""One real run on the point robot, with its events and its figures."""

import shutil

import pytest

from agent.settings import RunSettings
from agent.sinks.fan import Sinks
from tests.whole_run import Run, told


@pytest.fixture(scope="session")
def deployed(point_checkpoint, tmp_path_factory):
    """A finished deployment: the run, with everything its session told."""
    folder = tmp_path_factory.mktemp("sinks") / "run"
    learn = {"every_episodes": 13, "epochs": 1}
    with Run(told(point_checkpoint, learn, episodes=30, held_out=4), folder) as run:
        run.deploy()
    sinks = Sinks(folder, RunSettings())
    sinks.open({})
    sinks.close()
    return run


@pytest.fixture
def folder(deployed, tmp_path):
    """A copy of the run's folder, its figures written."""
    shutil.copytree(deployed.folder, tmp_path / "point-run")
    return tmp_path / "point-run"
