"""`vlarl-agent plan`, and what a user meets of adapters on the top blocks alone."""

import json

import pytest
from typer.testing import CliRunner

from agent.cli.app import app
from agent.errors import UsageError
from agent.learn.explanation import read
from benchmarks.point_session import ROBOT
from benchmarks.published_folder import published_config
from tests.whole_run import Run, told


def call(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A published folder of which nothing but the config is there."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "config.json").write_text(json.dumps(published_config("full")))
    return folder


def test_a_device_that_is_not_here_is_planned_for_and_said_to_be_predicted(published):
    done = call("plan", "--policy", published / "config.json", "--as", "rtx 4090", "--between", 400)
    assert done.exit_code == 0, done.output
    assert "RTX 4090, 24.0 GB; pace PREDICTED from 0.5 of 165 TFLOP/s" in done.stdout
    assert "PREDICTED, nothing of it measured" in done.stdout
    assert "adapters on the top " in done.stdout
    assert "--set learn.top_layers=" in done.stdout
    by_hand = ["--flops", 165, "--bandwidth", 1010, "--memory-gb", 24, "--json"]
    same = json.loads(call("plan", "--policy", published, *by_hand, "--between", 400).stdout)
    named = call("plan", "--policy", published, "--as", "4090", "--between", 400, "--json")
    known = json.loads(named.stdout)["plan"]
    assert same["plan"]["way"] == known["way"]
    assert same["plan"]["decision_s"] == pytest.approx(known["decision_s"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--as", "jetson"], "known: H200, H100"),
        (["--as", "TPU v5"], "found 'TPU v5'"),
        (["--flops", "100"], "wants --flops, --bandwidth and --memory-gb together"),
        (["--flops", "-1", "--bandwidth", "1", "--memory-gb", "1"], "as numbers above 0"),
        (["--as", "H200", "--bandwidth", "nan"], "as numbers above 0"),
        (["--as", "H200", "--set", "policy.dtype=float32"], "16-bit products"),
        (["--as", "H200", "--memory-gb", "4"], r"found 4\.0 GB \(H200\)"),
    ],
)
def test_a_device_that_cannot_be_planned_for_is_refused(published, options, said):
    done = call("plan", "--policy", published, *options)
    assert isinstance(done.exception, UsageError)
    done.exception.args = (str(done.exception),)
    with pytest.raises(UsageError, match=said):
        raise done.exception


def test_a_cut_that_cannot_be_is_refused_before_a_run_begins(point_checkpoint, tmp_path):
    told_so = ["--robot", ROBOT, "--policy", point_checkpoint, "--out", tmp_path]
    done = call("run", *told_so, "--set", "learn.top_layers=9")
    assert isinstance(done.exception, UsageError)
    assert "this one has 2: 1 to 1 adapt" in str(done.exception)
    assert not list(tmp_path.iterdir())
    for sets in (["learn.top_layers=1", "learn.targets=all-linear"], ["learn.top_layers=-1"]):
        both = [part for each in sets for part in ("--set", each)]
        assert isinstance(call("run", *told_so, *both).exception, UsageError)
    # In whichever order they come, what holds in the end is what counts.
    done = call("config", "show", "--preset", "faithful", "--set", "learn.top_layers=1")
    assert isinstance(done.exception, UsageError)
    kept = ["--set", "learn.top_layers=1", "--set", "learn.targets=language"]
    assert call("config", "show", "--preset", "faithful", *kept).exit_code == 0


def test_a_run_on_the_top_block_is_explained_scored_and_not_gone_on_with_otherwise(
    point_checkpoint, tmp_path
):
    settings = told(point_checkpoint, {"top_layers": 1}, episodes=16)
    with Run(settings, tmp_path / "run") as run:
        run.act()
        kept = [report for report in run.reports if report.kept]
        assert kept
    explained = read(tmp_path / "run" / "updates" / f"{kept[0].number:04d}.safetensors")
    assert set(explained) == set(kept[0].episodes)
    folder = tmp_path / "run" / "adapters" / kept[0].adapter
    done = call(
        "eval", "--robot", ROBOT, "--policy", point_checkpoint, "--adapter", folder,
        "--states", 3, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    other = told(point_checkpoint, {"top_layers": 0}, episodes=24)
    with Run(other, tmp_path / "run") as run:
        run.act()
        assert "on the top 1 blocks; set learn.top_layers" in run.reports[0].why
