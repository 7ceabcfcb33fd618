"""The card of an exported adapter: base, data, success with intervals, settings, licence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.episode import UpdateReport
from agent.interval import wilson
from agent.policy.correction import FILE as CORRECTION
from agent.scoring import read_trials
from agent.store.reader import ZarrReader
from agent.store.run import Run
from agent.store.summary import Summary

# What a reader needs to judge the figures; folders of this machine are nobody's business.
_TOLD = {
    "run": ("seed", "episodes", "held_out", "curriculum"),
    "robot": ("name", "task", "shift", "image_px"),
    "policy": ("temperature",),
}

_INTRODUCTION = (
    "Learned by vlarl-agent with PPO between the episodes of one deployment. It is no policy by "
    "itself: it changes the one checkpoint named below, and no other."
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card is about. base: sha256 over the weights of the checkpoint under it."""

    folder: Path
    run: Run
    adapter: str
    base: str
    licence: str
    rank: int
    alpha: float
    weights: int
    corrected: bool = False


_CORRECTED = (
    f"`{CORRECTION}` belongs to it: an affine map of each camera's picture and colours, through",
    "which it sees. Plain PEFT does not know that file: with the weights alone it sees otherwise.",
    "",
)


def card(facts: Facts, reports: Sequence[UpdateReport]) -> str:
    """The README.md of the adapter folder."""
    line = _lineage(facts.adapter, reports)
    used = [episode for report in line for episode in report.episodes]
    rows = {row.id: row for row in ZarrReader(facts.folder).summaries()}
    return "\n".join([
        _front(facts.licence),
        f"# LoRA adapter {facts.adapter}",
        "",
        _INTRODUCTION,
        "",
        "## Base",
        "",
        f"sha256 over the checkpoint's safetensors: `{facts.base}`",
        "",
        f"LoRA of rank {facts.rank}, alpha {facts.alpha:g}: {facts.weights} weights.",
        "",
        *(_CORRECTED if facts.corrected else ()),
        "    model = PeftModel.from_pretrained(base, \"this folder\")",
        "",
        "where `base` is `agent.policy.checkpoint.load_checkpoint(folder)`.",
        "",
        "## Data",
        "",
        *_data(used, rows, line),
        "",
        "## Success",
        "",
        *_success(facts, rows.values()),
        "",
        "## Settings",
        "",
        "```json",
        json.dumps(_settings(facts.run.settings), indent=1),
        "```",
        "",
        f"Made by vlarl-agent {facts.run.vlarl_version}, run begun {facts.run.created}.",
        "",
        "## Licence",
        "",
        f"{facts.licence}. An adapter is of use only with its base, whose licence holds too.",
        "",
    ])  # fmt: skip


def _front(licence: str) -> str:
    tags = ["robotics", "vision-language-action", "lora", "reinforcement-learning"]
    return "\n".join([
        "---", "library_name: peft", f"license: {json.dumps(licence)}",
        f"tags: {json.dumps(tags)}", "---", "",
    ])  # fmt: skip


def _lineage(adapter: str, reports: Sequence[UpdateReport]) -> list[UpdateReport]:
    """The updates that made it, oldest first."""
    made = {r.adapter: r for r in reports if r.kept and r.adapter == f"{r.number:04d}"}
    line: list[UpdateReport] = []
    while adapter in made:
        line.insert(0, made[adapter])
        adapter = made[adapter].parent
    return line


def _data(
    used: Sequence[str], rows: Mapping[str, Summary], line: Sequence[UpdateReport]
) -> list[str]:
    verdicts = Counter(rows[each].verdict for each in used if each in rows)
    let_go = sum(each not in rows for each in used)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    told += (", " if told else "") + f"{let_go} let go of since" if let_go else ""
    instructions = sorted({rows[each].instruction for each in used if each in rows})
    return [
        f"{len(used)} episodes of the run ({told}), {len(line)} updates: "
        + ", ".join(report.adapter for report in line),
        "",
        f"Instructions: {'; '.join(instructions)}",
        "",
        f"Episodes used: {', '.join(used)}",
    ]


def _success(facts: Facts, rows: Collection[Summary]) -> list[str]:
    lines = [
        "| policy | on | task | successes | rate | 95 % Wilson interval |",
        "|---|---|---|---|---|---|",
    ]
    scored = facts.folder / "evaluations"
    for name, file in (("base", "before-base"), (facts.adapter, f"after-{facts.adapter}")):
        path = scored / f"{file}.json"
        trials = read_trials(path) if path.is_file() else ()
        for task in dict.fromkeys(trial.task for trial in trials):
            won = [trial.success for trial in trials if trial.task == task]
            lines.append(_row(name, "held-out states, greedy", task, sum(won), len(won)))
        if not trials:
            lines.append(f"| {name} | held-out states, greedy | not scored | - | - | - |")
    acted = [row for row in rows if row.adapter == facts.adapter]
    for task in dict.fromkeys(row.task for row in acted):
        said = Counter(row.verdict for row in acted if row.task == task)
        unknown = f"; {said['unknown']} more unknown" if said["unknown"] else ""
        on, tried = f"training states, exploring{unknown}", said["success"] + said["failure"]
        lines.append(_row(facts.adapter, on, task, said["success"], tried))
    return lines


def _row(policy: str, on: str, task: str, won: int, tried: int) -> str:
    if not tried:
        return f"| {policy} | {on} | {task} | 0/0 | - | - |"
    bounds = wilson(won, tried)
    rate = f"{100 * won / tried:.0f} %"
    interval = f"{100 * bounds.low:.0f} to {100 * bounds.high:.0f} %"
    return f"| {policy} | {on} | {task} | {won}/{tried} | {rate} | {interval} |"


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        table: {key: settings[table][key] for key in keys if key in settings[table]}
        for table, keys in _TOLD.items()
    }
    return {**told, "learn": settings["learn"], "gate": settings["gate"]}
