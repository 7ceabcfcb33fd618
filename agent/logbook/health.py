"""Counters of one run: what limits were met, who had the arm, and how the judge does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.logbook.episodes_view import EpisodeRow


@dataclass(frozen=True, slots=True)
class Safety:
    """Counters over all episodes that can be read, broken-off ones included.

    decisions, control_steps: taken. executed_share: of the control steps, those carried out as
    asked; None where nobody counted. limits: decisions held to each limit. by_hand: decisions
    during which a person had the arm. reasons: of the broken-off episodes, each with its count.
    quarantined: episodes that are damaged and set aside.
    """

    decisions: int
    control_steps: int
    executed_share: float | None
    limits: Mapping[str, int]
    by_hand: int
    interrupted: int
    reasons: Mapping[str, int]
    quarantined: int


@dataclass(frozen=True, slots=True)
class JudgeHealth:
    """What the judge said of the sealed episodes. sources: episodes by judge and version.

    labelled: episodes with a typed outcome that the judge gave an opinion on; agreed: of those.
    """

    sources: Mapping[str, int]
    success: int
    failure: int
    unknown: int
    labelled: int
    agreed: int


def safety(rows: Sequence[EpisodeRow]) -> Safety:
    """Add up the counters."""
    known = [row.summary for row in rows if row.summary is not None and row.status != "running"]
    limits: Counter[str] = Counter()
    for summary in known:
        limits.update(summary.limits)
    counted = [summary for summary in known if summary.executed is not None]
    steps = sum(summary.control_steps for summary in counted)
    executed = sum(summary.executed or 0 for summary in counted)
    broken = [row for row in rows if row.status == "interrupted"]
    reasons = Counter("unreadable" if r.summary is None else r.summary.why for r in broken)
    return Safety(
        decisions=sum(summary.decisions for summary in known),
        control_steps=sum(summary.control_steps for summary in known),
        executed_share=executed / steps if steps else None,
        limits=dict(limits.most_common()),
        by_hand=sum(summary.by_hand for summary in known),
        interrupted=len(broken),
        reasons=dict(reasons.most_common()),
        quarantined=sum(row.status == "quarantined" for row in rows),
    )


def judge_health(rows: Sequence[EpisodeRow]) -> JudgeHealth:
    """Count verdicts, and compare them with what people typed."""
    sealed = [row for row in rows if row.status == "sealed" and row.summary is not None]
    sources = Counter(row.summary.source or "unsaid" for row in sealed if row.summary is not None)
    both = [row for row in sealed if row.label and row.won is not None]
    return JudgeHealth(
        sources=dict(sources.most_common()),
        success=sum(row.won is True for row in sealed),
        failure=sum(row.won is False for row in sealed),
        unknown=sum(row.won is None for row in sealed),
        labelled=len(both),
        agreed=sum((row.label == "success") == row.won for row in both),
    )
