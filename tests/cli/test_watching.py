"""What is refused of a run's watch, before anything begins."""

import pytest
from typer.testing import CliRunner

from agent.cli.app import app
from agent.errors import UsageError
from agent.store.run import create_run


def refused(*command):
    """What a command refuses, raised."""
    done = CliRunner().invoke(app, [*map(str, command)])
    assert done.exception is not None, done.output
    raise done.exception


def test_a_reference_that_cannot_be_one_is_refused_before_a_run_begins(tmp_path):
    command = ["run", "--no-update", "--out", tmp_path / "runs", "--set"]
    none = tmp_path / "none"
    with pytest.raises(UsageError, match=r"sentinel\.reference: .*none holds no run"):
        refused(*command, f"sentinel.reference={none}")
    short = tmp_path / "short"
    create_run(short, {}, {})
    with pytest.raises(UsageError, match=r"sentinel\.reference: a run of 16 .* has 0"):
        refused(*command, f"sentinel.reference={short}")
    assert not (tmp_path / "runs").exists()


def test_a_folder_without_a_run_cannot_be_lifted(tmp_path):
    with pytest.raises(UsageError, match="holds no run"):
        refused("lift", tmp_path, "--why", "put back")
