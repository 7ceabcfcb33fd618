"""The last successes before an update, to be cloned beside what it learns from."""

from __future__ import annotations

from collections import deque

import torch

from agent.learn.batch import Batch
from agent.learn.record import Acted
from agent.learn.views import stack

DECISIONS = 4096  # kept at most, however many episodes are asked for


class Replay:
    """At most so many successful episodes, the oldest let go first; 0 keeps none."""

    def __init__(self, episodes: int) -> None:
        self._episodes = episodes
        self._kept: deque[Acted] = deque()
        self._decisions = 0

    def __len__(self) -> int:
        """Decisions."""
        return self._decisions

    def take(self, acted: Acted) -> None:
        """Keep an episode that no coming update will be made of, if it succeeded.

        One of which nothing was carried out as asked teaches nothing and is left out.
        """
        if not acted.success or not bool(acted.mask.any()):
            return
        self._kept.append(acted)
        self._decisions += len(acted.tokens)
        while len(self._kept) > self._episodes or self._decisions > DECISIONS:
            self._decisions -= len(self._kept.popleft().tokens)

    def forget(self, name: str) -> None:
        """Leave an episode out from now on, if it is kept."""
        self._kept = deque(each for each in self._kept if each.id != name)
        self._decisions = sum(len(each.tokens) for each in self._kept)

    def draw(self, count: int, temperature: float, generator: torch.Generator) -> Batch:
        """So many decisions, drawn alike with replacement; they are weighed at `temperature`."""
        drawn = torch.randint(self._decisions, (count,), generator=generator)
        rows, at = [], 0
        for each in self._kept:
            mine = drawn[(drawn >= at) & (drawn < at + len(each.tokens))] - at
            at += len(each.tokens)
            if len(mine):
                rows.append((each, mine))
        return Batch(
            views=stack([each.views.rows(index) for each, index in rows]),
            tokens=torch.cat([each.tokens[index] for each, index in rows]),
            old=torch.cat([each.log_probs[index] for each, index in rows]),
            mask=torch.cat([each.mask[index] for each, index in rows]),
            advantage=torch.zeros(count),
            success=torch.ones(count, dtype=torch.bool),
            temperature=temperature,
        )
