"""A model's answers are kept view by view, and what comes of them is told as it was."""

import numpy as np
import pytest

from agent.reward.reader import Frames, Opinion
from benchmarks import judge_sections
from benchmarks.reward_eval import Remembering


class Brightness:
    """Reads brightness as success, and counts the views it was shown."""

    id = "brightness/1@000000000000"

    def __init__(self):
        self.shown = 0

    def read(self, frames):
        self.shown += len(frames)
        light = frames.images["cam"].mean((1, 2, 3)).astype(np.float32) / 255
        return Opinion(light, light / 2, 1 - light)


def frames(*levels, instruction="go"):
    images = np.stack([np.full((4, 4, 3), level, np.uint8) for level in levels])
    return Frames({"cam": images}, instruction)


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "kept.jsonl"


def test_what_was_read_once_is_not_read_again(kept):
    reader = Brightness()
    first = Remembering(reader, kept).read(frames(0, 51, 102))
    assert first.success == pytest.approx([0.0, 0.2, 0.4])
    again = Remembering(reader, kept)  # as after an interruption
    assert again.read(frames(0, 51, 102)).uncertainty == pytest.approx([1.0, 0.8, 0.6])
    assert reader.shown == 3
    # One further view is read beside the first, which progress is seen against.
    assert again.read(frames(0, 51, 204)).progress == pytest.approx([0.0, 0.1, 0.4])
    assert reader.shown == 5
    assert again.views == 5


@pytest.mark.parametrize("other", [frames(0, 51, instruction="stop"), frames(1, 51), frames(0, 52)])
def test_another_question_first_view_or_picture_is_read_anew(kept, other):
    reader = Brightness()
    asked = Remembering(reader, kept)
    asked.read(frames(0, 51))
    before = reader.shown
    asked.read(other)
    assert reader.shown > before


def test_the_section_tells_counts_with_their_intervals():
    rate = {"won": 1, "tried": 50, "low": 0.0035, "high": 0.105, "share": 0.02}
    area = {"value": 0.9712, "low": 0.95, "high": 0.99, "n": 100}
    row = {
        "name": "lift", "episodes": 100, "successes": 50, "accuracy": rate, "unknown": 2,
        "false_positives": rate, "false_negatives": {**rate, "tried": 0}, "brier": None,
        "area_under_roc": area, "order": None, "phase": area,
    }  # fmt: skip
    found = {
        "judge": ["vlm/x@1"], "all": {**row, "name": "all"}, "tasks": [row], "by_shift": [row],
        "by_driver": [row], "shifts": {"dark": {"light": 0.65}}, "calibration": "",
        "bar": {"theta": 0.5, "k": 2, "n": 3}, "seconds_a_view": 0.0391,
        "mistakes": [{"run": "dark", "id": "000007", "task": "lift", "driver": "vla"}],
    }  # fmt: skip
    told = judge_sections.trust(found)
    assert "| lift | 50 of 100 | 1/50 [0.4, 10.5] % | 2 | 1/50 [0.4, 10.5] % | - | 0.971 " in told
    assert "0.5 or more in 2 of the last 3 views that were read (not calibrated)" in told
    assert "took 39 ms" in told
    assert "dark: `light=0.65`" in told
    assert told.endswith("dark/000007 (lift, vla).")
