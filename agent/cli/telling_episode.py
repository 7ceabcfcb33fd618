"""What `vlarl-agent log` says of episodes, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.cli.tables import damaged, facts, table
from agent.logbook import EpisodesView, EpisodeView, Explained, Seen, Tracks
from agent.logbook.words import clock, number

if TYPE_CHECKING:
    from agent.learn.recount import Recount


def episodes(view: EpisodesView, last: int) -> str:
    """The newest episodes, oldest of them first."""
    rows: list[tuple[str, ...]] = []
    for row in view.rows[-last:]:
        brief = row.summary
        if brief is None:
            rows.append((row.id, row.status, "-", "-", "-", "-", "-", "-", row.label))
            continue
        verdict = brief.verdict or brief.ending if row.status == "sealed" else row.status
        said = " ".join((row.label, *(f"“{note}”" for note in row.notes))).strip()
        rows.append((
            row.id, verdict, brief.task, str(brief.start), brief.adapter, str(brief.control_steps),
            f"{brief.seconds:.1f}", "-" if row.used_by is None else str(row.used_by),
            said or brief.why,
        ))  # fmt: skip
    heads = ("id", "verdict", "task", "start", "adapter", "steps", "s", "used", "label")
    left = len(view.rows) - len(rows)
    more = [f"{left} earlier ones: --last {len(view.rows)}, or --json"] if left else []
    return "\n".join([table(heads, rows, "00011111"), *more, *damaged(view.damage)])


def episode(view: EpisodeView) -> str:
    """One episode, a line a decision."""
    brief = view.row.summary
    rows = [("episode", f"{view.row.id}, {view.status}")]
    if brief is not None:
        chance = number(brief.success_probability, 2)
        rows += [
            ("task", f"{brief.task}, start {brief.start}: {brief.instruction}"),
            ("adapter", f"{brief.adapter} at temperature {brief.temperature:g}"),
            ("began", f"{clock(brief.began)} UTC, {brief.seconds:.1f} s"),
            ("ending", brief.ending + (f": {brief.why}" if brief.why else "")),
            ("judged", f"{brief.verdict or '-'}, probability {chance}, by {brief.source or '-'}"),
        ]
    if view.row.label or view.row.notes:
        rows.append(("label", " ".join((view.row.label, *view.row.notes)).strip()))
    if view.update is not None:
        update = view.update
        rows.append(("used by", f"update {update.number}: {update.outcome}: {update.why}"))
        if view.explained is None:
            rows.append(("", "what the update made of its decisions is not recorded"))
    parts = [facts(rows)]
    if view.seen is not None and view.seen.tracks.decisions:
        parts.append(_decisions(view.seen, view.explained))
    return "\n\n".join([*parts, *damaged(view.damage)])


def recounted(found: Recount) -> str:
    """An episode's decisions under another adapter, a line each."""
    log_ratio = found.now - found.then
    rows = []
    for index, row in enumerate(log_ratio):
        token = int(np.abs(row).argmax())
        rows.append((
            str(index), f"{found.then[index].sum():.1f}", f"{found.now[index].sum():.1f}",
            f"{np.exp(row.sum()):.3f}", f"{np.exp(row.mean()):.3f}",
            f"{np.exp(row[token]):.3f} at {token}",
        ))  # fmt: skip
    heads = ("decision", "log p then", "log p now", "ratio", "a token", "farthest token")
    title = f"episode {found.episode}: {found.adapter} against {found.acted}, which acted"
    return f"{title}\n{table(heads, rows, '111111')}"


def _decisions(seen: Seen, explained: Explained | None) -> str:
    tracks, rewards = seen.tracks, seen.rewards
    spoken = bool(np.isfinite(tracks.success).any() or np.isfinite(tracks.uncertainty).any())
    rows = []
    for index in range(tracks.decisions):
        taken = int(tracks.applied_count[index])
        gap = np.abs(tracks.applied[index, :taken] - tracks.requested[index, :taken])
        notes = [*tracks.limits_at(index), *(["by hand"] if tracks.by_hand[index] else [])]
        earned = (
            None
            if rewards is None
            else float(rewards.sparse[index] + rewards.progress[index] + rewards.penalty[index])
        )
        rows.append((
            str(index), number(float(tracks.elapsed_s[index]), 2),
            number(float(tracks.progress[index]), 2), *_judged(tracks, index, every=spoken),
            number(earned, 2),
            *_weighed(explained, index),
            f"{int(tracks.executed[index].sum())}/{taken}",
            number(float(gap.max()) if gap.size else None, 3),
            number(1000 * float(tracks.think_s[index]), 0), " ".join(notes),
        ))  # fmt: skip
    heads = (
        "#", "t s", "prog", *(("p", "unsure") if spoken else ()), "reward", "value", "adv", "ratio",
        "asked", "off", "ms", "limits",
    )  # fmt: skip
    return table(heads, rows, "1" * (len(heads) - 1))


def _judged(tracks: Tracks, index: int, *, every: bool) -> tuple[str, ...]:
    """Success probability and doubt of a view, where the judge speaks of every one."""
    if not every:
        return ()
    return number(float(tracks.success[index]), 2), number(float(tracks.uncertainty[index]), 2)


def _weighed(explained: Explained | None, index: int) -> tuple[str, str, str]:
    """Value, advantage, and the ratio of the whole decision."""
    if explained is None:
        return "-", "-", "-"
    ratio = float(np.exp((explained.after[index] - explained.before[index]).sum()))
    return (
        number(float(explained.value[index]), 2),
        number(float(explained.advantage[index]), 2),
        number(ratio, 2),
    )
