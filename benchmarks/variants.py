"""Named variants of learning, each a few settings: what `benchmarks.adaptation` can compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.configuration import resolve
from agent.errors import UsageError

GROUP = "run.group=4"  # where learn.every_episodes is a multiple of it
# A value that begins with * multiplies what the setting would be without it.
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "ppo": (),
    "random-advantage": ("learn.control=random-advantage",),
    "progress": ("learn.progress_weight=0.2",),
    "progress-sum": ("learn.progress_weight=0.2", "learn.shaping=sum"),
    "no-curriculum": ("run.curriculum=uniform",),
    "paper-curriculum": ("run.curriculum=paper",),
    "no-warm-up": ("learn.warmup_episodes=0", "learn.experience=false"),
    "no-experience": ("learn.experience=false",),
    "hot": ("policy.temperature=1.5",),
    "cold": ("policy.temperature=0.7",),
    "adaptive-temperature": ("policy.adapt_temperature=true",),
    "lr-x10": ("learn.learning_rate=*10",),
    "lr-x0.1": ("learn.learning_rate=*0.1",),
    "symmetric-clip": ("learn.clip_low=0.2", "learn.clip_high=0.2"),
    "no-kl": ("learn.kl_weight=0.0",),
    "one-epoch": ("learn.epochs=1",),
    "clone": ("learn.clone_weight=0.1",),
    "replay": ("learn.clone_weight=0.1", "learn.replay=32"),
    "groups": (GROUP,),
    "rft": ("learn.rule=rft",),
    "rft-replay": ("learn.rule=rft", "learn.clone_weight=0.5", "learn.replay=32"),
    "rloo": ("learn.rule=rloo", GROUP),
    "grpo": ("learn.rule=grpo", GROUP),
    "faithful": ("learn.preset=faithful",),
}


def sets_of(variant: str, sets: Sequence[str]) -> tuple[str, ...]:
    """What a variant is told besides `sets`; "" is nothing. Raises UsageError for another name."""
    if not variant:
        return ()
    if variant not in VARIANTS:
        raise UsageError(f"no variant is called {variant!r}; known: {', '.join(VARIANTS)}")
    return tuple(_multiplied(each, sets) for each in VARIANTS[variant])


def _multiplied(told: str, sets: Sequence[str]) -> str:
    key, _, value = told.partition("=")
    if not value.startswith("*"):
        return told
    table, name = key.split(".")
    usual = getattr(getattr(resolve(sets=list(sets)).settings, table), name)
    return f"{key}={usual * float(value[1:]):.6g}"
