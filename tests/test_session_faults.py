"""A session on an arm whose bridge fails: episodes are kept, tries are made again, or it ends."""

import math
from dataclasses import replace

import pytest

from agent.cli.build import make_cards, make_parts
from agent.curriculum import tasks_of
from agent.deployment import deploy
from agent.episode import Truncated
from agent.errors import Interrupted, NoMove, RobotFault, SafetyStop
from agent.evaluation import try_tasks
from agent.patience import Patience
from agent.registry import make_robot
from agent.session import Session
from agent.store.reader import ZarrReader
from agent.store.run import create_run
from calibration.profile import load
from tests.creeper import Creeper
from tests.flaky_robot import FlakyRobot
from tests.whole_run import told


class Acting:
    """A session on the flaky robot, opened for a `with`."""

    def __init__(self, checkpoint, folder, *, stop=lambda: False, retries=2, cell=None, **run):
        settings = told(checkpoint, update=False, **{"episodes": 4, "held_out": 3, **run})
        robot = settings.robot.model_copy(
            update={"name": "tests.flaky_robot:FlakyRobot", "retries": retries, "retry_s": 0.0}
        )
        self.settings = settings.model_copy(update={"robot": robot})
        self.folder, self.stop, self.cell = folder, stop, cell
        create_run(folder, self.settings.model_dump(mode="json"), {})

    def __enter__(self):
        self.robot = make_robot(self.settings.robot)
        self.parts = make_parts(self.settings, self.folder, self.robot, cell=self.cell)
        self.cards = make_cards(self.settings, self.robot)
        return self

    def __exit__(self, *_):
        FlakyRobot.faults = []
        self.parts.store.close()

    def session(self):
        session = Session(self.settings, self.parts, self.cards, stop_wanted=self.stop)
        session.open()
        return session

    def act(self):
        self.session().run(math.inf)

    def deploy(self):
        return deploy(self.settings, self.folder, self.parts, self.cards, stop_wanted=self.stop)

    def interrupted(self):
        return [row.id for row in ZarrReader(self.folder).interrupted()]


def test_an_episode_that_ends_in_a_fault_is_kept_and_the_same_task_tried_again(
    point_checkpoint, tmp_path
):
    with Acting(point_checkpoint, tmp_path / "run") as run:
        FlakyRobot.faults = [RobotFault("camera gone"), RobotFault("still gone")]
        run.act()
        assert len(run.parts.store.ids()) == 4
        assert run.interrupted() == ["000001", "000002"]
        assert run.robot.rests >= 6  # after each of the six
    with Acting(point_checkpoint, tmp_path / "calm") as calm:
        calm.act()
    mine, theirs = ZarrReader(tmp_path / "run"), ZarrReader(tmp_path / "calm")
    assert [mine.read(i).episode.task for i in mine.ids()] == [
        theirs.read(i).episode.task for i in theirs.ids()
    ]


def test_too_many_faults_in_a_row_end_the_run_with_the_last_one(point_checkpoint, tmp_path):
    with Acting(point_checkpoint, tmp_path / "run") as run:
        FlakyRobot.faults = [None, *(RobotFault(f"fault {n}") for n in (1, 2, 3))]
        with pytest.raises(RobotFault, match="fault 3"):
            run.act()
        assert len(run.interrupted()) == 3


def test_a_safety_stop_is_never_tried_again(point_checkpoint, tmp_path):
    with Acting(point_checkpoint, tmp_path / "run") as run:
        FlakyRobot.faults = [SafetyStop("reflex")]
        with pytest.raises(SafetyStop, match="reflex"):
            run.act()
        assert len(run.interrupted()) == 1


def test_a_policy_that_answers_nan_is_stopped_before_it_moves_and_ends_the_run_with_7(
    point_checkpoint, tmp_path
):
    with Acting(point_checkpoint, tmp_path / "run", retries=1) as run:
        run.robot.step = lambda actions: pytest.fail("the robot was moved")
        run.parts.policy.act = Creeper(math.nan).act
        with pytest.raises(NoMove, match="nonfinite_action") as stopped:
            run.act()
        assert stopped.value.exit_code == 7
        assert len(run.interrupted()) == 2
        assert run.robot.rests >= 2
    for path in sorted((tmp_path / "run" / "interrupted").glob("*/episode.json")):
        assert "nonfinite_action" in path.read_text()


def test_an_evaluation_makes_a_failed_try_again_and_says_who_acts(point_checkpoint, tmp_path):
    with Acting(point_checkpoint, tmp_path / "run") as run:
        FlakyRobot.faults = [RobotFault("gone")]
        outcome = run.deploy()
        assert outcome.before.n == 3
        # The first try, its repetition, two more; then four episodes. Nothing was learned, so
        # there is no second score.
        said = [("base", n) for n in (0, 0, 1, 2)] + [("base", n) for n in (0, 1, 2, 3)]
        assert run.robot.acted == said


def test_without_patience_a_fault_ends_an_evaluation():
    robot = FlakyRobot(told("", update=False).robot)
    FlakyRobot.faults = [RobotFault("gone")]
    tasks = tasks_of(robot.tasks(), "held_out", 2)
    with pytest.raises(RobotFault, match="gone"):
        try_tasks(robot, Creeper(1.0), tasks, patience=Patience(0, 0.0))
    FlakyRobot.faults = []


def held_out(robot, count=2):
    return tasks_of(robot.tasks(), "held_out", count)


def test_a_try_that_somebody_stops_is_not_counted_and_made_again():
    robot, stopped = FlakyRobot(told("", update=False).robot), []
    step = robot.step

    def stop_once(actions):
        reading = step(actions)
        if stopped:
            return reading
        stopped.append(True)
        return replace(reading, ending=Truncated("stopped"))

    robot.step = stop_once
    trials = try_tasks(robot, Creeper(1.0), held_out(robot))
    assert [trial.start for trial in trials] == [10, 11]
    assert all(trial.success for trial in trials)
    assert robot.acted == [("base", 0), ("base", 0), ("base", 1)]


def test_a_try_under_way_ends_at_the_next_decision_when_asked_to():
    robot, creeper = FlakyRobot(told("", update=False).robot), Creeper(0.0)  # never arrives
    trials = try_tasks(robot, creeper, held_out(robot), stop_wanted=lambda: len(creeper.shown) > 1)
    assert trials == ()
    assert len(creeper.shown) == 2
    assert robot.rests == 1


def test_a_robot_that_waits_for_a_person_is_told_how_to_give_up(point_checkpoint, tmp_path):
    stopping = []
    with Acting(point_checkpoint, tmp_path / "run", stop=lambda: bool(stopping)) as run:

        def wait(task):
            stopping.append(True)  # Ctrl-C, while somebody is asked to lay the scene
            assert run.robot.stop_wanted()
            raise Interrupted("nobody came")

        run.robot.reset = wait
        assert run.deploy() is None
        assert run.robot.rests >= 1


def test_an_interruption_that_nobody_asked_for_is_not_swallowed(point_checkpoint, tmp_path):
    with Acting(point_checkpoint, tmp_path / "run") as run:
        FlakyRobot.faults = [Interrupted("the operator says stop")]
        with pytest.raises(Interrupted, match="operator"):
            run.deploy()


def test_every_episode_and_adapter_says_in_which_cell_it_was_made(point_checkpoint, tmp_path):
    profile = load("tabletop")
    with Acting(point_checkpoint, tmp_path / "run", cell=profile, episodes=1) as run:
        run.act()
        (sealed,) = run.parts.store.ids()
    record = (tmp_path / "run" / "episodes" / sealed / "episode.json").read_text()
    assert profile.sha256 in record
