"""What every episode store must do. A test class inherits it and says how a store is made."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.episode import RewardSignal, Task, Truncated, Verdict
from agent.errors import UsageError, VlarlError
from agent.protocols import EpisodeStore, Recording
from benchmarks.seeded_episodes import ADAPTER, Content, differences, seeded

MakeStore = Callable[[Path], EpisodeStore]


def record(store: EpisodeStore, content: Content) -> Recording:
    recording = store.begin(content.task, ADAPTER, 1.0)
    for step in content.steps:
        recording.append(step)
    return recording


def seal(store: EpisodeStore, content: Content) -> str:
    recording = record(store, content)
    recording.finish(content.last, content.ending)
    recording.seal(content.signal)
    return recording.id


class EpisodeStoreContract:
    @pytest.fixture
    def make(self) -> MakeStore:
        raise NotImplementedError("a store's test class says how one is made, open and ready")

    @pytest.fixture
    def store(self, make, tmp_path):
        store = make(tmp_path)
        yield store
        store.close()

    @pytest.mark.parametrize(("decisions", "actions"), [(0, 0), (1, 1), (9, 2), (10, 1), (23, 4)])
    def test_a_sealed_episode_reads_back_exact_to_the_bit(self, store, decisions, actions):
        content = seeded(7, decisions, actions)
        assert differences(content, store.read(seal(store, content))) == []

    def test_finish_gives_the_episode_that_read_gives(self, store):
        content = seeded(4, 3)
        recording = record(store, content)
        episode = recording.finish(content.last, content.ending)
        recording.seal(content.signal)
        assert episode.steps == content.steps
        assert episode.id == recording.id == store.read(recording.id).episode.id
        # 3 decisions of 2 actions, the last one cut short by one: 2 + 2 + 1
        assert episode.control_steps == 5

    def test_an_episode_without_tokens_is_kept_too(self, store):
        step = seeded(1, 1).steps[0]
        bare = np.zeros(0, np.int16), np.zeros(0, np.float32)
        decision = type(step.decision)(step.decision.actions, *bare, ADAPTER, 1.0)
        content = seeded(1, 1)
        content = type(content)(
            content.task,
            (type(step)(step.observation, decision, step.applied, step.executed, step.track),),
            content.last,
            content.ending,
            content.signal,
        )
        assert differences(content, store.read(seal(store, content))) == []

    def test_ids_come_in_the_order_of_sealing_and_start_empty(self, store):
        assert store.ids() == ()
        first, second = seal(store, seeded(1, 2)), seal(store, seeded(2, 2))
        assert store.ids() == (first, second)
        assert int(first) < int(second)

    def test_an_unsealed_episode_is_not_listed(self, store):
        content = seeded(1, 2)
        recording = record(store, content)
        recording.finish(content.last, content.ending)
        assert store.ids() == ()

    def test_an_abandoned_episode_is_never_listed_and_its_id_never_given_again(self, store):
        recording = record(store, seeded(1, 2))
        recording.abandon("a person pressed stop")
        after = seal(store, seeded(2, 2))
        assert store.ids() == (after,)
        assert after != recording.id
        with pytest.raises(VlarlError):
            store.read(recording.id)

    def test_another_store_on_the_same_place_goes_on_where_the_first_ended(self, make, tmp_path):
        store = make(tmp_path)
        first = seal(store, seeded(1, 2))
        store.close()
        again = make(tmp_path)
        second = seal(again, seeded(2, 2))
        assert again.ids() == (first, second)
        assert differences(seeded(1, 2), again.read(first)) == []
        again.close()

    def test_calls_out_of_order_are_refused(self, store):
        content = seeded(1, 2)
        recording = record(store, content)
        with pytest.raises(UsageError):
            recording.seal(content.signal)
        recording.finish(content.last, content.ending)
        with pytest.raises(UsageError):
            recording.append(content.steps[0])
        with pytest.raises(UsageError):
            recording.finish(content.last, Truncated("human"))
        recording.seal(content.signal)
        with pytest.raises(UsageError):
            recording.seal(content.signal)

    def test_a_judgement_of_another_length_is_refused(self, store):
        content = seeded(1, 2)
        recording = record(store, content)
        recording.finish(content.last, content.ending)
        # 2 decisions have 3 views.
        with pytest.raises(UsageError):
            recording.seal(RewardSignal(np.zeros(2, np.float32), 0.5, Verdict.UNKNOWN, "x"))

    def test_a_step_by_another_adapter_is_refused(self, store):
        recording = store.begin(Task("t", "", 0, 5), "001-other", 1.0)
        with pytest.raises(UsageError):
            recording.append(seeded(1, 1).steps[0])

    def test_a_step_of_another_shape_is_refused(self, store):
        recording = record(store, seeded(1, 2, actions=2))
        with pytest.raises(UsageError):
            recording.append(seeded(1, 1, actions=3).steps[0])

    @pytest.mark.parametrize(
        "name",
        [
            "../../x",
            "000001/../../x",
            "a\0b",
            "9" * 300,
            "",
            "1",
            "000001\n",
            "\u0660\u0660\u0660\u0660\u0660\u0661",
        ],
    )
    def test_a_name_that_is_no_id_is_a_usage_error(self, store, name):
        with pytest.raises(UsageError):
            store.read(name)

    def test_closing_twice_is_fine_and_keeps_what_was_sealed(self, make, tmp_path):
        store = make(tmp_path)
        name = seal(store, seeded(3, 2))
        store.close()
        store.close()
        assert make(tmp_path).ids() == (name,)
