"""A judge calibrated on really recorded episodes, from the command's own function."""

import pytest

from agent.calibrating import calibrate_runs
from agent.episode import Verdict
from agent.errors import UsageError
from agent.logbook.labels import label
from agent.reward.calibration import episode_score
from agent.reward.judge import FrameJudge
from agent.reward.outcome import OutcomeJudge
from agent.settings import RewardSettings, Settings
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from tests.reward.red_reader import RedReader
from tests.reward.trapped import lifted, table, trapped

TOLD = RewardSettings(kind="vlm")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Eight true lifts, and six times down and up with nothing, in a world without a trap."""
    folder = tmp_path_factory.mktemp("runs") / "honest"
    settings = Settings.model_validate({"robot": {"image_px": 48}})
    create_run(folder, settings.model_dump(mode="json"), {})
    robot, store, judge = table(), ZarrStore(folder), OutcomeJudge()
    store.open()
    for number in range(14):
        make = lifted if number < 8 else trapped
        episode = make(robot, number)
        recording = store.begin(episode.task, "base", 1.0)
        for step in episode.steps:
            recording.append(step)
        recording.seal(judge.score(recording.finish(episode.last, episode.ending)))
    store.close()
    robot.close()
    return folder


def test_the_bar_lies_between_what_failed_and_what_succeeded(run):
    made = calibrate_runs([run], RedReader(), TOLD)
    assert (made.positives, made.negatives, made.false_positives) == (8, 6, 0)
    assert made.hits == 8
    assert not made.shown
    good, bad = made.norm.successes, made.norm.failures
    assert made.probability(max(bad)) < made.theta <= made.probability(min(good))
    names = ("black", "frozen", "prefix", "reversed", "wrong-instruction")
    assert made.norm.probes == dict.fromkeys(names, (0, 8))
    assert made.norm.disagreed == (0, 0)  # half of eight is fewer than a witness goes by
    assert set(made.norm.witness) == {"lift-red-cube"}


def test_a_judge_so_calibrated_says_what_was_true(run):
    made = calibrate_runs([run], RedReader(), TOLD)
    judge, robot = FrameJudge(RedReader(), TOLD, made), table()
    assert judge.score(lifted(robot, 20)).verdict is Verdict.SUCCESS
    assert judge.score(trapped(robot, 21)).verdict is not Verdict.SUCCESS
    robot.close()


def test_scores_are_of_the_views_that_the_judge_itself_decides_by(run):
    made = calibrate_runs([run], RedReader(), RewardSettings(kind="vlm", agreeing=2, last=3))
    assert (made.k, made.n) == (2, 3)
    robot = table()
    signal = FrameJudge(RedReader(), TOLD, made).score(lifted(robot, 3))
    robot.close()
    assert signal.success_probability == pytest.approx(episode_score(signal.success, 2, 3))


def test_what_a_person_typed_is_the_truth(run, tmp_path):
    for number in (1, 2):
        label(run, f"{number:06d}", "failure", who="anna")
    made = calibrate_runs([run], RedReader(), TOLD)
    assert (made.positives, made.negatives) == (6, 8)


def test_runs_of_unknown_outcome_cannot_calibrate(tmp_path):
    create_run(tmp_path / "empty", Settings().model_dump(mode="json"), {})
    with pytest.raises(UsageError, match="episodes whose outcome is known wanted, found none"):
        calibrate_runs([tmp_path / "empty"], RedReader(), TOLD)
