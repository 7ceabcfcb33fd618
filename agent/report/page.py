"""The page itself: one HTML file with everything in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from agent.logbook import Damage, RewardView, RunView, adapters, reward, run
from agent.logbook.words import clock, number, rate, size
from agent.report.closeups import Closeup, closeups
from agent.report.ink import drawing, image
from agent.report.plots import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TOLD = {
    "success": "Success over episodes: the rate over a moving window, each outcome as a tick, and "
    "a line at each update.",
    "adapters": "Success of each adapter in the episodes it acted in, with 95 % Wilson intervals.",
    "held-out": "Greedy success on start states that are never learned from.",
    "updates": "What each update measured.",
    "start-states": "Training start states that the curriculum chose, and how they went.",
    "calibration": "How often what the judge gave odds for came true.",
}
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1a1a1a;max-width:60rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin-top:2.2rem}
.lead{font-size:1.1rem}.quiet{color:#666}
figure{margin:1rem 0}figcaption{color:#666;font-size:.9rem}img{max-width:100%;height:auto}
table{border-collapse:collapse;font-size:.9rem;width:100%}
th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #e6e6e6;
vertical-align:top}th{color:#666;font-weight:600}td.n{text-align:right;white-space:nowrap}
.pair{display:flex;flex-wrap:wrap;gap:1.5rem}.pair>*{flex:1 1 20rem}
.damage{background:#fff3e8;border-left:4px solid #d55e00;padding:.5rem 1rem}
pre{background:#f6f6f6;padding:1rem;overflow:auto;font-size:.8rem}
"""


