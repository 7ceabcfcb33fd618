"""A run folder brought in order: what broke off is saved, what is damaged is set aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.durable import make_folder
from agent.errors import DataError
from agent.store.folders import Folders
from agent.store.lock import WriterLock
from agent.store.manifest import manifest_of, mend_manifest, read_manifest
from agent.store.names import ids_in
from agent.store.prune import pruned_ids
from agent.store.quarantine import set_aside
from agent.store.record import read_record
from agent.store.recovery import ALREADY, is_twin, recover
from agent.store.run import RUN, open_run
from agent.store.schema import NewerSchema
from agent.store.verify import verify_episode


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing out of order. episode: "" for the run itself. done: what mends it."""

    episode: str
    what: str
    done: str

    def to_json(self) -> dict[str, str]:
        """As plain JSON values."""
        return asdict(self)


# Damage that nobody can undo is told and left as it is.
LEFT = "left as it is"


def fsck(folders: Folders, *, dry_run: bool) -> tuple[Fault, ...]:
    """Find what is out of order and, unless `dry_run`, mend it. Safe to die in.

    A dry run may look while another process writes: what that one is at is then in order.
    Raises StorageError while another process writes the run or when the disk fails, DataError
    when a newer program made the run.
    """
    if (folders.run / RUN).exists():
        open_run(folders.run)
    if dry_run:
        running = WriterLock(folders.lock).is_taken()
        unfinished = () if running else tuple(_unfinished(folders))
        return (*unfinished, *_faults(folders, tuple(_damaged(folders))))
    with WriterLock(folders.lock):
        damaged = tuple(_damaged(folders))
        found = (*_unfinished(folders), *_faults(folders, damaged))
        for folder in (folders.staging, folders.episodes, folders.interrupted):
            make_folder(folder)
        for folder, why in damaged:
            set_aside(folders, folder, why)
        recover(folders)
        mend_manifest(folders)
    return found


def _faults(folders: Folders, damaged: Sequence[tuple[Path, list[str]]]) -> Iterator[Fault]:
    for folder, why in damaged:
        more = f" (and {len(why) - 1} more)" if len(why) > 1 else ""
        yield Fault(folder.name, f"{why[0]}{more}", "set aside in quarantine")
    for name in ids_in(folders.episodes):
        try:
            read_record(folders.episodes / name)
        except NewerSchema as error:
            yield Fault(name, str(error), LEFT)
        except DataError:
            continue  # told above
    yield from _manifest(folders)


def _unfinished(folders: Folders) -> Iterator[Fault]:
    for leftover in folders.leftovers():
        yield Fault("", f"{leftover.name} was left in staging by work cut short", "removed")
    sealed = set(ids_in(folders.episodes))
    for name in ids_in(folders.staging):
        folder = folders.staging / name
        if is_twin(folders, name):
            yield Fault(name, "is sealed, and a power cut left its old name", "removed")
        elif name in sealed:
            yield Fault(name, ALREADY, "set aside in quarantine")
        elif _is_whole(folder):
            yield Fault(name, "is whole but was not committed", "committed")
        else:
            yield Fault(name, "broke off", "its whole steps saved as interrupted")
    for name in sorted(sealed & set(ids_in(folders.interrupted))):
        yield Fault(name, "is both sealed and interrupted", LEFT)


def _is_whole(folder: Path) -> bool:
    try:
        return read_record(folder).status == "complete"
    except DataError:
        return False


def _damaged(folders: Folders) -> Iterator[tuple[Path, list[str]]]:
    """Committed episodes that are not what they were, but for those of a newer program."""
    for parent in (folders.episodes, folders.interrupted):
        for name in ids_in(parent):
            try:
                read_record(parent / name)
            except NewerSchema:
                continue
            except DataError as error:
                yield parent / name, [str(error)]
                continue
            if findings := verify_episode(parent / name):
                yield parent / name, [str(found) for found in findings]


def _manifest(folders: Folders) -> Iterator[Fault]:
    listed, there = set(read_manifest(folders)), set(ids_in(folders.episodes))
    gone = sorted(listed - there - pruned_ids(folders), key=int)
    for name in gone:
        yield Fault(name, "in the manifest, but its folder is gone", "no longer listed")
    for name in sorted(there - listed, key=int):
        yield Fault(name, "not in the manifest", "listed, where it can be read")
    if not gone and there <= listed and _differs(folders):
        yield Fault("", "the manifest is torn or says other than the episodes", "rewritten")


def _differs(folders: Folders) -> bool:
    text = folders.manifest.read_bytes() if folders.manifest.is_file() else b""
    return text != manifest_of(folders).encode()
