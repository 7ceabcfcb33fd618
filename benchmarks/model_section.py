"""The section of docs/results.md on the model's speed beside the naive way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Found = Mapping[str, Any]


def model_speed(found: Found) -> str:
    """Each size, beside what was measured what the planner foresaw; then devices elsewhere."""
    told = [_measured(found)]
    if "predicted" in found:
        told.append(_predicted(found["predicted"]))
    return "\n\n".join(told)


def _measured(found: Found) -> str:
    intro = (
        f"On {found['device']}, one thread, random weights in the published layout. Ratios are the "
        "naive way's time over ours, measured in turn: for a decision transformers' `generate` "
        "over the whole vocabulary, for an update the towers, the whole vocabulary and a second "
        "model as reference in every pass; of proposals, that many plain decisions of ours over "
        "as many that share one look. Foreseen: what `vlarl-agent plan` says of this machine. Most "
        "GB: of the whole process until then, the naive way's last."
    )
    acting = (
        "size", "parameters", "decision", "8 views at once", "8 proposals", "decision s",
        "foreseen",
    )  # fmt: skip
    acted = [
        (
            row["size"], f"{row['parameters'] / 1e6:.0f} million", f"{row['decision_ratio']:.2f}x",
            f"{row['decisions_at_once_8_ratio']:.2f}x", f"{row['proposals_ratio']:.1f}x",
            f"{row['decision_s']:.2g}", f"{row['decision_predicted_s']:.2g}",
        )
        for row in found["rows"]
    ]  # fmt: skip
    learning = ("size", "adapters on", "decisions", "update", "update s", "foreseen", "most GB")
    learned = [line for row in found["rows"] for line in _updates(row)]
    return "\n\n".join([intro, _table(acting, acted), _table(learning, learned)])


def _updates(row: Found) -> list[Sequence[str]]:
    ways = {"": "all blocks"}
    if "top_layers" in row:
        ways["top_"] = f"the top {row['top_layers']} of {row['blocks']} blocks"
    lines = []
    for prefix, said in ways.items():
        lines.append(
            (
                row["size"], said, str(row["update_decisions"]),
                f"{row[prefix + 'update_ratio']:.2f}x", f"{row[prefix + 'update_s']:.3g}",
                f"{row[prefix + 'update_predicted_s']:.3g}",
                f"{row[prefix + 'peak_bytes'] / 1e9:.1f}",
            )
        )  # fmt: skip
    if "naive_update_s" not in row:
        return lines
    naive = (
        row["size"], "all blocks, the naive way", str(row["update_decisions"]), "1",
        f"{row['naive_update_s']:.3g}", "", f"{row['naive_peak_bytes'] / 1e9:.1f}",
    )  # fmt: skip
    return [*lines, naive]


def _predicted(found: Found) -> str:
    intro = (
        "**Predicted, not measured**, by arithmetic on published peaks "
        f"(`agent/policy/roofline.py`; {found['protocol']}). The naive way is predicted alike: "
        "the base in 16 bits, adapters on all blocks, no activation recomputed. The "
        "critic's fit, on the processor, is left out."
    )
    head = (
        "device", "base", "adapters on", "decision s", "naive", "ratio", "update s", "naive",
        "ratio", "peak GB", "naive",
    )  # fmt: skip
    rows = [
        (
            row["device"], "16 bits" if row["base"] == "whole" else "4 bits",
            f"top {row['top_layers']}" if row["top_layers"] else "all", f"{row['decision_s']:.3f}",
            f"{row['naive_decision_s']:.3f}", f"{row['decision_ratio']:.1f}x",
            f"{row['update_s']:.0f}", f"{row['naive_update_s']:.0f}",
            f"{row['update_ratio']:.1f}x", f"{row['peak_gb']:.1f}", f"{row['naive_peak_gb']:.1f}",
        )
        for row in found["rows"]
    ]  # fmt: skip
    return f"{intro}\n\n{_table(head, rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
