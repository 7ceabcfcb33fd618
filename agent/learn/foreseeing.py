"""From a policy's config and a device, here or elsewhere, to a plan."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from agent.errors import UsageError
from agent.learn.critic import fitting_s
from agent.learn.plan import Plan, Work, choose
from agent.policy.checkpoint import load_config
from agent.policy.pace import Pace
from agent.policy.roofline import Device, foretold
from agent.policy.sizes import Sizes, sizes_of
from agent.policy.twin import measure
from agent.policy.usage import Base, Usage, device_of, dtype_of
from agent.settings import LearnSettings

MOST_AT_ONCE = 8  # decisions of a pass that is worked out; more at once are no faster then


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be foreseen: an update of so many decisions, in so many seconds at most.

    memory: bytes to plan for in place of the device's. elsewhere: a device that is not here.
    """

    decisions: int
    between_s: float = math.inf
    memory: float | None = None
    elsewhere: Device | None = None


def foresee(
    policy: Path, usage: Usage, threads: int, settings: LearnSettings, asked: Asked
) -> tuple[Sizes, Pace, Plan]:
    """Measure or work out how fast a policy is, and choose a way that fits.

    policy: its folder, or the config.json in it, which is all that is read. Raises DataError for
    the config, UsageError for a device that is absent or too small.
    """
    config = load_config(policy.parent if policy.name == "config.json" else policy)
    sizes = sizes_of(config)
    torch.set_num_threads(threads)
    device = torch.device("cpu") if asked.elsewhere else device_of(usage)
    # What published checkpoints are kept in, where the file decides.
    dtype = torch.bfloat16 if asked.elsewhere else dtype_of(usage, device) or torch.bfloat16
    if asked.elsewhere and usage.dtype == "float32":
        raise UsageError(
            "published figures are of 16-bit products, found policy.dtype=float32; leave it out"
        )

    @functools.cache
    def paced(base: Base) -> Pace:
        learning = settings.rank, settings.micro_batch
        if asked.elsewhere:
            learning = settings.rank, min(settings.micro_batch, MOST_AT_ONCE)
            pace = foretold(asked.elsewhere, sizes, base, dtype.itemsize, learning)
        else:
            pace = measure(config, sizes, base, dtype, device, learning)
        return pace if asked.memory is None else replace(pace, memory=asked.memory)

    critic_s = fitting_s(sizes.hidden, asked.decisions) if settings.rule == "ppo" else 0.0
    work = Work(asked.decisions, critic_s)
    plan = choose(sizes, settings, paced, dtype.itemsize, work, asked.between_s)
    return sizes, paced(plan.way.base), plan
