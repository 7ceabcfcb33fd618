"""Where things are: a further thing to see while a judge is trained, dropped afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from agent.episode import Float32Array


class LandmarkHead(nn.Module):
    """Reads (m,) numbers off what the vision tower makes of a view, so that it comes to hold them.

    A small model that is asked yes or no alone learns to see very slowly.
    """

    def __init__(self, marks: Float32Array, tokens: int, width: int) -> None:
        super().__init__()
        spread = marks.std(0)
        # What never varies has nothing to teach.
        self._kept = torch.from_numpy(np.flatnonzero(spread > 1e-4))
        self._mean = torch.from_numpy(marks.mean(0))[self._kept]
        self._spread = torch.from_numpy(spread)[self._kept]
        self.narrow = nn.Linear(width, 16)
        self.read = nn.Sequential(
            nn.Flatten(), nn.Linear(16 * tokens, 256), nn.GELU(), nn.Linear(256, len(self._kept))
        )

    def loss(self, seen: Sequence[Sequence[Tensor]], marks: Float32Array) -> Tensor:
        """Huber loss of b views. seen: of each view, of each picture, features (..., width)."""
        tokens = torch.stack(
            [torch.cat([part.flatten(0, -2) for part in view]) for view in seen]
        ).float()
        wanted = (torch.from_numpy(marks)[:, self._kept] - self._mean) / self._spread
        guess: Tensor = self.read(self.narrow(tokens))
        return nn.functional.huber_loss(guess, wanted)
