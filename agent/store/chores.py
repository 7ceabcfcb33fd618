"""What `vlarl-agent episodes fsck | compact | prune` do to a run, and what they say of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from agent.errors import UsageError
from agent.store.compact import compact
from agent.store.folders import Folders
from agent.store.fsck import LEFT, fsck
from agent.store.lock import WriterLock
from agent.store.manifest import mend_manifest
from agent.store.prune import Choice, Limits, choose, prune, survey
from agent.store.recovery import recover
from agent.store.run import RUN, open_run
from agent.store.summary import Summary

_MIB = 1 << 20


def mended(run: Path, *, dry_run: bool, as_json: bool) -> tuple[str, bool]:
    """Bring a run in order; the text, and whether nothing is out of order any more."""
    faults = fsck(_folders(run), dry_run=dry_run)
    sound = not any(dry_run or fault.done == LEFT for fault in faults)
    if as_json:
        return _json({"dry_run": dry_run, "faults": [each.to_json() for each in faults]}), sound
    would = "would be " if dry_run else ""
    lines = [
        f"{f'episode {each.episode}: ' if each.episode else ''}{each.what}: "
        f"{each.done if each.done == LEFT else would + each.done}"
        for each in faults
    ]
    return "\n".join(lines or ["all in order"]), sound


def compacted(run: Path, *, dry_run: bool, as_json: bool) -> str:
    """Compact a run's episodes; what became of each. Raises StorageError while it is written."""
    folders = _folders(run)
    if dry_run:
        found = list(compact(folders, dry_run=True))
    else:
        with _alone(folders):
            found = list(compact(folders, dry_run=False))
            mend_manifest(folders)
    if as_json:
        return _json({"dry_run": dry_run, "episodes": [asdict(each) for each in found]})
    lines = [f"episode {each.episode}: {each.why}" for each in found if each.why]
    done = [each for each in found if not each.why]
    files = sum(each.files_before for each in done), sum(each.files_after for each in done)
    size = sum(each.bytes_before for each in done), sum(each.bytes_after for each in done)
    change = f"{files[0]} files to {files[1]}"
    if not dry_run:
        change += f", {size[0] / _MIB:.1f} MiB to {size[1] / _MIB:.1f} MiB"
    would = "would be compacted" if dry_run else "compacted"
    return "\n".join([*lines, f"{len(done)} episodes {would}: {change}"])


def pruned(
    run: Path, limits: Limits, held: Callable[[Summary], str], *, dry_run: bool, as_json: bool
) -> str:
    """Let the oldest episodes go until the limits are met; held says why one must stay."""
    folders, now = _folders(run), datetime.datetime.now(datetime.UTC)
    if limits == Limits():
        raise UsageError("prune wants a limit: --keep, --gib or --days; nothing was removed")
    if dry_run:
        choice = choose(survey(folders, held), limits, now)
    else:
        with _alone(folders):
            choice = choose(survey(folders, held), limits, now)
            prune(folders, choice)
    return _json(_values(choice, dry_run=dry_run)) if as_json else _text(choice, dry_run=dry_run)


class _alone:  # noqa: N801  reads as a word
    """Be the run's one writer, over a run that is recovered."""

    def __init__(self, folders: Folders) -> None:
        self._folders, self._lock = folders, WriterLock(folders.lock)

    def __enter__(self) -> None:
        self._lock.take()
        try:
            recover(self._folders)
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _folders(run: Path) -> Folders:
    folders = Folders(run)
    if not folders.episodes.is_dir() and not folders.staging.is_dir():
        raise UsageError(f"{run} is no run folder with episodes; check the path")
    if (run / RUN).exists():
        open_run(run)
    return folders


def _values(choice: Choice, *, dry_run: bool) -> dict[str, object]:
    leaving = [
        {"episode": each.kept.row.id, "bytes": each.kept.stored_bytes, "why": each.why}
        for each in choice.leaving
    ]
    return {
        "dry_run": dry_run,
        "removed": leaving,
        "staying": choice.staying,
        "staying_bytes": choice.staying_bytes,
        "short": list(choice.short),
    }


def _text(choice: Choice, *, dry_run: bool) -> str:
    word = "would go" if dry_run else "gone"
    lines = [
        f"episode {each.kept.row.id} ({each.kept.stored_bytes / _MIB:.1f} MiB) {word}: {each.why}"
        for each in choice.leaving
    ]
    lines += list(choice.short)
    freed = sum(each.kept.stored_bytes for each in choice.leaving) / _MIB
    lines.append(
        f"{len(choice.leaving)} episodes, {freed:.1f} MiB {word}; {choice.staying} episodes, "
        f"{choice.staying_bytes / _MIB:.1f} MiB {'would stay' if dry_run else 'stay'}"
    )
    if dry_run and choice.leaving:
        lines.append("nothing was removed; give --yes to remove them")
    return "\n".join(lines)


def _json(values: object) -> str:
    return json.dumps(values, indent=1)
