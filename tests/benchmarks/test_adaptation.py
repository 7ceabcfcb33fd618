"""What is run, what is not run again, and what may not share a file."""

import json
from dataclasses import replace

import pytest

from benchmarks import adaptation
from benchmarks.adaptation import Cell, Protocol

PROTOCOL = Protocol(96, 60.0, 50, "", ("learn.epochs=2",))


def test_a_row_read_back_is_known_as_its_deployment():
    cell = Cell("lift-red-cube", "rotate=0.8, gain=0.5", 3, "random-advantage")
    row = {
        "control": "random-advantage",
        "seed": 3,
        "shift": {"gain": 0.5, "rotate": 0.8},
        "task": "lift-red-cube",
        "episodes": 96,
    }
    told = json.loads(json.dumps(row))
    assert adaptation._key(told) == adaptation._key(adaptation._named(cell))
    for change in ({"shift": "rotate=0.8"}, {"seed": 4}, {"control": ""}, {"task": "push"}):
        other = replace(cell, **change)
        assert adaptation._key(told) != adaptation._key(adaptation._named(other))


def test_every_deployment_of_every_protocol_has_a_folder_of_its_own():
    shifts = ("", "gain=0.5", "gain=0.50")
    cells = [Cell("a/0,a/1", shift, seed, "") for shift in shifts for seed in (0, 1)]
    protocols = [PROTOCOL, replace(PROTOCOL, sets=()), replace(PROTOCOL, episodes=8)]
    names = {cell.name(protocol) for cell in cells for protocol in protocols}
    assert len(names) == 18
    assert not any(set(name) & set("/=, ") for name in names)


def test_results_of_another_protocol_are_not_mixed_in(tmp_path):
    out = tmp_path / "adaptation.json"
    begun = adaptation._opened(out, PROTOCOL)
    assert begun["rows"] == []
    out.write_text(json.dumps(begun | {"rows": [{"seed": 0}]}))
    assert adaptation._opened(out, PROTOCOL)["rows"] == [{"seed": 0}]
    with pytest.raises(SystemExit, match="another protocol"):
        adaptation._opened(out, replace(PROTOCOL, episodes=48))


def test_runs_and_evaluations_are_told_the_same_world():
    assert replace(PROTOCOL, checkpoint="policy").world("lift-red-cube") == [
        "--robot", "tabletop", "--task", "lift-red-cube", "--checkpoint", "policy",
        "--set", "learn.epochs=2",
    ]  # fmt: skip
