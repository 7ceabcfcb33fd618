"""What the documents promise, against the code."""

import importlib
import re
from pathlib import Path

import pytest
import typer

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


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Metrics", "agent.learn.metrics:NAMES"),
        ("Alignment", "agent.learn.metrics:ALIGNMENT"),
        ("Episodes", "agent.sinks.names:EPISODE"),
        ("What became of updates", "agent.sinks.names:UPDATE"),
        ("Evaluations", "agent.sinks.names:EVALUATION"),
        ("Prometheus", "agent.sinks.names:PROMETHEUS"),
    ],
)
def test_every_metric_is_explained_with_its_formula(heading: str, names: str):
    module, _, listed = names.partition(":")
    explained = rows("docs/metrics.md", heading)
    assert set(getattr(importlib.import_module(module), listed)) == set(explained)
    assert all(explained.values())


def test_every_sink_has_its_line():
    known = importlib.import_module("agent.sinks.known").NEEDS
    assert set(known) == set(rows("docs/metrics.md", "Where they go"))


def test_the_commands_in_the_readme_are_those_of_the_command_line():
    # a cell names commands and their subcommands: `vlarl-agent episodes ls RUN`, ... `show RUN ID`
    documented = set(re.findall(r"vlarl-agent (\w+)", " ".join(rows("README.md", "Commands"))))
    commands = {each.name for each in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    assert documented == commands


def test_every_option_the_documents_show_is_one_of_its_command():
    root = typer.main.get_command(app)
    for document in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]):
        for command, told in re.findall(r"vlarl-agent (\w+)([^`|\n]*)", document.read_text()):
            said = root.commands[command]
            # `vlarl-agent episodes prune RUN --keep 9`: the options are those of `prune`
            below = told.split()[0] if told.strip() else ""
            said = getattr(said, "commands", {}).get(below, said)
            known = {flag for each in said.params for flag in each.opts}
            assert set(re.findall(r"(?<= )--[\w-]+", told)) <= known, (document.name, told)


def test_every_link_of_a_document_leads_somewhere():
    places = ("README.md", "benchmarks/README.md", "docs/*.md")
    documents = [file for place in places for file in ROOT.glob(place)]
    for document in documents:
        for target in re.findall(r"\]\(([^)#]+)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), (document.name, target)


def test_every_table_of_settings_is_in_the_readme():
    documented = rows("README.md", "Settings")
    assert set(documented) == {key.split(".")[0] for key in fields()}
