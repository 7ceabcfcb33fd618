"""The sections of docs/results.md on visual shifts: what alignment repairs, what augmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Found = Mapping[str, Any]
Table = Callable[[Sequence[str], Sequence[Sequence[Any]]], str]


def alignment(
    found: Found, table: Table, score: Callable[[Found], str], shift: Callable[[Found], str]
) -> str:
    """Each shift before and after, and the unshifted world through the same correction."""
    intro = (
        f"Greedy success on {found['states']} held-out start states a task, before and after the "
        "policy was aligned by where so many episodes of training states began; no reward is "
        "looked at. Intervals: Wilson, 95 %. p: McNemar's exact test on the same states. Last two "
        "columns: the same states of the unshifted world, bare and through the correction, which a "
        "run carries in its adapter alone: `base` acts without."
    )
    head = (
        "task", "shift", "episodes", "before", "aligned", "p", "what was found", "unshifted, bare",
        "unshifted, corrected",
    )  # fmt: skip
    rows = [
        (
            row["task"], shift(row), row["episodes"], score(row["before"]),
            score(row["after"]) if row["aligned"] else "not aligned", f"{row['paired_p']:.2g}",
            row["why"].rpartition("in training: ")[2], score(row["unshifted_before"]),
            score(row["unshifted_after"]),
        )
        for row in found["rows"]
    ]  # fmt: skip
    return "\n\n".join([intro, table(head, rows)])


def augmentation(
    found: Found, table: Table, score: Callable[[Found], str], shift: Callable[[Found], str]
) -> str:
    """Checkpoints side by side under each shift."""
    names = found["checkpoints"]
    intro = (
        f"Greedy success on {found['states']} held-out start states a task. `shipped` as it is; "
        "`plain` and `augmented` are it gone on with by the same short schedule on the same "
        "demonstrations, without and with `pretrain --augment`. Intervals: Wilson, 95 %."
    )
    rows = [
        (row["task"], shift(row), *(score(row["scores"][name]) for name in names))
        for row in found["rows"]
    ]
    return "\n\n".join([intro, table(("task", "shift", *names), rows)])
