"""Death and a failing disk in fsck, compact and prune, and what must be true of the run after."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from agent.episode import Task
from agent.errors import StorageError
from agent.store.chores import compacted, mended, pruned
from agent.store.folders import Folders
from agent.store.names import ids_in
from agent.store.prune import Limits, pruned_ids
from agent.store.reader import ZarrReader
from agent.store.zarr_store import ZarrStore
from benchmarks.crash_store import Tell, in_child, record, saved_steps, told, untasked
from benchmarks.faulty_disk import FaultyDisk
from benchmarks.seeded_episodes import ADAPTER, differences, seeded

DECISIONS = 12  # one whole chunk, and three views over
BROKEN, DAMAGED = "000004", "000002"


def make_run(run: Path) -> None:
    """Three sealed episodes and one broken off."""

    def write(_: Tell) -> None:
        store = ZarrStore(run, free_bytes=0)
        store.open()
        for _each in range(3):
            record(store, lambda _: None, DECISIONS)
        recording = store.begin(Task("", "", 0, 0), ADAPTER, 1.0)
        for step in seeded(int(BROKEN), DECISIONS).steps:
            recording.append(step)

    _done(write)


def damage(run: Path) -> None:
    """What fsck is for: a flipped bit, a torn manifest, and the broken-off episode."""
    chunk = run / "episodes" / DAMAGED / "data.zarr" / "images" / "front" / "c.0.0.0.0"
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    manifest = run / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-40])


def do(chore: str, run: Path) -> None:
    """Carry out "fsck", "compact" or "prune"."""
    if chore == "fsck":
        mended(run, dry_run=False, as_json=True)
    elif chore == "compact":
        compacted(run, dry_run=False, as_json=True)
    else:
        pruned(run, Limits(episodes=1), lambda _: "", dry_run=False, as_json=True)


def strike(chore: str, template: Path, run: Path, k: int, error: int | None = None) -> int:
    """Do a chore in a copy of a run, on a disk that fails at operation k; returns the exit code."""
    copied(chore, template, run)

    def work(tell: Tell) -> None:
        disk = FaultyDisk(k, error)
        disk.install()
        try:
            do(chore, run)
        except StorageError as refused:
            tell(f"refused {refused}")
        tell(f"count {disk.count}")

    code, lines = told(*in_child(work))
    if wrong := [line for line in lines if line.startswith("error")]:
        raise AssertionError(f"{chore} at {k}: {wrong}")
    return code


def copied(chore: str, template: Path, run: Path) -> None:
    """A fresh copy of the template, damaged for fsck."""
    shutil.copytree(template, run)
    if chore == "fsck":
        damage(run)


def operations(chore: str, template: Path, run: Path) -> int:
    """How many file operations the chore takes on a sound disk."""
    copied(chore, template, run)

    def work(tell: Tell) -> None:
        disk = FaultyDisk(0)
        disk.install()
        do(chore, run)
        tell(f"count {disk.count}")

    code, lines = told(*in_child(work))
    if code:
        raise AssertionError(lines)
    return int(lines[-1].split()[1])


def broken_promises(chore: str, run: Path) -> list[str]:
    """Start again, do the chore again, and tell everything that is then not as it must be."""
    code, lines = told(*in_child(lambda tell: _check(chore, run, tell)))
    return lines if code or lines != ["ok"] else []


def _check(chore: str, run: Path, tell: Tell) -> None:
    folders = Folders(run)
    store = ZarrStore(run, free_bytes=0)
    store.open()
    after = int(store.begin(Task("", "", 0, 0), ADAPTER, 1.0).id)
    store.close()
    if after <= int(BROKEN):
        tell(f"id {after} was given twice")
    there = set(ids_in(folders.episodes))
    for name in sorted(_gone(chore, folders)):
        tell(f"episode {name} is lost")
    if chore != "fsck":
        _sound(run, there, tell)
    do(chore, run)
    there = set(ids_in(folders.episodes))
    _sound(run, there, tell)
    wanted = {
        "fsck": {"000001", "000003"},
        "compact": {"000001", "000002", "000003"},
        "prune": set(),  # the newest of all is an interrupted one
    }
    if there != wanted[chore]:
        tell(f"want {sorted(wanted[chore])}, found {sorted(there)}")
    if chore != "prune":
        saved = saved_steps(folders.interrupted / BROKEN, seeded(int(BROKEN), DECISIONS))
        if saved != DECISIONS:
            tell(f"{saved} of {DECISIONS} steps of the broken-off episode are left")
    if left := [path.name for path in folders.staging.iterdir()]:
        tell(f"left in staging: {left}")
    tell("ok")


def _gone(chore: str, folders: Folders) -> set[str]:
    """Sealed episodes that are neither there nor where this chore may put them."""
    gone = {"000001", "000002", "000003"} - set(ids_in(folders.episodes))
    if chore == "fsck":
        gone -= {DAMAGED} & set(ids_in(folders.quarantine))
    elif chore == "prune":
        gone -= pruned_ids(folders)
    return gone


def _sound(run: Path, there: set[str], tell: Tell) -> None:
    reader = ZarrReader(run)
    for name in sorted(there):
        for what in differences(untasked(name, DECISIONS), reader.read(name)):
            tell(f"episode {name}: {what}")
    for finding in reader.verify():
        tell(str(finding))
    if [row.id for row in reader.summaries()] != list(reader.ids()):
        tell("the manifest is not what is there")


def _done(work: Callable[[Tell], None]) -> None:
    code, lines = told(*in_child(work))
    if code:
        raise AssertionError(lines)
