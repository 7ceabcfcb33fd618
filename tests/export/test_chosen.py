"""Which episodes are taken."""

import pytest

from agent.errors import UsageError
from agent.export.chosen import Choice, choose
from agent.store.reader import ZarrReader


@pytest.fixture
def reader(point_run):
    return ZarrReader(point_run)


def ids(reader, *told):
    return [row.id for row in choose(reader, Choice(*told))]


def test_ids_and_ranges_are_taken_in_the_order_of_the_run(reader):
    assert ids(reader, "9,000002-4,3") == ["000002", "000003", "000004", "000009"]


def test_a_range_may_reach_beyond_the_run_and_a_single_id_may_not(reader):
    assert ids(reader, "15-99") == ["000015", "000016"]
    with pytest.raises(UsageError, match="no sealed episode 000099"):
        ids(reader, "99")


def test_verdicts_part_the_run(reader):
    won, lost = ids(reader, "", ("success",)), ids(reader, "", ("failure",))
    assert won
    assert lost
    assert sorted(won + lost) == ids(reader)


@pytest.mark.parametrize("text", ["../x", "4-2", "1;2", "1--3", " ", "²"])
def test_what_is_no_id_is_refused(reader, text):
    with pytest.raises(UsageError):
        ids(reader, text)


def test_a_verdict_nobody_knows_is_refused(reader):
    with pytest.raises(UsageError, match="--only knows success, failure, unknown; found wins"):
        ids(reader, "", ("wins",))
