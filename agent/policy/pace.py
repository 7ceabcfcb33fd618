"""How long the parts of a policy take on a device, whether measured there or worked out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """Seconds of a pass through blocks of the language model.

    first_s: with the top block alone, all that surrounds it included. block_s: of one more.
    """

    first_s: float
    block_s: float

    def of(self, blocks: int) -> float:
        """Seconds with so many blocks."""
        return self.first_s + (blocks - 1) * self.block_s


@dataclass(frozen=True, slots=True)
class Pace:
    """Of one policy on one device, all in seconds; `memory` is the device's, in bytes.

    see_s: towers and projector on one view; sees_s: on each of several. decide: one view's tokens
    drawn through an adapter; bare: without one. encode: one of several views in one pass, no
    adapter; look: the same through an adapter; learn: forward and backward. step: of the
    optimizer. carry_s: a byte from main memory to the model. how: "measured", or what it rests on.
    """

    device: str
    how: str
    memory: float
    see_s: float
    sees_s: float
    decide: Part
    bare: Part
    encode: Part
    look: Part
    learn: Part
    step: Part
    carry_s: float
