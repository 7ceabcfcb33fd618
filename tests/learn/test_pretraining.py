"""Cloning a few demonstrations: the loss falls, and what is written acts as it was shown."""

import hashlib

import numpy as np
import pytest

from agent.coaching import Lesson, record
from agent.errors import DataError
from agent.learn.clone import CloneSettings
from agent.learn.pretraining import TinySettings, pretrain
from agent.policy.checkpoint import load_config
from agent.policy.policy import VLAPolicy
from agent.settings import Settings
from agent.store.reader import ZarrReader

pytestmark = pytest.mark.slow

STEPS = 40


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Two demonstrations of a lift, as episodes."""
    folder = tmp_path_factory.mktemp("shown") / "run"
    robot = {"name": "tabletop", "task": "lift-red-cube", "image_px": 48}
    settings = Settings.model_validate({"robot": robot, "run": {"seed": 3}})
    record(settings, folder, Lesson(2, 0.0, None, 0.0, None))
    reader = ZarrReader(folder)
    return [reader.read(name).episode for name in reader.ids()]


def settings(**changes):
    clone = CloneSettings(steps=STEPS, until=STEPS, batch=16, average=0.8)
    small = {"patch": 12, "vision_width": 32, "hidden": 32, "layers": 2, "chunk": 2}
    return TinySettings("a-robot", **({"clone": clone} | small | changes))


@pytest.fixture(scope="module")
def cloned(shown, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloned") / "checkpoint"
    told = []
    pretrain(shown, folder, settings(), on_progress=told.append)
    return folder, told


def test_the_checkpoint_has_the_sizes_and_the_name_that_were_asked_for(cloned):
    config = load_config(cloned[0])
    assert list(config.norm_stats) == ["a-robot"]
    assert (config.chunk, config.towers[0].patch, config.towers[0].image_px) == (2, 12, 48)
    assert config.proprio_dim == 8


def test_what_was_cloned_is_nearer_to_what_was_shown_than_before(shown, cloned, tmp_path):
    fresh = tmp_path / "fresh"
    pretrain(shown, fresh, settings(clone=CloneSettings(steps=1, until=1, batch=1)))
    views = [step.observation for step in shown[0].steps][:-1]
    asked = np.stack([step.decision.actions[0].delta for step in shown[0].steps][:-1])

    def off(folder):
        answers = VLAPolicy(folder).act(views, 0.0)
        return float(np.abs(np.stack([a.actions[0].delta for a in answers]) - asked).mean())

    assert off(cloned[0]) < 0.7 * off(fresh)


def test_the_last_word_is_told_and_the_seed_fixes_every_byte(shown, cloned, tmp_path):
    folder, told = cloned
    assert told[-1].step == told[-1].steps == STEPS
    assert told[-1].landmark_error > 0
    pretrain(shown, tmp_path / "again", settings())
    assert _weights(tmp_path / "again") == _weights(folder)


def test_going_on_from_a_checkpoint_keeps_its_sizes(shown, cloned, tmp_path):
    pretrain(shown, tmp_path / "on", settings(hidden=64, chunk=5), start=cloned[0])
    assert load_config(tmp_path / "on").chunk == 2
    assert _weights(tmp_path / "on") != _weights(cloned[0])


def test_two_processes_that_train_together_write_one_checkpoint(shown, tmp_path):
    pretrain(shown, tmp_path / "both", settings(processes=2))
    assert len(VLAPolicy(tmp_path / "both").act([shown[0].last], 0.0)[0].actions) == 2


def test_no_demonstrations_is_an_error_that_says_where_to_get_some(tmp_path):
    with pytest.raises(DataError, match="vlarl-agent demos"):
        pretrain([], tmp_path / "none", settings())


def _weights(folder):
    return [
        hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.glob("*.safetensors"))
    ]
