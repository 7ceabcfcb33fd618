"""A policy's pace, measured on a thin twin: its own widths and code, one block and then two.

What one more block costs, times the blocks there are, is what the whole costs: no figure of the
device has to be known, and attention, norms, adapters, quantised products and Python's own share
are all in it. Weights are random, so only config.json is needed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from agent.policy.adapters import Adapters, AdapterSpec
from agent.policy.checkpoint import built
from agent.policy.config import VLAConfig, config_to_json
from agent.policy.images import PIPELINES
from agent.policy.pace import Pace, Part
from agent.policy.projector import Projector
from agent.policy.quantized import quantize
from agent.policy.sizes import Sizes
from agent.policy.towers import TowerConfig
from agent.policy.usage import Base
from agent.policy.vit import ViT
from agent.policy.vla import VLA, Draw

SHORTEST_S = 0.05  # of one measurement, so that a clock's grain does not matter
PASS_S = 0.3  # of one pass: fewer views at once are timed where a view takes long
ROWS = 512  # of the twin's vocabulary: tokens are looked up, and 256 rows are answered
CARRIED = 1 << 25  # bytes
# A device stays what it is while a process lives.
_KNOWN: dict[tuple[object, ...], Pace] = {}


@dataclass(frozen=True, slots=True)
class Twin:
    """What is timed, on which device."""

    vla: VLA
    adapters: Adapters
    device: torch.device
    prompt: int

    def seen(self, views: int) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Patches, proprioception, prompt and its mask of so many views."""
        config, weight = self.vla.config, self.vla.projector.fc1.weight
        count = config.towers[0].patches * len(config.cameras)
        patches = torch.randn(views, count, self.vla.hidden, device=self.device, dtype=weight.dtype)
        proprio = torch.zeros(views, config.proprio_dim, device=self.device)
        ids = torch.ones(views, self.prompt, dtype=torch.long, device=self.device)
        return patches, proprio if config.proprio_dim else None, ids, ids > 0

    def tokens(self, views: int) -> Tensor:
        """Bins that are followed."""
        return torch.zeros(views, self.vla.config.tokens, dtype=torch.long, device=self.device)


def measure(
    config: VLAConfig,
    sizes: Sizes,
    base: Base,
    dtype: torch.dtype,
    device: torch.device,
    learning: tuple[int, int],
) -> Pace:
    """Time the parts of this policy on this device. learning: LoRA's rank, decisions at once.

    Raises UsageError where the base needs a package that is not here.
    """
    key = (
        json.dumps(config_to_json(config), sort_keys=True), sizes.prompt, base, dtype, device,
        learning, torch.get_num_threads(),
    )  # fmt: skip
    if key not in _KNOWN:
        _KNOWN[key] = _measured(config, sizes, base, dtype, device, learning)
    return _KNOWN[key]


def _measured(
    config: VLAConfig,
    sizes: Sizes,
    base: Base,
    dtype: torch.dtype,
    device: torch.device,
    learning: tuple[int, int],
) -> Pace:
    rank, most = learning
    with torch.random.fork_rng(devices=[]):
        twin = _twin(config, sizes.prompt, base, dtype, device, rank)
        one = _seconds(lambda: _looked(twin, 1), device)
        at_once = max(1, min(most, int(PASS_S / one)))
        two = _timed(twin, at_once)
        layers = twin.vla.language_model.model.layers
        twin.vla.language_model.model.layers = layers[:1]
        first = _timed(twin, at_once)
        parts = {name: Part(first[name], max(0.0, two[name] - first[name])) for name in first}
        return Pace(
            device=_name(device),
            how="measured",
            memory=_memory(device),
            see_s=_seeing_s(config, dtype, device, 1) + _fitting_s(config),
            sees_s=_seeing_s(config, dtype, device, at_once) + _fitting_s(config),
            carry_s=_carry_s(device),
            **parts,
        )


def _twin(
    config: VLAConfig, prompt: int, base: Base, dtype: torch.dtype, device: torch.device, rank: int
) -> Twin:
    text = {key: value for key, value in config.text_config.items() if key != "layer_types"}
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    text |= {"num_hidden_layers": 2, "vocab_size": ROWS, **ids}
    towers = tuple(replace(tower, depth=1, attention_pool=False) for tower in config.towers)
    thin = replace(
        config, text_config=text, towers=towers, action_top=ROWS, pad_to_multiple_of=0,
        empty_token_id=3,
    )  # fmt: skip
    with torch.device("meta"):
        vla = built(thin)
    _fill(vla, dtype, device)
    llama = vla.language_model.model
    llama.rotary_emb = type(llama.rotary_emb)(llama.config).to(device)
    llama.gradient_checkpointing = False
    quantize(vla, base, device)
    adapters = Adapters(vla.eval(), "twin")
    adapters.attach("twin", AdapterSpec(rank, float(rank)), seed=0)
    adapters.freeze("twin")
    vla.to(device)
    return Twin(vla, adapters, device, prompt)


