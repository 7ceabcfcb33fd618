"""A damaged file never breaks a view: what is readable is shown, and what is not is named."""

import json
import math
import os
import random
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from agent import logbook
from agent.errors import DataError, UsageError
from agent.logbook.plain import plain
from agent.store.lock import WriterLock
from agent.store.reader import ZarrReader
from agent.store.zarr_store import ZarrStore
from tests.logbook.acted import TASK, step

VIEWS = {
    "runs": logbook.runs,
    "run": logbook.run,
    "episodes": logbook.episodes,
    "episode": lambda folder: logbook.episode(folder, "000001"),
    "adapters": logbook.adapters,
    "compare": lambda folder: logbook.compare(folder, "0001", "base"),
    "reward": logbook.reward,
    "events": logbook.events,
}
EPISODE = "episodes/000001"
# each file, and the view that must name it
FILES = {
    "run.json": "run",
    "updates/0001.json": "run",
    "updates/0001.safetensors": "episode",
    "evaluations/before-base.json": "run",
    "outcome.json": "run",
    "labels.jsonl": "episodes",
    f"{EPISODE}/episode.json": "episode",
    f"{EPISODE}/data.zarr/progress/c.0": "episode",
    f"{EPISODE}/data.zarr/requested/zarr.json": "episode",
    "adapters/0001/adapter_model.safetensors": "compare",
    "adapters/0001/adapter_config.json": "compare",
}


def garbage(path: Path):
    path.write_bytes(b"\xff\x00{]" * 5)


def half(path: Path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def folder_instead(path: Path):
    path.unlink()
    path.mkdir()


def seen_by_all(folder: Path):
    """Every view of a run as JSON text, which none may fail to make."""
    return {name: json.dumps(plain(make(folder)), allow_nan=False) for name, make in VIEWS.items()}


@pytest.mark.parametrize("harm", [garbage, half, folder_instead])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named_and_the_rest_is_shown(copy, name, harm):
    logbook.label(copy, "000002", "success", "a sound line\n")
    harm(copy / name)
    told = seen_by_all(copy)
    named = [each["path"] for each in damage_in(json.loads(told[FILES[name]]))]
    assert any(name.startswith(path) for path in named), named
    rows = json.loads(told["episodes"])["rows"]
    assert len(rows) == 20
    assert sum(row["summary"]["verdict"] in {"success", "failure"} for row in rows) == 20


def damage_in(view):
    return view["damage"] if "damage" in view else view["rows"][0]["damage"]


def test_a_lost_chunk_is_no_column_of_zeros(copy):
    shutil.rmtree(copy / EPISODE / "data.zarr" / "limits")
    (copy / EPISODE / "data.zarr" / "executed" / "c.0.0").unlink()
    seen = logbook.episode(copy, "000001")
    assert set(seen.seen.missing) == {"limits", "executed"}
    assert seen.seen.rewards is None
    assert any("executed" in each.path and "missing" in each.what for each in seen.damage)
    assert np.isfinite(seen.seen.tracks.log_probs).all()


def test_a_damaged_picture_is_an_error_and_the_other_camera_is_shown(copy):
    chunk = next((copy / EPISODE / "data.zarr" / "images" / "wrist").glob("c.*"))
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)
    frames = logbook.Frames(copy, "000001")
    with pytest.raises(DataError, match="wrist"):
        frames.frame("wrist", 0)
    assert frames.frame("agentview", 0).shape == (32, 32, 3)


def test_a_manifest_that_is_gone_or_torn_hides_no_episode(copy):
    whole = logbook.episodes(copy).rows
    lines = (copy / "manifest.jsonl").read_text().splitlines()
    (copy / "manifest.jsonl").write_text("\n".join([*lines[:3], lines[3][:40], *lines[4:]]))
    assert logbook.episodes(copy).rows == whole
    (copy / "manifest.jsonl").unlink()
    assert logbook.episodes(copy).rows == whole


def test_an_episode_whose_folder_is_gone_is_named(copy):
    shutil.rmtree(copy / "episodes" / "000007")
    seen = logbook.episodes(copy)
    assert len(seen.rows) == 19
    assert [each.path for each in seen.damage] == ["episodes/000007"]


def test_an_adapter_whose_folder_is_gone_is_marked(copy):
    shutil.rmtree(copy / "adapters" / "0001")
    family = logbook.adapters(copy)
    assert {row.name: row.gone for row in family.rows}["0001"]
    assert "0001" in str(family.damage[0])
    assert logbook.compare(copy, "0001", "base").apart is None


def test_an_explanation_of_another_length_is_not_shown(copy):
    shutil.copy(copy / "updates" / "0002.safetensors", copy / "updates" / "0001.safetensors")
    assert logbook.episode(copy, "000001").explained is None


