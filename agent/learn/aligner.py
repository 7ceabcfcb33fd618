"""Makes an adapter that sees a deployment as the training world, out of where episodes began."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.episode import Episode
from agent.errors import DataError
from agent.learn import training_views
from agent.learn.alignment import estimate, figures
from agent.policy.adapters import AdapterSpec
from agent.policy.correction import unchanged
from agent.policy.policy import VLAPolicy
from agent.seeing import Aligned
from agent.settings import LearnSettings

ALIGNED = "aligned"


class ViewAligner:
    """Compares start views with those that the checkpoint brings. Neither rewards nor truths."""

    def __init__(self, policy: VLAPolicy, settings: LearnSettings, seed: int) -> None:
        """Read the checkpoint's views. Raises DataError where it brings none that fit."""
        config = policy.config
        self._known = training_views.read(policy.folder, config.cameras, config.image_px)
        self._policy, self._settings, self._seed = policy, settings, seed

    def align(self, episodes: Sequence[Episode], out: Path) -> Aligned:
        """Write a fresh adapter with its correction to `out`; see agent.seeing.Aligner."""
        if not episodes:
            raise DataError("episodes to align with wanted, none found; act first")
        here = np.stack([training_views.start_view(self._policy, each) for each in episodes])
        known = self._known.alike(frozenset(each.task.instruction for each in episodes))
        correction, told = estimate(self._policy.config.cameras, here, known)
        why = "; ".join(map(str, told))
        metrics = figures(told, len(episodes))
        if correction.name == unchanged(self._policy.config.cameras).name:
            nothing = f"nothing surely looks otherwise than in training: {why}"
            return Aligned(made=False, why=nothing, metrics=metrics)
        settings, adapters = self._settings, self._policy.adapters
        # Fresh as the learner's own first one: it changes no answer, and is learned on from.
        spec = AdapterSpec(settings.rank, settings.alpha, settings.targets, settings.top_layers)
        adapters.attach(ALIGNED, spec, self._seed)
        try:
            adapters.save(ALIGNED, out)
        finally:
            adapters.detach(ALIGNED)
        correction.save(out)
        return Aligned(made=True, why=why, metrics=metrics)
