"""How far and how long the tool moved on, out of its true path."""

import json

import numpy as np
import pytest

from sim.franka.track import COLUMNS, Track, stop_after


def rows(places_mm, step_s=0.01):
    return [[n * step_s, x / 1e3, 0.0, 0.0, 1.0] for n, x in enumerate(places_mm)]


def test_a_stop_is_measured_from_the_moment_asked_for():
    # 1 mm each 10 ms up to 50 ms, then still. From 20 ms on: 3 mm more, the last at 50 ms.
    stop = stop_after(rows([0, 1, 2, 3, 4, 5, *[5] * 20]), since_s=0.02)
    assert stop.way_mm == pytest.approx(3.0)
    assert stop.time_ms == pytest.approx(30.0)


def test_a_way_there_and_back_counts_twice():
    stop = stop_after(rows([0, 1, 2, 1, 0, *[0] * 20]), since_s=0.0)
    assert stop.way_mm == pytest.approx(4.0)
    assert stop.time_ms == pytest.approx(40.0)


def test_what_creeps_below_five_millimetres_a_second_stands_still():
    # 0.04 mm each 10 ms is 4 mm/s
    stop = stop_after(rows([0.04 * n for n in range(30)]), since_s=0.0)
    assert stop.way_mm == 0.0
    assert stop.time_ms == 0.0


def test_what_moves_to_the_end_of_the_trace_has_not_stopped():
    assert stop_after(rows(range(100)), since_s=0.0) is None


def test_a_pause_too_short_is_no_stop():
    # still for 50 ms, then on again
    assert stop_after(rows([0, 1, *[1] * 5, *range(2, 100)]), since_s=0.0) is None


def test_the_track_is_told_as_json_with_faults():
    track = Track(0.01)
    track.note(1.0, np.array([0.1, 0.2, 0.3]), 0.5)
    track.fault(1.5, "reflex")
    told = json.loads(track.text())
    assert tuple(told["columns"]) == COLUMNS
    assert told["rows"] == [[1.0, 0.1, 0.2, 0.3, 0.5]]
    assert told["faults"] == [[1.5, "reflex"]]
