"""One policy on several devices, which share the views of a batch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch

from agent.episode import Decision, Observation
from agent.errors import UsageError
from agent.policy.policy import VLAPolicy
from agent.policy.usage import Usage


class Replicas:
    """Copies of a policy that act as one. Greedy answers are those of a single copy."""

    def __init__(self, copies: Sequence[VLAPolicy]) -> None:
        if not copies:
            raise UsageError("a policy on one device or more wanted, found none")
        self._copies = tuple(copies)
        self._threads = ThreadPoolExecutor(len(copies), "replica")

    @property
    def adapter(self) -> str:
        """The adapter that answers now; "base" for none."""
        return self._copies[0].adapter

    def seed(self, seed: int) -> None:
        """Fix every random choice from here on; each copy has its own luck."""
        for number, copy in enumerate(self._copies):
            copy.seed(seed * len(self._copies) + number)

    def load(self, folder: Path | None, name: str) -> None:
        """Answer through this adapter on every device; None is the base alone.

        Raises DataError as `VLAPolicy.load`; all then stay with the adapter before.
        """
        for copy in self._copies:
            copy.load(folder, name)

    def act(self, views: Sequence[Observation], temperature: float) -> tuple[Decision, ...]:
        """Answer each view with one decision, every device an even share of them."""
        count = len(self._copies)
        bounds = [len(views) * number // count for number in range(count + 1)]
        shares = [views[begin:end] for begin, end in itertools.pairwise(bounds)]
        answers = self._threads.map(
            lambda copy, share: copy.act(share, temperature), self._copies, shares
        )
        return tuple(decision for answer in answers for decision in answer)


def devices_of(named: str) -> tuple[str, ...]:
    """Devices out of "cuda:0,cuda:1"; "all" are all GPUs there are.

    Raises UsageError where "all" finds none.
    """
    if named != "all":
        return tuple(name.strip() for name in named.split(",") if name.strip())
    found = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))
    if not found:
        raise UsageError("--devices all: no CUDA device is here; leave it out to use the CPU")
    return found


def replicate(folder: Path, devices: Sequence[str], threads: int, usage: Usage) -> Replicas:
    """Load a checkpoint once a device. Raises UsageError for a device that is absent."""
    return Replicas([VLAPolicy(folder, threads, replace(usage, device=name)) for name in devices])
