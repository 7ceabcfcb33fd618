"""A diagnosis as text for people and as plain values for programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from agent.diagnosis.ladder import RUNGS, Diagnosis, Finding

MARKS = {"ok": "ok", "off": "OFF", "unknown": "?"}


def said(found: Diagnosis) -> str:
    """The ladder, lowest rung first, then the verdict and what to do."""
    lines = [f"{MARKS[each.status]:>4}  {each.rung:<14}{each.said}" for each in found.findings]
    off = [each for each in found.findings if each.status == "off"]
    unseen = found.unseen
    lines += ["", f"verdict from {found.episodes} episodes: {_verdict(off, unseen)}"]
    lines += [f"  {each.rung}: {each.advice}" for each in off]
    lines += [f"  {each.rung} could not be looked at: {each.advice}" for each in unseen]
    if len(off) > 1:
        lines.append("Mend the first of these, run again, and look again: one often causes others.")
    return "\n".join(lines)


def values(found: Diagnosis) -> dict[str, Any]:
    """The same as JSON values; what is not finite is null."""
    rows = [asdict(each) for each in found.findings]
    for row in rows:
        row["facts"] = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in row["facts"].items()
        }
    unseen = [each.rung for each in found.unseen]
    return {
        "verdict": found.verdict, "unseen": unseen, "episodes": found.episodes, "rungs": rows
    }  # fmt: skip


def _verdict(off: Sequence[Finding], unseen: Sequence[Finding]) -> str:
    rungs = ", ".join(each.rung for each in unseen)
    if not off:
        if unseen:
            return f"nothing is wrong in what could be seen; not seen: {rungs}"
        return "nothing is wrong; it does as well as in training"
    if off[0].rung == "policy":
        return (
            f"the policy, or what could not be seen: {rungs}"
            if unseen
            else ("the policy; every lower rung is as in training")
        )
    below = [each for each in unseen if RUNGS.index(each.rung) < RUNGS.index(off[0].rung)]
    lower = ", ".join(each.rung for each in below)
    return off[0].rung + (f"; lower and not seen: {lower}" if below else "")
