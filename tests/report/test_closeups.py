"""Clips of episodes: what moved, moves."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from agent import logbook
from agent.episode import RewardSignal, Terminated, Verdict
from agent.report import closeups
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from tests.logbook.acted import TASK, step, view


@pytest.fixture
def run(tmp_path):
    """A run with one episode of five decisions, each picture ten shades lighter."""
    create_run(tmp_path, {}, {})
    store = ZarrStore(tmp_path)
    store.open()
    recording = store.begin(TASK, "base", 1.0)
    for number in range(5):
        recording.append(step(number))
    recording.finish(view(5.0), Terminated("success"))
    recording.seal(RewardSignal(np.zeros(6, np.float32), 1.0, Verdict.SUCCESS, "judge/1"))
    store.close()
    return tmp_path


def shades(clip):
    """The middle pixel of each picture of a clip."""
    with Image.open(io.BytesIO(clip)) as moving:
        frames = ImageSequence.Iterator(moving)
        return [int(np.asarray(frame.convert("RGB"))[84, 84, 0]) for frame in frames]


def test_a_clip_shows_every_view_in_order(run):
    found = shades(closeups.clip(run, logbook.episode(run, "000001")))
    # acted.view: ten shades a second, one view a second; lossy pictures may be a little off
    assert found == pytest.approx([0, 10, 20, 30, 40, 50], abs=3)


def test_a_long_episode_is_thinned_from_first_to_last_view(run, monkeypatch):
    monkeypatch.setattr(closeups, "MOST_FRAMES", 3)
    found = shades(closeups.clip(run, logbook.episode(run, "000001")))
    # views 0, 2.5 (rounded to even: 2) and 5
    assert found == pytest.approx([0, 20, 50], abs=3)


def test_an_episode_with_damaged_pictures_has_no_clip(run):
    next((run / "episodes" / "000001" / "data.zarr" / "images" / "front").glob("c.*")).unlink()
    (only,) = closeups.closeups(run, logbook.run(run))
    assert only.clip == b""
