"""The section of docs/results.md on the model's speed beside the naive way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Found = Mapping[str, Any]


def model_speed(found: Found) -> str:
    """Each size, and beside what was measured what the planner foresaw."""
    intro = (
        f"On {found['device']}, one thread, random weights in the published layout. Ratios are the "
        "naive way's time over ours, measured in turn: for a decision transformers' `generate` "
        "over the whole vocabulary, for an update the towers, the whole vocabulary and a second "
        "model as reference in every pass; of proposals, that many plain decisions of ours over "
        "as many that share one look. Foreseen: what `vlarl-agent plan` says of this machine."
    )
    head = (
        "size", "parameters", "decision", "8 views at once", "8 proposals", "update",
        "decision s", "foreseen", "update s", "foreseen", "most GB",
    )  # fmt: skip
    rows = [
        (
            row["size"], f"{row['parameters'] / 1e6:.0f} million", f"{row['decision_ratio']:.2f}x",
            f"{row['decisions_at_once_8_ratio']:.2f}x", f"{row['proposals_ratio']:.1f}x",
            f"{row['update_ratio']:.2f}x", f"{row['decision_s']:.2g}",
            f"{row['decision_predicted_s']:.2g}", f"{row['update_s']:.2g}",
            f"{row['update_predicted_s']:.2g}", f"{row['peak_bytes'] / 1e9:.1f}",
        )
        for row in found["rows"]
    ]  # fmt: skip
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
    return f"{intro}\n\n{table}"
