"""Adapters, the judge and events."""

import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file

from agent import logbook
from agent.errors import UsageError
from agent.interval import probability_worse
from agent.logbook.plain import plain
from agent.logbook.reward_view import calibration


def added(folder):
    """What an adapter adds to each layer, in full."""
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    scale = config["lora_alpha"] / config["r"]
    return {
        name: scale * tensors[name.replace("lora_A", "lora_B")].astype(float) @ tensors[name]
        for name in tensors
        if "lora_A" in name
    }


def test_two_adapters_are_as_far_apart_as_what_they_add(whole_run):
    found = logbook.compare(whole_run.folder, "0001", "0002")
    one, two = (added(whole_run.folder / "adapters" / name) for name in ("0001", "0002"))
    far = np.sqrt(sum(((one[name] - two[name]) ** 2).sum() for name in one))
    long = np.sqrt(sum((matrix**2).sum() for matrix in one.values()))
    assert found.apart.distance == pytest.approx(far, rel=1e-6)
    assert found.apart.first == pytest.approx(long, rel=1e-6)
    assert len(found.apart.layers) == len(one)
    same = logbook.compare(whole_run.folder, "0001", "0001").apart
    assert same.distance == pytest.approx(0.0, abs=1e-6 * long)
    base = logbook.compare(whole_run.folder, "base", "0001").apart
    assert (base.first, base.distance) == (0.0, pytest.approx(long, rel=1e-6))


def test_two_adapters_are_compared_by_their_episodes_and_on_the_same_held_out_states(whole_run):
    now = logbook.adapters(whole_run.folder).acting
    found = logbook.compare(whole_run.folder, "base", now)
    ours = [won for each, won in zip(whole_run.episodes, whole_run.won, strict=True)
            if each.episode.adapter == "base"]  # fmt: skip
    assert (found.first.acted.won, found.first.acted.tried) == (sum(ours), len(ours))
    theirs = (found.second.acted.won, found.second.acted.tried)
    assert found.second_better == probability_worse(theirs, (sum(ours), len(ours)))
    assert found.paired.p_value == whole_run.outcome.paired_p
    with pytest.raises(UsageError, match="base"):
        logbook.compare(whole_run.folder, "base", "0999")


def test_the_judge_is_held_against_labels_and_says_what_is_not_known(copy):
    before = logbook.reward(copy)
    assert (before.labels, before.world, before.bins, before.probes) == (None, None, (), ())
    assert any("label" in note for note in before.notes)
    rows = logbook.episodes(copy).rows
    won, lost = [row for row in rows if row.won], [row for row in rows if row.won is False]
    logbook.label(copy, won[0].id, "success")
    logbook.label(copy, won[1].id, "failure")
    logbook.label(copy, lost[0].id, "failure")
    logbook.label(copy, lost[0].id, "success")  # the last word counts
    after = logbook.reward(copy)
    found = after.labels
    assert (found.true_success, found.false_success) == (1, 1)
    assert (found.true_failure, found.false_failure) == (0, 1)
    assert after.disagreed == tuple(sorted((won[1].id, lost[0].id)))
    # probabilities 1, 1 and 0 against 1, 0 and 1
    assert after.brier == pytest.approx(2 / 3)


def test_a_simulated_world_tells_the_truth_of_its_own(copy):
    path = copy / "run.json"
    told = json.loads(path.read_text())
    told["settings"]["robot"]["name"] = "tabletop"
    path.write_text(json.dumps(told))
    found = logbook.reward(copy)
    wins = sum(row.won for row in logbook.episodes(copy).rows)
    assert (found.world.true_success, found.world.true_failure) == (wins, 20 - wins)
    assert any("repeats the world" in note for note in found.notes)


def test_calibration_bins_hold_what_was_said_and_what_came():
    bins = calibration([(0.05, False), (0.95, True), (1.0, True), (0.92, False)])
    # 1.0 belongs to the last bin: (0.95 + 1.0 + 0.92) / 3
    assert [(each.low, each.came.won, each.came.tried) for each in bins] == [
        (0.0, 0, 1),
        (0.9, 2, 3),
    ]
    assert bins[1].said == pytest.approx(0.956667, abs=1e-6)


def test_probes_are_shown_where_they_are_recorded(copy):
    row = {"name": "empty table", "wanted": "failure", "found": "success", "probability": 0.9,
           "source": "vlm/1", "when": "2026-11-22T00:00:00+00:00"}  # fmt: skip
    (copy / "probes.jsonl").write_text(json.dumps(row) + "\n{torn")
    found = logbook.reward(copy)
    assert [probe.name for probe in found.probes] == ["empty table"]
    assert [str(each) for each in found.damage] == ["probes.jsonl: line 2 is torn or altered"]


@pytest.mark.parametrize("shift_s", [-1e6, 0.0, 1e6])
def test_events_are_in_order_even_where_a_copy_gave_updates_other_times(copy, shift_s):
    for path in (copy / "updates").iterdir():
        now = path.stat().st_mtime + shift_s
        os.utime(path, (now, now))
    found = logbook.events(copy).events
    kinds = [(event.kind, event.subject) for event in found if event.kind in {"episode", "update"}]
    updates = [(number, kind[1]) for number, kind in enumerate(kinds) if kind[0] == "update"]
    # an update every eight episodes: after the 8th and the 16th
    assert updates == [(8, "0001"), (17, "0002")]
    assert [event.when for event in found] == sorted(event.when for event in found)
    assert found[0].kind == "begun"


def test_a_view_is_plain_json_whatever_it_holds(whole_run):
    for make in (
        logbook.runs, logbook.run, logbook.episodes, logbook.adapters, logbook.reward,
        logbook.events, lambda folder: logbook.episode(folder, "000001"),
    ):  # fmt: skip
        text = json.dumps(plain(make(whole_run.folder)), allow_nan=False)
        assert json.loads(text)
    told = json.loads(json.dumps(plain(np.array([[1.0, np.nan], [np.inf, 2.5]]))))
    assert told == [[1.0, None], [None, 2.5]]
