"""Episodes to hold a judge against: held-out start states, held-out shifts, several drivers.

    python -m benchmarks.reward_rollouts --rounds 12 --out runs/reward-eval

One run folder a shift; each round tries every task once under every shift, from the next held-out
start states. What is recorded is not repeated, so it may be stopped at any time and given more
rounds. The drivers take turns, so that a judge sees greedy, sampled and disturbed policies, and
successes also where the shipped policy has none.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from agent import configuration, rollout
from agent.cli.shipped import SHIPPED
from agent.configuration import parse_shift
from agent.episode import Task, TaskCard
from agent.hands import NoisyHands
from agent.policy.policy import VLAPolicy
from agent.protocols import Policy, Robot
from agent.registry import make_expert, make_robot
from agent.reward.outcome import OutcomeJudge
from agent.settings import RobotSettings, RunSettings, Settings
from agent.store.run import RUN, create_run
from agent.store.zarr_store import ZarrStore

# A judge that learned under any of these strengths must not be measured here.
SHIFTS = {
    "unshifted": "",
    "gain": "gain=0.75",
    "turned": "rotate=-0.35",
    "late": "delay=2",
    "dark": "light=0.65",
    "camera": "camera=0.05",
    "grainy": "noise=9",
    "crowded": "distractors=3",
    # Far off, where most tries fail: false positives need failures to be counted on.
    "weak": "gain=0.35",
    "askew": "rotate=1.1",
    "pushed": "drift=-0.3",
}


@dataclass(frozen=True, slots=True)
class Driver:
    """Who moves the arm. noise: share of moves replaced by random ones. expert: else the VLA."""

    name: str
    temperature: float
    noise: float
    expert: bool = False


DRIVERS = (
    Driver("vla", 0.0, 0.0),
    Driver("expert-disturbed", 0.0, 0.3, expert=True),
    Driver("vla-sampled", 1.0, 0.0),
    Driver("vla-disturbed", 0.0, 0.3),
)


def main() -> None:
    """Record what is missing of so many rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--out", type=Path, required=True)
    told = parser.parse_args()
    policy = VLAPolicy(SHIPPED)
    for rounds in range(1, told.rounds + 1):
        for number, (name, shift) in enumerate(SHIFTS.items()):
            fill(told.out / name, shift, rounds, number, policy)
        sys.stderr.write(f"round {rounds} of {told.rounds} recorded\n")


def fill(folder: Path, shift: str, rounds: int, offset: int, policy: VLAPolicy) -> None:
    """Record episodes under one shift until there are so many rounds of them."""
    robot_settings = RobotSettings(shift=parse_shift(shift), task="*")
    settings = Settings(robot=robot_settings, run=RunSettings(update=False, held_out=0))
    if not (folder / RUN).exists():
        create_run(folder, configuration.to_dict(settings), {})
    robot, store = make_robot(robot_settings), ZarrStore(folder)
    try:
        store.open()
        cards = robot.tasks()
        for number in range(len(store.ids()), rounds * len(cards)):
            _record(robot, store, _task(cards, number, offset), _driver(number, cards), policy)
    finally:
        store.close()
        robot.close()


def _record(robot: Robot, store: ZarrStore, task: Task, driver: Driver, policy: VLAPolicy) -> None:
    hands: Robot = NoisyHands(robot, driver.noise, 7) if driver.noise else robot
    acting: Policy = make_expert(RobotSettings(), robot) if driver.expert else policy
    acting.seed(task.seed)
    told = {"use": "evaluation", "driver": driver.name}
    recording = store.begin(task, acting.adapter, driver.temperature, extra=told)
    episode = rollout.run_episode(hands, acting, recording, task, driver.temperature)
    recording.seal(OutcomeJudge().score(episode))


def _task(cards: tuple[TaskCard, ...], number: int, offset: int) -> Task:
    card, turn = cards[number % len(cards)], number // len(cards)
    # Another part of the held-out states under each shift: no judge meets one scene eight times.
    start = card.held_out[(turn + 7 * offset) % len(card.held_out)]
    return Task(card.name, card.instruction, start, card.horizon_steps, 10_000 * offset + number)


def _driver(number: int, cards: tuple[TaskCard, ...]) -> Driver:
    return DRIVERS[(number // len(cards)) % len(DRIVERS)]


if __name__ == "__main__":
    main()
