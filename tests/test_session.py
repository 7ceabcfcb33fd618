"""The whole loop on a small real robot, policy, store and learner."""

from dataclasses import replace

import pytest
import torch

from agent.cli.build import make_cards, make_parts
from agent.deployment import deploy
from agent.episode import Terminated, Verdict
from agent.errors import DataError
from agent.learn.ledger import Ledger
from agent.registry import make_robot
from agent.session import Acted, Session, Updated
from agent.settings import Settings
from agent.store.reader import ZarrReader
from agent.store.run import create_run

ROBOT = "tests.point_robot:PointRobot"


def told(checkpoint, **run):
    return Settings.model_validate(
        {
            "run": {"episodes": 24, "minutes": 5.0, "held_out": 10, "seed": 3, **run},
            "robot": {"name": ROBOT},
            "policy": {"checkpoint": str(checkpoint)},
            "learn": {
                "every_episodes": 8,
                "warmup_episodes": 4,
                "learning_rate": 3e-3,
                "rank": 4,
                "kl_stop": 1.0,
            },
            "gate": {"max_kl": 5.0, "max_forgetting": 5.0},
        }
    )


class Run:
    """One run folder, opened anew for each `with`."""

    def __init__(self, settings, folder, stop=lambda: False):
        self.settings, self.folder, self.events, self.stop = settings, folder, [], stop
        if not (folder / "run.json").exists():
            create_run(folder, settings.model_dump(mode="json"), {})

    def __enter__(self):
        self.robot = make_robot(self.settings.robot)
        self.parts = make_parts(self.settings, self.folder, self.robot)
        self.session = Session(
            self.settings,
            self.parts,
            make_cards(self.settings, self.robot),
            self.events.append,
            self.stop,
        )
        self.session.open()
        return self

    def __exit__(self, *_):
        self.parts.store.close()

    def deploy(self):
        cards = make_cards(self.settings, self.robot)
        return deploy(self.settings, self.folder, self.parts, cards, self.events.append, self.stop)


def weights(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted((folder / "adapters").rglob("*.safetensors"))
    }


def test_success_rises_from_chance_when_it_is_rewarded(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint, episodes=96), tmp_path / "run") as run:
        run.session.run(float("inf"))
    won = [
        event.scored.signal.verdict is Verdict.SUCCESS
        for event in run.events
        if isinstance(event, Acted)
    ]
    # By chance a bit under half of the episodes succeed; the last 24 must be far above.
    assert sum(won[:24]) <= 18
    assert sum(won[-24:]) >= 22


def test_random_advantages_teach_nothing(point_checkpoint, tmp_path):
    settings = told(point_checkpoint, episodes=96)
    settings = settings.model_copy(
        update={"learn": settings.learn.model_copy(update={"control": "random-advantage"})}
    )
    with Run(settings, tmp_path / "run") as run:
        run.session.run(float("inf"))
    won = [
        event.scored.signal.verdict is Verdict.SUCCESS
        for event in run.events
        if isinstance(event, Acted)
    ]
    assert sum(won[-24:]) < 22


def test_the_same_seed_gives_the_same_adapters_bit_for_bit(point_checkpoint, tmp_path):
    for name in ("one", "two"):
        with Run(told(point_checkpoint), tmp_path / name) as run:
            run.session.run(float("inf"))
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert first == second
    assert len(first) >= 3  # adapter, critic and optimizer of one update at the least


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint), tmp_path / "whole") as whole:
        whole.session.run(float("inf"))
    asked = []

    def tired():
        asked.append(None)
        return len(asked) > 25  # in the middle of an episode, after the first update

    with Run(told(point_checkpoint), tmp_path / "parts", tired) as parts:
        parts.session.run(float("inf"))
    assert 8 < parts.session.episodes < 24
    with Run(told(point_checkpoint), tmp_path / "parts") as rest:
        rest.session.run(float("inf"))
    assert weights(tmp_path / "parts") == weights(tmp_path / "whole")
    mine, theirs = (ZarrReader(tmp_path / name) for name in ("parts", "whole"))
    assert [mine.read(i).episode.task for i in mine.ids()] == [
        theirs.read(i).episode.task for i in theirs.ids()
    ]


def test_no_episode_is_learned_from_twice(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint), tmp_path / "run") as run:
        run.session.run(float("inf"))
    ledger = Ledger(tmp_path / "run")
    ledger.read()
    used = [episode for report in ledger.reports for episode in report.episodes]
    assert len(used) == len(set(used)) == 24
    by_id = {
        event.scored.episode.id: event.scored.episode
        for event in run.events
        if isinstance(event, Acted)
    }
    for report in ledger.reports:
        assert {by_id[name].adapter for name in report.episodes} == {report.parent}


def test_a_candidate_over_its_kl_limit_does_not_act(point_checkpoint, tmp_path):
    settings = told(point_checkpoint, episodes=16)
    settings = settings.model_copy(
        update={"gate": settings.gate.model_copy(update={"max_kl": 1e-9})}
    )
    with Run(settings, tmp_path / "run") as run:
        run.session.run(float("inf"))
        assert run.parts.policy.adapter == "base"
    reports = [event.report for event in run.events if isinstance(event, Updated)]
    assert reports
    assert not any(report.kept for report in reports)
    assert "over 1e-09 nats" in reports[0].why
    assert not list((tmp_path / "run" / "adapters").iterdir())


def test_without_updates_nothing_is_learned_and_all_is_recorded(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint, update=False, episodes=9), tmp_path / "run") as run:
        run.session.run(float("inf"))
    assert len(ZarrReader(tmp_path / "run").ids()) == 9
    assert not any(isinstance(event, Updated) for event in run.events)


def test_a_deployment_scores_before_and_after_on_states_it_never_learned_from(
    point_checkpoint, tmp_path
):
    with Run(told(point_checkpoint), tmp_path / "run") as run:
        outcome = run.deploy()
    learned = {event.scored.episode.task.start for event in run.events if isinstance(event, Acted)}
    assert learned <= set(range(8))
    assert (outcome.before.n, outcome.after.n, outcome.episodes) == (10, 10, 24)
    assert outcome.updates == 3
    assert outcome.kept == (outcome.adapter != "base")
    # Deploying again has nothing left to do and says the same.
    with Run(told(point_checkpoint), tmp_path / "run") as again:
        assert replace(again.deploy(), minutes=0.0) == replace(outcome, minutes=0.0)
    assert not [event for event in again.events if isinstance(event, Acted)]


def test_an_adapter_of_another_base_is_refused(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint, episodes=8), tmp_path / "run") as run:
        run.session.run(float("inf"))
        name = run.parts.ledger.current
        folder = run.parts.ledger.folder(name)
        assert folder is not None
        manifest = folder / "MANIFEST.json"
        manifest.write_text(manifest.read_text().replace('"base": "', '"base": "0'))
    with pytest.raises(DataError, match="was made for base"), Run(run.settings, tmp_path / "run"):
        pass


def test_endings_are_told_apart_by_type(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint, update=False, episodes=8), tmp_path / "run") as run:
        run.session.run(float("inf"))
    for event in run.events:
        success = event.scored.signal.verdict is Verdict.SUCCESS
        assert isinstance(event.scored.episode.ending, Terminated) == success


torch.set_num_threads(1)
