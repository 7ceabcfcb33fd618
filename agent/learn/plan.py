"""Whether a policy and its update fit a device, and how long they take, before anything is loaded.

All of it is arithmetic on sizes and on a measured roofline: predictions, and named so. A token
costs two operations a parameter forward (Kaplan et al. 2020, section 2.1), as many again for the
gradient of its activations; the frozen base needs no gradient of its weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from agent.errors import UsageError
from agent.policy.checkpoint import load_config
from agent.policy.roofline import Roofline, measure
from agent.policy.sizes import Sizes, sizes_of
from agent.policy.usage import Base, Usage, device_of, dtype_of
from agent.settings import LearnSettings

BANK = 256  # decisions of past successes that the gate looks at again
USABLE = 0.9  # of a device's memory: the rest is the driver's, the allocator's and the critic's
# Bytes a weight with its scales: rows of 8 bits; 4 bits in blocks of 64, scales quantised again.
BYTES = {"int8": 1.0, "nf4": 0.516}
LORA_TENSORS = 14  # a block: two for each of its seven matrices
OPERATIONS = 24  # small operations a block of the language model starts


@dataclass(frozen=True, slots=True)
class Way:
    """How the base is held and learned from. bytes: of a number in the base's precision."""

    base: Base
    bytes: int
    micro_batch: int
    checkpointing: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a way is predicted to take: bytes on the device, bytes beside it, and seconds.

    decision_s: of one view. update_s: of all decisions. load_s: of an adapter between episodes.
    """

    way: Way
    base: float
    adapters: float
    activations: float
    cache: float
    kept: float
    decision_s: float
    update_s: float
    load_s: float

    @property
    def peak(self) -> float:
        """Bytes on the device at the worst moment: an update, or acting."""
        return self.base + self.adapters + max(self.activations, self.cache)


def foresee(
    folder: Path,
    usage: Usage,
    threads: int,
    settings: LearnSettings,
    decisions: int,
    memory: float | None = None,
) -> tuple[Sizes, Roofline, Plan]:
    """Read a checkpoint's config, measure the device, and choose a way that fits.

    memory: bytes to plan for in place of the device's. Raises DataError for the config, UsageError
    for a device that is absent or too small.
    """
    sizes = sizes_of(load_config(folder))
    torch.set_num_threads(threads)
    device = device_of(usage)
    dtype = dtype_of(usage, device) or torch.bfloat16  # what published checkpoints are kept in
    line = measure(device, dtype)
    if memory is not None:
        line = replace(line, memory=memory)
    return sizes, line, choose(sizes, settings, line, dtype.itemsize, decisions)


def plan(sizes: Sizes, settings: LearnSettings, line: Roofline, way: Way, decisions: int) -> Plan:
    """Predict what a way of acting and learning takes. decisions: of one update."""
    weights = float(way.bytes) * (sizes.parameters - sizes.linear)
    weights += sizes.linear * BYTES.get(way.base, way.bytes)
    lora = 4.0 * settings.rank * sizes.lora
    tokens = sizes.context + sizes.actions
    return Plan(
        way=way,
        base=weights,
        adapters=6 * lora,  # acting, candidate, reference; gradient and two moments
        activations=_activations(sizes, way, tokens),
        cache=float(way.bytes * sizes.depth * sizes.keys * tokens),
        kept=float(decisions * sizes.patches * sizes.hidden * way.bytes),
        decision_s=_decision_s(sizes, line, way),
        update_s=_update_s(sizes, settings, line, way, decisions),
        load_s=lora / line.bytes_s + LORA_TENSORS * sizes.depth * line.overhead_s,
    )


def choose(
    sizes: Sizes, settings: LearnSettings, line: Roofline, whole: int, decisions: int
) -> Plan:
    """The first way that fits: the base whole before in fewer bits, kept before recomputed.

    whole: bytes of a number of the base. Raises UsageError where nothing fits.
    """
    tried = []
    for way in _ways(settings, whole):
        found = plan(sizes, settings, line, way, decisions)
        if found.peak <= USABLE * line.memory:
            return found
        tried.append(found.peak)
    raise UsageError(
        f"a device with {min(tried) / USABLE / 1e9:.1f} GB wanted, found "
        f"{line.memory / 1e9:.1f} GB ({line.device}); use a smaller policy or a lower learn.rank"
    )


def applied(settings: LearnSettings, way: Way) -> LearnSettings:
    """The settings of an update done that way."""
    return settings.model_copy(
        update={"micro_batch": way.micro_batch, "checkpointing": way.checkpointing}
    )


def _ways(settings: LearnSettings, whole: int) -> Iterator[Way]:
    most = settings.micro_batch
    for base in ("whole", "int8", "nf4"):
        way = Way(base, whole, most, checkpointing=False)
        for checkpointing in (False, True):
            least = 8 if not checkpointing else 1
            micro_batch = most
            while micro_batch >= min(least, most):
                yield replace(way, micro_batch=micro_batch, checkpointing=checkpointing)
                if micro_batch == 1:
                    break
                micro_batch //= 2


def _activations(sizes: Sizes, way: Way, tokens: int) -> float:
    """Bytes that a micro-batch's gradient needs."""
    rows = way.micro_batch * tokens
    # Normed inputs, queries, keys, values, attention, sums; gate, up, their product; and the
    # float32 copies that the seven LoRA layers take of their inputs.
    numbers = 8 * sizes.hidden + sizes.keys + 3 * sizes.between
    copies = 4 * (6 * sizes.hidden + sizes.between) if way.bytes < 4 else 0
    block = rows * (way.bytes * numbers + copies)
    if way.checkpointing:
        return float(block + rows * sizes.depth * sizes.hidden * way.bytes)
    return float(sizes.depth * block)


def _pass_s(sizes: Sizes, line: Roofline, way: Way, tokens: int) -> float:
    """Seconds of one forward pass over `tokens` tokens side by side."""
    work = 2.0 * sizes.layers * tokens
    read = float(way.bytes) * (sizes.layers - sizes.linear)
    read += sizes.linear * BYTES.get(way.base, way.bytes)
    return max(work / line.flops, read / line.bytes_s) + (
        OPERATIONS * sizes.depth * line.overhead_s
    )


def _seeing_s(sizes: Sizes, line: Roofline) -> float:
    return 2.0 * (sizes.vision + sizes.projector) * sizes.patches / line.flops


def _decision_s(sizes: Sizes, line: Roofline, way: Way) -> float:
    if sizes.together:
        answer_s = _pass_s(sizes, line, way, sizes.context + sizes.actions)
    else:
        answer_s = _pass_s(sizes, line, way, sizes.context)
        answer_s += (sizes.actions - 1) * _pass_s(sizes, line, way, 1)
    return _seeing_s(sizes, line) + answer_s


def _update_s(
    sizes: Sizes, settings: LearnSettings, line: Roofline, way: Way, decisions: int
) -> float:
    tokens = sizes.context + sizes.actions
    one = _pass_s(sizes, line, way, way.micro_batch * tokens) / way.micro_batch
    # An epoch: forward, backward, the reference, perhaps forward again; then all log-probabilities.
    epoch = 3.0 + bool(settings.kl_weight) + way.checkpointing
    passes = settings.epochs * epoch + 2.0 + 2.0 * min(BANK, decisions) / decisions
    encoding = _seeing_s(sizes, line) + one
    return decisions * (passes * one + encoding)
