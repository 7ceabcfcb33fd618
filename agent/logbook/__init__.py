"""The adaptation log: what a run folder tells, as plain values, for screens and for programs.

Nothing here writes into a run but `label`, takes a lock, or needs torch. A file that cannot be
read never hides the others: every view names it in `damage`.
"""

from __future__ import annotations

from agent.logbook.damage import Damage
from agent.logbook.episodes_view import EpisodeRow, EpisodesView, episodes
from agent.logbook.labels import Label, label, labels
from agent.logbook.rate import Rate
from agent.logbook.run_view import RunView, run
from agent.logbook.runs_view import RunRow, RunsView, runs

__all__ = [
    "Damage",
    "EpisodeRow",
    "EpisodesView",
    "Label",
    "Rate",
    "RunRow",
    "RunView",
    "RunsView",
    "episodes",
    "label",
    "labels",
    "run",
    "runs",
]