def make(folder: Path, pngs: Path | None = None) -> str:
    """The page of a run; its plots also as PNG files in `pngs`. Raises UsageError for no run."""
    view, judge = run(folder), reward(folder)
    with drawing():
        figures = plots(view, judge)
        shown = closeups(folder, view)
        images = {name: image(made, "svg") for name, made in figures.items()}
        told = [None if each.plot is None else image(each.plot, "svg") for each in shown]
        if pngs is not None:
            _save(pngs, figures, shown)
    parts = [
        _top(view),
        _damage([*view.damage, *judge.damage, *(d for each in shown for d in each.view.damage)]),
        *(_plot(name, data) for name, data in images.items()),
        _updates(view),
        _adapters(folder),
        _health(view, judge),
        "<h2>Episodes</h2>" if shown else "",
        *(_closeup(each, plot) for each, plot in zip(shown, told, strict=True)),
        "<h2>Settings</h2><details><summary>all of them</summary><pre>"
        + escape(json.dumps(view.head.settings, indent=1)) + "</pre></details>",
    ]  # fmt: skip
    title = escape(f"{view.head.name}: adaptation report")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _save(folder: Path, figures: Mapping[str, Figure], shown: Sequence[Closeup]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in figures.items():
        (folder / f"{name}.png").write_bytes(image(made, "png"))
    for each in shown:
        if each.plot is not None:
            (folder / f"episode-{each.view.row.id}.png").write_bytes(image(each.plot, "png"))


def _top(view: RunView) -> str:
    head, spent = view.head, view.spent
    shift = ", ".join(f"{name} {value:g}" for name, value in head.shift.items()) or "none"
    why = str(view.outcome.get("why", ""))
    tasks = ", ".join(dict.fromkeys(arm.task for arm in view.arms)) or head.task
    lead = ""
    if view.paired is not None:
        before, after = view.evaluations[0].rate, view.evaluations[-1].rate
        lead = (
            f"Success on held-out start states: {rate(before)} before, {rate(after)} after "
            f"(95 % intervals, exact paired test p = {view.paired.p_value:.2g})."
        )
    facts = {
        "robot": f"{head.robot}, {tasks}; shift: {shift}; seed {head.seed}",
        "state": view.activity.doing,
        **({"learning": f"suspended: {_halted(view)}"} if view.suspended else {}),
        "episodes": f"{view.episodes} of {head.wanted}; {rate(view.whole)} succeeded",
        "adapter": f"{view.adapter} acts{': ' + why if why else ''}",
        "robot time": f"{spent.robot_s / 60:.1f} min, {clock(spent.began)} to "
        f"{clock(spent.ended)} UTC",
        "disk": f"{size(spent.used_bytes)}",
        "program": f"vlarl-agent {head.version}",
    }
    return f"<h1>{escape(head.name)}</h1><p class=lead>{escape(lead)}</p>" + _table(
        (), tuple(facts.items())
    )


def _halted(view: RunView) -> str:
    said = (f"{each.watch}: {each.why} (episode {each.episode})" for each in view.suspended)
    return "; ".join(said)


def _damage(found: Sequence[Damage]) -> str:
    if not found:
        return ""
    lines = "".join(f"<li>{escape(str(each))}</li>" for each in dict.fromkeys(found))
    return f"<div class=damage>Not everything could be read:<ul>{lines}</ul></div>"


def _plot(name: str, data: bytes) -> str:
    told = escape(_TOLD[name])
    return f"<figure>{_image(data, 'svg+xml', told)}<figcaption>{told}</figcaption></figure>"


def _updates(view: RunView) -> str:
    rows = [
        (
            str(row.number), row.adapter, row.outcome, str(len(row.episodes)),
            number(row.metrics.get("update/success_rate"), 2),
            number(row.metrics.get("update/kl_reference")), row.why,
        )
        for row in view.updates
    ]  # fmt: skip
    heads = ("update", "adapter", "outcome", "episodes", "success", "KL to start", "why")
    return "<h2>Updates</h2>" + (_table(heads, rows) if rows else "<p>None yet.</p>")


def _adapters(folder: Path) -> str:
    rows = [
        (
            "\u2003" * min(row.depth, 12) + row.name, row.state, rate(row.acted),
            rate(row.evaluations[-1].rate if row.evaluations else None),
        )
        for row in adapters(folder).rows
    ]  # fmt: skip
    return "<h2>Adapters</h2>" + _table(("adapter", "state", "acted", "held out"), rows)


def _health(view: RunView, judge: RewardView) -> str:
    safe, said = view.safety, view.judge
    share = "-" if safe.executed_share is None else f"{100 * safe.executed_share:.1f} %"
    rows = [
        ("decisions", f"{safe.decisions}, {safe.control_steps} control steps, {share} as asked"),
        ("limits met", ", ".join(f"{n} {c}" for n, c in safe.limits.items()) or "none"),
        ("by hand", f"{safe.by_hand} decisions"),
        ("broken off", f"{safe.interrupted}; set aside as damaged: {safe.quarantined}"),
        ("judge", ", ".join(f"{name} ({count})" for name, count in said.sources.items()) or "-"),
        ("verdicts", f"success {said.success}, failure {said.failure}, unknown {said.unknown}"),
        ("labels", f"{said.agreed} of {said.labelled} agree with the judge"),
        *(("note", note) for note in judge.notes),
    ]
    return "<h2>Safety and judge</h2>" + _table((), rows)


def _closeup(each: Closeup, plot: bytes | None) -> str:
    brief = each.view.row.summary
    told = f"Episode {each.view.row.id}: {each.why}"
    if brief is not None:
        told += (
            f" ({brief.task}, start {brief.start}, adapter {brief.adapter}, "
            f"{brief.control_steps} control steps)"
        )
    told = escape(told)
    parts = [_image(each.clip, "webp", told) if each.clip else "<p>No pictures.</p>"]
    if plot is not None:
        parts.append(_image(plot, "svg+xml", "decisions of the episode"))
    inside = "".join(f"<div>{part}</div>" for part in parts)
    return f"<figure><div class=pair>{inside}</div><figcaption>{told}</figcaption></figure>"


def _image(data: bytes, kind: str, told: str) -> str:
    return f'<img alt="{told}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{body}</table>"
