"""docs/results.md is what the results files say, and nothing else."""

import json
from pathlib import Path

import pytest

from benchmarks import report, sections, setting

ROOT = Path(__file__).parents[2]

ROW = {
    "task": "lift-red-cube",
    "shift": {"rotate": 0.8},
    "control": "",
    "episodes": 96,
    "minutes": 4.04,
    "paired_p": 0.00012,
    "updates": 11,
    "updates_kept": 10,
    "adapter": "0010",
    "unshifted_before": {"k": 9, "n": 10, "low": 0.596, "high": 0.982},
    "unshifted_after": {"k": 8, "n": 10, "low": 0.49, "high": 0.943},
}


def row(seed: int, before: int, after: int, *, kept: bool) -> dict:
    bounds = {"n": 10, "low": 0.0, "high": 1.0}
    return ROW | {
        "seed": seed,
        "before": {"k": before, **bounds},
        "after": {"k": after, **bounds},
        "kept": kept,
    }


def test_the_page_of_results_is_what_the_results_say():
    # after a new measurement: make results
    assert (ROOT / "docs" / "results.md").read_text() == report.page(ROOT / "results")


@pytest.mark.parametrize("file", sorted((ROOT / "results").glob("*.json")), ids=lambda f: f.stem)
def test_every_results_file_has_a_section_with_its_command(file: Path):
    told = report.section(file.stem, json.loads(file.read_text()))
    assert told.startswith("## ")
    assert "    python " in told or "    vlarl-agent " in told


def test_seeds_are_added_up_and_what_was_not_kept_does_not_act():
    rows = [row(0, 3, 8, kept=True), row(1, 4, 2, kept=False)]
    protocol = {"episodes": 96, "minutes": 30.0, "held_out": 10, "sets": []}
    told = sections.adaptation({"protocol": protocol, "rows": rows})
    line = told.splitlines()[-1]
    # before 3 + 4 = 7, learned 8 + 2 = 10, acting 8 + 4 = 12, each of 20; Wilson of 7/20:
    # (0.35 + 0.0960 +- 1.96 sqrt(0.2275/20 + 0.0024)) / 1.1921 = 0.374 +- 0.193
    assert "| lift-red-cube | rotate=0.8 | - | 2 | 7/20 [18, 57] % | 10/20 " in line
    assert "| 12/20 " in line
    assert line.endswith("| 1 of 2 |")
    assert "| 4.0 | 3/10 [0, 100] % | 8/10 [0, 100] % | 0.00012 | 10 of 11 | 0010 |" in told


def test_a_file_nobody_wrote_a_table_for_is_told_by_dotted_names():
    told = sections.anything({"rounds": 3, "cpu_ms": {"step": 0.123456}, "errors": []})
    assert "| rounds | 3 |" in told
    assert "| cpu ms.step | 0.1235 |" in told
    assert "| errors | none |" in told


def test_records_become_a_table_and_too_many_of_them_a_count():
    rows = [{"fault": "camera black", "ok": True}, {"fault": "state late", "stop_mm": 1.25}]
    told = sections.anything({"rows": rows, "rounds": [{"seed": n} for n in range(61)]})
    assert "| fault | ok | stop mm |" in told
    assert "| camera black | True |  |" in told
    assert "| state late |  | 1.25 |" in told
    assert "Rounds: 61, in the file." in told


def test_the_setting_names_a_commit_and_the_versions_asked_for():
    told = setting.machine("numpy")
    assert {"cores", "processor", "python", "numpy"} == set(told)
