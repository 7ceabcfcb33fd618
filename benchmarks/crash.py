"""Kills a process that runs a whole session, at random moments, and looks at what is left.

    python -m benchmarks.crash --rounds 200
    python -m benchmarks.crash_table --rows sessions --out results/crash.json

Each round opens the run folder that the round before left behind, acts and learns on the point
robot, and is killed somewhere in a phase drawn at random. A run that reached its last episode is
compared, adapters to the byte, with one that nobody disturbed; then a fresh folder is begun. The
parent only forks, kills and reads files: whatever runs torch or zarr is a fresh child.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agent.cli.build import make_policy
from agent.learn.ledger import Ledger
from agent.settings import Settings
from agent.store.run import create_run
from benchmarks.crash_store import in_child, told
from benchmarks.left_behind import History, course
from benchmarks.point_session import point_settings, save_point_checkpoint
from benchmarks.told_session import run_session

# How often a phase is aimed at, and at most how often it is let pass before.
AIMS = {
    "opening": (1, 1),
    "acting": (4, 6),
    "sealing": (3, 4),
    "updating": (4, 2),
    "publishing": (4, 2),
}


@dataclass
class Tally:
    """What all rounds came to."""

    landed: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    completed: int = 0
    equal: int = 0
    sealed: int = 0
    updates: int = 0


class Killer:
    """Draws where to strike; learns how long a phase lasts from what it sees."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311  moments to kill at
        self._lasts_s = dict.fromkeys(AIMS, 0.02)

    def strike(self, pid: int, reading: int) -> tuple[str, list[str], int]:
        """Kill the child in some phase; gives the phase it died in, all it told, its exit code."""
        names = list(AIMS)
        aim = self._rng.choices(names, [AIMS[name][0] for name in names])[0]
        begins, passes = f"phase {aim} ".encode(), self._rng.randrange(AIMS[aim][1])
        heard = b""
        while heard.count(begins) <= passes and (more := os.read(reading, 4096)):
            heard += more
        time.sleep(self._rng.uniform(0.0, self._lasts_s[aim]))
        os.kill(pid, signal.SIGKILL)
        with os.fdopen(reading, "rb") as pipe:
            heard += pipe.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        lines = heard.decode().splitlines()
        return self._learn(lines), lines, code

    def _learn(self, lines: list[str]) -> str:
        """Take note of how long each phase lasted; gives the last one."""
        phases = [line.split()[1:] for line in lines if line.startswith("phase ")]
        for (name, began), (_, ended) in itertools.pairwise(phases):
            if name in self._lasts_s:
                lasted_s = float(ended) - float(began)
                self._lasts_s[name] += 0.2 * (lasted_s - self._lasts_s[name])
        return phases[-1][0] if phases else "starting"


def main() -> int:
    """Run the rounds; exit 1 when anything promised was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--episodes", type=int, default=96, help="episodes of one run")
    parser.add_argument("--seed", type=int, default=0, help="of the kills")
    parser.add_argument("--session-seed", type=int, default=3)
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the outcome")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        outcome = crash(
            Path(scratch), options.rounds, options.episodes, options.seed, options.session_seed
        )
    text = json.dumps(outcome, indent=1)
    if options.out is not None:
        options.out.write_text(text + "\n")
    sys.stdout.write(text + "\n")
    return 1 if outcome["failures"] else 0


def crash(
    scratch: Path, rounds: int, episodes: int, seed: int, session_seed: int
) -> dict[str, object]:
    """Kill `rounds` sessions in run folders under `scratch`; returns the counts."""
    logging.disable(logging.WARNING)  # each recovery says so
    began = time.monotonic()
    settings = point_settings(save_point_checkpoint(scratch / "base"), episodes, session_seed)
    killer, tally = Killer(seed), Tally()
    reference = _begin(scratch / "undisturbed", settings)
    tally.failures += _finish(reference, settings)
    wanted = course(reference)
    history: History | None = None
    for number in range(rounds):
        if history is None:
            history = History(_begin(scratch / f"run-{number}", settings))
        run = history.run
        phase, lines, code = killer.strike(
            *in_child(lambda tell, r=run: run_session(settings, r, tell))
        )
        tally.landed[phase] += 1
        found = [line for line in lines if line.startswith("error")]
        if code not in {0, -signal.SIGKILL}:
            found.append(f"the session ended with {code} in {phase}")
        found += history.check(lines) + _loads(run, settings)
        tally.failures += [f"round {number}, {phase}: {what}" for what in found]
        if phase == "done":
            _close(history, settings, wanted, tally)
            history = None
    if history is not None:
        _close(history, settings, wanted, tally)
    return {
        "command": f"python -m benchmarks.crash --rounds {rounds} --episodes {episodes} "
        f"--seed {seed} --session-seed {session_seed}",
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores, {platform.platform()}",
        "python": platform.python_version(),
        "rounds": rounds,
        "died_in": dict(sorted(tally.landed.items())),
        "runs_completed": tally.completed,
        "runs_equal_to_the_undisturbed_one": tally.equal,
        "episodes_sealed": tally.sealed,
        "updates_committed": tally.updates,
        "failures": tally.failures,
        "seconds": round(time.monotonic() - began, 1),
    }


def _begin(run: Path, settings: Settings) -> Path:
    create_run(run, settings.model_dump(mode="json"), {})
    return run


def _finish(run: Path, settings: Settings) -> list[str]:
    """Let a session run to its end."""
    code, lines = told(*in_child(lambda tell: run_session(settings, run, tell)))
    found = [line for line in lines if line.startswith("error")]
    if code or not any(line.startswith("phase done") for line in lines):
        found.append(f"{run.name}: not finished, exit code {code}")
    return found


def _close(history: History, settings: Settings, wanted: dict[str, str], tally: Tally) -> None:
    """Complete a run and hold it against the undisturbed one."""
    found = _finish(history.run, settings) + history.check([])
    same = course(history.run) == wanted
    if not same:
        found.append(f"{history.run.name}: not what the undisturbed run became")
    tally.completed += 1
    tally.equal += same
    tally.sealed += len(history.episodes)
    tally.updates += len(history.updates)
    tally.failures += found


def _loads(run: Path, settings: Settings) -> list[str]:
    """Whether the acting adapter can be loaded as the dead process left it, touching nothing."""

    def load(_: Callable[[str], None]) -> None:
        ledger = Ledger(run)
        ledger.read()
        make_policy(settings).load(ledger.folder(ledger.current), ledger.current)

    return told(*in_child(load))[1]


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
