"""Whether the files of an episode are what they were when it was committed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from agent.durable import storage_errors
from agent.errors import DataError
from agent.store.hashes import FileHash
from agent.store.record import DATA, EpisodeRecord, read_record

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One damage. array, chunk: "" where it is not in one; chunk is "zarr.json" for metadata."""

    episode: str
    array: str
    chunk: str
    what: str

    def __str__(self) -> str:
        where = f"array {self.array} chunk {self.chunk}" if self.array else self.chunk
        return f"episode {self.episode}: {where + ': ' if where else ''}{self.what}"

    def to_json(self) -> dict[str, str]:
        """As plain JSON values."""
        return asdict(self)


def verify_episode(folder: Path) -> tuple[Finding, ...]:
    """Everything that is wrong with a committed episode; nothing for a sound one.

    Files first (missing, size, hash), then every array is decoded as any Zarr reader would.
    """
    while True:
        try:
            record = read_record(folder)
        except DataError as error:
            return (Finding(folder.name, "", "", str(error)),)
        findings = _damage(folder, record)
        # What was compacted under our hands has another record now: look again.
        if not findings or _is_still(folder, record):
            return findings


def _damage(folder: Path, record: EpisodeRecord) -> tuple[Finding, ...]:
    try:
        findings = [*check_files(folder, record), *_strays(folder, record)]
    except DataError as error:
        return (Finding(folder.name, "", "", str(error)),)
    if not findings and record.layout is not None:
        findings = list(_undecodable(folder, record))
    return tuple(findings)


def _is_still(folder: Path, record: EpisodeRecord) -> bool:
    try:
        return read_record(folder) == record
    except DataError:
        return False


def check_files(folder: Path, record: EpisodeRecord) -> Iterator[Finding]:
    """Each file of the record that is missing or altered, the worst kind of damage first."""
    for path, wanted in record.files.items():
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise DataError(f"episode {folder.name}: its record names {path!r} outside its folder")
        file = folder / DATA / path
        if not file.is_file():
            yield _finding(folder, path, "missing; its values are lost, not zero")
        elif (size := file.stat().st_size) != wanted.size:
            yield _finding(folder, path, f"want {wanted.size} bytes, found {size}")
        elif _hash(file) != wanted:
            yield _finding(folder, path, "checksum is wrong: bytes were altered")


def _strays(folder: Path, record: EpisodeRecord) -> Iterator[Finding]:
    data = folder / DATA
    for file in sorted(data.rglob("*")):
        path = file.relative_to(data).as_posix()
        if not file.is_dir() and path not in record.files:
            yield _finding(folder, path, "is not part of the episode")


def _undecodable(folder: Path, record: EpisodeRecord) -> Iterator[Finding]:
    import zarr

    from agent.store.arrays import check_sizes, read_array

    try:
        group = zarr.open_group(folder / DATA, mode="r")
        names = [path.removesuffix("/zarr.json") for path in record.files if "/zarr.json" in path]
        arrays = {name: group[name] for name in names}
        found = {name: array for name, array in arrays.items() if isinstance(array, zarr.Array)}
        check_sizes(folder, list(found.values()))
        for name, array in found.items():
            read_array(array, name)
    except (DataError, ValueError, KeyError) as error:
        yield Finding(folder.name, "", "", str(error))


def _finding(folder: Path, path: str, what: str) -> Finding:
    array, _, name = path.rpartition("/")
    return Finding(folder.name, array, name.removeprefix("c."), what)


def _hash(file: Path) -> FileHash:
    digest, size = hashlib.sha256(), 0
    with storage_errors(file, "reading"), file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return FileHash(size, digest.hexdigest())
