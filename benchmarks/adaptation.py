"""Adaptation to shifts of the world: deployments over tasks, shifts, seeds, controls and variants.

    python -m benchmarks.adaptation --task lift-red-cube --shift rotate=0.8 --shift gain=0.5
        --seeds 0 1 2 --controls "" random-advantage --out results/adaptation-tabletop.json

    python -m benchmarks.adaptation --shift drift=0.18 --variants ppo rft grpo no-curriculum
        --shifted-only --out results/ablation-tabletop.json

Variants are those of benchmarks/variants.py. Each row is one `vlarl-agent run` in a process of its
own, and then the start adapter and the kept one on the same held-out states of the unshifted world,
to see what was forgotten. Rows in the results file are not repeated, and a deployment that was
interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, NoReturn

from agent import durable
from agent.configuration import parse_shift
from benchmarks import setting
from benchmarks.variants import sets_of

log = logging.getLogger(__name__)

# Of a deployment's outcome, what a row of the results file says again.
KEPT_KEYS = (
    "task", "shift", "seed", "robots", "control", "episodes", "minutes", "before", "after",
    "paired_p", "updates", "updates_kept", "adapter", "kept", "why",
)  # fmt: skip
KEY = ("task", "shift", "seed", "control", "variant")
COMMAND = Path(sys.executable).with_name("vlarl-agent")


@dataclass(frozen=True, slots=True)
class Protocol:
    """What every deployment of this file is told; a file of results has one."""

    episodes: int
    minutes: float
    held_out: int
    checkpoint: str
    sets: tuple[str, ...]
    robot: str = "tabletop"
    unshifted: bool = True

    def world(self, task: str) -> list[str]:
        """Flags that runs and evaluations share."""
        flags = ["--robot", self.robot, "--task", task]
        if self.checkpoint:
            flags += ["--checkpoint", self.checkpoint]
        return flags + [word for each in self.sets for word in ("--set", each)]


@dataclass(frozen=True, slots=True)
class Cell:
    """One deployment. task: a name or pattern. shift: as `--shift` takes it, "" for none."""

    task: str
    shift: str
    seed: int
    control: str
    variant: str = ""

    def name(self, protocol: Protocol) -> str:
        """A folder name that no other deployment has."""
        told = hashlib.sha256(repr((protocol, self)).encode()).hexdigest()[:8]
        shift = self.shift.replace("=", "").replace(",", "-") or "unshifted"
        task = _plain(self.task)
        parts = task, shift, self.control, self.variant, str(self.seed), told
        return "-".join(filter(None, parts))


def main() -> None:
    """Run what is missing, a few at a time; every finished row is on disk at once."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, _interrupted)
    asked = _asked()
    protocol = Protocol(
        asked.episodes,
        asked.minutes,
        asked.held_out,
        asked.checkpoint,
        tuple(asked.set),
        asked.robot,
        not asked.shifted_only,
    )
    for variant in asked.variants:
        sets_of(variant, protocol.sets)  # before anything is run
    shifts = [each.strip() for each in asked.shift]
    report = _opened(asked.out, protocol)
    done = {_key(row) for row in report["rows"]}
    told = product(asked.task, shifts, asked.seeds, asked.controls, asked.variants)
    cells = [Cell(*each) for each in told]
    missing = [each for each in cells if _key(_named(each)) not in done]
    log.info("%d deployments, %d of them to be made", len(cells), len(missing))
    bench = Bench(protocol, asked.scratch)
    failed = 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        waiting = {pool.submit(bench.row, cell): cell for cell in missing}
        try:
            for future in as_completed(waiting):
                failed += not _taken(report, future, waiting[future], asked.out)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            bench.stop()
            sys.exit(130)
    sys.exit(1 if failed else 0)


