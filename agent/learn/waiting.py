"""When enough episodes wait for an update, and which settings could never learn."""

from __future__ import annotations

from collections.abc import Sequence

from agent.episode import ScoredEpisode, Verdict
from agent.errors import UsageError
from agent.learn.groups import groups_of
from agent.settings import LearnSettings, Settings

# A batch without a single difference in outcome teaches nothing: wait this many times longer.
PATIENCE = 4
GROUPED = ("rloo", "grpo")
_LARGEST_GROUP = 64


def most(settings: LearnSettings) -> int:
    """How many episodes may wait for an update, at most."""
    return max(settings.warmup_episodes, PATIENCE * settings.every_episodes) + _LARGEST_GROUP


def due(settings: Settings, sealed: int, waiting: Sequence[ScoredEpisode]) -> bool:
    """Whether to learn now. sealed: episodes so far, whatever became of them."""
    learn = settings.learn
    if sealed < learn.warmup_episodes or len(waiting) < learn.every_episodes:
        return False
    if sealed % settings.run.group:
        return False  # a group is compared as a whole
    return _teaches(learn, waiting) or len(waiting) >= PATIENCE * learn.every_episodes


def must_fit(settings: Settings) -> None:
    """Refuse settings that contradict each other. Raises UsageError."""
    learn, group = settings.learn, settings.run.group
    if not settings.run.update:
        return
    if learn.every_episodes % group:
        raise UsageError(
            f"learn.every_episodes must be a multiple of run.group: found {learn.every_episodes} "
            f"and {group}; a group is never split, so set it to {group * 2} for example"
        )
    if learn.rule in GROUPED and group == 1:
        raise UsageError(
            f"learn.rule={learn.rule} compares episodes of one start state, found run.group=1; "
            "set run.group=4 for example, and learn.every_episodes to a multiple of it"
        )
    if learn.replay and not learn.clone_weight:
        raise UsageError(
            f"learn.replay={learn.replay} successes would count for nothing, for "
            "learn.clone_weight is 0; set it to 0.1 for example"
        )


def _teaches(learn: LearnSettings, waiting: Sequence[ScoredEpisode]) -> bool:
    """Whether what waits differs in what the rule compares."""
    won = [scored.signal.verdict is Verdict.SUCCESS for scored in waiting]
    if learn.rule == "rft":
        return any(won)
    if learn.progress_weight > 0:
        return True
    if learn.rule not in GROUPED:
        return len(set(won)) > 1
    starts = [(s.episode.task.name, s.episode.task.start) for s in waiting]
    return any(len({won[at] for at in rows}) > 1 for rows in groups_of(starts))
