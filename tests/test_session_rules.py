"""Groups, replay and a moving temperature in whole runs, also ones that stop and go on."""

import math

import pytest
import torch

from agent import suspension
from agent.episode import Verdict
from agent.errors import UsageError
from agent.learn.temperature import next_temperature
from agent.store.reader import ZarrReader
from tests.test_suspension import Alarmed, watched
from tests.whole_run import Run, told, weights

torch.set_num_threads(1)

GROUPED = {"rule": "grpo", "replay": 3, "clone_weight": 0.2}

REPLAYED = {"replay": 100, "clone_weight": 0.1, "every_episodes": 4}


def grouped(checkpoint, learn=None, **run):
    settings = told(checkpoint, {**GROUPED, **(learn or {})}, **{"group": 4, **run})
    policy = settings.policy.model_copy(update={"adapt_temperature": True})
    return settings.model_copy(update={"policy": policy})


@pytest.fixture(scope="module")
def whole(point_checkpoint, tmp_path_factory):
    """A run in groups of four with an update every eight episodes, that nobody disturbed."""
    with Run(grouped(point_checkpoint), tmp_path_factory.mktemp("grouped") / "run") as run:
        return run.act()


def test_a_group_is_one_start_state_in_a_row_and_the_next_is_drawn(whole):
    tasks = [scored.episode.task for scored in whole.episodes]
    groups = [tasks[at : at + 4] for at in range(0, 24, 4)]
    assert all(len(set(group)) == 1 for group in groups)
    assert len({group[0].seed for group in groups}) == 6
    # The policy's own luck differs within a group: nothing else could make outcomes differ.
    firsts = [s.episode.steps[0].decision.tokens.tobytes() for s in whole.episodes]
    assert len(set(firsts)) > 12


def test_updates_are_made_of_whole_groups(whole):
    assert whole.reports
    for report in whole.reports:
        assert len(report.episodes) % 4 == 0
        assert int(report.episodes[0]) % 4 == 1


def test_the_temperature_follows_success_and_is_one_within_a_batch(whole):
    acted = {scored.episode.id: scored for scored in whole.episodes}
    now = 1.0
    for report in whole.reports:
        batch = [acted[name] for name in report.episodes]
        assert {scored.episode.temperature for scored in batch} == {now}
        won = sum(scored.signal.verdict is Verdict.SUCCESS for scored in batch)
        now = report.metrics["policy/temperature"]
        before = batch[0].episode.temperature
        assert now == next_temperature(before, 1.0, won, len(batch))
    assert now != 1.0
    assert whole.session.temperature == now


def test_an_interrupted_run_in_groups_goes_on_as_if_it_had_not_been(
    point_checkpoint, tmp_path, whole
):
    asked = []

    def tired():
        if len(parts.episodes) == 10:
            asked.append(None)
        return len(asked) > 1  # in the middle of the third episode of a group

    with Run(grouped(point_checkpoint), tmp_path / "run", tired) as parts:
        parts.act()
        assert parts.session.episodes == 10
        assert parts.reports
        assert ZarrReader(tmp_path / "run").interrupted()
    with Run(grouped(point_checkpoint), tmp_path / "run") as rest:
        rest.act()
    assert weights(tmp_path / "run") == weights(whole.folder)
    mine, theirs = ZarrReader(tmp_path / "run"), ZarrReader(whole.folder)
    for ours, name in zip(mine.ids(), theirs.ids(), strict=True):
        one, other = mine.read(ours).episode, theirs.read(name).episode
        assert (one.task, one.temperature) == (other.task, other.temperature)
    # The replay had something to resume.
    assert any(report.metrics.get("update/replayed", 0.0) > 0 for report in rest.reports)


def test_an_update_that_taught_nothing_still_moves_the_temperature(point_checkpoint, tmp_path):
    settings = grouped(point_checkpoint, {"every_episodes": 4}, episodes=16)
    still = settings.robot.model_copy(update={"shift": {"gain": 0.0}})
    with Run(settings.model_copy(update={"robot": still}), tmp_path / "run") as run:
        run.act()
        (report,) = run.reports
        assert not report.kept
        assert "within any of" in report.why
        assert run.session.temperature == pytest.approx(math.exp(-0.25))


def test_what_is_doubted_is_never_replayed(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint, REPLAYED, episodes=9), tmp_path / "run") as run:
        watched(run, Alarmed(at=7)).act()
        used = set(run.reports[0].episodes)
        early = list(run.episodes)
    suspension.lift(tmp_path / "run", "anna", "put right", ZarrReader(tmp_path / "run").ids()[-1])
    with Run(told(point_checkpoint, REPLAYED, episodes=13), tmp_path / "run") as rest:
        rest.act()
        (report,) = rest.reports
    trusted = sum(
        len(scored.episode.steps) for scored in early
        if scored.episode.id in used and scored.signal.verdict is Verdict.SUCCESS
    )  # fmt: skip
    doubted = [scored for scored in early if scored.episode.id not in used]
    assert any(scored.signal.verdict is Verdict.SUCCESS for scored in doubted)
    assert report.metrics["update/replayed"] == trusted > 0


def test_the_same_alarm_lets_go_of_what_waited_in_a_run_that_goes_on(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint, REPLAYED, episodes=13), tmp_path / "run") as run:
        watch = Alarmed(at=7)

        def note(scored):
            if len(watch.noted) == 8:  # the person is quick
                suspension.lift(tmp_path / "run", "anna", "put right", scored.episode.id)
            return Alarmed.note(watch, scored)

        watch_of = type("Quick", (), {"recall": watch.recall, "note": staticmethod(note)})()
        watched(run, watch_of).act()
        first, second = run.reports
    won = {s.episode.id: s for s in run.episodes if s.signal.verdict is Verdict.SUCCESS}
    trusted = sum(len(won[name].episode.steps) for name in first.episodes if name in won)
    assert second.metrics["update/replayed"] == trusted > 0
    assert min(second.episodes) > "000008"


def test_settings_that_could_never_learn_are_refused_before_anything_begins(
    point_checkpoint, tmp_path
):
    settings = told(point_checkpoint, {"rule": "rloo"})
    with pytest.raises(UsageError, match=r"found run.group=1"), Run(settings, tmp_path / "run"):
        pass
