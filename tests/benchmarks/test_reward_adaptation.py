"""What is made of deployments that different judges drove."""

from benchmarks.judged_section import adaptation
from benchmarks.reward_adaptation import WINDOW, confusion, reached, summed


def row(arm, seed, before, after):
    bounds = {"n": 50, "low": 0.0, "high": 1.0}
    return {
        "arm": arm, "seed": seed,
        "before": {"k": before, **bounds}, "after": {"k": after, **bounds},
        "episodes_to": {"0.8": 40, "0.6": None}, "verdicts": {"success called success": 9},
        "suspended": False,
    }  # fmt: skip


def test_a_share_of_the_oracles_gain_is_taken_on_the_seeds_that_both_ran():
    rows = [row("oracle", 0, 20, 40), row("oracle", 1, 20, 50), row("vlm", 0, 20, 35)]
    arms = summed(rows)
    # Seed 0 alone: 15 of 20; the oracle's seed 1 has no fellow.
    assert arms["vlm"]["of_oracle_gain"] == 0.75
    assert arms["oracle"]["of_oracle_gain"] == 1.0
    assert (arms["oracle"]["gain"], arms["oracle"]["after"]["k"]) == (50, 90)
    assert arms["oracle"]["after"]["n"] == 100
    assert summed([row("vlm", 0, 20, 35)])["vlm"]["of_oracle_gain"] is None


def test_a_share_is_reached_by_episodes_in_a_row():
    won = [False] * 10 + [True] * WINDOW
    # 0.5 of 24 is 12: after the ten failures and twelve successes, the last 24 hold twelve.
    assert reached(won, 0.5) == WINDOW
    assert reached(won, 1.0) == 10 + WINDOW
    assert reached([False] * 60, 0.1) is None
    assert reached([True] * (WINDOW - 1), 0.1) is None


def test_verdicts_are_counted_by_their_truth():
    rows = [(True, "success"), (True, "unknown"), (False, "success"), (True, "success")]
    assert confusion(rows) == {
        "failure called success": 1, "success called success": 2, "success called unknown": 1,
    }  # fmt: skip


def test_the_page_says_each_arm_and_each_deployment():
    rows = [row("oracle", 0, 20, 40), row("vlm", 0, 20, 36)]
    protocol = {"task": "lift", "shift": "drift=0.1", "episodes": 96, "held_out": 50, "sets": []}
    told = adaptation({"protocol": protocol, "window": 24, "arms": summed(rows), "rows": rows})
    assert "| vlm | 1 | 20/50 [28, 54] % | 36/50 [58, 83] % | 16 | 80 % |" in told
    assert "| vlm | 0 | 20/50 [0, 100] % | 36/50 [0, 100] % | - | 40 | 9 success called" in told