class Bench:
    """Runs the command line in processes that can be stopped."""

    def __init__(self, protocol: Protocol, scratch: Path) -> None:
        self._protocol, self._scratch = protocol, scratch
        self._running: set[subprocess.Popen[str]] = set()
        self._base_scored = threading.Lock()

    def row(self, cell: Cell) -> dict[str, Any]:
        """Deploy and look back at the unshifted world. Raises CalledProcessError."""
        home = self._scratch / cell.name(self._protocol)
        home.mkdir(parents=True, exist_ok=True)
        outcome = self._outcome(cell, home)
        row = {
            **{key: outcome[key] for key in KEPT_KEYS},
            "control": cell.control, "variant": cell.variant, "commit": setting.commit(),
        }  # fmt: skip
        if not self._protocol.unshifted:
            return row
        with self._base_scored:
            file = self._scratch / f"{self._base_name(cell.task)}.json"
            before = self._unshifted(cell.task, "base", file)
        after = before
        if outcome["kept"]:
            after = self._unshifted(cell.task, outcome["run"], home / "unshifted.json")
        return {**row, "unshifted_before": before, "unshifted_after": after}

    def stop(self) -> None:
        """Ask every running process to stop; a deployment can be resumed."""
        for process in tuple(self._running):
            process.terminate()

    def _outcome(self, cell: Cell, home: Path) -> dict[str, Any]:
        begun = next((file.parent for file in home.glob("*/run.json")), None)
        if begun is not None and (begun / "outcome.json").exists():
            told: dict[str, Any] = json.loads((begun / "outcome.json").read_text())
            return told
        if begun is not None:
            return self._asked(home, "run", "--json", "--resume", str(begun))
        protocol = self._protocol
        flags = ["--shift", cell.shift, "--seed", str(cell.seed), "--out", str(home)]
        flags += ["--episodes", str(protocol.episodes), "--minutes", str(protocol.minutes)]
        flags += ["--held-out", str(protocol.held_out)]
        if cell.control:
            flags += ["--set", f"learn.control={cell.control}"]
        for each in sets_of(cell.variant, protocol.sets):
            flags += ["--set", each]
        return self._asked(home, "run", "--json", *protocol.world(cell.task), *flags)

    def _base_name(self, task: str) -> str:
        told = hashlib.sha256(repr((self._protocol, task)).encode()).hexdigest()[:8]
        return f"{_plain(task)}-unshifted-base-{told}"

    def _unshifted(self, task: str, adapter: str, file: Path) -> dict[str, Any]:
        """Successes of an adapter on the held-out states of the unshifted world, asked once."""
        if not file.exists():
            states = ["--states", str(self._protocol.held_out)]
            flags = [*self._protocol.world(task), *states, "--shift", "", "--adapter", adapter]
            told = self._asked(file.parent, "eval", "--json", *flags)
            durable.write_text(file, json.dumps(told["rows"][0]["all"]))
        score: dict[str, Any] = json.loads(file.read_text())
        return score

    def _asked(self, home: Path, *arguments: str) -> dict[str, Any]:
        with (home / "log.txt").open("a") as talk:
            process = subprocess.Popen(  # noqa: S603  our own command, our own arguments
                [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=talk, text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            self._running.add(process)
            said, _ = process.communicate()
            self._running.discard(process)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        told: dict[str, Any] = json.loads(said)
        return told


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Deployments over shifts, seeds and controls.")
    parser.add_argument("--robot", default="tabletop")
    parser.add_argument("--task", nargs="+", default=["lift-red-cube"])
    parser.add_argument("--shift", action="append", required=True, metavar="NAME=NUMBER,...")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--controls", nargs="+", default=[""])
    parser.add_argument("--variants", nargs="+", default=[""], metavar="NAME")
    parser.add_argument(
        "--shifted-only", action="store_true", help="do not look back at the unshifted world"
    )
    parser.add_argument("--episodes", type=int, default=96)
    parser.add_argument("--minutes", type=float, default=60.0, help="of a deployment, at most")
    parser.add_argument("--held-out", type=int, default=50)
    parser.add_argument("--checkpoint", default="")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--scratch", type=Path, default=Path("scratch/adaptation"))
    parser.add_argument("--out", type=Path, default=Path("results/adaptation-tabletop.json"))
    return parser.parse_args()


def _opened(out: Path, protocol: Protocol) -> dict[str, Any]:
    """The results so far, under today's command. Ends the program for another protocol."""
    now = {
        "episodes": protocol.episodes, "minutes": protocol.minutes,
        "held_out": protocol.held_out, "checkpoint": protocol.checkpoint,
        "sets": list(protocol.sets),
    }  # fmt: skip
    if protocol.robot != "tabletop":
        now["robot"] = protocol.robot
    rows: list[dict[str, Any]] = []
    if out.exists():
        found = json.loads(out.read_text())
        found["protocol"].pop("task", None)  # of before a file had several tasks
        if found["protocol"] != now:
            sys.exit(f"{out} has another protocol: {found['protocol']}; give another --out")
        rows = found["rows"]
    return {
        "command": setting.command("adaptation"),
        "commit": setting.commit(),
        "machine": setting.machine("torch", "transformers", "peft", "mujoco"),
        "protocol": now,
        "interval": "Wilson, 95 %; paired_p: McNemar's exact test on the same start states",
        "rows": rows,
    }


def _taken(report: dict[str, Any], future: Future[dict[str, Any]], cell: Cell, out: Path) -> bool:
    """Add a finished row to the file; False, with a word, where its process failed."""
    try:
        row = future.result()
    except subprocess.CalledProcessError as error:
        log.error("%s ended with code %d; its log.txt says why", cell, error.returncode)
        return False
    report["rows"] = sorted([*report["rows"], row], key=_key)
    out.parent.mkdir(parents=True, exist_ok=True)
    durable.write_text(out, json.dumps(report, indent=1) + "\n")
    before, after = row["before"], row["after"]
    log.info(
        "%s: %d/%d before, %d/%d after, p = %.3g, %s",
        cell, before["k"], before["n"], after["k"], after["n"], row["paired_p"],
        "kept" if row["kept"] else "not kept",
    )  # fmt: skip
    return True


def _plain(task: str) -> str:
    return re.sub(r"[^\w-]+", "-", task).strip("-")


def _named(cell: Cell) -> dict[str, Any]:
    return {
        "task": cell.task, "shift": parse_shift(cell.shift), "seed": cell.seed,
        "control": cell.control, "variant": cell.variant,
    }  # fmt: skip


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    # Rows of before there were variants have none.
    return tuple(json.dumps(row.get(key, ""), sort_keys=True) for key in KEY)


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
