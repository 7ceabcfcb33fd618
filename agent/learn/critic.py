"""The value of a view: a small ensemble on the frozen base's feature and the clock."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

HUBER_DELTA = 1.0
STEPS = 300  # of a fit


class Critic(nn.Module):
    """Mean of a few MLPs on (feature, elapsed share of the horizon).

    VLA-RL trains a second copy of the policy as critic; here its frozen base is shared and only
    the head learns, so that refitting takes seconds.
    """

    def __init__(self, width: int, seed: int, members: int = 3, hidden: int = 128) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.members = nn.ModuleList(_member(width + 1, hidden, generator) for _ in range(members))

    def forward(self, features: Tensor, elapsed: Tensor) -> Tensor:
        """Values (members, b) of features (b, h) seen at elapsed (b,) in [0, 1]."""
        inputs = torch.cat([features, elapsed[:, None]], -1)
        return torch.stack([member(inputs).squeeze(-1) for member in self.members])

    @torch.no_grad()
    def value(self, features: Tensor, elapsed: Tensor) -> Tensor:
        """The ensemble's mean, (b,)."""
        values: Tensor = self(features, elapsed).mean(0)
        return values


@dataclass(frozen=True, slots=True)
class Targets:
    """What a critic is fitted on, a row a decision. episode: (n,) which episode a row is from."""

    features: Tensor
    elapsed: Tensor
    returns: Tensor
    episode: Tensor


def fit(critic: Critic, targets: Targets, seed: int, steps: int = STEPS) -> float:
    """Fit on four fifths of the episodes, then on all; returns the explained variance held out.

    Explained variance is 1 - Var(return - value) / Var(return): 0 is no better than the mean.
    Too few episodes to hold any out, or returns that do not vary, give 0.
    """
    generator = torch.Generator().manual_seed(seed)
    held = targets.episode % 5 == 4
    explained = 0.0
    if bool(held.any()) and float(targets.returns[held].var(correction=0)) > 0:
        trial = Critic(targets.features.shape[1], seed)
        _descend(trial, targets, ~held, generator, steps)
        rest = targets.returns[held] - trial.value(targets.features[held], targets.elapsed[held])
        explained = 1.0 - float(rest.var(correction=0) / targets.returns[held].var(correction=0))
    _descend(critic, targets, torch.ones_like(held), generator, steps)
    return explained


def fitting_s(width: int, decisions: int) -> float:
    """Seconds that a fit takes here on features of that width, from a few of its steps."""
    rows, luck = min(decisions, 256), torch.Generator().manual_seed(0)
    features, returns = (torch.randn(rows, n, generator=luck) for n in (width, 1))
    targets = Targets(features, torch.zeros(rows), returns[:, 0], torch.arange(rows))
    few, spent = 5, []
    for _ in range(3):
        began = time.thread_time()
        fit(Critic(width, 0), targets, 0, few)
        spent.append(time.thread_time() - began)
    return min(spent) * STEPS / few


def _descend(
    critic: Critic, targets: Targets, rows: Tensor, generator: torch.Generator, steps: int
) -> None:
    optimizer = torch.optim.AdamW(critic.parameters(), lr=1e-3, weight_decay=1e-2)
    index = rows.nonzero().squeeze(-1)
    for _ in range(steps):
        pick = index[torch.randint(len(index), (min(128, len(index)),), generator=generator)]
        values = critic(targets.features[pick], targets.elapsed[pick])
        goal = targets.returns[pick].expand_as(values)
        loss = nn.functional.huber_loss(values, goal, delta=HUBER_DELTA)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _member(width: int, hidden: int, generator: torch.Generator) -> nn.Sequential:
    first, last = nn.Linear(width, hidden), nn.Linear(hidden, 1)
    nn.init.kaiming_uniform_(first.weight, generator=generator)
    nn.init.zeros_(first.bias)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.LayerNorm(width), first, nn.GELU(), last)
