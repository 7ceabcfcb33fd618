"""Tables of docs/results.md: one writer for each kind of results file, and one for any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from agent.interval import wilson
from benchmarks import (
    alignment_section,
    diagnose_section,
    hacked_section,
    judge_sections,
    judged_section,
    learning_section,
    libero_section,
    model_section,
    store_sections,
)

Found = Mapping[str, Any]

MOST_ROWS, MOST_COLUMNS = 60, 14  # of a table; more is for machines

TITLES = {
    "adaptation-tabletop": "Adaptation on the table-top arm",
    "ablation-libero": "Variants of learning on LIBERO",
    "ablation-tabletop": "Variants of learning on the table-top arm",
    "adaptation-libero": "Adaptation on LIBERO",
    "alignment": "Visual shifts, aligned without a reward",
    "augmentation": "Visual shifts, and pictures changed while cloning",
    "calibration": "Camera and hand-eye calibration against the truth",
    "crash": "Ways to die, and what they leave",
    "diagnose": "Which fault a deployment has",
    "franka-sim": "The simulated Franka beside the embedded table-top",
    "guard-fuzz": "The guard under everything that can go wrong",
    "libero-expert": "LIBERO's scripted expert",
    "libero-speed": "Speed of LIBERO",
    "recording": "What recording costs",
    "judge-speed": "What judging costs",
    "reward-adaptation": "Adaptation that a model judges",
    "reward-hacking": "A judge that can be fooled, with and without the court",
    "reward-eval": "The judge against the simulator",
    "reward-speed": "What a judge's memory saves",
    "soak": "Thousands of episodes in one run",
    "speed": "Speed of the agent",
    "tabletop_speed": "Speed of the table-top simulator",
}


def adaptation(found: Found) -> str:
    """Each deployment, and below it each shift with all its seeds together."""
    protocol = found["protocol"]
    sets = ", ".join(f"`{each}`" for each in protocol["sets"]) or "none"
    intro = (
        f"Up to {protocol['episodes']} episodes or {protocol['minutes']:g} minutes a deployment; "
        f"greedy success on {protocol['held_out']} held-out start states, which are never learned "
        f"from. Settings besides the defaults: {sets}. Intervals: Wilson, 95 %. p: McNemar's exact "
        "test, before against learned, on the same states. `random-advantage` is the control: the "
        "same updates on advantages that are noise. Unshifted: the same states of the world that "
        "the policy was cloned in, to see what was forgotten, where that is another world."
    )
    head = (
        "task", "shift", "control", "seed", "episodes", "min", "before", "learned", "p",
        "updates kept", "stays", "unshifted before", "unshifted after",
    )  # fmt: skip
    rows = [
        (
            row["task"], shift(row), row["control"] or "-", row["seed"], row["episodes"],
            f"{row['minutes']:.1f}", score(row["before"]), score(row["after"]),
            f"{row['paired_p']:.2g}", f"{row['updates_kept']} of {row['updates']}",
            row["adapter"], _back(row, "unshifted_before"), _back(row, "unshifted_after"),
        )
        for row in found["rows"]
    ]  # fmt: skip
    return "\n\n".join([intro, table(head, rows), _pooled(found["rows"])])


def expert(found: Found) -> str:
    """Successes of a scripted expert a task."""
    rows = [
        (r["task"], r["instruction"], score(r), f"{r['mean_steps']:g}" if r["k"] else "-")
        for r in found["rows"]
    ]
    head = ("task", "instruction", "success", "mean control steps")
    seeds = ", ".join(map(str, found["seeds"]))
    return f"Start states {found['starts']}, seeds {seeds}; interval: {found['interval']}.\n\n" + (
        table(head, rows)
    )


def speed(found: Found) -> str:
    """Times beside their references, and the agent's own share."""
    step, decision = found["control_step"], found["decision"]
    update, overhead = found["update"], found["overhead"]
    physics, matmul = found["reference"]["physics"], found["reference"]["matmul"]
    head = ("what", "a second", "wall ms", "processor ms", "processor time / reference")
    rows = [
        (what, f"{row['per_s']:g}", row["wall_ms"], row["cpu_ms"], row["to_reference"])
        for what, row in (
            *((f"control step, {_plain(name)}", row) for name, row in step.items()),
            *((f"decision, {_plain(name)}", row) for name, row in decision.items()),
        )
    ]
    shares = table(
        ("agent outside policy and robot, a control step", "p50", "p99", "most"),
        [
            (name, *(overhead[key][each] for each in ("p50", "p99", "most")))
            for name, key in (
                ("wall ms", "control_step_wall_ms"),
                ("processor ms", "control_step_cpu_ms"),
            )
        ],
    )
    protocol = (
        f"{found['actions_a_decision']} actions a decision; median of {found['rounds']} rounds. "
        f"References: {physics}; {matmul}. A batch's figures are for one of its decisions."
    )
    learning = (
        f"An update from {update['episodes']} episodes, {update['decisions']} decisions: "
        f"{update['update_seconds']:g} s, of processor time {update['update_cpu_seconds']:g} s; to "
        f"take note of the episodes beforehand {update['observe_seconds']:g} s, of processor time "
        f"{update['observe_cpu_seconds']:g} s."
    )
    between = (
        f"The agent itself, recording to Zarr included, over {overhead['decisions']} decisions: "
        f"{100 * overhead['share_of_episode']:.1f} % of an episode."
    )
    return "\n\n".join([protocol, table(head, rows), learning, between, shares])


