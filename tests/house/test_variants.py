"""Every variant that can be compared is one that the agent accepts."""

import pytest

from agent.configuration import resolve
from agent.errors import UsageError
from agent.learn.waiting import must_fit
from benchmarks import learning_section, sections
from benchmarks.variants import VARIANTS, sets_of


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_a_run_that_could_learn(name):
    must_fit(resolve(sets=list(sets_of(name, ()))).settings)


def test_a_multiple_is_of_what_all_variants_are_told():
    # 10 x 0.0002, and 10 x the usual 0.0015.
    assert sets_of("lr-x10", ("learn.learning_rate=2e-4",)) == ("learn.learning_rate=0.002",)
    assert sets_of("lr-x10", ()) == ("learn.learning_rate=0.015",)


def test_an_unknown_variant_is_refused_with_those_that_are_known():
    with pytest.raises(UsageError, match=r"'pp0'; known: ppo, random-advantage"):
        sets_of("pp0", ())


def test_seeds_of_a_variant_are_added_up():
    score = {"n": 10, "low": 0.0, "high": 1.0}
    row = {
        "task": "t", "shift": {"drift": 0.1}, "episodes": 8, "minutes": 2.0, "paired_p": 0.5,
        "updates": 2, "updates_kept": 1,
    }  # fmt: skip
    rows = [
        {**row, "variant": "rft", "seed": 0, "before": {"k": 2, **score},
         "after": {"k": 6, **score}, "kept": True},
        {**row, "variant": "rft", "seed": 1, "before": {"k": 2, **score},
         "after": {"k": 1, **score}, "kept": False},
    ]  # fmt: skip
    protocol = {"episodes": 8, "minutes": 9.0, "held_out": 10, "sets": []}
    told = learning_section.ablation(
        {"protocol": protocol, "rows": rows}, sections.table, sections.score
    )
    line = next(line for line in told.splitlines() if line.startswith("| drift=0.1 | rft | 2 |"))
    # 4/20 before, 7/20 learned: + 15 points; acting at the end 6 + 2 = 8/20.
    assert "| 4/20 " in line
    assert "| 7/20 " in line
    assert "| +15 | 8/20 " in line
    assert line.endswith("| 1 of 2 | 2 of 4 | 2.0 |")
