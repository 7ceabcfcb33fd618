"""What is left of recording, compact, prune and fsck when the power is cut at a file operation."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agent.episode import Task
from agent.store.folders import Folders
from agent.store.names import ids_in
from agent.store.zarr_store import ZarrStore
from benchmarks.crash_store import Tell, in_child, record, saved_steps, told, untasked
from benchmarks.power_cut import PowerCut
from benchmarks.seeded_episodes import ADAPTER, differences
from benchmarks.upkeep_faults import broken_promises, copied, do, make_run

DECISIONS = 35  # three whole chunks, and six views over
PACE_S = 0.05  # 20 Hz


@dataclass
class Cuts:
    """What all cuts came to. lost: steps of a running episode that a cut took, at most."""

    count: int = 0
    lost: int = 0
    failures: list[str] = field(default_factory=list)


def cut_recording(scratch: Path, every: int) -> Cuts:
    """Record two episodes, cut before every so many operations, and look at each disk left."""
    run, out = scratch / "run", scratch / "cuts"
    run.mkdir(parents=True)
    out.mkdir()
    promises = _recorded(run, out, lambda count: count % every == 0)
    found = Cuts()
    for cut in sorted(out.iterdir()):
        told_by_then = [line for at, line in promises if at < int(cut.name[:5])]
        code, lines = told(*in_child(lambda tell, c=cut, p=told_by_then: _check(c, p, tell)))
        found.count += 1
        found.lost = max([found.lost, *(int(each[5:]) for each in lines if each[:5] == "lost ")])
        wrong = [line for line in lines if line[:5] != "lost "]
        if code or wrong != ["ok"]:
            found.failures += [f"cut {cut.name}: {line}" for line in wrong or ["no answer"]]
        shutil.rmtree(cut)
    return found


def cut_chore(scratch: Path, chore: str, every: int) -> Cuts:
    """Do "fsck", "compact" or "prune", cut before every so many operations; look at each disk."""
    template, run, out = scratch / "template", scratch / "run", scratch / "cuts"
    make_run(template)
    copied(chore, template, run)
    out.mkdir()

    def work(_: Tell) -> None:
        PowerCut(run, out, lambda count: count % every == 0).install()
        do(chore, run)

    code, lines = told(*in_child(work))
    if code:
        raise AssertionError(lines)
    found = Cuts()
    for cut in sorted(out.iterdir()):
        found.count += 1
        found.failures += [f"cut {cut.name}: {line}" for line in broken_promises(chore, cut)]
        shutil.rmtree(cut)
    return found


def _recorded(run: Path, out: Path, cuts: Callable[[int], bool]) -> list[tuple[int, str]]:
    """What the recorder told, each with the number of file operations before it."""

    def work(tell: Tell) -> None:
        watch = PowerCut(run, out, cuts)
        watch.install()
        store = ZarrStore(run, free_bytes=0)
        store.open()
        for _ in range(2):
            record(store, lambda line: tell(f"{watch.count} {line}"), DECISIONS, PACE_S)
        time.sleep(0.05)

    code, lines = told(*in_child(work))
    if code:
        raise AssertionError(lines[-3:])
    return [(int(line.split(" ", 1)[0]), line.split(" ", 1)[1]) for line in lines]


def _check(run: Path, promises: list[str], tell: Tell) -> None:
    folders = Folders(run)
    store = ZarrStore(run, free_bytes=0)
    store.open()
    words = [line.split() for line in promises]
    sealed = {each[1] for each in words if each[0] == "sealed"}
    kept = {each[1]: int(each[2]) for each in words if each[0] == "kept"}
    there = set(ids_in(folders.episodes))
    for name in sorted(sealed - there):
        tell(f"episode {name} was sealed and is lost")
    for name in sorted(there):
        for what in differences(untasked(name, DECISIONS), store.read(name)):
            tell(f"episode {name}: {what}")
    for name in sorted(set(kept) - there):
        saved = saved_steps(folders.interrupted / name, untasked(name, DECISIONS))
        tell(f"lost {max(0, kept[name] - saved)}")
    if ids_in(folders.quarantine):
        tell(f"in quarantine: {ids_in(folders.quarantine)}")
    again = store.begin(Task("", "", 0, 0), ADAPTER, 1.0).id
    if again in sealed | there:
        tell(f"id {again} was given twice")
    store.close()
    tell("ok")
