"""What is predicted of the published 7B layout on devices that are not here; nothing is measured.

The naive way beside is predicted by the same arithmetic: the base whole, adapters on all blocks,
the whole vocabulary, and for an update the towers in every pass, a second copy of the language
model as reference, and no activation recomputed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent.learn.plan import Way, Work, plan
from agent.policy.config import config_from_json
from agent.policy.pace import Pace
from agent.policy.roofline import BYTES_SHARE, DEVICES, FLOPS_SHARE, Device, foretold
from agent.policy.sizes import Sizes, sizes_of
from agent.settings import LearnSettings
from benchmarks import published_folder

NAMES = ("H200", "RTX 4090", "Jetson Thor", "Jetson AGX Orin 64 GB")
TOPS = (0, 8, 4)
DECISIONS = 4 * 200
MICRO_BATCH = 4
HALF = 2  # bytes of a number in 16 bits
EPOCHS = 3
PROTOCOL = (
    f"Llama-2-7B under both towers, rank 16; {DECISIONS} decisions (4 episodes of 200 steps) an "
    f"update, {EPOCHS} epochs, {MICRO_BATCH} at once, activations recomputed where all blocks learn"
)


def rows() -> list[dict[str, Any]]:
    """One a device, a base, and a cut."""
    sizes = sizes_of(config_from_json(published_folder.published_config("full")))
    settings = LearnSettings(epochs=EPOCHS, micro_batch=MICRO_BATCH, rank=16)
    return [row for name in NAMES for row in _of(DEVICES[name], sizes, settings)]


def _of(device: Device, sizes: Sizes, settings: LearnSettings) -> Iterator[dict[str, Any]]:
    learning, work = (settings.rank, MICRO_BATCH), Work(DECISIONS)
    plain = foretold(device, sizes, "whole", HALF, learning)
    decision_s, update_s, peak = _naive(device, sizes, settings, plain)
    for base in ("whole", "nf4"):
        pace = foretold(device, sizes, base, HALF, learning)
        for top in TOPS:
            way = Way(base, HALF, MICRO_BATCH, checkpointing=not top, top=top)
            found = plan(sizes, settings, pace, way, work)
            yield {
                "device": device.name,
                "base": base,
                "top_layers": top,
                "decision_s": round(found.decision_s, 3),
                "update_s": round(found.update_s, 1),
                "peak_gb": round(found.peak / 1e9, 1),
                "naive_decision_s": round(decision_s, 3),
                "naive_update_s": round(update_s, 1),
                "naive_peak_gb": round(peak / 1e9, 1),
                "decision_ratio": round(decision_s / found.decision_s, 2),
                "update_ratio": round(update_s / found.update_s, 2),
            }


def _naive(
    device: Device, sizes: Sizes, settings: LearnSettings, pace: Pace
) -> tuple[float, float, float]:
    """Seconds of a decision and of an update, and bytes at the worst moment."""
    head = sizes.rows / 2
    tokens = sizes.context + sizes.actions
    read_s = HALF * head / (BYTES_SHARE * device.bytes_s)
    decision_s = pace.see_s + pace.decide.of(sizes.depth) + sizes.actions * read_s
    words_s = max(2.0 * head * tokens / (FLOPS_SHARE * device.flops), read_s / settings.micro_batch)
    seen_s = pace.sees_s + words_s
    bare_s, look_s = (seen_s + part.of(sizes.depth) for part in (pace.encode, pace.look))
    learn_s = seen_s + words_s + pace.learn.of(sizes.depth)
    # Features; each epoch the reference, learning and all log-probabilities; then divergence and
    # forgetting, each through both models, the latter on all decisions.
    passes_s = bare_s + settings.epochs * (bare_s + learn_s + look_s) + 2 * (look_s + bare_s)
    way = Way("whole", HALF, settings.micro_batch, checkpointing=False)
    ours = plan(sizes, settings, pace, way, Work(DECISIONS))
    lora = 4.0 * settings.rank * sizes.lora
    second = HALF * (sizes.layers + sizes.rows)
    # The logits of all tokens in float32, their logarithms and their gradient.
    logits = 3 * 4.0 * settings.micro_batch * tokens * head / sizes.hidden
    peak = ours.base + second + 4 * lora + ours.activations + logits
    return decision_s, DECISIONS * passes_s, peak
