"""From what the towers see and the joints feel to the language model's width."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import gelu


class Projector(nn.Module):
    """Vision features to the language model's width: two layers for one tower, three for two."""

    def __init__(self, widths: Sequence[int], hidden: int) -> None:
        super().__init__()
        vision = sum(widths)
        fused = len(widths) > 1
        between = 4 * vision if fused else hidden
        self.fc1 = nn.Linear(vision, between)
        self.fc2 = nn.Linear(between, hidden)
        self.fc3 = nn.Linear(hidden, hidden) if fused else None

    def forward(self, features: Tensor) -> Tensor:
        """(N, P, vision) to (N, P, H)."""
        out: Tensor = self.fc2(gelu(self.fc1(features)))
        return out if self.fc3 is None else self.fc3(gelu(out))


class ProprioProjector(nn.Module):
    """Proprioception to one token (Kim et al. 2025, OpenVLA-OFT)."""

    def __init__(self, proprio: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(proprio, hidden)
        self.fc2 = nn.Linear(hidden, hidden)

    def forward(self, proprio: Tensor) -> Tensor:
        """(B, p) to (B, H)."""
        out: Tensor = self.fc2(gelu(self.fc1(proprio)))
        return out
