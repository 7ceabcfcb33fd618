"""How fast a device multiplies and reads, measured on it in a second or two."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

SHORTEST_S = 0.2  # of one measurement, so that a clock's grain does not matter


@dataclass(frozen=True, slots=True)
class Roofline:
    """flops: multiply-adds a second, times two. bytes_s: read a second. memory: bytes in all.

    overhead_s: of starting one small operation.
    """

    device: str
    flops: float
    bytes_s: float
    memory: float
    overhead_s: float


@functools.cache  # a device stays what it is while a process lives
def measure(device: torch.device, dtype: torch.dtype) -> Roofline:
    """Time a large product, a matrix times a vector, and a tiny sum.

    Williams, Waterman and Patterson 2009: work takes as long as its products or its reading.
    """
    side = 4096 if device.type == "cuda" else 768
    left = torch.randn(side, side, device=device, dtype=dtype)
    product_s = _seconds(lambda: left @ left, device)
    rows = 4 * side
    tall = torch.randn(rows, side, device=device, dtype=dtype)
    vector = torch.randn(side, device=device, dtype=dtype)
    vector_s = _seconds(lambda: tall @ vector, device)
    little = torch.ones(8, device=device, dtype=dtype)
    return Roofline(
        device=_name(device),
        flops=2.0 * side**3 / product_s,
        bytes_s=tall.numel() * tall.element_size() / vector_s,
        memory=_memory(device),
        overhead_s=_seconds(lambda: little + little, device),
    )


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """The best of repeated timings: whatever else runs only ever adds."""
    best, spent = float("inf"), 0.0
    work()
    while spent < SHORTEST_S:
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        took = time.perf_counter() - began
        best, spent = min(best, took), spent + took
    return best


def _memory(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory)
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"CPU, {torch.get_num_threads()} threads"