def _timed(twin: Twin, at_once: int) -> dict[str, float]:
    """Seconds of each part with the blocks that the twin has now, a view."""
    device, luck = twin.device, torch.Generator(twin.device)
    one, several, how = twin.seen(1), twin.seen(at_once), Draw(1.0, 1, luck)

    def decide() -> None:
        with torch.inference_mode():
            twin.vla.propose(*one, how)

    def learn() -> None:
        tokens = twin.tokens(at_once)
        twin.vla.action_logits(*several, tokens).logsumexp(-1).sum().backward()

    found = {"bare": _seconds(decide, device)}
    found["encode"] = _seconds(lambda: _looked(twin, at_once), device) / at_once
    with twin.adapters.use("twin"):
        found["decide"] = _seconds(decide, device)
        found["look"] = _seconds(lambda: _looked(twin, at_once), device) / at_once
        found["learn"] = _seconds(learn, device) / at_once
    weights = [p for p in twin.vla.parameters() if p.requires_grad and p.grad is not None]
    optimizer = torch.optim.AdamW(weights, lr=1e-6)

    def step() -> None:
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()

    found["step"] = _seconds(step, device)
    return found


def _looked(twin: Twin, views: int) -> None:
    with torch.no_grad():
        twin.vla.action_logits(*twin.seen(views), twin.tokens(views))


def _seeing_s(config: VLAConfig, dtype: torch.dtype, device: torch.device, views: int) -> float:
    """Seconds of towers and projector, a view of so many."""
    count = views * len(config.cameras)
    spent = 0.0
    for tower in config.towers:
        first, second = (_tower_s(tower, blocks, dtype, device, count) for blocks in (1, 2))
        spent += first + (tower.depth - 2) * max(0.0, second - first)
    with torch.device("meta"):
        projector = Projector([tower.width for tower in config.towers], _hidden(config))
    _fill(projector, dtype, device)
    width, patches = projector.fc1.in_features, config.towers[0].patches
    features = torch.randn(count, patches, width, device=device, dtype=dtype)
    return (spent + _seconds(lambda: _quietly(projector, features), device)) / views


def _tower_s(
    tower: TowerConfig, blocks: int, dtype: torch.dtype, device: torch.device, count: int
) -> float:
    with torch.device("meta"):
        vit = ViT(replace(tower, depth=blocks + 1, attention_pool=False))
    _fill(vit, dtype, device)
    px = tower.image_px
    images = torch.randn(count, 3, px, px, device=device, dtype=dtype)
    return _seconds(lambda: _quietly(vit, images), device)


def _quietly(module: torch.nn.Module, given: Tensor) -> None:
    with torch.inference_mode():
        module(given)


def _fitting_s(config: VLAConfig) -> float:
    """Seconds of bringing a view's pictures to the towers' size."""
    fit, picture = PIPELINES[config.images], np.zeros((256, 256, 3), np.uint8)
    here = torch.device("cpu")
    return len(config.cameras) * _seconds(lambda: fit(picture, config.image_px), here)


def _fill(module: torch.nn.Module, dtype: torch.dtype, device: torch.device) -> None:
    module.to_empty(device=device)
    module.to(dtype)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.02)


def _carry_s(device: torch.device) -> float:
    """Seconds a byte of picking rows out of main memory and bringing them to the device."""
    rows, index = torch.zeros(64, CARRIED // 256, dtype=torch.float32), torch.arange(64)
    return _seconds(lambda: rows[index].to(device), device) / CARRIED


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """The best of repeated timings, the first left out: whatever else runs only ever adds."""
    work()
    # On a CPU this thread's own time, which works as long as all others do: a busy machine has
    # no say in it.
    clock = time.perf_counter if device.type == "cuda" else time.thread_time
    best, spent = float("inf"), 0.0
    while spent < SHORTEST_S:
        began = clock()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        took = clock() - began
        best, spent = min(best, took), spent + took
    return best


def _hidden(config: VLAConfig) -> int:
    return int(config.text_config["hidden_size"])


def _memory(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory)
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"CPU, {torch.get_num_threads()} threads"
