"""A policy's pace on a device that is not here: arithmetic on the device's published figures.

Work takes as long as its products or its reading, whichever is longer (Williams, Waterman and
Patterson 2009), or as starting its operations one by one from Python, where that is longer still.
A token costs two operations a parameter forward (Kaplan et al. 2020, section 2.1), and as many for
the gradient of its activations; the frozen base needs no gradient of its weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.errors import UsageError
from agent.policy.pace import Pace, Part
from agent.policy.sizes import Sizes
from agent.policy.usage import Base

# The shares of published peaks that are counted on.
FLOPS_SHARE, BYTES_SHARE = 0.5, 0.7
# Bytes a weight with its scales: rows of 8 bits; 4 bits in blocks of 64, scales quantised again.
BYTES = {"int8": 1.0, "nf4": 0.516}
# Small operations that a block starts forward, and those that a LoRA adds to its seven products.
OPERATIONS, LORA_OPERATIONS = 27, 45
AROUND = 40  # those before the first block and after the last
SIGHT_OPERATIONS = 14  # those of a block of a tower
FIT_S = 0.003  # bringing a picture to the towers' size, on a processor


@dataclass(frozen=True, slots=True)
class Device:
    """What its maker publishes of a device, and two guesses at what it stands in.

    flops: a second, dense, in 16 bits. bytes_s: read a second. memory: bytes. link_s: bytes a
    second from main memory. start_s: of starting one small operation out of Python.
    """

    name: str
    flops: float
    bytes_s: float
    memory: float
    link_s: float = 12e9
    start_s: float = 6e-6


# Dense 16-bit products with sums in 32 bits, without sparsity, from the makers' data sheets.
DEVICES: Mapping[str, Device] = {
    each.name: each
    for each in (
        Device("H200", 989e12, 4.8e12, 141e9, 25e9),
        Device("H100", 989e12, 3.35e12, 80e9, 25e9),
        Device("A100", 312e12, 2.04e12, 80e9),
        Device("L40S", 362e12, 0.864e12, 48e9),
        Device("RTX 5090", 209e12, 1.79e12, 32e9),
        Device("RTX 4090", 165e12, 1.01e12, 24e9),
        Device("RTX 3090", 71e12, 0.936e12, 24e9),
        Device("Jetson Thor", 259e12, 0.273e12, 128e9, 60e9, 15e-6),
        Device("Jetson AGX Orin 64 GB", 42.5e12, 0.205e12, 64e9, 40e9, 15e-6),
    )
}


def device_named(name: str) -> Device:
    """A published device by its name, or by so much of it that no other is meant. UsageError."""
    asked = "".join(name.lower().split())
    fitting = [each for each in DEVICES if asked and asked in "".join(each.lower().split())]
    if len(fitting) != 1:
        raise UsageError(
            f"a device wanted whose figures are known here, found {name!r}; known: "
            f"{', '.join(DEVICES)}; for another give --flops, --bandwidth and --memory-gb"
        )
    return DEVICES[fitting[0]]


def foretold(
    device: Device, sizes: Sizes, base: Base, size: int, learning: tuple[int, int]
) -> Pace:
    """Work out a pace. size: bytes of a number of the base; learning: rank, decisions at once."""
    work = _Work(device, sizes, base, size, learning[0])
    views, each = learning[1], sizes.context + sizes.actions
    if sizes.together:
        decide, bare = (work.block_s(each, 1, lora=lora) for lora in (True, False))
    else:
        decide, bare = (
            work.block_s(sizes.context, 1, lora=lora)
            + (sizes.actions - 1) * work.block_s(1, 1, lora=lora)
            for lora in (True, False)
        )
    draws = 1 if sizes.together else sizes.actions
    around = AROUND * device.start_s
    see_s = work.seeing_s(1) + FIT_S
    encode, look, learn = (
        work.block_s(each, views, lora=lora, back=back) / views
        for lora, back in ((False, False), (True, False), (True, True))
    )
    moments = 10 * 4.0 * learning[0] * sizes.lora / sizes.depth  # read or written a step
    step = moments / (BYTES_SHARE * device.bytes_s)
    return Pace(
        device=device.name,
        how=(
            f"PREDICTED from {FLOPS_SHARE:g} of {device.flops / 1e12:g} TFLOP/s and "
            f"{BYTES_SHARE:g} of {device.bytes_s / 1e9:g} GB/s"
        ),
        memory=device.memory,
        see_s=see_s,
        sees_s=work.seeing_s(views) / views + FIT_S,
        decide=Part(decide + draws * around, decide),
        bare=Part(bare + draws * around, bare),
        encode=Part(encode + around / views, encode),
        look=Part(look + around / views, look),
        learn=Part(learn + 2 * around / views, learn),
        step=Part(step + 20 * device.start_s, step),
        carry_s=1.0 / device.link_s,
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """What a block asks of a device."""

    device: Device
    sizes: Sizes
    base: Base
    size: int
    rank: int

    def block_s(self, tokens: int, views: int, *, lora: bool, back: bool = False) -> float:
        """Seconds of one block over `tokens` tokens of each of `views` views."""
        sizes, device = self.sizes, self.device
        rows, weights = tokens * views, sizes.layers / sizes.depth
        looked = tokens if tokens > 1 else sizes.context + sizes.actions // 2
        products = 2.0 * (weights + lora * self.rank * sizes.lora / sizes.depth) * rows
        attention = 4.0 * views * tokens * looked * sizes.hidden
        read = weights * BYTES.get(self.base, self.size)
        if self.base == "nf4" and rows > 1:
            read += weights * 2.0 * self.size  # written and read again in the base's precision
        small = rows * self.size * (24 * sizes.hidden + 6 * sizes.between)
        if lora:  # adapters are in float32, and their products are not fused into the base's
            small += rows * 4 * (25 * sizes.hidden + 10 * sizes.between)
        started = OPERATIONS + LORA_OPERATIONS * lora
        # Backward: a product with each weight once more, everything else twice more.
        again = 3 if back else 1
        products_s = (products * (2 if back else 1) + attention * again) / (
            FLOPS_SHARE * device.flops
        )
        read_s = read * (2 if back else 1) / (BYTES_SHARE * device.bytes_s)
        small_s = small * again / (BYTES_SHARE * device.bytes_s)
        return max(max(products_s, read_s) + small_s, started * again * device.start_s)

    def seeing_s(self, views: int) -> float:
        """Seconds of towers and projector on so many views."""
        sizes, device = self.sizes, self.device
        seen = sizes.vision + sizes.projector
        products_s = 2.0 * seen * sizes.patches * views / (FLOPS_SHARE * device.flops)
        read_s = seen * self.size / (BYTES_SHARE * device.bytes_s)
        return max(products_s, read_s, SIGHT_OPERATIONS * sizes.sights * device.start_s)
