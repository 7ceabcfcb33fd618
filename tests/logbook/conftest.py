"""One real little run, acted, learned from and scored, for all tests of the log."""

import json
import shutil
from dataclasses import asdict

import pytest

from tests.whole_run import Run, told


@pytest.fixture(scope="session")
def whole_run(point_checkpoint, tmp_path_factory):
    """A finished run of 20 episodes of the point robot with two updates; not to be altered."""
    folder = tmp_path_factory.mktemp("log") / "run"
    with Run(told(point_checkpoint, episodes=20, held_out=4), folder) as run:
        run.outcome = run.deploy()
        text = json.dumps(asdict(run.outcome))  # as the command line keeps it
        (folder / "outcome.json").write_text(text)
        return run


@pytest.fixture
def copy(whole_run, tmp_path):
    """A copy of that run's folder, to be altered."""
    return shutil.copytree(whole_run.folder, tmp_path / "run")
