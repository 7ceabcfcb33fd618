"""An export folder: taken up again after a death, refused where it is another's."""

import errno
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("mcap")

from agent.errors import DataError, StorageError, UsageError
from agent.export.chosen import Choice
from agent.export.folder import PARTS, PLAN
from benchmarks.faulty_disk import FaultyDisk
from tests.export.conftest import send

TWO = Choice("1-2")


def content(folder):
    """Every file but the plan, by its place, as a hash."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != PLAN
    }


def plan(folder):
    return json.loads((folder / PLAN).read_text())


@pytest.mark.parametrize("name", ["lerobot", "mcap"])
def test_an_export_killed_in_the_middle_resumes_to_the_same_bytes(name, sent, point_run, tmp_path):
    whole, out = sent(name), tmp_path / "out"
    command = "import sys; from agent.cli import main; sys.argv[0] = 'vlarl-agent'; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", command, "export", name, str(point_run), str(out)],
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while len(list((out / PARTS).glob("*.json"))) < 2 and time.monotonic() < until:
            time.sleep(0.002)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert plan(out)["complete"] is False
    assert 0 < len(content(out)) < len(content(whole))
    assert not (out / "meta" / "info.json").exists()
    first = {"lerobot": "data/chunk-000/file-000.parquet", "mcap": "000001.mcap"}[name]
    written_ns = (out / first).stat().st_mtime_ns
    send(point_run, name, out, resume=True)
    assert content(out) == content(whole)
    assert plan(out) == plan(whole)
    assert (out / first).stat().st_mtime_ns == written_ns


def _try(run, out, k, told):
    disk = FaultyDisk(k, errno.ENOSPC)
    disk.install()
    try:
        send(run, "mcap", out, TWO)
    except StorageError as error:
        told.send(str(error))
    else:
        told.send(f"done {disk.count}")
    os._exit(0)


def _fill(run, out, k):
    """Export with a disk that is full from its k-th operation on; gives what was said."""
    mine, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_try, args=(run, out, k, theirs))
    child.start()
    assert mine.poll(30)
    said = mine.recv()
    child.join()
    return said


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_disk_full_at_any_operation_is_said_and_leaves_nothing_that_looks_whole(
    point_run, tmp_path
):
    send(point_run, "mcap", tmp_path / "whole", TWO)
    wanted = content(tmp_path / "whole")
    operations = int(_fill(point_run, tmp_path / "count", 0).split()[1])
    assert operations > 20
    for k in range(1, operations + 1, 2):
        out = tmp_path / str(k)
        said = _fill(point_run, out, k)
        if said.startswith("done"):  # only taking away what is no more wanted was left to do
            assert content(out) == wanted
            continue
        assert "the disk is full" in said, k
        if (out / PLAN).exists() and plan(out)["complete"]:
            assert content(out).items() >= wanted.items(), k
        found = {path: each for path, each in content(out).items() if path.endswith(".mcap")}
        assert found.items() <= wanted.items(), k
        send(point_run, "mcap", out, TWO, resume=True)
        assert content(out) == wanted, k
        shutil.rmtree(out)


def test_a_folder_in_use_is_refused(point_run, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        send(point_run, "mcap", tmp_path, TWO)
    with pytest.raises(UsageError, match="holds no export to resume"):
        send(point_run, "mcap", tmp_path, TWO, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_another_export_is_not_resumed(point_run, tmp_path):
    send(point_run, "mcap", tmp_path / "out", TWO)
    with pytest.raises(UsageError, match="its format is 'mcap', wanted 'mp4'"):
        send(point_run, "mp4", tmp_path / "out", TWO, resume=True)
    with pytest.raises(UsageError, match="begun with other episodes"):
        send(point_run, "mcap", tmp_path / "out", Choice("2"), resume=True)


def test_a_whole_export_is_left_alone_and_a_longer_run_changes_nothing(point_run, tmp_path):
    done = send(point_run, "mcap", tmp_path / "out", TWO)
    before = content(tmp_path / "out")
    # the run has more episodes than were chosen when it was begun
    assert send(point_run, "mcap", tmp_path / "out", resume=True) == done
    assert content(tmp_path / "out") == before


def test_a_receipt_whose_file_is_gone_does_not_count(point_run, tmp_path):
    out = tmp_path / "out"
    send(point_run, "mcap", out, TWO)
    wanted = content(out)
    send(point_run, "mcap", tmp_path / "again", TWO)
    # as if broken off after the first episode, whose file was then lost
    told = plan(out)
    (out / PARTS).mkdir()
    receipt = {
        "episode": "000001",
        "files": {"000001.mcap": told["files"]["000001.mcap"]},
        "facts": {},
    }
    (out / PARTS / "000001.json").write_text(json.dumps(receipt))
    (out / PLAN).write_text(json.dumps({**told, "complete": False}))
    (out / "000001.mcap").unlink()
    send(point_run, "mcap", out, TWO, resume=True)
    assert content(out) == wanted


def test_a_damaged_episode_stops_the_export_or_is_left_out_and_named(point_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(point_run, run)
    largest = max((run / "episodes" / "000001").rglob("*"), key=lambda file: file.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)
    with pytest.raises(DataError, match=r"000001.*--skip-damaged"):
        send(run, "mcap", tmp_path / "out", TWO)
    done = send(run, "mcap", tmp_path / "rest", TWO, skip_damaged=True)
    assert (done.episodes, done.damaged) == (1, ("000001",))
    assert list(content(tmp_path / "rest")) == ["000002.mcap"]


def test_no_episode_is_an_error_and_not_an_empty_export(point_run, tmp_path):
    with pytest.raises(UsageError, match="no episode is left"):
        send(point_run, "mcap", tmp_path / "out", Choice("", ("unknown",)))
    assert not (tmp_path / "out").exists()
