"""The adaptation log: what a run folder tells, as plain values, for screens and for programs.

Nothing here writes into a run but `label`, takes a lock, or needs torch. A file that cannot be
read never hides the others: every view names it in `damage`.
"""

from __future__ import annotations

from agent.learn.explanation import Explained
from agent.logbook.adapters_view import (
    AdapterRow,
    AdaptersView,
    Comparison,
    adapters,
    compare,
)
from agent.logbook.asking import Asked, ask
from agent.logbook.damage import Damage
from agent.logbook.episode_view import EpisodeView, Seen, episode
from agent.logbook.episodes_view import EpisodeRow, EpisodesView, episodes
from agent.logbook.events_view import LogEvent, LogView, events
from agent.logbook.frames import Frames
from agent.logbook.labels import Label, label, labels
from agent.logbook.rate import Rate
from agent.logbook.reward_view import Bin, Confusion, Probe, RewardView, reward
from agent.logbook.run_view import RunView, run
from agent.logbook.runs_view import RunRow, RunsView, runs
from agent.logbook.tracks import Tracks
from agent.logbook.weights import Apart, LayerApart

__all__ = [
    "AdapterRow",
    "AdaptersView",
    "Apart",
    "Asked",
    "Bin",
    "Comparison",
    "Confusion",
    "Damage",
    "EpisodeRow",
    "EpisodeView",
    "EpisodesView",
    "Explained",
    "Frames",
    "Label",
    "LayerApart",
    "LogEvent",
    "LogView",
    "Probe",
    "Rate",
    "RewardView",
    "RunRow",
    "RunView",
    "RunsView",
    "Seen",
    "Tracks",
    "adapters",
    "ask",
    "compare",
    "episode",
    "episodes",
    "events",
    "label",
    "labels",
    "reward",
    "run",
    "runs",
]
