"""A whole adaptation log, written by the program's own store and ledger, the same every time."""

import datetime
import json
import os

import numpy as np
from safetensors.numpy import save_file

from agent import logbook
from agent.learn import explanation
from agent.learn.explanation import Explained
from benchmarks import big_log

EPISODES, STEPS = 24, 20


def write(run):
    """24 episodes, 3 updates, an explanation, adapters, evaluations, labels and an outcome."""
    big_log.make(run, EPISODES, STEPS, distinct=3, picture_px=24, seed=3)
    _settings(run)
    for number, name in enumerate(("0001", "0002", "0003")):
        _adapter(run / "adapters" / name, number)
    _explain(run, 1)
    (run / "evaluations").mkdir()
    for phase, adapter, won in (("before", "base", 4), ("after", "0003", 9)):
        rows = [
            {"task": "lift-red-cube", "start": start, "success": start < won, "control_steps": 40}
            for start in range(10)
        ]
        (run / "evaluations" / f"{phase}-{adapter}.json").write_text(json.dumps(rows))
    outcome = {"adapter": "0003", "kept": True, "why": "held-out success 9/10 against 4/10"}
    (run / "outcome.json").write_text(json.dumps(outcome))
    logbook.label(run, "000002", "failure", "the cube was pushed, not lifted", who="ana")
    logbook.label(run, "000003", "success", who="ana")
    logbook.label(run, "000005", "note", "the lamp was on", who="ana")
    probe = {
        "name": "no motion", "wanted": "failure", "found": "failure", "probability": 0.04,
        "source": "judge/1", "when": "2026-01-01T10:00:00.000+00:00",
    }  # fmt: skip
    (run / "probes.jsonl").write_text(json.dumps(probe) + "\n")
    _times(run)


def _times(run):
    """Every moment as it would have been: the order of events is not that of this disk's clock."""
    began = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()
    moments = {run / "evaluations" / "before-base.json": -10}
    for number in (1, 2, 3):
        # an episode begins every three seconds, an update comes after eight of them
        moments[run / "updates" / f"{number:04d}.json"] = number * 8 * (STEPS / 20 + 2) + 1
    moments |= {run / "evaluations" / "after-0003.json": 80, run / "outcome.json": 90}
    for path, after_s in moments.items():
        os.utime(path, (began + after_s, began + after_s))
    labels = [json.loads(line) for line in (run / "labels.jsonl").read_text().splitlines()]
    for number, each in enumerate(labels):
        each["when"] = f"2026-01-01T01:0{number}:00.000+00:00"
    (run / "labels.jsonl").write_text("".join(json.dumps(each) + "\n" for each in labels))


def _settings(run):
    """The shift of the embedded robot's usual run, so that the header has something to tell."""
    told = json.loads((run / "run.json").read_text())
    told["created"] = "2025-12-31T23:59:00+00:00"
    told["settings"]["robot"] |= {"task": "lift-red-cube", "shift": {"drift": 0.18}}
    (run / "run.json").write_text(json.dumps(told))


def _adapter(folder, seed):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    (folder / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": 2}))
    tensors = {}
    for layer in ("layers.0.q_proj", "layers.1.v_proj"):
        for end, shape in (("lora_A", (2, 8)), ("lora_B", (8, 2))):
            name = f"base_model.model.{layer}.{end}.weight"
            tensors[name] = rng.standard_normal(shape).astype(np.float32)
    save_file(tensors, folder / "adapter_model.safetensors")


def _explain(run, number):
    used = json.loads((run / "updates" / f"{number:04d}.json").read_text())["episodes"]
    rng = np.random.default_rng(number)
    found = []
    for name in used:
        before = -rng.exponential(1.0, (STEPS, 7)).astype(np.float32)
        after = before + 0.1 * rng.standard_normal((STEPS, 7)).astype(np.float32)
        plain = {
            part: rng.standard_normal(STEPS).astype(np.float32)
            for part in ("sparse", "progress", "penalty", "advantage", "weighed")
        }
        value = np.linspace(0.2, 0.9, STEPS + 1, dtype=np.float32)
        found.append((name, Explained(value=value, before=before, after=after, **plain)))
    path = run / "updates" / f"{number:04d}{explanation.SUFFIX}"
    path.write_bytes(explanation.pack(found))


def damage(run):
    """Break a file of every kind."""
    (run / "episodes" / "000003" / "episode.json").write_text('{"torn')
    (run / "episodes" / "000005" / "data.zarr" / "images" / "front" / "c.0.0.0.0").unlink()
    (run / "episodes" / "000006" / "data.zarr" / "log_probs" / "c.0.0").write_bytes(b"x")
    (run / "updates" / "0002.json").write_text("not json")
    (run / "updates" / "0001.safetensors").write_bytes(b"x" * 9)
    (run / "evaluations" / "after-0003.json").write_text("[")
    (run / "adapters" / "0001" / "adapter_model.safetensors").write_bytes(b"x")
    with (run / "labels.jsonl").open("a") as file:
        file.write('{"episode": "0000')
    (run / "probes.jsonl").write_text("?\n")
    manifest = (run / "manifest.jsonl").read_text().splitlines()
    (run / "manifest.jsonl").write_text("\n".join([*manifest[:2], *manifest[3:], '{"id": "0']))
