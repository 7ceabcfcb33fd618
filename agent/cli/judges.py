"""From settings to who judges a run, who watches the judge, and who may be asked."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.cli.person import person_at
from agent.cli.watched import court_of
from agent.errors import UsageError
from agent.protocols import Attentive, RewardModel, Robot, Watch
from agent.reward.calibration import FILE, Calibration, load
from agent.reward.judge import FrameJudge
from agent.reward.line import Line, line_to
from agent.reward.online import OnlineReading
from agent.reward.outcome import OutcomeJudge
from agent.reward.person import Asking, Heeding, OperatorJudge
from agent.reward.reader import Reader
from agent.reward.silence import Forbearing, SilenceWatch
from agent.reward.verdict import bar_of
from agent.settings import RewardSettings, Settings
from calibration.complaints import ProfileError
from calibration.profile import load as load_profile

TOKEN = "VLARL_JUDGE_TOKEN"  # noqa: S105  the name of a variable


@dataclass(frozen=True, slots=True)
class Judging:
    """Who judges a run. eye: reads while the robot acts, where that is wanted."""

    judge: RewardModel
    watches: tuple[Watch, ...] = ()
    eye: OnlineReading | None = None


def judging_of(
    settings: Settings, run: Path, robot: Robot, stop_wanted: Callable[[], bool]
) -> Judging:
    """The judge that the settings name, whoever watches it, and a person where one is asked.

    Raises UsageError for settings that cannot be met, DataError for a model that cannot serve.
    """
    told = settings.reward
    judge: RewardModel
    watches: tuple[Watch, ...] = ()
    eye: OnlineReading | None = None
    if told.kind == "operator":
        ask = person_at(robot, told.ask_s, stop_wanted)
        return Judging(OperatorJudge(ask, spoken=isinstance(robot, Attentive)))
    if told.kind == "outcome":
        judge = OutcomeJudge()
    else:
        reader = make_reader(told)
        calibration = calibration_of(told, reader)
        eye = OnlineReading(reader, told) if told.online else None
        judge = FrameJudge(reader, told, calibration, eye)
        judge, watches = Forbearing(judge), (SilenceWatch(told.silent_episodes),)
        if settings.court.sits:
            # Probes are put to a judge of their own: what was read while acting is not about them.
            probed = FrameJudge(reader, told, calibration)
            watches = (*watches, court_of(settings, run, robot, probed, calibration))
        if isinstance(robot, Attentive) and not simulated(settings):
            judge = Heeding(judge)
    if told.ask:
        judge = Asking(judge, person_at(robot, told.ask_s, stop_wanted))
    return Judging(judge, watches, eye)


def must_be_judged(settings: Settings, robot: Robot) -> None:
    """Refuse what can be known beforehand to leave a run without its judge.

    Raises UsageError, DataError for a calibration that cannot be read.
    """
    told = settings.reward
    if told.kind in {"vlm", "http"}:
        bar_of(told, load(Path(told.calibration)) if told.calibration else None)
    if told.kind == "http":
        _line(told)
    if told.kind == "vlm" and not _model_folder(told).is_dir():
        raise UsageError(f"reward.model: a folder of a model wanted, found {_model_folder(told)}")
    if told.kind == "operator" or told.ask:
        person_at(robot, told.ask_s, lambda: False)


def simulated(settings: Settings) -> bool:
    """Whether a real arm's cell is a simulated one, whose "success" is no person's word."""
    try:
        return bool(settings.robot.profile) and load_profile(settings.robot.profile).simulated
    except ProfileError:
        return False


def make_judge(settings: Settings) -> RewardModel:
    """The judge alone, for episodes that were recorded. Raises UsageError where it is a person."""
    told = settings.reward
    if told.kind == "operator":
        raise UsageError(
            "a judge that needs no person wanted, found reward.kind=operator; what a person says "
            "of a recorded episode is kept with: vlarl-agent episodes label"
        )
    if told.kind == "outcome":
        return OutcomeJudge()
    reader = make_reader(told)
    return FrameJudge(reader, told, calibration_of(told, reader))


def make_reader(told: RewardSettings) -> Reader:
    """Whoever looks at pictures: a local model, or a served one. Raises UsageError, DataError."""
    if told.kind == "vlm":
        from agent.reward.vlm import VlmReader

        return VlmReader(_model_folder(told))
    if told.kind != "http":
        raise UsageError(f"--reward vlm or http wanted, found {told.kind}: it looks at no pictures")
    if told.api == "robometer":
        from agent.reward.robometer import RobometerReader

        return RobometerReader(_line(told))
    from agent.reward.chat import ChatReader

    return ChatReader(_line(told), told.name)


def calibration_of(told: RewardSettings, reader: Reader) -> Calibration | None:
    """The calibration that was named, or lies beside a local model. Raises DataError."""
    if told.calibration:
        return load(Path(told.calibration), reader.id)
    if told.kind != "vlm":
        return None
    path = _model_folder(told) / FILE
    return load(path, reader.id) if path.exists() else None


def _model_folder(told: RewardSettings) -> Path:
    from agent.reward.vlm_folder import SHIPPED

    return Path(told.model) if told.model else SHIPPED


def _line(told: RewardSettings) -> Line:
    if not told.url:
        raise UsageError(
            "reward.url: where the judge is served wanted, found none; "
            "such as --set reward.url=http://127.0.0.1:8000"
        )
    return line_to(
        told.url, told.timeout_s, told.retries,
        exposed=told.exposed, token=os.environ.get(TOKEN, ""),
    )  # fmt: skip
