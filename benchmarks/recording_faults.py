"""Death and a failing disk at the file operations of a recording, and what must be left."""

from __future__ import annotations

import shutil
from pathlib import Path

from agent.episode import Task
from agent.errors import StorageError
from agent.store.folders import Folders
from agent.store.reader import ZarrReader
from agent.store.zarr_store import ZarrStore
from benchmarks.crash_store import Tell, in_child, record, saved_steps, told, untasked
from benchmarks.faulty_disk import FaultyDisk
from benchmarks.seeded_episodes import ADAPTER, differences

DECISIONS = 12  # one whole chunk, and three views over


def died_recording(scratch: Path, every: int, error: int | None) -> tuple[int, int, list[str]]:
    """Strike at every so many operations; strikes, steps lost at most, broken promises."""
    struck, lost, failures = 0, 0, []
    for k in range(1, operations(scratch / "count") + 1, every):
        run = scratch / "run"
        _, lines = told(*in_child(lambda tell, r=run, at=k: write_two(r, tell, at, error)))
        found = [line for line in lines if line.startswith("error")] + broken_promises(run, lines)
        lost = max([lost, *(int(line[5:]) for line in found if line[:5] == "lost ")])
        failures += [f"operation {k}: {line}" for line in found if line[:5] != "lost "]
        struck += 1
        shutil.rmtree(run)
    return struck, lost, failures


def write_two(run: Path, tell: Tell, k: int, error: int | None = None) -> None:
    """Seal one episode on a sound disk and another on a disk that fails at operation k."""
    store = ZarrStore(run, free_bytes=0)
    store.open()
    record(store, tell, DECISIONS)
    disk = FaultyDisk(k, error)
    disk.install()
    try:
        record(store, tell, DECISIONS)
    except StorageError as refused:
        tell(f"refused {refused}")
    tell(f"count {disk.count}")
    disk.mend()


def operations(run: Path) -> int:
    """How many file operations the second episode takes."""
    code, lines = told(*in_child(lambda tell: write_two(run, tell, 0)))
    if code:
        raise AssertionError(lines)
    return int(lines[-1].split()[1])


def broken_promises(run: Path, lines: list[str]) -> list[str]:
    """Recover and hold what is there against what was told; "lost N" are steps, no failure."""
    code, said = told(*in_child(lambda tell: _check(run, lines, tell)))
    wrong = [line for line in said if line != "ok"]
    return wrong if code == 0 and "ok" in said else [*wrong, f"the checker ended with {code}"]


def _check(run: Path, lines: list[str], tell: Tell) -> None:
    store = ZarrStore(run, free_bytes=0)
    store.open()
    promised = [line.split()[1] for line in lines if line.startswith("sealed")]
    for name in sorted(set(promised) - set(store.ids())):
        tell(f"episode {name} was sealed and is lost")
    for name in store.ids():
        for what in differences(untasked(name, DECISIONS), store.read(name)):
            tell(f"episode {name}: {what}")
    if [row.id for row in store.summaries()] != list(store.ids()):
        tell("the manifest is not what is there")
    for finding in ZarrReader(run).verify():
        tell(str(finding))
    if (lost := _lost(run, store, lines)) > 0:
        tell(f"lost {lost}")
    # Ids are never given twice, whatever became of the second episode.
    begun = {line.split()[1] for line in lines if line.startswith("began")}
    if store.begin(Task("", "", 0, 0), ADAPTER, 1.0).id in begun:
        tell("an id was given twice")
    store.close()
    tell("ok")


def _lost(run: Path, store: ZarrStore, lines: list[str]) -> int:
    """Steps of the second episode that were kept and are not there."""
    kept = [int(line.split()[2]) for line in lines if line.startswith("kept 000002")]
    if "000002" in store.ids() or not kept:
        return 0
    content = untasked("000002", DECISIONS)
    return kept[-1] - saved_steps(Folders(run).interrupted / "000002", content)
