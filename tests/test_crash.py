"""A session killed at random moments: nothing promised is lost, and the run ends as if unharmed."""

import json

import pytest

from agent.learn.ledger import Ledger
from agent.store.run import create_run
from benchmarks.crash import crash
from benchmarks.left_behind import History, course, digest


@pytest.mark.slow
def test_six_deaths_lose_nothing_and_change_nothing(tmp_path):
    outcome = crash(tmp_path, rounds=6, episodes=12, seed=1, session_seed=3)
    assert outcome["failures"] == []
    assert sum(outcome["died_in"].values()) == 6
    assert outcome["runs_completed"] == outcome["runs_equal_to_the_undisturbed_one"] >= 1
    assert outcome["episodes_sealed"] == 12 * outcome["runs_completed"]
    assert outcome["updates_committed"] >= 2


@pytest.fixture
def history(tmp_path):
    """A run folder with one sealed episode, one update and one adapter, and what was seen of it."""
    run = tmp_path / "run"
    create_run(run, {}, {})
    Ledger(run).open()
    for place in ("episodes/000001", "adapters/0001", "interrupted/000002"):
        (run / place).mkdir(parents=True)
        (run / place / "content").write_text(place)
    write_update(run, 1, ["000001"])
    history = History(run)
    assert history.check(["sealed 000001", "updated 1", "phase acting"]) == []
    return history


def write_update(run, number, episodes):
    report = {
        "number": number, "adapter": f"{number:04d}", "parent": "base", "episodes": episodes,
        "kept": number == 1, "why": "", "metrics": {},
    }  # fmt: skip
    (run / "updates" / f"{number:04d}.json").write_text(json.dumps(report))


def alter(place):
    return lambda run: (run / place).write_text("other")


def remove(place):
    def work(run):
        for file in (run / place).iterdir():
            file.unlink()
        (run / place).rmdir()

    return work


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (alter("episodes/000001/content"), "episode 000001 was altered"),
        (alter("adapters/0001/content"), "adapter 0001 was altered"),
        (remove("episodes/000001"), "episode 000001 is gone"),
        (remove("adapters/0001"), "adapter 0001 was altered"),
        (lambda run: (run / "updates" / "0001.json").unlink(), "update 0001 is gone"),
        (lambda run: write_update(run, 2, ["000001"]), "episode 000001 was learned from 2 times"),
        (lambda run: write_update(run, 2, ["000003"]), "episode 000003 is used and gone"),
        (
            lambda run: (run / "interrupted" / "000001").mkdir(),
            "episode 000001 is both sealed and interrupted",
        ),
    ],
)
def test_the_checker_sees_each_kind_of_loss(history, damage, said):
    damage(history.run)
    assert said in history.check([])


def test_the_checker_holds_the_run_to_what_was_said(history):
    assert history.check(["sealed 000009", "updated 7"]) == [
        "episode 000009 was said to be sealed and is not there",
        "update 7 was said to be committed and is not there",
    ]


def test_the_scraps_of_a_recording_are_no_part_of_its_episode(history):
    folder = history.run / "episodes" / "000001"
    before = digest(folder)
    (folder / "steps.log").write_bytes(b"left by a death after the commit")
    assert digest(folder) == before
    (folder / "more").write_bytes(b"")
    assert digest(folder) != before


def test_a_course_is_told_apart_by_one_byte_of_an_adapter(history):
    before = course(history.run)
    assert course(history.run) == before
    alter("adapters/0001/content")(history.run)
    assert course(history.run) != before
