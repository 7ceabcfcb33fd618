"""What a session remembers, and what it can leave out again."""

from agent.episode import Gone, Verdict
from agent.past import Past

WON, LOST, UNKNOWN = Verdict.SUCCESS, Verdict.FAILURE, Verdict.UNKNOWN


def past(*rows):
    """Episodes by (start state, verdict, adapter)."""
    found = Past()
    for start, verdict, adapter in rows:
        found.recall(Gone("", "go", start, adapter, verdict))
    return found


def test_tallies_are_by_start_state_and_by_adapter_and_skip_the_unknown():
    found = past((0, WON, "base"), (0, LOST, "0001"), (1, UNKNOWN, "0001"), (0, WON, "0001"))
    assert len(found) == 4
    assert found.record() == {("go", 0): (2, 3)}
    assert (found.tally("base"), found.tally("0001")) == ((1, 1), (1, 2))
    assert (found.acted("0001"), found.acted("0002")) == (3, 0)


def test_the_last_episodes_can_be_left_out_as_if_they_had_not_been():
    rows = [(0, WON, "base"), (1, LOST, "base"), (1, WON, "base"), (0, UNKNOWN, "base")]
    found = past(*rows)
    for but_last in range(5):
        known = {arm: told for arm, told in found.record(but_last).items() if told != (0, 0)}
        assert known == past(*rows[: 4 - but_last]).record()
    assert found.record() == {("go", 0): (1, 1), ("go", 1): (1, 2)}
