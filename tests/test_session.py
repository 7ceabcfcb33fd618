"""The whole loop on a small real robot, policy, store and learner."""

import shutil

import pytest
import torch

from agent.episode import Terminated, Truncated, Verdict
from agent.errors import DataError
from agent.learn.ledger import Ledger
from agent.session import Updated
from agent.store.chores import pruned
from agent.store.prune import Limits
from agent.store.reader import ZarrReader
from tests.whole_run import Run, told, weights

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def whole(point_checkpoint, tmp_path_factory):
    """A run of 24 episodes and three updates that nobody disturbed."""
    with Run(told(point_checkpoint), tmp_path_factory.mktemp("whole") / "run") as run:
        return run.act()


def test_the_same_seed_gives_the_same_adapters_bit_for_bit(point_checkpoint, tmp_path, whole):
    with Run(told(point_checkpoint), tmp_path / "run") as again:
        again.act()
    mine, theirs = weights(tmp_path / "run"), weights(whole.folder)
    assert mine == theirs
    assert len(mine) >= 3  # adapter, critic and optimizer of one update at the least
    assert len({content for place, content in mine.items() if "adapter_model" in place}) > 1


def test_another_seed_gives_other_adapters(point_checkpoint, tmp_path, whole):
    with Run(told(point_checkpoint, seed=4, episodes=8), tmp_path / "run") as run:
        run.act()
    mine, theirs = weights(tmp_path / "run"), weights(whole.folder)
    place = "adapters/0001/adapter_model.safetensors"
    assert mine[place] != theirs[place]


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(point_checkpoint, tmp_path, whole):
    asked = []

    def tired():
        asked.append(None)
        return len(asked) > 40  # in the middle of an episode, after the first update

    with Run(told(point_checkpoint), tmp_path / "run", tired) as parts:
        parts.act()
        assert 8 < parts.session.episodes < 24
        assert parts.reports
    with Run(told(point_checkpoint), tmp_path / "run") as rest:
        rest.act()
    assert weights(tmp_path / "run") == weights(whole.folder)
    mine, theirs = ZarrReader(tmp_path / "run"), ZarrReader(whole.folder)
    assert [mine.read(i).episode.task for i in mine.ids()] == [
        theirs.read(i).episode.task for i in theirs.ids()
    ]


def test_pruned_episodes_count_so_that_a_resumed_run_goes_on_with_the_same_tasks(
    point_checkpoint, tmp_path
):
    settings = told(point_checkpoint, update=False, episodes=8)
    with Run(settings, tmp_path / "whole") as whole:
        whole.act()
    with Run(told(point_checkpoint, update=False, episodes=5), tmp_path / "run") as first:
        first.act()
    pruned(tmp_path / "run", Limits(episodes=2), lambda _: "", dry_run=False, as_json=False)
    assert ZarrReader(tmp_path / "run").ids() == ("000004", "000005")
    with Run(settings, tmp_path / "run") as rest:
        assert rest.session.episodes == 5
        assert rest.session.record() == first.session.record()
        rest.act()
    # five are done: three are left, under the seeds and start states they would have had
    assert [each.episode.task for each in rest.episodes] == [
        each.episode.task for each in whole.episodes[5:]
    ]


def test_a_request_to_stop_ends_the_episode_as_interrupted(point_checkpoint, tmp_path):
    asked = []

    def tired():
        asked.append(None)
        return len(asked) > 1  # asked before the session and before its first decision

    with Run(told(point_checkpoint, update=False), tmp_path / "run", tired) as run:
        run.act()
        assert run.robot.rests >= 1
    assert run.episodes == []
    assert ZarrReader(tmp_path / "run").ids() == ()
    (row,) = ZarrReader(tmp_path / "run").interrupted()
    assert row.decisions == 0


def test_the_time_that_is_given_ends_a_run(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint, update=False), tmp_path / "run") as run:
        run.session.run(0.0)  # long past, on a clock that started with the machine
    assert run.episodes == []


def test_no_episode_is_learned_from_twice(whole):
    ledger = Ledger(whole.folder)
    ledger.read()
    used = [episode for report in ledger.reports for episode in report.episodes]
    assert len(used) == len(set(used)) == 24
    by_id = {scored.episode.id: scored.episode for scored in whole.episodes}
    for report in ledger.reports:
        assert {by_id[name].adapter for name in report.episodes} == {report.parent}


def test_what_happened_is_told_in_order(whole):
    kinds = [isinstance(event, Updated) for event in whole.events]
    # Eight episodes, an update, eight episodes, and so on.
    assert kinds == ([False] * 8 + [True]) * 3
    assert [report.number for report in whole.reports] == [1, 2, 3]


def test_a_candidate_over_its_kl_limit_does_not_act(point_checkpoint, tmp_path):
    settings = told(point_checkpoint, gate={"max_kl": 1e-9}, episodes=8)
    with Run(settings, tmp_path / "run") as run:
        run.act()
        assert run.parts.policy.adapter == "base"
    (report,) = run.reports
    assert not report.kept
    assert "over 1e-09 nats" in report.why
    assert not list((tmp_path / "run" / "adapters").iterdir())


def test_an_adapter_clearly_worse_than_its_parent_is_withdrawn(point_checkpoint, tmp_path, whole):
    # The gate looks at the acting adapter when the next update is due: with a threshold that
    # any chance of being worse passes, the parent acts again.
    shutil.copytree(whole.folder, tmp_path / "run")
    settings = told(point_checkpoint, gate={"roll_back_above": 0.0, "worse_by": 0.0}, episodes=32)
    with Run(settings, tmp_path / "run") as run:
        run.act()
        assert run.parts.policy.adapter == "0002"
        assert run.parts.ledger.current == "0002"
    (report,) = run.reports
    assert (report.adapter, report.parent, report.kept) == ("0002", "0001", True)
    assert report.why.startswith("rolled back from 0003 to 0002")
    assert len(report.episodes) == 8


def test_a_candidate_is_tried_on_the_gates_own_states_first(point_checkpoint, tmp_path):
    settings = told(point_checkpoint, gate={"trials": 2}, episodes=8)
    with Run(settings, tmp_path / "run") as run:
        run.act()
        (report,) = run.reports
        assert report.metrics["gate/trials"] == 2.0
        assert run.parts.policy.adapter == ("0001" if report.kept else "base")
    assert "gate trials" in report.why


def test_without_updates_nothing_is_learned_and_all_is_recorded(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint, update=False, episodes=9), tmp_path / "run") as run:
        run.act()
    assert len(ZarrReader(tmp_path / "run").ids()) == 9
    assert not run.reports


def test_an_adapter_of_another_base_is_refused(point_checkpoint, tmp_path, whole):
    shutil.copytree(whole.folder, tmp_path / "run")
    manifest = tmp_path / "run" / "adapters" / "0003" / "MANIFEST.json"
    manifest.write_text(manifest.read_text().replace('"base": "', '"base": "0'))
    with pytest.raises(DataError, match="was made for base"), Run(whole.settings, tmp_path / "run"):
        pass


def test_success_is_counted_by_verdict_and_endings_are_told_apart_by_type(whole):
    tally = whole.session.record()
    assert sum(won for won, _ in tally.values()) == sum(whole.won)
    assert sum(tried for _, tried in tally.values()) == 24
    for scored in whole.episodes:
        won = scored.signal.verdict is Verdict.SUCCESS
        assert scored.episode.ending == (Terminated("success") if won else Truncated("timeout"))
