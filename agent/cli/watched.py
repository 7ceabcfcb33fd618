"""Who watches the judge of a run."""

from __future__ import annotations

import logging
from pathlib import Path

from agent import suspension
from agent.errors import UsageError
from agent.protocols import RewardModel, Robot
from agent.reward.calibration import Calibration
from agent.reward.court import Court
from agent.reward.segments import Layout, layout_of
from agent.settings import Settings

log = logging.getLogger(__name__)


def court_of(
    settings: Settings,
    run: Path,
    robot: Robot,
    judge: RewardModel,
    calibration: Calibration | None,
) -> Court:
    """The court over a judge that looks at pictures. judge: asked the probes, never a person."""
    if calibration is None:
        log.warning(
            "this judge was never calibrated, so nobody knows how often it errs: fit it with "
            "vlarl-agent reward calibrate"
        )
    return Court(
        judge,
        run,
        calibration,
        settings.court,
        layout=_layout(robot),
        others=tuple(dict.fromkeys(card.instruction for card in robot.tasks())),
        lifted=lambda: last_lift(run),
    )


def last_lift(run: Path) -> str:
    """Id of the episode after which a person last let learning go on, "" for never."""
    rows = suspension.read(run).rows
    return max((row.after for row in rows if isinstance(row, suspension.Lifted)), default="")


def _layout(robot: Robot) -> Layout | None:
    try:
        return layout_of(robot.card)
    except UsageError as error:
        log.warning("no witness beside the judge: %s", error)
        return None
