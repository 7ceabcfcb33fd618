"""What a run folder must still hold after its writer died, compared by hash with what it held."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.learn.explanation import SUFFIX, read
from agent.learn.ledger import BASE, reports
from agent.store.folders import LOG, RING, Folders
from agent.store.names import ids_in


@dataclass
class History:
    """Hashes of everything that was ever seen committed in a run folder."""

    run: Path
    episodes: dict[str, str] = field(default_factory=dict)
    updates: dict[str, str] = field(default_factory=dict)
    adapters: dict[str, str] = field(default_factory=dict)

    def check(self, told: Sequence[str]) -> list[str]:
        """Every broken promise; what is new is remembered. told: lines of the dead process."""
        folders, history = Folders(self.run), reports(self.run)
        kept = {report.adapter for report in history if report.kept} - {BASE}
        here = {
            "episode": {name: digest(folders.episodes / name) for name in ids_in(folders.episodes)},
            "update": {f"{r.number:04d}": digest(self._update(r.number)) for r in history},
            "adapter": {name: digest(self.run / "adapters" / name) for name in kept},
        }
        known = {"episode": self.episodes, "update": self.updates, "adapter": self.adapters}
        found = []
        for kind, before in known.items():
            found += [f"{kind} {name} is gone" for name in before.keys() - here[kind].keys()]
            both = before.keys() & here[kind].keys()
            found += [
                f"{kind} {name} was altered" for name in both if before[name] != here[kind][name]
            ]
            before.update(here[kind])
        found += _broken_promises(told, here["episode"], here["update"])
        uses = Counter(name for report in history for name in report.episodes)
        found += [f"episode {name} was learned from {n} times" for name, n in uses.items() if n > 1]
        found += [
            f"episode {name} is used and gone" for name in uses.keys() - here["episode"].keys()
        ]
        torn = here["episode"].keys() & set(ids_in(folders.interrupted))
        found += [f"episode {name} is both sealed and interrupted" for name in torn]
        found += [f"episode {name} was set aside" for name in ids_in(folders.quarantine)]
        return found

    def _update(self, number: int) -> Path:
        return self.run / "updates" / f"{number:04d}.json"


def course(run: Path) -> dict[str, str]:
    """What a run became: each update's outcome, and hashes of its explanation and its adapter."""
    found = {}
    for report in reports(run):
        found[f"update {report.number}"] = json.dumps(
            [report.adapter, report.parent, report.kept, len(report.episodes), report.why]
        )
        explained = run / "updates" / f"{report.number:04d}{SUFFIX}"
        found[f"explanation {report.number}"] = _figures(explained)
        if report.kept and report.adapter != BASE:
            found[f"adapter {report.adapter}"] = digest(run / "adapters" / report.adapter)
    return found


def digest(path: Path) -> str:
    """Hash of a file, or of all files of a folder and their names; "" where nothing is.

    The scraps that a recording leaves beside a committed episode are left out: they are cleared.
    """
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    whole = hashlib.sha256()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    for file in files:
        if file.name not in {LOG, RING}:
            whole.update(f"{file.relative_to(path)}\0{digest(file)}\n".encode())
    return whole.hexdigest() if files else ""


def _figures(explained: Path) -> str:
    """Hash of an explanation without its episodes' ids, which skip those that broke off."""
    if not explained.is_file():
        return ""
    whole = hashlib.sha256()
    for each in read(explained).values():
        for part in dataclasses.fields(each):
            whole.update(getattr(each, part.name).tobytes())
    return whole.hexdigest()


def _broken_promises(
    told: Sequence[str], episodes: dict[str, str], updates: dict[str, str]
) -> list[str]:
    found = []
    for line in told:
        kind, _, name = line.partition(" ")
        if kind == "sealed" and name not in episodes:
            found.append(f"episode {name} was said to be sealed and is not there")
        if kind == "updated" and f"{int(name):04d}" not in updates:
            found.append(f"update {name} was said to be committed and is not there")
    return found
