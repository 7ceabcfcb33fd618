"""Which episodes go when there is a limit, and which must stay."""

import datetime

from agent.store.folders import Folders
from agent.store.prune import Kept, Limits, choose


def kept(number, *, age_days=0.0, size=10, held=""):
    began = NOW - datetime.timedelta(days=age_days)
    row = type("Row", (), {"id": f"{number:06d}", "began": began.isoformat()})()
    return Kept(row, Folders, size, held)


NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)


def leaving(rows, **limits):
    choice = choose(rows, Limits(**limits), NOW)
    return [int(each.kept.row.id) for each in choice.leaving], choice


def test_the_oldest_go_first_and_no_more_than_the_limit_asks_for():
    five = [kept(number, age_days=10 - number) for number in range(1, 6)]
    assert leaving(five, episodes=3)[0] == [1, 2]
    # five of 10 bytes: 30 may stay
    assert leaving(five, stored_bytes=35)[0] == [1, 2]
    # ages are 9, 8, 7, 6 and 5 days
    assert leaving(five, days=6.5)[0] == [1, 2, 3]
    assert leaving(five, episodes=5, stored_bytes=50, days=9.5)[0] == []
    assert leaving(five, episodes=0)[0] == [1, 2, 3, 4, 5]


def test_what_must_stay_stays_and_the_limit_that_is_missed_is_told():
    five = [kept(number, held="used by an update" if number < 4 else "") for number in range(1, 6)]
    gone, choice = leaving(five, episodes=1)
    assert gone == [4, 5]
    assert (choice.staying, choice.staying_bytes) == (3, 30)
    assert choice.short == ("3 episodes stay, the limit is 1; 3 must stay: used by an update",)
