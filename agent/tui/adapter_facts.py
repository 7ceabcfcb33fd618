"""The parts of the adapters screen: one adapter in full, and two side by side."""

from __future__ import annotations

from collections.abc import Sequence

from agent.logbook import AdapterRow, Comparison, Damage
from agent.tui import theme
from agent.tui.figures import NONE, bar, cut, moment, number, percent
from agent.tui.panel import Line, pairs, wrapped
from agent.tui.run_facts import told

# Shown first; the others follow where there is room.
FIRST = (
    "update/kl_reference", "update/kl_step", "update/success_rate", "update/policy_loss",
    "update/clip_fraction", "update/entropy", "critic/explained_variance", "gate/forgetting",
)  # fmt: skip


def about(row: AdapterRow, damage: Sequence[Damage], width: int, height: int) -> list[Line]:
    """What became of an adapter, of what it was made, and what its update measured."""
    lines = list[Line]()
    if row.update is None:
        lines.append([("the policy as it came: nothing was learned", theme.PLAIN)])
    else:
        lines += [[(text, theme.PLAIN)] for text in wrapped(row.why, width)]
        ids = row.episodes
        made = f"{len(ids)}: {ids[0]} to {ids[-1]}" if ids else "0"
        lines += pairs(
            [
                ("update", f"{row.update} of {row.parent}, {moment(row.when)}"),
                ("episodes", made),
            ],
            width,
        )
    lines += pairs([("acted in", told(row.acted))], width)
    lines += pairs([(f"{e.phase}", f"held-out {told(e.rate)}") for e in row.evaluations], width)
    lines += _metrics(row, width, max(0, height - len(lines) - len(damage)))
    return lines + [[("! ", theme.BAD), (cut(str(d), width - 2), theme.PLAIN)] for d in damage]


def _metrics(row: AdapterRow, width: int, height: int) -> list[Line]:
    names = [name for name in FIRST if name in row.metrics]
    names += [name for name in sorted(row.metrics) if name not in FIRST]
    columns = max(1, width // 38)
    lines = list[Line]()
    for start in range(0, len(names), columns):
        if len(lines) == height:
            break
        line = list[tuple[str, str]]()
        for name in names[start : start + columns]:
            line += [
                (f"{name:<26}", theme.QUIET),
                (f"{number(row.metrics[name], 3):>9}   ", theme.PLAIN),
            ]
        lines.append(line)
    return lines


def comparison(found: Comparison, width: int) -> list[Line]:
    """Two adapters: who succeeds more often, and how far their weights are apart."""
    first, second = found.first, found.second
    facts: list[tuple[str, str | tuple[str, str]]] = [
        (f"{first.name} acted in", told(first.acted)),
        (f"{second.name} acted in", told(second.acted)),
        (f"{second.name} better", _better(found)),
    ]
    if found.paired is not None:
        p = found.paired
        facts += [
            ("held-out, both", f"{p.both} succeed with both, {p.neither} with neither"),
            ("only " + first.name, f"{p.only_first} held-out states"),
            ("only " + second.name, f"{p.only_second} held-out states"),
            ("difference", f"paired exact test p = {p.p_value:.2g}"),
        ]
    lines = pairs(facts, width)
    lines += _weights(found, width)
    return lines + [
        [("! ", theme.BAD), (cut(str(d), width - 2), theme.PLAIN)] for d in found.damage
    ]


def _better(found: Comparison) -> str:
    if not found.first.acted.tried or not found.second.acted.tried:
        return "not known: one of them has not acted"
    return f"with probability {percent(found.second_better)}"


def _weights(found: Comparison, width: int) -> list[Line]:
    """How far apart, and the layers in which they differ most."""
    gap = found.apart
    if gap is None:
        return pairs([("weights", f"{NONE} (those of one were not kept)")], width)
    lines = pairs(
        [
            ("weights", f"apart by {gap.distance:.3g} (Frobenius norm of what they add)"),
            ("added", f"{found.first.name} {gap.first:.3g}, {found.second.name} {gap.second:.3g}"),
        ],
        width,
    )
    longest = max((layer.distance for layer in gap.layers), default=0.0) or 1.0
    name = max(16, min(52, width - 24))
    for layer in gap.layers:
        lines.append([
            (f"{cut(layer.layer, name):<{name}} ", theme.QUIET),
            (bar(layer.distance / longest, 10), theme.LINE),
            (f" {layer.distance:.3g}", theme.PLAIN),
        ])  # fmt: skip
    return lines
