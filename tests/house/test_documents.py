"""What the documents promise, against the code."""

import importlib
import re
from pathlib import Path

from agent.cli.app import app
from agent.configuration import fields
from agent.errors import VlarlError

ROOT = Path(__file__).parents[2]


def rows(document: str, heading: str) -> dict[str, str]:
    """First two cells of the table under a heading."""
    text = (ROOT / document).read_text()
    section = re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    cells = [line.strip("| ").split("|") for line in section.splitlines() if line.startswith("|")]
    return {first.strip(" `"): second.strip() for first, second, *_ in cells[2:]}


def tree(error: type[VlarlError]) -> list[type[VlarlError]]:
    return [error, *(below for child in error.__subclasses__() for below in tree(child))]


def test_the_exit_codes_in_the_readme_are_those_of_the_errors():
    documented = {int(code) for code in rows("README.md", "Exit codes")}
    raised = {error.exit_code for error in tree(VlarlError) if error.__module__ == "agent.errors"}
    assert documented == raised | {0}


def test_every_metric_is_explained_with_its_formula():
    explained = rows("docs/metrics.md", "Metrics")
    logged = set(importlib.import_module("agent.learn.metrics").NAMES)
    assert logged == set(explained)
    assert all(explained.values())


def test_every_command_is_in_the_readme():
    text = (ROOT / "README.md").read_text()
    commands = {each.name for each in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    assert {"config", "doctor", "episodes"} <= commands
    for command in commands:
        assert f"vlarl-agent {command}" in text, command


def test_every_table_of_settings_is_in_the_readme():
    documented = rows("README.md", "Settings")
    assert set(documented) == {key.split(".")[0] for key in fields()}