def leaves(value, path=()):
    """The places of all plain values in a JSON value, and of the groups that hold them."""
    yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list) and value:
        yield from leaves(value[0], (*path, 0))


def test_no_value_of_another_kind_breaks_a_view(copy):
    # run.json, updates, evaluations and the outcome carry no hash: anything may stand in them
    draw = random.Random(0)
    for name in ("run.json", "updates/0001.json", "evaluations/before-base.json", "outcome.json"):
        text = (copy / name).read_text()
        places = list(leaves(json.loads(text)))
        for place in draw.sample(places, min(12, len(places))):
            values = json.loads(text)
            wrong = draw.choice([None, "x", -1, 0.5, [], {}, ["x"], {"x": 1}, True])
            if place:
                at = values
                for key in place[:-1]:
                    at = at[key]
                at[place[-1]] = wrong
            else:
                values = wrong
            (copy / name).write_text(json.dumps(values))
            seen_by_all(copy)
        (copy / name).write_text(text)


def test_a_manifest_whose_values_are_of_another_kind_is_not_believed(copy):
    # it is derived and carries no hash: a wrong line counts as none, and the folder tells instead
    whole = logbook.episodes(copy).rows
    first, *rest = (copy / "manifest.jsonl").read_text().splitlines()
    values = json.loads(first)
    for key in values.keys() - {"id"}:
        for wrong in ([], {"x": "x"}, math.inf, 10**400):
            line = json.dumps({**values, key: wrong})
            (copy / "manifest.jsonl").write_text("\n".join([line, *rest]))
            assert logbook.episodes(copy).rows == whole, (key, wrong)


@pytest.mark.parametrize("content", ["[" * 100_000, '[{"task": "", "start": 1e999}]', "[null]"])
def test_json_that_is_too_deep_or_too_large_is_named(copy, content):
    for name in ("updates/0001.json", "evaluations/before-base.json"):
        (copy / name).write_text(content)
        assert name in [each.path for each in logbook.run(copy).damage]
    for name in ("labels.jsonl", "probes.jsonl", "manifest.jsonl"):
        (copy / name).write_text(content + "\n")
    seen_by_all(copy)
    assert [each.path for each in logbook.reward(copy).damage][-1] == "probes.jsonl"


def test_a_folder_that_may_not_be_looked_into_is_named_and_the_others_are_shown(copy, monkeypatch):
    stat, scandir = os.stat, os.scandir

    def refuse(path):
        if "locked/" in str(path) or str(path).endswith("episodes"):
            raise PermissionError(13, "Permission denied", str(path))

    # Rights do not bind the user that the tests may run as.
    monkeypatch.setattr(os, "stat", lambda path, **how: refuse(path) or stat(path, **how))
    monkeypatch.setattr(os, "scandir", lambda path: refuse(path) or scandir(path))
    (copy.parent / "locked").mkdir()
    [row] = logbook.runs(copy.parent).rows
    assert [each.path for each in row.damage] == ["episodes"]
    seen_by_all(copy)


def test_an_episode_that_was_let_go_is_not_missed(copy):
    # a death after the last removal and before the manifest was mended
    row = json.loads((copy / "manifest.jsonl").read_text().splitlines()[6])
    shutil.rmtree(copy / "episodes" / row["id"])
    (copy / "pruned.jsonl").write_text(json.dumps({"when": "", "why": "", "summary": row}) + "\n")
    assert logbook.episodes(copy).damage == ()
    assert ZarrReader(copy).verify() == ()


def stamps(folder):
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size, path.stat().st_ino)
        for path in folder.rglob("*")
    }


def test_looking_changes_nothing(copy):
    before = stamps(copy)
    seen_by_all(copy)
    logbook.Frames(copy, "000001").frame("wrist", 0)
    assert stamps(copy) == before


def test_looking_never_stands_in_a_writers_way(copy):
    stop, found = threading.Event(), []

    def look():
        while not stop.is_set():
            try:
                seen_by_all(copy)
            except Exception as error:  # handed to the test
                found.append(error)
                raise

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(100):
            lock = WriterLock(copy / "writer.lock")
            lock.take()  # raises where anybody else holds it, if only for a moment
            lock.release()
        store = ZarrStore(copy)
        store.open()
        for _ in range(3):
            recording = store.begin(TASK, "base", 1.0)
            for number in range(12):
                recording.append(step(number))
            recording.abandon("enough")
        store.close()
    finally:
        stop.set()
        looker.join()
    assert found == []
    assert [row.status for row in logbook.episodes(copy).rows].count("interrupted") == 3


def test_an_empty_folder_is_no_run(tmp_path):
    for make in (logbook.run, logbook.reward, logbook.events):
        with pytest.raises(UsageError, match="no run"):
            make(tmp_path)
    assert logbook.runs(tmp_path).rows == ()
