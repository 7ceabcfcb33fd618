"""A whole deployment: scored before and after on states that were never learned from."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from agent import deployment
from agent.deployment import compare
from agent.errors import DataError
from agent.evaluation import Trial
from agent.learn.ledger import Ledger
from agent.scoring import Tried, read_trials
from agent.settings import Settings
from tests.whole_run import Run, told

torch.set_num_threads(1)


def tried(run):
    return [event for event in run.events if isinstance(event, Tried)]


@pytest.fixture(scope="module")
def deployed(point_checkpoint, tmp_path_factory):
    with Run(told(point_checkpoint), tmp_path_factory.mktemp("deployed") / "run") as run:
        return run, run.deploy()


def test_it_scores_before_and_after_on_states_it_never_learned_from(deployed):
    run, outcome = deployed
    assert {scored.episode.task.start for scored in run.episodes} <= set(range(8))
    scored = {event.trial.start for event in tried(run)}
    assert scored == set(range(10, 20))
    assert (outcome.before.n, outcome.after.n, outcome.episodes) == (10, 10, 24)
    assert outcome.updates == 3
    assert outcome.kept == (outcome.adapter != "base")


def test_what_it_says_is_what_it_tried(deployed):
    run, outcome = deployed
    before, after = (
        [event.trial for event in tried(run) if event.phase == phase]
        for phase in ("before", "after")
    )
    assert outcome.before.k == sum(trial.success for trial in before)
    assert outcome.after.k == sum(trial.success for trial in after)
    assert outcome.paired_p == compare(before, after).p_value
    assert outcome.before.low <= outcome.before.k / 10 <= outcome.before.high


def test_deploying_again_has_nothing_to_do_and_says_the_same(deployed, tmp_path):
    run, outcome = deployed
    shutil.copytree(run.folder, tmp_path / "run")
    with Run(run.settings, tmp_path / "run") as again:
        said = again.deploy()
    assert replace(said, minutes=0.0, run="") == replace(outcome, minutes=0.0, run="")
    assert again.events == []


def test_the_minutes_are_those_of_all_processes_together(deployed, tmp_path):
    run, outcome = deployed
    shutil.copytree(run.folder, tmp_path / "run")
    (line,) = (tmp_path / "run" / "spent.jsonl").read_text().splitlines()
    assert json.loads(line)["seconds"] / 60 == pytest.approx(outcome.minutes, abs=0.02)
    with (tmp_path / "run" / "spent.jsonl").open("a") as file:
        file.write('{"seconds": 600.0}\n{"sec')  # ten minutes more, and a line that was torn
    with Run(run.settings, tmp_path / "run") as again:
        minutes = again.deploy().minutes
    assert 10 + outcome.minutes - 0.02 <= minutes < 10 + outcome.minutes + 2


def test_what_made_it_worse_does_not_stay(deployed, tmp_path):
    # A threshold that any chance of being worse passes: the end of the same run decides otherwise.
    run, outcome = deployed
    assert outcome.kept
    shutil.copytree(run.folder, tmp_path / "run")
    strict = told(run.settings.policy.checkpoint, gate={"roll_back_above": 0.0, "worse_by": 0.0})
    with Run(strict, tmp_path / "run") as worse:
        withdrawn = worse.deploy()
        assert worse.parts.policy.adapter == "base"
    assert (withdrawn.adapter, withdrawn.kept) == ("base", False)
    assert withdrawn.why.startswith(f"rolled back from {outcome.adapter} to base: held-out")
    assert (withdrawn.before, withdrawn.after) == (outcome.before, outcome.after)
    with Run(strict, tmp_path / "run") as again:
        said = again.deploy()
        assert again.parts.policy.adapter == "base"
    assert replace(said, minutes=0.0) == replace(withdrawn, minutes=0.0)


def test_a_deployment_asked_to_stop_says_nothing_and_goes_on_later(point_checkpoint, tmp_path):
    settings = told(point_checkpoint, episodes=8)
    with Run(settings, tmp_path / "run", lambda: len(tried(run)) >= 5) as run:
        assert run.deploy() is None
    assert len(tried(run)) == 5  # in the middle of the first evaluation
    # Tries cost a person's time on a real arm: the five are kept, but are no evaluation yet.
    evaluations = tmp_path / "run" / "evaluations"
    assert [path.name for path in evaluations.iterdir()] == ["before-base.part"]
    with Run(settings, tmp_path / "run") as rest:
        outcome = rest.deploy()
    assert (outcome.before.n, outcome.episodes) == (10, 8)
    assert [event.trial for event in tried(run)] + [
        event.trial for event in tried(rest) if event.phase == "before"
    ] == list(read_trials(evaluations / "before-base.json"))
    assert not list(evaluations.glob("*.part"))


def test_a_torn_evaluation_is_named(deployed, tmp_path):
    run, _ = deployed
    shutil.copytree(run.folder, tmp_path / "run")
    torn = tmp_path / "run" / "evaluations" / "before-base.json"
    assert len(json.loads(torn.read_text())) == 10
    torn.write_text(torn.read_text()[:-9])
    with (
        Run(run.settings, tmp_path / "run") as again,
        pytest.raises(DataError, match=r"before-base\.json cannot be read.*delete it to redo"),
    ):
        again.deploy()


def test_only_states_that_both_tried_are_compared():
    def trial(task, start, *, success):
        return Trial(task, start, success, 4)

    first = [trial("t", n, success=n != 2) for n in (1, 2, 3)]
    second = [*(trial("t", n, success=True) for n in (2, 3)), trial("u", 1, success=False)]
    found = compare(first, second)
    assert (found.both, found.only_first, found.only_second, found.neither) == (1, 0, 1, 0)


def test_a_run_without_an_update_says_so_once(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.read()
    parts = SimpleNamespace(ledger=ledger)
    assert deployment._decide(Settings(), parts, (), ()) == "no update was made"
