"""Asking an adapter about an episode in a process of its own, so that no screen loads torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.episode import Float32Array
from agent.errors import DataError

PATIENCE_S = 300.0
_COMMAND = "from agent.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Asked:
    """What `vlarl-agent episodes explain` answered. ratio: (n, d), `adapter` over `acted`."""

    episode: str
    acted: str
    adapter: str
    ratio: Float32Array


def ask(folder: Path, episode: str, adapter: str = "") -> Asked:
    """How likely an adapter ("": the one that acts now) finds each token of an episode.

    Takes seconds: call it off the screen's own thread. Raises DataError with the reason.
    """
    arguments = ["episodes", "explain", str(folder), episode, "--json"]
    if adapter:
        arguments += ["--adapter", adapter]
    try:
        done = subprocess.run(  # noqa: S603  our own command, no shell
            [sys.executable, "-c", _COMMAND, *arguments],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DataError(
            f"episode {episode}: no answer within {PATIENCE_S:.0f} s; is the machine busy?"
        ) from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise DataError(f"episode {episode}: {last.removeprefix('error: ')}")
    told = json.loads(done.stdout)
    ratio = np.array(told["ratio"], np.float32)
    return Asked(told["episode"], told["acted"], told["adapter"], ratio)
