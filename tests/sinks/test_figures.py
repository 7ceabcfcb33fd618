"""Rows of figures, against sums by hand."""

import dataclasses
import math

import numpy as np
import pytest

from agent.episode import Episode, Limit, ScoredEpisode, Times, UpdateReport
from agent.evaluation import Trial
from agent.sinks.figures import episode_row, evaluation_row, update_row
from benchmarks.seeded_episodes import ADAPTER, seeded


def scored(seed=2, decisions=5, **changes):
    made = seeded(seed, decisions)
    steps = tuple(dataclasses.replace(step, **changes) for step in made.steps)
    episode = Episode("000001", made.task, ADAPTER, 1.0, steps, made.last, made.ending)
    return ScoredEpisode(episode, made.signal)


def test_an_episode_counts_what_was_done():
    # 5 decisions of 2 actions, the last cut short by one: 9 control steps
    episode = scored(limits=Limit(0), by_hand=False)
    row = episode_row(1, episode, ())
    assert row.metrics["episode/decisions"] == 5
    assert row.metrics["episode/control_steps"] == 9
    done = sum(int(step.executed[: len(step.applied)].sum()) for step in episode.episode.steps)
    assert row.metrics["episode/executed"] == done / 9
    assert (row.metrics["episode/limited"], row.metrics["episode/by_hand"]) == (0, 0)
    assert row.limits == {}


def test_the_moving_success_rate_looks_back_and_counts_the_episode_itself():
    # two of four before, and a success: 3 of 5
    assert episode_row(5, scored(), (1.0, 0.0, 1.0, 0.0)).metrics["episode/success_recent"] == 0.6


def test_limits_are_counted_by_decision_and_by_name():
    episode = scored(limits=Limit.SPEED | Limit.BOX, by_hand=True)
    row = episode_row(1, episode, ())
    assert row.limits == {"speed": 5, "box": 5}
    assert (row.metrics["episode/limited"], row.metrics["episode/by_hand"]) == (1, 1)


def test_latency_is_from_view_to_command_in_force_and_unknown_where_nobody_measured():
    made = scored()
    steps = tuple(
        dataclasses.replace(
            step,
            times=Times(
                step.observation.time_s + 0.02,
                step.observation.time_s + 0.03,
                step.observation.time_s + 0.05,
            ),
        )
        for step in made.episode.steps
    )
    row = episode_row(
        1, ScoredEpisode(dataclasses.replace(made.episode, steps=steps), made.signal), ()
    )
    assert row.metrics["episode/answer_p99_s"] == pytest.approx(0.02, abs=1e-9)
    assert row.metrics["episode/latency_p99_s"] == pytest.approx(0.05, abs=1e-9)
    assert row.spans_s["sent to applied"] == pytest.approx([0.02] * 5, abs=1e-9)
    nobody = episode_row(1, scored(times=Times()), ())
    assert math.isnan(nobody.metrics["episode/latency_p99_s"])
    assert nobody.spans_s["observed to applied"] == ()


def test_the_log_probability_is_the_mean_over_all_tokens():
    episode = scored()
    tokens = np.concatenate([step.decision.log_probs for step in episode.episode.steps])
    found = episode_row(1, episode, ()).metrics["episode/log_prob"]
    assert found == pytest.approx(float(tokens.astype(np.float64).mean()), rel=1e-6)


def test_an_update_keeps_its_own_figures_and_says_what_became_of_it():
    report = UpdateReport(3, "0003", "0002", ("000001", "000002"), kept=True, why="finite",
                          metrics={"update/kl_step": 0.01})  # fmt: skip
    row = update_row(report)
    assert row.metrics == {"update/kl_step": 0.01, "update/kept": 1, "update/episodes": 2}
    assert (row.kind, row.number, row.labels["parent"]) == ("update", 3, "0002")


def test_an_evaluation_has_wilsons_interval():
    # 3 of 4: (0.75 + z^2/8 +- z sqrt(0.75 * 0.25 / 4 + z^2/64)) / (1 + z^2/4), z = 1.96
    trials = [Trial("go", start, start < 3, 4) for start in range(4)]
    row = evaluation_row(2, "after-0003", trials)
    assert row.labels == {"phase": "after", "adapter": "0003"}
    assert row.metrics["evaluation/success_rate"] == 0.75
    assert row.metrics["evaluation/low"] == pytest.approx(0.3006, abs=1e-4)
    assert row.metrics["evaluation/high"] == pytest.approx(0.9544, abs=1e-4)
