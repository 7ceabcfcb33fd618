"""The first successes of a run, by which forgetting is measured."""

from __future__ import annotations

from agent.learn.forward import Forward
from agent.learn.record import Acted

DECISIONS = 256  # after so many no more are kept


class Bank:
    """Successful episodes, whoever acted."""

    def __init__(self) -> None:
        self._kept: dict[str, Acted] = {}

    def take(self, acted: Acted) -> None:
        """Keep an episode if it succeeded and there is room."""
        held = sum(len(each.tokens) for each in self._kept.values())
        if acted.success and held < DECISIONS:
            self._kept[acted.id] = acted

    def forget(self, name: str) -> None:
        """Leave an episode out from now on, if it is kept."""
        self._kept.pop(name, None)

    def rise(self, forward: Forward, ours: str, theirs: str) -> float:
        """Rise of their cross-entropy a token, from what one adapter gives to what another does."""
        rise, count = 0.0, 0
        for each in self._kept.values():
            count += int(each.mask.sum())
            for name, sign in ((ours, 1.0), (theirs, -1.0)):
                rise -= sign * forward.said(each.views, each.tokens, each.mask, name)
        return rise / max(count, 1)
