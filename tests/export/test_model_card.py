"""The figures of an adapter's card, counted by hand."""

from agent.export.model_card import Facts, _data, _success
from agent.store.run import Run
from agent.store.summary import Summary


def row(number, verdict):
    return Summary(
        f"{number:06d}", "lift", "lift it", 0, 0, "0001", 1.0, "learn", 5, 5, "timeout", verdict,
        None, 1.0, "2026-01-01T00:00:00+00:00",
    )  # fmt: skip


def test_what_the_judge_could_not_tell_is_no_failure(tmp_path):
    verdicts = ["success"] * 3 + ["failure"] + ["unknown"] * 4
    rows = [row(number, verdict) for number, verdict in enumerate(verdicts, 1)]
    facts = Facts(tmp_path, Run(1, "", "", {}, {}), "0001", "", "mit", 4, 4.0, 100)
    acted = _success(facts, rows)[-1]
    # three of the four that are known; Wilson for 3 of 4: 30 to 95 %
    assert (
        "| training states, exploring; 4 more unknown | lift | 3/4 | 75 % | 30 to 95 % |" in acted
    )


def test_an_adapter_of_which_nothing_is_known_has_no_rate(tmp_path):
    facts = Facts(tmp_path, Run(1, "", "", {}, {}), "0001", "", "mit", 4, 4.0, 100)
    assert _success(facts, [row(1, "unknown")])[-1].endswith("| 0/0 | - | - |")


def test_episodes_that_were_let_go_are_counted_as_such():
    told = _data(["000001", "000002"], {"000002": row(2, "success")}, [])
    assert told[0].startswith("2 episodes of the run (1 success, 1 let go of since), 0 updates")
