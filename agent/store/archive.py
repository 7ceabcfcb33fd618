"""A zipped episode, unpacked under limits: what a hostile archive would do is refused by name."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from agent.durable import make_folder, remove_folder, storage_errors, write_bytes
from agent.errors import DataError, UsageError
from agent.store.record import RECORD

MOST_FILES = 20_000
MOST_RATIO = 1000  # bytes unpacked to bytes packed, of one file and of all
MOST_BYTES = 8 << 30  # unpacked, in all
_BLOCK = 1 << 20


def unpack_episode(archive: Path, folder: Path) -> None:
    """Unpack one episode's folder into `folder`, which is removed again where that fails.

    The archive holds episode.json and data.zarr at its top or in one folder, as
    `cd RUN/episodes && zip -r one.zip 000001` packs them.
    Raises UsageError where there is no archive, DataError for a limit or an unfit name.
    """
    if not archive.is_file():
        raise UsageError(f"{archive}: no such file; check the path")
    remove_folder(folder)
    make_folder(folder)
    try:
        with storage_errors(archive, "reading"), zipfile.ZipFile(archive) as packed:
            _unpack(archive, packed, folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        remove_folder(folder)
        raise DataError(f"{archive}: torn, altered or no zip: {error}") from error
    except BaseException:
        remove_folder(folder)
        raise


def _unpack(archive: Path, packed: zipfile.ZipFile, folder: Path) -> None:
    members = [each for each in packed.infolist() if not each.is_dir()]
    if len(members) > MOST_FILES:
        raise DataError(f"{archive}: has {len(members)} files, the limit is {MOST_FILES}")
    claimed = sum(each.file_size for each in members)
    if claimed > MOST_BYTES:
        raise DataError(f"{archive}: unpacks to {claimed} bytes, the limit is {MOST_BYTES}")
    for each in members:
        _check(archive, each)
    top = _top(archive, [PurePosixPath(each.filename) for each in members])
    for each in members:
        target = folder / PurePosixPath(each.filename).relative_to(top)
        make_folder(target.parent)
        write_bytes(target, _content(archive, packed, each))


def _check(archive: Path, each: zipfile.ZipInfo) -> None:
    path, mode = PurePosixPath(each.filename), each.external_attr >> 16
    if path.is_absolute() or ".." in path.parts or "\\" in each.filename:
        raise DataError(f"{archive}: names {each.filename[:80]!r}, outside its folder; refused")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise DataError(f"{archive}: {each.filename[:80]!r} is a link or a device; refused")
    if each.file_size > MOST_RATIO * max(each.compress_size, 1):
        raise DataError(
            f"{archive}: {each.filename[:80]!r} unpacks {each.compress_size} bytes to "
            f"{each.file_size}, the limit is {MOST_RATIO} to 1"
        )


def _top(archive: Path, paths: list[PurePosixPath]) -> PurePosixPath:
    """The folder within the archive that is the episode's."""
    found = [path.parent for path in paths if path.name == RECORD]
    if len(found) != 1 or any(not path.is_relative_to(found[0]) for path in paths):
        raise DataError(
            f"{archive}: want the folder of one episode, with one {RECORD}, found {len(found)}"
        )
    return found[0]


def _content(archive: Path, packed: zipfile.ZipFile, each: zipfile.ZipInfo) -> bytes:
    """A file's bytes, never more than its entry claims: the claim was checked, not its truth."""
    parts, size = [], 0
    with packed.open(each) as stream:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > each.file_size:
                raise DataError(f"{archive}: {each.filename[:80]!r} is larger than it claims")
            parts.append(block)
    return b"".join(parts)
