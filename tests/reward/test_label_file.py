"""Labels in a folder: whole, read back as they were, and never from exchanged pictures."""

from dataclasses import replace

import numpy as np
import pytest

from agent.errors import DataError, UsageError
from agent.reward.label_file import (
    LabelHead,
    Labelled,
    fingerprint,
    read_head,
    read_labels,
    write_labels,
)
from agent.reward.labels import Label
from tests.episodes import episode_of

ROWS = [
    Label("a", "000001", 3, 0, "progress", 'go "there"\n', 1 / 3, "keyframe"),
    Label("b", "000002", 5, 2, "milestone", "gehe zum Würfel", 0.0, "reversed"),
]
HEAD = LabelHead(
    {"a": "../a", "b": "../b"},
    (Labelled("a", "000001", "go", "go", success=True, by="world", fingerprint="00ff"),),
    {"segments": {"median_s": 0.25}},
    2,
)


@pytest.fixture
def folder(tmp_path):
    write_labels(tmp_path / "labels", HEAD, ROWS)
    return tmp_path / "labels"


def test_labels_are_read_back_as_they_were(folder):
    assert read_head(folder) == HEAD
    assert list(read_labels(folder)) == ROWS


def test_labels_are_never_written_over(folder):
    with pytest.raises(UsageError, match="holds labels already"):
        write_labels(folder, HEAD, ROWS)
    assert list(read_labels(folder)) == ROWS


def test_a_torn_line_is_named(folder):
    text = (folder / "labels.jsonl").read_text()
    (folder / "labels.jsonl").write_text(text[:-20])
    with pytest.raises(DataError, match="line 2"):
        list(read_labels(folder))


def test_a_missing_line_is_missed(folder):
    lines = (folder / "labels.jsonl").read_text().splitlines(keepends=True)
    (folder / "labels.jsonl").write_text(lines[0])
    with pytest.raises(DataError, match="2 labels wanted, found 1"):
        list(read_labels(folder))


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1, "runs": {}}'])
def test_a_head_of_another_kind_is_refused(folder, text):
    (folder / "labels.json").write_text(text)
    with pytest.raises(DataError, match="label the runs anew"):
        read_head(folder)


def test_a_folder_without_labels_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"found no labels\.json; make some with"):
        read_head(tmp_path)


def test_one_pixel_changes_the_fingerprint_and_the_judgement_does_not():
    episode = episode_of(3)
    before = fingerprint(episode)
    assert fingerprint(replace(episode_of(3), id="000009", adapter="0007")) == before
    episode.last.images["cam"][0, 0, 0] = 1
    assert fingerprint(episode) != before
    longer = replace(episode_of(3), last=replace(episode_of(3).last, instruction="stop"))
    assert fingerprint(longer) != before
    felt = episode_of(3)
    felt.last.proprio[0] = np.float32(0.5)
    assert fingerprint(felt) != before
