"""Rerun recordings and Rerun's own reading of other exports."""

import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("rerun", reason="rerun-sdk is not installed: pip install 'vlarl-agent[rerun]'")

from rerun.chunk import McapReader, RrdReader
from rerun.experimental import LeRobotReader


def columns(path):
    """Entity to (steps, values) of everything that changes with time."""
    found = {}
    for chunk in RrdReader(path).stream():
        if not chunk.is_static:
            batch = chunk.to_record_batch()
            kind = next(name for name in batch.schema.names if name.split(":")[-1] in (
                "scalars", "blob", "text"))  # fmt: skip
            steps, values = found.setdefault(chunk.entity_path, ([], []))
            steps += batch["step"].to_pylist()
            values += batch[kind].to_pylist()
    return found


def test_views_come_back_to_the_bit_and_actions_as_they_were(sent, episodes):
    scored = next(each for each in episodes if each.episode.control_steps > 2)
    episode, found = scored.episode, columns(sent("rerun") / f"{scored.episode.id}.rrd")
    steps, blobs = found["/camera/wrist"]
    assert steps == [0, *np.cumsum([len(step.applied) for step in episode.steps])]
    views = [*(step.observation for step in episode.steps), episode.last]
    for (blob,), view in zip(blobs, views, strict=True):
        picture = np.asarray(Image.open(io.BytesIO(bytes(blob))))
        np.testing.assert_array_equal(picture, view.images["wrist"])
    applied = [action for step in episode.steps for action in step.applied]
    steps, rows = found["/action/applied"]
    assert steps == list(range(episode.control_steps))
    assert [row[0] for row in rows] == [float(action.delta[0]) for action in applied]


def test_progress_has_a_value_a_view(sent, episodes):
    found = columns(sent("rerun") / f"{episodes[0].episode.id}.rrd")
    told = [value for (value,) in found["/judge/progress"][1]]
    assert told == [float(value) for value in episodes[0].signal.progress]


def test_a_recording_brings_its_layout(sent, episodes):
    reader = RrdReader(sent("rerun") / f"{episodes[0].episode.id}.rrd")
    assert len(reader.recordings()) == len(reader.blueprints()) == 1


def test_rerun_reads_the_lerobot_export(sent, episodes):
    pytest.importorskip("pyarrow")
    reader = LeRobotReader(sent("lerobot"))
    assert list(reader.episodes()) == list(range(len(episodes)))
    rows = [chunk for chunk in reader.stream(0) if not chunk.is_static]
    found = sum(chunk.num_rows for chunk in rows if chunk.entity_path == "/action")
    assert found == episodes[0].episode.control_steps


def test_rerun_reads_the_mcap_export(sent, episodes):
    pytest.importorskip("mcap")
    rows = {}
    for chunk in McapReader(sent("mcap") / f"{episodes[0].episode.id}.mcap").stream():
        rows[chunk.entity_path] = rows.get(chunk.entity_path, 0) + chunk.num_rows
    assert rows["/camera/wrist"] >= len(episodes[0].episode.steps) + 1
