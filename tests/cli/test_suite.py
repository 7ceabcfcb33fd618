"""`vlarl-agent eval --suite`: terms, intervals, and going on after a stop."""

import json

import pytest
from typer.testing import CliRunner

from agent.cli.app import app
from agent.errors import DataError, UsageError


@pytest.fixture
def evaluate(point_checkpoint):
    def call(*arguments, suite="points"):
        robot = "tests.suited_robot:SuitedRobot"
        told = ["eval", "--robot", robot, "--suite", suite, "--policy", point_checkpoint]
        return CliRunner().invoke(app, [str(each) for each in [*told, *arguments]])

    return call


def test_a_suite_is_tried_from_its_first_stored_states_and_the_terms_are_told(evaluate):
    done = evaluate("--trials", 3, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    terms = told["terms"]
    assert terms["starts"] == [0, 1, 2]
    assert terms["horizon_steps"] == [4]
    assert (terms["settling_steps"], terms["image_px"]) == (3, 32)
    assert (terms["pipeline"], terms["decoding"]) == ("plain", "greedy")
    (row,) = told["rows"]
    assert row["all"]["n"] == 6
    assert {name: score["n"] for name, score in row["tasks"].items()} == {
        "points/0": 3, "points/1": 3,
    }  # fmt: skip
    # Wilson, none of 3: 1.96^2 / (3 + 1.96^2) = 0.5615; the others by the same formula.
    wanted = {0: (0.0, 0.5615), 1: (0.0615, 0.7923), 2: (0.2077, 0.9385), 3: (0.4385, 1.0)}
    for score in row["tasks"].values():
        assert (score["low"], score["high"]) == wanted[score["k"]]


def test_copies_of_the_policy_on_several_devices_come_to_the_same(evaluate):
    alone, spread = (
        json.loads(evaluate("--trials", 3, "--workers", 2, "--json", *more).stdout)["rows"]
        for more in ((), ("--devices", "cpu,cpu"))
    )
    assert spread == alone


def test_tries_that_are_kept_are_not_made_again_and_more_of_them_go_on(evaluate, tmp_path):
    out = tmp_path / "tries.jsonl"
    assert evaluate("--trials", 2, "--out", out).exit_code == 0
    kept = out.read_text().splitlines()
    with out.open("a") as file:
        file.write('{"adapter": "base", "ta')  # torn by a death
    done = evaluate("--trials", 3, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"][0]["all"]["n"] == 6
    lines = out.read_text().splitlines()
    assert lines[:5] == kept  # the terms and four tries
    assert len(lines) == 5 + 1 + 2
    assert {json.loads(line)["start"] for line in lines[-2:]} == {2}


def test_tries_on_other_terms_are_refused_by_name(evaluate, tmp_path):
    out = tmp_path / "tries.jsonl"
    assert evaluate("--trials", 1, "--out", out).exit_code == 0
    done = evaluate("--trials", 1, "--out", out, "--shift", "gain=0.5")
    assert isinstance(done.exception, DataError)
    assert "other terms: shift" in str(done.exception)


def test_the_same_adapter_twice_is_paired_on_the_same_states(evaluate):
    done = evaluate("--trials", 2, "--adapter", "base", "--adapter", "base", "--json")
    pair = json.loads(done.stdout)["paired"]
    assert pair["both"] + pair["neither"] == 4
    assert pair["p_value"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "suite", "why"),
    [
        (("--trials", 21), "points", "has 20 stored start states"),
        ((), "libero_object", "offers: points"),
        (("--task", "points/7"), "points", "no task matches"),
        (("--split", "gate"), "points", "first stored start states"),
    ],
)
def test_what_a_suite_does_not_have_is_refused(evaluate, arguments, suite, why):
    done = evaluate(*arguments, suite=suite)
    assert isinstance(done.exception, UsageError)
    assert why in str(done.exception)


def test_a_misspelt_suite_names_the_nearest(point_checkpoint):
    told = ["eval", "--suite", "libero_objects", "--policy", str(point_checkpoint)]
    done = CliRunner().invoke(app, told)
    assert "did you mean 'libero_object'?" in str(done.exception)


def test_a_suite_of_another_robot_is_refused_with_the_robot_that_offers_it(point_checkpoint):
    told = ["eval", "--robot", "franka", "--suite", "libero_10", "--policy", str(point_checkpoint)]
    done = CliRunner().invoke(app, told)
    assert "offered by robot 'libero', not by 'franka'" in str(done.exception)


def test_processes_side_by_side_come_to_the_same_as_one(evaluate):
    told = [
        json.loads(evaluate("--trials", 2, "--json", "--workers", n).stdout)["rows"] for n in (1, 2)
    ]
    assert told[0] == told[1]