def anything(found: Found) -> str:
    """Every value of a file that has no table of its own, by dotted name; records as tables."""
    plain = {key: value for key, value in found.items() if not _records(value)}
    parts = [table(("what", "found"), list(_flat("", plain)))] if plain else []
    for key, value in found.items():
        if _records(value):
            parts.append(
                _record_table(value) or f"{_plain(key).capitalize()}: {len(value)}, in the file."
            )
    return "\n\n".join(parts)


def shift(row: Found) -> str:
    """The shifts of a row, as `--shift` takes them."""
    return ",".join(f"{name}={strength:g}" for name, strength in row["shift"].items()) or "-"


def score(found: Found) -> str:
    """`k/n [low, high] %`."""
    return f"{found['k']}/{found['n']} [{100 * found['low']:.0f}, {100 * found['high']:.0f}] %"


def _back(row: Found, key: str) -> str:
    """A score of the unshifted world, where one looked back at it."""
    return score(row[key]) if key in row else "-"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


BY_NAME: tuple[tuple[str, Callable[[Found], str]], ...] = (
    ("adaptation", adaptation),
    ("ablation", lambda found: learning_section.ablation(found, table, score)),
    ("alignment", lambda found: alignment_section.alignment(found, table, score, shift)),
    ("augmentation", lambda found: alignment_section.augmentation(found, table, score, shift)),
    ("libero-expert", expert),
    ("libero-speed", lambda found: libero_section.speed(found, table)),
    ("speed", speed),
    ("recording", store_sections.recording),
    ("crash", store_sections.crash),
    ("reward-eval", judge_sections.trust),
    ("reward-adaptation", judged_section.adaptation),
    ("reward-hacking", hacked_section.hacking),
    ("model-speed", model_section.model_speed),
    ("diagnose", diagnose_section.confusion),
)


def _pooled(rows: Sequence[Found]) -> str:
    """Seeds together. What is acted with afterwards is the start adapter where none was kept."""

    def kind(row: Found) -> tuple[str, str, str]:
        return row["task"], shift(row), row["control"] or "-"

    lines = []
    for name, group in groupby(sorted(rows, key=kind), kind):
        same = list(group)
        left = [row["after"] if row["kept"] else row["before"] for row in same]
        kept = f"{sum(row['kept'] for row in same)} of {len(same)}"
        before, learned = (_together([row[key] for row in same]) for key in ("before", "after"))
        lines.append((*name, len(same), before, learned, _together(left), kept))
    head = ("task", "shift", "control", "seeds", "before", "learned", "acting at the end", "kept")
    note = (
        "All seeds together. The seeds share their held-out states, so the intervals below are "
        "of these states, not of all the world's."
    )
    return f"{note}\n\n{table(head, lines)}"


def _together(scores: Sequence[Found]) -> str:
    won, tried = sum(each["k"] for each in scores), sum(each["n"] for each in scores)
    bounds = wilson(won, tried)
    return score({"k": won, "n": tried, "low": bounds.low, "high": bounds.high})


def _records(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _record_table(rows: Sequence[Found]) -> str:
    """Records as one table, what a record lacks left empty; "" where it would be too large."""
    flat = [dict(_flat("", row)) for row in rows]
    keys = list(dict.fromkeys(key for row in flat for key in row))
    if len(rows) > MOST_ROWS or len(keys) > MOST_COLUMNS:
        return ""
    return table(
        [_plain(key) for key in keys], [[row.get(key, "") for key in keys] for row in flat]
    )


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else _plain(key), each)
    elif isinstance(value, list):
        yield prefix, ", ".join(map(str, value)) or "none"
    elif isinstance(value, float):
        yield prefix, f"{value:.4g}"
    else:
        yield prefix, str(value)
