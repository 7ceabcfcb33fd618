"""From settings to the parts of a session."""

from __future__ import annotations

from pathlib import Path

from agent.configuration import Resolved
from agent.curriculum import choose_cards
from agent.episode import TaskCard
from agent.learn.ledger import Ledger
from agent.learn.ppo import PPOLearner
from agent.policy.policy import VLAPolicy
from agent.protocols import Robot
from agent.reward.outcome import OutcomeJudge
from agent.session import Parts
from agent.settings import Settings
from agent.store.packing import parse_codecs
from agent.store.zarr_store import ZarrStore

SHIPPED = Path(__file__).parents[1] / "policy" / "shipped" / "tabletop"
# What a robot is asked for when nobody says.
USUAL_TASK = {"tabletop": "lift-red-cube", "libero": "libero_object/0"}
# A run on the embedded robot rehearses a deployment that differs from training.
USUAL_SHIFT = {"tabletop": {"drift": 0.18}}


def rehearsed(resolved: Resolved) -> Resolved:
    """Give a robot that has one its usual shift, where nobody said anything about shifts."""
    robot = resolved.settings.robot
    if resolved.origins["robot.shift"] != "default" or robot.name not in USUAL_SHIFT:
        return resolved
    shifted = robot.model_copy(update={"shift": USUAL_SHIFT[robot.name]})
    origin = f"usual for a run on {robot.name}; --shift '' for none"
    return Resolved(
        resolved.settings.model_copy(update={"robot": shifted}),
        {**resolved.origins, "robot.shift": origin},
    )


def make_policy(settings: Settings) -> VLAPolicy:
    """Load the checkpoint that the settings name, or the one shipped."""
    folder = Path(settings.policy.checkpoint) if settings.policy.checkpoint else SHIPPED
    return VLAPolicy(folder, settings.policy.threads)


def make_cards(settings: Settings, robot: Robot) -> tuple[TaskCard, ...]:
    """Choose the tasks that the settings name, or the robot's usual one."""
    pattern = settings.robot.task or USUAL_TASK.get(settings.robot.name, "*")
    return choose_cards(robot.tasks(), pattern)


def make_parts(
    settings: Settings, folder: Path, robot: Robot, policy: VLAPolicy | None = None
) -> Parts:
    """Open a run folder and everything that works on it. The caller closes the store."""
    policy = policy or make_policy(settings)
    ledger = Ledger(folder)
    store = ZarrStore(folder, codecs=parse_codecs(settings.store.codecs))
    store.open()
    try:
        ledger.open()
    except BaseException:
        store.close()
        raise
    learner = PPOLearner(policy, settings.learn, settings.run.seed) if settings.run.update else None
    return Parts(robot, policy, OutcomeJudge(), store, ledger, learner)
