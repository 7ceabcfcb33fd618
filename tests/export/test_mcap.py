"""MCAP files, read back with the mcap package's own reader."""

import base64
import datetime
import io
import json

import numpy as np
import pytest
from PIL import Image

reader = pytest.importorskip("mcap.reader")

from agent.store.reader import ZarrReader  # noqa: E402


@pytest.fixture
def read(sent):
    def messages(name):
        with (sent("mcap") / f"{name}.mcap").open("rb") as file:
            found = list(reader.make_reader(file).iter_messages())
        return [(schema, channel.topic, each.log_time, json.loads(each.data))
                for schema, channel, each in found]  # fmt: skip

    return messages


def of(messages, topic):
    return [(at, data) for _, name, at, data in messages if name == topic]


def test_every_view_comes_back_as_the_picture_it_was(read, episodes):
    for scored in episodes[:3]:
        views = [step.observation for step in scored.episode.steps] + [scored.episode.last]
        found = of(read(scored.episode.id), "/camera/agentview")
        assert len(found) == len(views)
        for (_, message), view in zip(found, views, strict=True):
            assert message["format"] == "jpeg"
            picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(message["data"]))))
            assert np.abs(picture.astype(int) - view.images["agentview"]).max() <= 2


def test_actions_are_those_requested_and_applied(read, episodes):
    scored = next(each for each in episodes if each.episode.control_steps > 2)
    step = scored.episode.steps[0]
    _, found = of(read(scored.episode.id), "/action")[1]
    applied = np.float32([*step.applied[1].delta, step.applied[1].gripper])
    assert list(found["applied"].values()) == applied.tolist()
    assert found["requested"]["x"] == float(step.decision.actions[1].delta[0])
    assert found["executed"] == bool(step.executed[1])
    assert found["limits"] == []


def test_the_state_is_named_as_the_robot_names_it(read, episodes):
    _, found = of(read(episodes[0].episode.id), "/state")[0]
    assert found["values"] == {"x": 0.0, "y": 0.0, "z": 0.0}


def test_time_begins_when_the_episode_began_and_goes_at_the_robots_pace(read, point_run):
    row = next(row for row in ZarrReader(point_run).summaries() if row.control_steps > 2)
    found = read(row.id)
    began_ns = int(datetime.datetime.fromisoformat(row.began).timestamp() * 1e9)
    times = [at for at, _ in of(found, "/action")]
    # the point robot works at 10 Hz and counts its control steps as seconds between views
    assert [at - began_ns for at in times[:3]] == [0, 100_000_000, 2_000_000_000]
    stamp = of(found, "/action")[1][1]["timestamp"]
    assert stamp["sec"] * 10**9 + stamp["nsec"] == times[1]


def test_every_message_has_what_its_schema_says_and_nothing_else(read, episodes):
    for schema, _, _, data in read(episodes[0].episode.id):
        assert set(json.loads(schema.data)["properties"]) == set(data), schema.name


def test_the_ending_and_the_facts_of_the_episode_are_in_the_file(sent, read, point_run):
    row = ZarrReader(point_run).summaries()[0]
    ((_, said),) = of(read(row.id), "/log")
    assert said["message"].startswith(f"{row.ending}; verdict {row.verdict}")
    with (sent("mcap") / f"{row.id}.mcap").open("rb") as file:
        (facts,) = reader.make_reader(file).iter_metadata()
    assert (facts.name, facts.metadata["adapter"]) == ("episode", row.adapter)
