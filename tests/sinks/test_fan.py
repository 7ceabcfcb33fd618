"""All sinks together: once each, over deaths, and never at the cost of the run."""

import json
import logging
import shutil

import pytest

from agent.scoring import Tried
from agent.settings import RunSettings
from agent.sinks.fan import Sinks
from agent.sinks.names import EPISODE, EVALUATION, UPDATE
from agent.sinks.to_jsonl import FILE
from agent.store.reader import ZarrReader


def rows(folder):
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def by_key(folder):
    found = {(row["kind"], row["name"]): row for row in rows(folder)}
    assert len(found) == len(rows(folder))
    return found


def write(folder, events=(), **run):
    sinks = Sinks(folder, RunSettings(**run))
    sinks.open({})
    for event in events:
        sinks.take(event)
    sinks.close()
    return sinks


def test_every_episode_update_and_evaluation_of_a_run_has_one_row(folder, deployed):
    found = by_key(folder)
    ids = ZarrReader(folder).ids()
    assert [name for kind, name in found if kind == "episode"] == list(ids)
    assert [row["number"] for row in rows(folder) if row["kind"] == "episode"] == [
        *range(1, len(ids) + 1)
    ]
    assert sum(kind == "update" for kind, _ in found) == len(deployed.reports) > 0
    assert {name.split("-")[0] for kind, name in found if kind == "evaluation"} == {
        "before",
        "after",
    }


def test_rows_told_as_they_happen_are_those_the_folder_stands_for(folder, deployed, tmp_path):
    live = tmp_path / "live"
    shutil.copytree(deployed.folder, live)
    (live / FILE).unlink()
    # as at the beginning of a run: nothing is there yet
    for place in ("episodes", "updates", "evaluations"):
        (live / place).rename(live / f"later-{place}")
        (live / place).mkdir()
    (live / "manifest.jsonl").unlink()
    sinks = Sinks(live, RunSettings())
    sinks.open({})
    for event in deployed.events:
        sinks.take(event)
    (live / "evaluations").rmdir()
    (live / "later-evaluations").rename(live / "evaluations")
    sinks.close()
    assert by_key(live) == by_key(folder)


@pytest.mark.parametrize("torn", [1, 25])
def test_a_resumed_run_repeats_no_row_and_mends_what_a_death_tore(folder, deployed, torn):
    whole = (folder / FILE).read_bytes()
    write(folder, [event for event in deployed.events if not isinstance(event, Tried)][-3:])
    assert (folder / FILE).read_bytes() == whole
    (folder / FILE).write_bytes(whole[:-torn])
    write(folder)
    assert (folder / FILE).read_bytes() == whole


def test_a_row_lost_in_the_middle_comes_back_as_it_was(folder):
    lines = (folder / FILE).read_bytes().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if json.loads(line)["name"] == "000027")
    (folder / FILE).write_bytes(b"".join(lines[:at] + lines[at + 1 :]))
    write(folder)
    # the success rate of the last 24 episodes among its figures
    assert sorted((folder / FILE).read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_the_moving_success_rate_spans_24_episodes(folder, deployed):
    last = [row for row in rows(folder) if row["kind"] == "episode"][-1]
    assert len(deployed.won) == 30
    assert last["metrics"]["episode/success_recent"] == sum(deployed.won[-24:]) / 24


def test_every_figure_has_a_name_that_is_explained(folder):
    told = {kind: set() for kind in ("episode", "update", "evaluation")}
    for row in rows(folder):
        told[row["kind"]] |= set(row["metrics"])
    assert told["episode"] == set(EPISODE)
    assert told["evaluation"] == set(EVALUATION)
    assert set(UPDATE) <= told["update"]


class Broken:
    """A tool that goes down at a chosen moment."""

    def __init__(self, at):
        self.at, self.calls = at, []

    def open(self, about):
        self._do("open")

    def take(self, row):
        self._do("take")

    def close(self):
        self._do("close")

    def _do(self, what):
        self.calls.append(what)
        if what == self.at:
            raise ConnectionError("the server has gone")


@pytest.mark.parametrize("at", ["open", "take", "close"])
def test_a_sink_that_fails_is_let_go_with_one_warning(folder, at, caplog):
    lines = (folder / FILE).read_bytes().splitlines(keepends=True)
    (folder / FILE).write_bytes(b"".join(lines[:-3]))
    sinks = Sinks(folder, RunSettings())
    broken = Broken(at)
    sinks._others.append(("broken", broken))
    with caplog.at_level(logging.WARNING, "agent.sinks"):
        sinks.open({})
        sinks.close()
    assert len(rows(folder)) == len(lines)
    assert [record.message.split(":")[-1] for record in caplog.records] == [" the server has gone"]
    assert broken.calls.count(at) == 1
    assert broken.calls[-1] == at


def test_a_disk_that_takes_no_line_does_not_end_the_run(folder, deployed, caplog):
    (folder / FILE).unlink()
    (folder / FILE).mkdir()  # no line can be written there
    with caplog.at_level(logging.WARNING, "agent.sinks"):
        write(folder, deployed.events)
    assert [FILE in record.message for record in caplog.records] == [True]
