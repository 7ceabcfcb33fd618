"""What a power cut may take: everything not synced. Nothing of a sealed episode is."""

import os
from pathlib import Path

import pytest

from agent.store.zarr_store import ZarrStore
from benchmarks.crash_store import in_child, record, told

pytestmark = pytest.mark.slow


class SyncLedger:
    """Follows every write and every new name of this process, and the syncs that make them last.

    unsynced: files written, and folders with a name made or moved, since their last fsync.
    """

    def __init__(self) -> None:
        self.unsynced: set[Path] = set()
        self.commits: list[tuple[Path, set[Path]]] = []
        self._paths: dict[int, Path] = {}
        self._real = {name: getattr(os, name) for name in ("open", "write", "pwrite", "fsync")}
        self._real |= {name: getattr(os, name) for name in ("mkdir", "rename", "replace")}

    def install(self) -> None:
        for name in self._real:
            setattr(os, name, getattr(self, name))

    def open(self, path, flags, *rest, **more):
        fresh = flags & os.O_CREAT and not Path(path).exists()
        descriptor = self._real["open"](path, flags, *rest, **more)
        self._paths[descriptor] = Path(path)
        if fresh:
            self.unsynced |= {Path(path), Path(path).parent}
        return descriptor

    def write(self, descriptor, data):
        self.unsynced.add(self._paths.get(descriptor, Path("pipe")))
        return self._real["write"](descriptor, data)

    def pwrite(self, descriptor, data, at):
        self.unsynced.add(self._paths[descriptor])
        return self._real["pwrite"](descriptor, data, at)

    def fsync(self, descriptor):
        self._real["fsync"](descriptor)
        self.unsynced.discard(self._paths[descriptor])

    def mkdir(self, path, *rest, **more):
        self._real["mkdir"](path, *rest, **more)
        self.unsynced.add(Path(path).parent)

    def rename(self, source, target):
        self.commits.append((Path(target), self.below(Path(source))))
        self._move(source, target)

    def replace(self, source, target):
        # What takes a name must be whole on the disk first, or a cut leaves a torn file under it.
        assert Path(source) not in self.unsynced, source
        self._move(source, target)

    def below(self, folder: Path) -> set[Path]:
        return {path for path in self.unsynced if path.is_relative_to(folder)}

    def _move(self, source, target):
        self._real["rename"](source, target)
        source, target = Path(source), Path(target)
        moved = {path: target / path.relative_to(source) for path in self.below(source)}
        self.unsynced = {moved.get(path, path) for path in self.unsynced}
        self.unsynced |= {source.parent, target.parent}


def test_all_of_an_episode_is_synced_before_its_commit_and_the_commit_before_seal_returns(tmp_path):
    run = tmp_path / "run"

    def seal_two(tell):
        ledger = SyncLedger()
        ledger.install()
        store = ZarrStore(run)
        store.open()
        for _ in range(2):
            name = record(store, lambda line: None, decisions=12)
            # Only log and ring, cleared after the commit, may go.
            [(_, before)] = [commit for commit in ledger.commits if commit[0].name == name]
            assert {path.name for path in before} <= {"steps.log", "frames.ring"}, before
            after = ledger.below(run / "episodes") | ledger.unsynced & {run, tmp_path}
            assert {path.name for path in after} <= {"steps.log", "frames.ring"}, after
        tell("ok")

    code, lines = told(*in_child(seal_two))
    assert (code, lines) == (0, ["ok"]), "\n".join(lines)
