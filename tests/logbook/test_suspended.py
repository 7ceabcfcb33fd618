"""An alarm that holds learning up, wherever one looks, until a person lifts it."""

import pytest

from agent import logbook, suspension
from agent.cli import telling
from agent.episode import Alarm
from agent.tui.run_facts import heading, now

ALARM = Alarm("court", "probes passed: 2 of 8, at least 6 wanted")


@pytest.fixture
def halted(copy):
    (copy / "outcome.json").unlink()
    suspension.suspend(copy, ALARM, "000018", ["000017"])
    return copy


def test_a_standing_suspension_is_told_by_run_runs_and_screen(halted):
    view = logbook.run(halted)
    (found,) = view.suspended
    assert (found.watch, found.episode) == ("court", "000018")
    assert "learning waits since episode 000018: court: probes passed: 2 of 8" in " ".join(
        telling.run(view).split()
    )
    assert "learning is suspended" in " ".join(telling.runs(logbook.runs(halted)).split())
    assert "! not learning" in heading(view)[2][0]
    assert any("! court, episode 000018" in text for line in now(view, 79) for text, _ in line)


def test_a_lift_takes_it_away_and_the_log_keeps_both(halted):
    suspension.lift(halted, "ana", "the camera was put back", "000019")
    view = logbook.run(halted)
    assert view.suspended == logbook.runs(halted).rows[0].suspended == ()
    assert "suspended" not in telling.run(view)
    kinds = [each.kind for each in logbook.events(halted).events]
    assert (kinds.count("suspended"), kinds.count("lifted")) == (1, 1)


def test_a_report_says_it(halted):
    page = pytest.importorskip("agent.report.page")
    assert "court: probes passed: 2 of 8" in page._halted(logbook.run(halted))
