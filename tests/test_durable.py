"""Files and folders that are whole or absent, whatever fails on the way."""

import errno
import os
from pathlib import Path

import pytest

from agent import durable
from agent.errors import StorageError


def test_an_atomic_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    durable.write_text(path, "old")

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "write_all", full)
    with pytest.raises(StorageError, match=r"x\.json.*free some space"):
        durable.write_text(path, "new")
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("x.json", "old")]


def test_a_folder_is_flushed_before_it_has_its_name(tmp_path, monkeypatch):
    staged = tmp_path / "staged"
    (staged / "inner").mkdir(parents=True)
    (staged / "inner" / "weights").write_bytes(b"w")
    (staged / "config").write_bytes(b"c")
    (tmp_path / "kept").mkdir()
    told, flush, rename = [], os.fsync, os.rename

    def noted_flush(descriptor):
        told.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        flush(descriptor)

    def noted_rename(source, target):
        told.append("named")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", noted_flush)
    monkeypatch.setattr(os, "rename", noted_rename)
    durable.publish_folder(staged, tmp_path / "kept" / "0001")
    before = told[: told.index("named")]
    assert sorted(before) == ["config", "inner", "staged", "weights"]
    # the new name is made durable too, in the folder that holds it
    assert "kept" in told[told.index("named") :]
    assert (tmp_path / "kept" / "0001" / "inner" / "weights").read_bytes() == b"w"
    assert not staged.exists()


def test_a_folder_that_cannot_be_flushed_keeps_its_staged_name(tmp_path, monkeypatch):
    staged = tmp_path / "staged"
    staged.mkdir()
    (staged / "config").write_bytes(b"c")

    def broken(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StorageError, match="the disk reports an error"):
        durable.publish_folder(staged, tmp_path / "final")
    assert staged.is_dir()
    assert not (tmp_path / "final").exists()
