"""Learning waits after an alarm, and what was recorded under suspicion is never learned from."""

import dataclasses

import pytest

from agent import suspension
from agent.episode import Alarm
from agent.errors import UsageError
from agent.session import Halted, Updated
from agent.store.reader import ZarrReader
from tests.whole_run import Run, told

ALARM = Alarm("court", "probes passed: 2 of 8, at least 6 wanted", {"passed": 2.0})


class Alarmed:
    """Raises one alarm, after the n-th episode it looks at."""

    def __init__(self, at):
        self.left, self.recalled, self.noted = at, [], []

    def recall(self, scored):
        self.recalled.append(scored.episode.id)

    def note(self, scored):
        self.noted.append(scored.episode.id)
        self.left -= 1
        return ALARM if self.left == 0 else None


def watched(run, watch):
    run.session._parts = dataclasses.replace(run.parts, watches=(watch,))
    return run


def test_a_run_without_alarms_has_no_suspension(tmp_path):
    assert suspension.read(tmp_path).standing == ()
    with pytest.raises(UsageError, match="nothing to lift"):
        suspension.lift(tmp_path, "anna", "all is well", "000001")


def test_what_waited_and_what_came_until_the_lift_is_doubted(tmp_path):
    suspension.suspend(tmp_path, ALARM, "000005", ["000002", "000004"])
    found = suspension.read(tmp_path)
    assert [row.why for row in found.standing] == [ALARM.why]
    doubted = [number for number in range(1, 8) if found.doubts(f"{number:06d}")]
    assert doubted == [2, 4, 5, 6, 7]  # 3 was used up before the alarm
    suspension.lift(tmp_path, "anna", "the camera was put back", "000006")
    found = suspension.read(tmp_path)
    assert found.standing == ()
    assert [number for number in range(1, 9) if found.doubts(f"{number:06d}")] == [2, 4, 5, 6]


def test_a_torn_line_holds_learning_up_until_it_is_lifted(tmp_path):
    suspension.suspend(tmp_path, ALARM, "000005", [])
    suspension.lift(tmp_path, "anna", "put right", "000005")
    path = tmp_path / suspension.FILE
    path.write_text(path.read_text() + '{"kind": "suspen')
    assert "torn" in suspension.read(tmp_path).standing[0].why
    suspension.lift(tmp_path, "anna", "looked at it", "000006")
    assert suspension.read(tmp_path).standing == ()


def test_a_lift_wants_a_reason(tmp_path):
    suspension.suspend(tmp_path, ALARM, "000005", [])
    with pytest.raises(UsageError, match="a reason wanted"):
        suspension.lift(tmp_path, "anna", " \n", "000005")


def test_an_alarm_stops_learning_but_not_acting_and_a_lift_starts_it_again(
    point_checkpoint, tmp_path
):
    settings = told(point_checkpoint)
    with Run(settings, tmp_path / "run") as run:
        watched(run, Alarmed(at=10)).act()
        assert [type(event) for event in run.events].count(Halted) == 1
        # 24 episodes, an update every eight: one came before the alarm, none after it.
        assert run.session.episodes == 24
        assert [report.number for report in run.reports] == [1]
    suspension.lift(tmp_path / "run", "anna", "put right", ZarrReader(tmp_path / "run").ids()[-1])
    more = told(point_checkpoint, episodes=34)
    with Run(more, tmp_path / "run") as rest:
        watch = Alarmed(at=0)
        watched(rest, watch).act()
        (report,) = (event.report for event in rest.events if isinstance(event, Updated))
        # Eight fresh ones: none of 9 .. 24, which were recorded under suspicion.
        assert min(report.episodes) > ZarrReader(tmp_path / "run").ids()[23]
        assert len(watch.noted) == 10


def test_a_resumed_run_stays_suspended(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint, episodes=12), tmp_path / "run") as run:
        watched(run, Alarmed(at=10)).act()
    with Run(told(point_checkpoint, episodes=24), tmp_path / "run") as rest:
        rest.act()
        assert rest.reports == []
