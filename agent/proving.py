"""What a candidate must show before it acts: sound figures, the learner's answers, good tries."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from agent.episode import ScoredEpisode
from agent.errors import DataError, SafetyStop
from agent.learn import gate
from agent.learn.ledger import Ledger
from agent.protocols import AdaptablePolicy, Learner
from agent.settings import GateSettings

CANDIDATE = "candidate"
FRAMES = 8  # recorded views that a candidate is asked about


class Proving:
    """Loads a candidate as it lies on disk, asks it, and puts back who acted before.

    tries: (successes, tries) on the gate's own start states by whoever acts.
    """

    def __init__(
        self,
        settings: GateSettings,
        policy: AdaptablePolicy,
        ledger: Ledger,
        tries: Callable[[], tuple[int, int]],
    ) -> None:
        self._settings, self._policy, self._ledger = settings, policy, ledger
        self._tries = tries
        self._known: dict[str, tuple[int, int]] = {}

    def judge(
        self,
        learner: Learner,
        staged: Path,
        batch: Sequence[ScoredEpisode],
        metrics: dict[str, float],
    ) -> tuple[bool, str]:
        """Say whether the candidate in `staged` is kept, and why; adds what it measured."""
        kept, why = gate.judge(metrics, self._settings)
        if not kept:
            return kept, why
        try:
            with self._acting(staged):
                metrics["gate/swap_gap"] = self._gap(learner, batch)
        except (DataError, SafetyStop) as error:
            return False, str(error)
        return self.tried(staged, metrics, why)

    def _gap(self, learner: Learner, batch: Sequence[ScoredEpisode]) -> float:
        """Let the sampler answer recorded views, and the learner weigh its answers."""
        seen = [step.observation for scored in batch for step in scored.episode.steps]
        views = seen[:: -(-len(seen) // FRAMES)]
        return learner.gap(views, self._policy.act(views, batch[0].episode.temperature))

    def tried(self, staged: Path, metrics: dict[str, float], why: str) -> tuple[bool, str]:
        """Compare candidate and acting adapter greedily on the gate's own start states, if any.

        why: what speaks for the candidate where nothing is tried.
        """
        if not self._settings.trials:
            return True, why
        ledger = self._ledger
        if ledger.current not in self._known:
            self._known[ledger.current] = self._tries()
        with self._acting(staged):
            ours = self._tries()
        bad, said = gate.worse(ours, self._known[ledger.current], self._settings)
        if not bad:
            self._known[f"{len(ledger.reports) + 1:04d}"] = ours
        metrics["gate/trials"] = float(ours[1])
        metrics["gate/trial_success"] = ours[0] / max(ours[1], 1)
        return not bad, f"gate trials {said}"

    @contextlib.contextmanager
    def _acting(self, staged: Path) -> Iterator[None]:
        policy, ledger = self._policy, self._ledger
        policy.load(staged, CANDIDATE)
        try:
            yield
        finally:
            policy.load(ledger.folder(ledger.current), ledger.current)
