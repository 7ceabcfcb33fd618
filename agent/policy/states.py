"""Hidden states of sequences on their way through the language model, and who may look at whom."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True, slots=True)
class States:
    """Tokens of B sequences in front of some block of the language model.

    hidden: (B, T, H); positions: (B, T); seen: (B, T) bool, True where a token counts. What a token
    looks at follows from these alone, not from where it lies in memory; but the last columns are
    the last tokens in every row.
    """

    hidden: Tensor
    positions: Tensor
    seen: Tensor

    def __len__(self) -> int:
        """Sequences."""
        return len(self.hidden)

    def rows(self, index: Tensor) -> States:
        """Pick some sequences."""
        return States(self.hidden[index], self.positions[index], self.seen[index])

    def to(self, device: str | torch.device) -> States:
        """Move to a device."""
        return States(self.hidden.to(device), self.positions.to(device), self.seen.to(device))

    def then(self, after: Tensor) -> States:
        """Add tokens (B, n, H) that follow, each one place further."""
        count = after.shape[1]
        steps = torch.arange(1, count + 1, device=after.device)
        return States(
            torch.cat([self.hidden, after], 1),
            torch.cat([self.positions, self.positions[:, -1:] + steps], 1),
            torch.cat([self.seen, self.seen.new_ones(len(after), count)], 1),
        )

    def padded(self, length: int) -> States:
        """Put tokens that do not count in front, up to so many in all."""
        more = length - self.hidden.shape[1]
        return States(
            pad(self.hidden, (0, 0, more, 0)),
            pad(self.positions, (more, 0)),
            pad(self.seen, (more, 0)),
        )

    def bias(self, together: int = 0) -> Tensor:
        """(B or 1, 1, T, T): a token looks at what counts and does not come later.

        together: so many tokens at the end see each other.
        """
        order, seen = self.positions, self.seen
        if together:
            # They share the last place in the order of looking, not in rotary position.
            order = torch.cat([order[:, :-together], order[:, -1:].expand(-1, together)], 1)
        if len(order) > 1 and bool(seen.all()):
            order, seen = order[:1], seen[:1]  # without pads every row looks alike
        allowed = (order[:, None, :] <= order[:, :, None]) & seen[:, None, :]
        return minus_infinity(allowed[:, None], self.hidden.dtype)


def joined(parts: list[States]) -> States:
    """One after the other, padded to the longest."""
    longest = max(each.hidden.shape[1] for each in parts)
    rows = [each.padded(longest) for each in parts]
    return States(
        torch.cat([each.hidden for each in rows]),
        torch.cat([each.positions for each in rows]),
        torch.cat([each.seen for each in rows]),
    )


def minus_infinity(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where allowed, else minus infinity."""
    return torch.zeros((), dtype=dtype, device=allowed.device).masked_fill(~allowed, float("-inf"))
