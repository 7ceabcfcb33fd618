"""Asking an adapter about an episode in a process of its own, so that no screen loads torch."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.episode import Float32Array
from agent.errors import DataError

PATIENCE_S = 300.0
LOOK_S = 0.2  # between looks whether anybody still waits
_COMMAND = "from agent.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Asked:
    """What `vlarl-agent episodes explain` answered. ratio: (n, d), `adapter` over `acted`."""

    episode: str
    acted: str
    adapter: str
    ratio: Float32Array


def ask(
    folder: Path, episode: str, adapter: str = "", given_up: Callable[[], bool] = lambda: False
) -> Asked:
    """How likely an adapter ("": the one that acts now) finds each token of an episode.

    Takes seconds: call it off the screen's own thread. Once `given_up` says True nobody is asked
    any more. Raises DataError with the reason.
    """
    arguments = ["episodes", "explain", str(folder), episode, "--json"]
    if adapter:
        arguments += ["--adapter", adapter]
    with subprocess.Popen(  # noqa: S603  our own command, no shell
        [sys.executable, "-c", _COMMAND, *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        answer, talk = _answer(child, episode, given_up)
    if child.returncode:
        last = (talk.strip().splitlines() or ["no reason was given"])[-1]
        raise DataError(f"episode {episode}: {last.removeprefix('error: ')}")
    told = json.loads(answer)
    ratio = np.array(told["ratio"], np.float32)
    return Asked(told["episode"], told["acted"], told["adapter"], ratio)


def _answer(
    child: subprocess.Popen[str], episode: str, given_up: Callable[[], bool]
) -> tuple[str, str]:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return child.communicate(timeout=LOOK_S)
        except subprocess.TimeoutExpired as error:
            if time.monotonic() < end and not given_up():
                continue
            child.kill()
            child.communicate()
            if given_up():
                raise DataError(f"episode {episode}: nobody waits for the answer") from error
            raise DataError(
                f"episode {episode}: no answer within {PATIENCE_S:.0f} s; is the machine busy?"
            ) from error
