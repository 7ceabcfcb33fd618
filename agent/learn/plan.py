"""Whether a policy and its update fit a device, and how long they take, before anything is loaded.

All of it is arithmetic on sizes and on the pace of the policy's parts: predictions, and named so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.errors import UsageError
from agent.policy.pace import Pace
from agent.policy.roofline import BYTES
from agent.policy.sizes import Sizes
from agent.policy.usage import Base
from agent.settings import LearnSettings

BANK = 256  # decisions of past successes that the gate looks at again
USABLE = 0.9  # of a device's memory: the rest is the driver's, the allocator's and the critic's

Paces = Callable[[Base], Pace]


@dataclass(frozen=True, slots=True)
class Way:
    """How the base is held and learned from. bytes: of a number in the base's precision.

    top: blocks of the language model that learn, from the top; 0: all.
    """

    base: Base
    bytes: int
    micro_batch: int
    checkpointing: bool
    top: int = 0

    def learning(self, sizes: Sizes) -> int:
        """Blocks of the language model that learn."""
        return self.top or sizes.depth


@dataclass(frozen=True, slots=True)
class Work:
    """One update: of how many decisions, and seconds of fitting the critic before it."""

    decisions: int
    critic_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a way is predicted to take: bytes on the device, bytes beside it, and seconds.

    decision_s: of one view. observe_s: of taking note of all decisions, as their episodes end;
    update_s: of the whole update, that included. load_s: of an adapter between episodes.
    """

    way: Way
    base: float
    adapters: float
    activations: float
    cache: float
    kept: float
    decision_s: float
    observe_s: float
    update_s: float
    load_s: float

    @property
    def peak(self) -> float:
        """Bytes on the device at the worst moment: an update, or acting."""
        return self.base + self.adapters + max(self.activations, self.cache)


def plan(sizes: Sizes, settings: LearnSettings, pace: Pace, way: Way, work: Work) -> Plan:
    """Predict what a way of acting and learning takes."""
    weights = float(way.bytes) * (sizes.parameters - sizes.linear)
    weights += sizes.linear * BYTES.get(way.base, way.bytes)
    run = way.learning(sizes)
    lora = 4.0 * settings.rank * sizes.lora * run / sizes.depth
    tokens = sizes.context + sizes.actions
    observe_s = work.decisions * (pace.sees_s + pace.encode.of(sizes.depth))
    return Plan(
        way=way,
        base=weights,
        adapters=6 * lora,  # acting, candidate, reference; gradient and two moments
        activations=_activations(sizes, way, tokens),
        cache=float(way.bytes * sizes.depth * sizes.keys * tokens),
        kept=work.decisions * _kept(sizes, way),
        decision_s=(pace.see_s + pace.decide.of(run) + (sizes.depth - run) * pace.bare.block_s),
        observe_s=observe_s,
        update_s=observe_s + work.critic_s + _learning_s(sizes, settings, pace, way, work),
        load_s=lora * pace.carry_s + pace.step.of(run),
    )


def choose(
    sizes: Sizes,
    settings: LearnSettings,
    paces: Paces,
    whole: int,
    work: Work,
    between_s: float = math.inf,
) -> Plan:
    """The first way that fits: the base whole before in fewer bits, kept before recomputed.

    Where none of the ways that a base's memory allows ends in time, adapters on half of the blocks
    or fewer, as many as do; where those do not either, the first way. whole: bytes of a number of
    the base; between_s: seconds an update may take. Raises UsageError where memory is too small.
    """
    tried: list[float] = []
    for base in ("whole", "int8", "nf4"):
        pace = paces(base)
        cuts = [settings.top_layers]
        if settings.targets == "language" and not settings.top_layers:
            cuts += [sizes.depth >> n for n in range(1, sizes.depth.bit_length())]
        found = [
            [plan(sizes, settings, pace, way, work) for way in _ways(settings, base, whole, top)]
            for top in cuts
        ]
        fitting = [[p for p in each if p.peak <= USABLE * pace.memory] for each in found]
        if fitting[0]:
            in_time = [p for each in fitting for p in each if p.update_s <= between_s]
            return in_time[0] if in_time else fitting[0][0]
        tried += [p.peak for p in found[0]]
    raise UsageError(
        f"a device with {min(tried) / USABLE / 1e9:.1f} GB wanted, found "
        f"{pace.memory / 1e9:.1f} GB ({pace.device}); use a smaller policy or a lower learn.rank"
    )


def applied(settings: LearnSettings, way: Way) -> LearnSettings:
    """The settings of an update done that way."""
    return settings.model_copy(
        update={
            "micro_batch": way.micro_batch,
            "checkpointing": way.checkpointing,
            "top_layers": way.top,
        }
    )


def _ways(settings: LearnSettings, base: Base, whole: int, top: int) -> Iterator[Way]:
    most = settings.micro_batch
    for checkpointing in (False, True):
        least = 8 if not checkpointing else 1
        micro_batch = most
        while micro_batch >= min(least, most):
            yield Way(base, whole, micro_batch, checkpointing, top)
            if micro_batch == 1:
                break
            micro_batch //= 2


def _kept(sizes: Sizes, way: Way) -> float:
    """Bytes of a decision in main memory: hidden states at the cut, or projected patches."""
    tokens = sizes.context + sizes.actions if way.top else sizes.patches
    return float(tokens * sizes.hidden * way.bytes)


def _activations(sizes: Sizes, way: Way, tokens: int) -> float:
    """Bytes that a micro-batch's gradient needs."""
    rows = way.micro_batch * tokens
    # Normed inputs, queries, keys, values, attention, sums; gate, up, their product; and the
    # float32 copies that the seven LoRA layers take of their inputs.
    numbers = 8 * sizes.hidden + sizes.keys + 3 * sizes.between
    copies = 4 * (6 * sizes.hidden + sizes.between) if way.bytes < 4 else 0
    block, run = rows * (way.bytes * numbers + copies), way.learning(sizes)
    if way.checkpointing:
        return float(block + rows * run * sizes.hidden * way.bytes)
    return float(run * block)


def _learning_s(sizes: Sizes, settings: LearnSettings, pace: Pace, way: Way, work: Work) -> float:
    run = way.learning(sizes)
    carry_s = _kept(sizes, way) * pace.carry_s
    look_s = pace.look.of(run) + carry_s
    learn_s = pace.learn.of(run) + way.checkpointing * pace.look.of(run) + carry_s
    if settings.targets != "language":  # pictures are looked at anew, and perhaps learned from
        look_s += pace.sees_s
        learn_s += pace.sees_s * (3 if settings.targets == "all-linear" else 1)
    # The reference; each epoch learning, then all log-probabilities; at the end forgetting, through
    # two adapters.
    again_s = learn_s * bool(settings.replay)  # as many successes beside each minibatch
    epoch_s = learn_s + again_s + look_s
    again = 1.0 + 2.0 * min(BANK, work.decisions) / work.decisions
    steps = settings.epochs * math.ceil(work.decisions / settings.minibatch)
    passes_s = work.decisions * (settings.epochs * epoch_s + again * look_s)
    return passes_s + steps * pace.step.of(run)
