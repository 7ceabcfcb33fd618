"""Every file of ours: says what it is, and is not long."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("agent", "bridges", "sim", "calibration")
FILES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
AROUND = sorted(
    file for part in ("launch", "tests", "benchmarks") for file in (ROOT / part).rglob("*.py")
)
PAPERS = sorted([
    *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").rglob("*.md"),
    *(ROOT / "results").rglob("*.json"), *(ROOT / ".ci").iterdir(), ROOT / "Makefile",
])  # fmt: skip


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_there_are_files_in_every_room():
    assert {file.relative_to(ROOT).parts[0] for file in FILES} == set(ROOMS)


@pytest.mark.parametrize("file", FILES, ids=named)
def test_a_module_says_what_it_is(file: Path):
    assert ast.get_docstring(ast.parse(file.read_text()))


@pytest.mark.parametrize("file", FILES + AROUND, ids=named)
def test_a_file_stops_at_300_lines(file: Path):
    assert len(file.read_text().splitlines()) <= 300


@pytest.mark.parametrize("file", FILES + AROUND + PAPERS, ids=named)
def test_no_path_of_one_machine_is_written_in_a_file(file: Path):
    text = file.read_text()
    for place in ("/" + "work/", "/" + "home/", "/" + "root/"):
        assert place not in text


def test_tests_and_launch_files_are_no_packages():
    # an __init__.py there would hide the real packages, and ROS's own `launch`
    for part in ("tests", "launch"):
        assert not list((ROOT / part).rglob("__init__.py"))
