"""Each tool for real, and what it then holds."""

import json
import os
import subprocess
import sys
import urllib.request

import pytest

from agent.settings import RunSettings
from agent.sinks.fan import Sinks
from agent.sinks.figures import update_row
from agent.sinks.names import PROMETHEUS
from agent.sinks.row import About


def test_tensorboard_reads_every_figure_at_its_step(deployed, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from agent.sinks.to_tensorboard import FOLDER, TensorBoard

    rows = [update_row(report) for report in deployed.reports]
    # two sessions of one run: the second goes on where the first was broken off
    for part in (rows[:1], rows[1:]):
        sink = TensorBoard()
        sink.open(About("run", str(tmp_path), {}))
        for row in part:
            sink.take(row)
        sink.close()
        sink.close()
    for name in rows[0].metrics:
        found = []
        for path in sorted((tmp_path / FOLDER).iterdir()):
            events = EventAccumulator(str(path)).Reload()
            if name in events.Tags()["scalars"]:
                found += [(event.step, event.value) for event in events.Scalars(name)]
        wanted = [
            (row.number, pytest.approx(row.metrics[name], rel=1e-6))
            for row in rows
            if name in row.metrics
        ]
        assert sorted(found) == wanted, name


def test_prometheus_serves_the_counts_on_loopback(deployed):
    client = pytest.importorskip("prometheus_client.parser")
    run = RunSettings(metrics="prometheus", metrics_port=0)
    sinks = Sinks(deployed.folder, run)
    ((_, server),) = sinks._others
    sinks.open({})
    for event in deployed.events:
        sinks.take(event)
    try:
        assert server._server.server_address[0] == "127.0.0.1"
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    finally:
        sinks.close()
    found, served = {}, set()
    for family in client.text_string_to_metric_families(text):
        if not family.name.endswith("_created"):
            served.add(family.name + ("_total" if family.type == "counter" else ""))
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    assert served == set(PROMETHEUS)
    total = {labels["verdict"]: value for labels, value in found["vlarl_episodes_total"]}
    assert total == {
        "success": sum(deployed.won), "failure": len(deployed.won) - sum(deployed.won)
    }  # fmt: skip
    assert found["vlarl_success_rate"] == [({}, sum(deployed.won[-24:]) / 24)]
    kept = {labels["kept"]: value for labels, value in found["vlarl_updates_total"]}
    assert kept["true"] == sum(report.kept for report in deployed.reports)
    counts = {labels["span"]: value for labels, value in found["vlarl_latency_seconds_count"]}
    decisions = sum(len(scored.episode.steps) for scored in deployed.episodes)
    assert counts["observed_to_decided"] == decisions


def test_a_port_in_use_costs_the_server_and_nothing_else(deployed, caplog):
    pytest.importorskip("prometheus_client")
    first = Sinks(deployed.folder, RunSettings(metrics="prometheus", metrics_port=0))
    first.open({})
    try:
        taken = RunSettings(metrics="prometheus", metrics_port=first._others[0][1].port)
        second = Sinks(deployed.folder, taken)
        second.open({})
        second.close()
    finally:
        first.close()
    (record,) = caplog.records
    assert "prometheus cannot begin" in record.message


LOG = """
import json, sys
from pathlib import Path
from agent.settings import RunSettings
from agent.sinks.fan import Sinks
sinks = Sinks(Path(sys.argv[2]), RunSettings(metrics=sys.argv[1]))
sinks.open({"run": {"seed": 3}})
sinks.close()
"""


def in_its_own_process(name, folder, **environment):
    # these tools keep threads, hooks and servers of their own
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOG, name, str(folder)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "is left out" not in done.stderr
    assert done.stdout == ""


def test_trackio_holds_every_episode_in_a_database_of_this_machine(folder, deployed, tmp_path):
    pytest.importorskip("trackio", reason="trackio is not installed: vlarl-agent[metrics]")
    (folder / "metrics.jsonl").unlink()
    in_its_own_process("trackio", folder, TRACKIO_DIR=str(tmp_path / "trackio"))
    import sqlite3

    with sqlite3.connect(tmp_path / "trackio" / "vlarl-agent.db") as database:
        found = database.execute("SELECT run_name, step, metrics FROM metrics").fetchall()
    rows = [(step, json.loads(metrics)) for run, step, metrics in found if run == folder.name]
    successes = {step: row["episode/success"] for step, row in rows if "episode/success" in row}
    assert successes == {i: float(won) for i, won in enumerate(deployed.won, 1)}


def test_wandb_writes_offline_in_the_run_folder(folder, deployed):
    pytest.importorskip("wandb", reason="wandb is not installed: vlarl-agent[metrics]")
    (folder / "metrics.jsonl").unlink()
    in_its_own_process("wandb", folder)
    (piece,) = (folder / "wandb").glob("offline-run-*")
    (data,) = piece.glob("*.wandb")
    assert data.name == f"run-{folder.name}.wandb"
    text = data.read_bytes()
    assert text.count(b"episode/success_recent") >= len(deployed.won)
