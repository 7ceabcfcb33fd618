"""Episodes made elsewhere, brought into a run: demonstrations in HDF5, and our own in a zip."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from agent.durable import remove_folder, storage_errors, write_bytes
from agent.episode import (
    Action,
    Decision,
    Observation,
    RewardSignal,
    Step,
    Task,
    Terminated,
    Truncated,
    Verdict,
)
from agent.errors import DataError, UsageError
from agent.store.adopt import ROOT, renamed
from agent.store.archive import unpack_episode
from agent.store.folders import IMPORT, Folders
from agent.store.hdf5_demos import Demo, open_demos
from agent.store.names import ids_in
from agent.store.packing import parse_codecs
from agent.store.record import DATA, read_record, write_record
from agent.store.run import RUN, create_run
from agent.store.verify import verify_episode
from agent.store.zarr_store import ZarrStore

log = logging.getLogger(__name__)

SOURCE = "imported_from"
_VERDICTS = {True: Verdict.SUCCESS, False: Verdict.FAILURE, None: Verdict.UNKNOWN}


def import_file(
    file: Path,
    run: Path,
    codecs: str = "",
    on_episode: Callable[[str, str], None] = lambda *_: None,
) -> tuple[str, ...]:
    """Bring all episodes of a file into a run, which is made if needed; returns their new ids.

    What was imported before, by the same name from a file of the same name, is not imported
    again, so an import that broke off may be repeated. Nothing of a file that is refused as a
    whole is kept. Raises UsageError, DataError and StorageError.
    """
    kind = file.suffix.lower()
    if kind not in {".hdf5", ".h5", ".zip"}:
        raise UsageError(f"{file}: want .hdf5, .h5 or .zip; other kinds cannot be imported")
    packed = parse_codecs(codecs)
    with _nothing_left(run):
        if kind == ".zip":
            return (_import_zip(file, run, on_episode),)
        return _import_demos(file, run, packed, on_episode)


@contextmanager
def _nothing_left(run: Path) -> Iterator[None]:
    """Remove a run that was made for an import of which no episode came."""
    there = run.exists()
    try:
        yield
    except BaseException:
        if not there and run.exists() and not ids_in(Folders(run).episodes):
            remove_folder(run)
        raise


def _import_demos(
    file: Path, run: Path, codecs: Mapping[str, str], on_episode: Callable[[str, str], None]
) -> tuple[str, ...]:
    with open_demos(file) as demos:
        store = _opened(run, codecs)
        try:
            there, made = _imported(Folders(run)), []
            for name in demos.names:
                source = f"{file.name}/{name}"
                if source in there:
                    log.info("%s is here already, as episode %s", source, there[source])
                    continue
                made.append(_record(store, demos.read(name), source))
                on_episode(made[-1], source)
            return tuple(made)
        finally:
            store.close()


def _opened(run: Path, codecs: Mapping[str, str]) -> ZarrStore:
    if not (run / RUN).exists():
        create_run(run, {}, {})
    store = ZarrStore(run, codecs=codecs)
    store.open()
    return store


def _imported(folders: Folders) -> Mapping[str, str]:
    """Where from each imported episode came, to its id."""
    found = {}
    for name in ids_in(folders.episodes):
        try:
            extra = read_record(folders.episodes / name).attributes["extra"]
        except (DataError, KeyError):
            continue
        found[str(extra.get(SOURCE, ""))] = name
    return found


def _record(store: ZarrStore, demo: Demo, source: str) -> str:
    n = len(demo.actions)
    task = Task(demo.task, demo.instruction, demo.number, n)
    extra = {"use": "demonstration", SOURCE: source}
    recording = store.begin(task, "expert", 0.0, extra=extra)
    for index in range(n):
        recording.append(_step(demo, index))
    ending = Terminated("success") if demo.success else Truncated("timeout")
    recording.finish(_view(demo, n), ending)
    progress = np.zeros(n + 1, np.float32)
    progress[-1] = float(bool(demo.success))
    chance = {True: 1.0, False: 0.0, None: 0.5}[demo.success]
    recording.seal(RewardSignal(progress, chance, _VERDICTS[demo.success], "the imported file"))
    return recording.id


def _view(demo: Demo, index: int) -> Observation:
    images = {camera: frames[index] for camera, frames in demo.images.items()}
    return Observation(images, demo.proprio[index], demo.instruction, index / demo.hz)


def _step(demo: Demo, index: int) -> Step:
    row = demo.actions[index]
    action = Action(row[:6].astype(np.float32), float(row[6]))
    tokens, log_probs = np.zeros(0, np.int16), np.zeros(0, np.float32)
    return Step(
        observation=_view(demo, index),
        decision=Decision((action,), tokens, log_probs, "expert", 0.0),
        applied=(action,),
        executed=np.ones(1, np.bool_),
        track=demo.proprio[index + 1][None],
    )


def _import_zip(file: Path, run: Path, on_episode: Callable[[str, str], None]) -> str:
    """Unpack, verify, give it the next id, and only then commit it."""
    store = _opened(run, {})
    try:
        name = store.next_id()
        folder = Folders(run).staging / f"{name}{IMPORT}"
        unpack_episode(file, folder)
        try:
            if findings := verify_episode(folder):
                raise DataError(f"{file}: {findings[0].array} {findings[0].what}; not imported")
            record = read_record(folder)
            if record.layout is None or record.status != "complete":
                raise DataError(f"{file}: want a sealed episode, found an interrupted one")
            with storage_errors(folder, "reading"):
                root = (folder / DATA / ROOT).read_bytes()
            record, root = renamed(record, root, name)
            write_bytes(folder / DATA / ROOT, root)
            write_record(folder, record)
            store.adopt(folder)
        finally:
            remove_folder(folder)
        on_episode(name, file.name)
        return name
    finally:
        store.close()
