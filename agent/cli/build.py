"""From settings to the parts of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.cli.judges import judging_of, make_judge, simulated
from agent.cli.shipped import checkpoint_of
from agent.cli.watching import watches_of
from agent.configuration import DEFAULT, Resolved
from agent.curriculum import choose_cards
from agent.episode import TaskCard
from agent.errors import UsageError
from agent.learn.ledger import Ledger
from agent.learn.ppo import PPOLearner
from agent.learn.views import keep_of
from agent.policy.policy import VLAPolicy
from agent.policy.usage import Usage
from agent.protocols import Robot
from agent.seeing import Aligner
from agent.session import Parts
from agent.settings import PolicySettings, Settings
from agent.store.packing import parse_codecs
from agent.store.zarr_store import ZarrStore
from calibration.profile import Profile

__all__ = ["make_aligner", "make_cards", "make_judge", "make_parts", "make_policy", "usual"]

# What a robot is asked for when nobody says.
USUAL_TASK = {"tabletop": "lift-red-cube", "libero": "libero_object/0"}
# A run on the embedded robot rehearses a deployment that differs from training.
USUAL_SHIFT = {"tabletop": {"drift": 0.18}}
# What a run on a robot is told where nobody says: an episode of a real arm costs a person's time.
USUAL: Mapping[str, Mapping[str, Any]] = {
    "tabletop": {"robot.shift": USUAL_SHIFT["tabletop"]},
    "franka": {
        "robot.profile": "franka",
        "run.episodes": 48,
        "run.minutes": 120.0,
        "run.held_out": 5,
        # Who stands at the arm says how it went, and is asked where nothing was said.
        "reward.kind": "operator",
        "reward.online": True,
    },
}
# What the checkpoint shipped for a robot wants besides, where no other is named: this one learned
# from fast pictures, and hotter it hardly ever does a task.
USUAL_SHIPPED: Mapping[str, Mapping[str, Any]] = {
    "libero": {"robot.pictures": "fast", "policy.temperature": 0.5},
}
# A simulated arm says "success" on the operator's topic itself, and never "failure".
USUAL_REHEARSAL: Mapping[str, Any] = {"reward.kind": "outcome"}


def usual(resolved: Resolved) -> Resolved:
    """Give a run on a robot what is usual for it, wherever nobody said anything."""
    settings, origins = resolved.settings, dict(resolved.origins)
    name = settings.robot.name
    wanted = {} if settings.policy.checkpoint else USUAL_SHIPPED.get(name, {})
    for key, usually in {**USUAL.get(name, {}), **wanted}.items():
        if origins[key] == DEFAULT:
            rehearsed = key in USUAL_REHEARSAL and simulated(settings)
            value = USUAL_REHEARSAL[key] if rehearsed else usually
            table, entry = key.split(".")
            changed = getattr(settings, table).model_copy(update={entry: value})
            settings = settings.model_copy(update={table: changed})
            where = "a rehearsal" if rehearsed else "a run"
            origins[key] = f"usual for {where} on {name}"
    return Resolved(settings, origins)


def make_policy(settings: Settings) -> VLAPolicy:
    """Load the checkpoint that the settings name, or the one shipped.

    Raises UsageError for adapters that it cannot have.
    """
    folder = checkpoint_of(settings.policy.checkpoint, settings.robot.name)
    policy = VLAPolicy(folder, settings.policy.threads, usage_of(settings.policy))
    keep_of(policy, settings.learn)
    return policy


def usage_of(told: PolicySettings) -> Usage:
    """How the settings want a checkpoint used."""
    cameras = tuple(name.strip() for name in told.cameras.split(",") if name.strip())
    return Usage(told.device, told.dtype, told.base, told.norm_key, told.images, cameras)


def make_aligner(settings: Settings, policy: VLAPolicy) -> Aligner | None:
    """What aligns pictures, where the settings want it.

    Raises UsageError where it could never come to it, or OpenCV is not installed, DataError for a
    checkpoint without views.
    """
    wanted, run = settings.align.episodes, settings.run
    if not wanted:
        return None
    if not run.update or wanted > run.episodes:
        raise UsageError(
            f"align.episodes {wanted}: a run of as many episodes wanted that may change the "
            f"policy; found run.episodes {run.episodes}, run.update {str(run.update).lower()}"
        )
    try:
        from agent.learn.aligner import ViewAligner  # and with it OpenCV, an extra
    except ModuleNotFoundError as error:
        raise UsageError(
            f"align.episodes {wanted} wants OpenCV: {error}; pip install 'vlarl-agent[opencv]'"
        ) from error
    return ViewAligner(policy, settings.learn, run.seed)


def make_cards(settings: Settings, robot: Robot) -> tuple[TaskCard, ...]:
    """Choose the tasks that the settings name, or the robot's usual one."""
    pattern = settings.robot.task or USUAL_TASK.get(settings.robot.name, "*")
    return choose_cards(robot.tasks(), pattern)


def make_parts(
    settings: Settings,
    folder: Path,
    robot: Robot,
    policy: VLAPolicy | None = None,
    cell: Profile | None = None,
    stop_wanted: Callable[[], bool] = lambda: False,
) -> Parts:
    """Open a run folder and everything that works on it. The caller closes the store.

    stop_wanted: asked while a person is waited for.
    """
    judging = judging_of(settings, folder, robot, stop_wanted)
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
    watches = (*judging.watches, *watches_of(settings, folder, robot, cell))
    return Parts(robot, policy, judging.judge, store, ledger, learner, cell, watches, judging.eye)
