"""Clips for people, read back with FFmpeg."""

import pytest

av = pytest.importorskip("av")

from agent.errors import UsageError  # noqa: E402
from agent.export.chosen import Choice  # noqa: E402
from agent.export.formats import Wishes  # noqa: E402
from tests.export.conftest import send  # noqa: E402


def pictures(path):
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_each_episode_has_a_clip_of_each_camera_with_a_frame_a_control_step(sent, episodes):
    clips = sent("mp4")
    for scored in episodes:
        for camera in ("agentview", "wrist"):
            shown = pictures(clips / f"{scored.episode.id}-{camera}.mp4")
            assert len(shown) == scored.episode.control_steps
            assert shown[0].shape == (32, 32, 3)


def test_a_caption_stands_under_the_picture_and_changes_with_the_step(point_run, tmp_path):
    send(point_run, "mp4", tmp_path / "out", Choice("1-4", ("failure",)), Wishes(caption=True))
    shown = pictures(next((tmp_path / "out").glob("*-wrist.mp4")))
    # 32 px enlarged 12 times is 384, the least a line needs; three lines of 14 px and a rim of 4
    assert shown[0].shape == (384 + 46, 384, 3)
    assert shown[0][390:, :].max() > 150
    assert (shown[0][390:, :] != shown[-1][390:, :]).any()


def test_a_caption_is_refused_where_nothing_is_drawn(point_run, tmp_path):
    with pytest.raises(UsageError, match="--caption is for mp4"):
        send(point_run, "mcap", tmp_path / "out", wishes=Wishes(caption=True))
