"""What a judge says of every view, from the store to each place where it is shown."""

import numpy as np
import pytest

from agent import logbook
from agent.cli.telling_episode import episode as told
from agent.episode import RewardSignal, Terminated, Verdict
from agent.logbook.plain import plain
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from agent.tui.episode_tracks import tracks
from tests.logbook.acted import TASK, step, view

SUCCESS = np.array([0.0, 0.25, 0.5, 1.0], np.float32)
UNSURE = np.array([0.5, 0.4, 0.3, 0.125], np.float32)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two episodes of three decisions: of the first every view is judged, of the second none."""
    folder = tmp_path_factory.mktemp("judged") / "run"
    create_run(folder, {"learn": {"gamma": 1, "progress_weight": 0, "shaping": "potential"}}, {})
    store = ZarrStore(folder)
    store.open()
    for spoken in ((SUCCESS, UNSURE), ()):
        recording = store.begin(TASK, "base", 1.0)
        for number in range(3):
            recording.append(step(number))
        recording.finish(view(3.0), Terminated("success"))
        progress = np.linspace(0, 1, 4, dtype=np.float32)
        recording.seal(RewardSignal(progress, 1.0, Verdict.SUCCESS, "judge/1", *spoken))
    store.close()
    return folder


def test_the_views_are_read_as_they_were_judged(run):
    seen = logbook.episode(run, "000001").seen
    assert seen.tracks.success.tolist() == SUCCESS.tolist()
    assert seen.tracks.uncertainty.tolist() == UNSURE.tolist()
    assert plain(logbook.episode(run, "000001"))["seen"]["tracks"]["success"] == [0.0, 0.25, 0.5, 1]


def test_a_judge_that_says_nothing_of_single_views_leaves_no_damage(run):
    found = logbook.episode(run, "000002")
    assert (found.damage, found.seen.missing) == ((), ())
    assert np.isnan(found.seen.tracks.success).all()
    assert "unsure" not in told(found)
    assert not {"success", "unsure"} & {each.name for each in tracks(found)}


def test_they_are_columns_of_the_text_and_tracks_of_the_screen(run):
    found = logbook.episode(run, "000001")
    head, first, second = told(found).split("\n\n")[1].splitlines()[:3]
    assert head.split()[:5] == ["#", "t", "s", "prog", "p"]
    assert (first.split()[3:5], second.split()[3:5]) == (["0.00", "0.50"], ["0.25", "0.40"])
    shown = {each.name: each for each in tracks(found)}
    assert [shown["success"].told(i) for i in range(3)] == ["0.00", "0.25", "0.50"]
    assert shown["unsure"].told(2) == "0.30"


def test_a_missing_array_that_was_recorded_is_named(run, tmp_path):
    import shutil

    copy = shutil.copytree(run, tmp_path / "run")
    for file in (copy / "episodes" / "000001" / "data.zarr" / "uncertainty").glob("c*"):
        file.unlink()
    found = logbook.episode(copy, "000001")
    assert "uncertainty" in str(found.damage[0])
    assert found.seen.tracks.success.tolist() == SUCCESS.tolist()


def test_mcap_carries_them_and_leaves_out_what_was_not_said(run):
    reader = pytest.importorskip("mcap.reader")
    import io
    import json

    from agent.export.mcap_log import McapLog
    from agent.store.reader import ZarrReader

    store = ZarrReader(run)
    rows = {row.id: row for row in store.summaries()}
    said = []
    for name in ("000001", "000002"):
        made = McapLog(10.0, ()).part(store.read(name), rows[name], ())
        found = reader.make_reader(io.BytesIO(made.files[f"{name}.mcap"])).iter_messages("/judge")
        said.append([json.loads(each.data) for _, _, each in found])
    assert [each["success"] for each in said[0]] == SUCCESS.tolist()
    assert said[0][-1]["uncertainty"] == 0.125
    assert "success" not in said[1][0]
    assert "progress" in said[1][0]
