"""A diagnosis as text for people and as plain values for programs."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from agent.diagnosis.ladder import Diagnosis, Finding

MARKS = {"ok": "ok", "off": "OFF", "unknown": "?"}


def said(found: Diagnosis) -> str:
    """The ladder, lowest rung first, then the verdict and what to do."""
    lines = [f"{MARKS[each.status]:>4}  {each.rung:<14}{each.said}" for each in found.findings]
    off = [each for each in found.findings if each.status == "off"]
    lines += ["", f"verdict from {found.episodes} episodes: {_verdict(off)}"]
    lines += [f"  {each.rung}: {each.advice}" for each in off]
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
    return {"verdict": found.verdict, "episodes": found.episodes, "rungs": rows}


def _verdict(off: list[Finding]) -> str:
    if not off:
        return "nothing is wrong; it does as well as in training"
    if off[0].rung == "policy":
        return "the policy; every lower rung is as in training"
    return off[0].rung
