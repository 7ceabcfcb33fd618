"""The history of adapters: which one acts, which episodes are used up, what each update did.

    adapters/<name>/        whole folders, published by one rename
    updates/<number>.safetensors  what an update made of each decision (agent/learn/explanation.py)
    updates/<number>.json   one an update: the commit point, after which it has happened
    current                 the acting adapter's name, for people and tools; derived

A death between two of these leaves the previous state: what is not in `updates/` never happened.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Set
from dataclasses import asdict
from pathlib import Path

from agent import durable
from agent.episode import UpdateReport
from agent.errors import DataError
from agent.learn.explanation import FILE, SUFFIX

BASE = "base"


class Ledger:
    """Adapters and updates of one run."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._adapters = run / "adapters"
        self._updates = run / "updates"
        self._current = run / "current"
        self._reports: list[UpdateReport] = []
        self._used: set[str] = set()

    def open(self) -> None:
        """Read the history and clear away what was never committed. For the run's one writer."""
        self.read()
        for folder in (self._adapters, self._updates):
            folder.mkdir(parents=True, exist_ok=True)
        known = {report.adapter for report in self._reports if report.kept}
        for leftover in self._adapters.iterdir():
            if leftover.name not in known:
                shutil.rmtree(leftover)
        for explained in self._updates.glob(f"*{SUFFIX}"):
            if not explained.with_suffix(".json").exists():
                explained.unlink()
        self._point()

    def read(self) -> None:
        """Read the history and touch nothing."""
        self._reports = reports(self._updates.parent)
        self._used = {episode for report in self._reports for episode in report.episodes}

    @property
    def current(self) -> str:
        """Name of the adapter that acts; "base" before any was kept."""
        return next((r.adapter for r in reversed(self._reports) if r.kept), BASE)

    @property
    def parent(self) -> str:
        """Name of the adapter that acted before the current one."""
        return next((r.parent for r in reversed(self._reports) if r.kept), BASE)

    @property
    def reports(self) -> tuple[UpdateReport, ...]:
        """All updates, oldest first."""
        return tuple(self._reports)

    @property
    def used(self) -> Set[str]:
        """Ids of the episodes that no update may use again."""
        return self._used

    def folder(self, adapter: str) -> Path | None:
        """Where an adapter lies; None for the base. Raises DataError if it is gone."""
        if adapter == BASE:
            return None
        folder = self._adapters / adapter
        if not folder.is_dir():
            raise DataError(f"adapter {adapter!r} wanted at {folder}, nothing found there")
        return folder

    def staging(self, number: int) -> Path:
        """An empty place to write a candidate to; left over ones are cleared at open."""
        folder = self._adapters / f"staging-{number:04d}"
        if folder.exists():
            shutil.rmtree(folder)
        return folder

    def commit(self, report: UpdateReport, staged: Path | None) -> None:
        """Make an update so: publish its folder if it was kept, then write its report."""
        if staged is not None and (staged / FILE).exists():
            told = (staged / FILE).read_bytes()
            durable.write_bytes(self._updates / f"{report.number:04d}{SUFFIX}", told)
            (staged / FILE).unlink()  # beside the report, it is there for discarded ones too
        if staged is not None and report.kept:
            durable.publish_folder(staged, self._adapters / report.adapter)
        text = json.dumps(asdict(report), indent=1, sort_keys=True)
        durable.write_text(self._updates / f"{report.number:04d}.json", text)
        self._reports.append(report)
        self._used.update(report.episodes)
        if staged is not None and staged.exists():
            shutil.rmtree(staged)
        self._point()

    def _point(self) -> None:
        if not self._current.exists() or self._current.read_text().strip() != self.current:
            durable.write_text(self._current, self.current + "\n")


def reports(run: Path) -> list[UpdateReport]:
    """All updates of a run, oldest first; for readers too. Raises DataError for a torn one."""
    found = []
    for path in sorted((run / "updates").glob("[0-9]*.json")):
        try:
            fields = json.loads(path.read_text())
            fields["episodes"] = tuple(fields["episodes"])
            found.append(UpdateReport(**fields))
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"update {path} cannot be read: {error}; restore it") from error
    return found
