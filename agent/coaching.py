"""Recording demonstrations: an expert answers, and somebody else may move the arm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent import configuration, rollout
from agent.curriculum import choose_cards
from agent.episode import Task, TaskCard, Verdict
from agent.hands import BorrowedHands, NoisyHands
from agent.protocols import Robot
from agent.registry import make_expert, make_robot
from agent.reward.outcome import OutcomeJudge
from agent.settings import Settings
from agent.store.packing import parse_codecs
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore


@dataclass(frozen=True, slots=True)
class Lesson:
    """What to demonstrate.

    noise: share of moves replaced by random ones. driver: checkpoint of the policy that moves the
    arm in a `driven` share of the episodes. fresh: number of the first start state to draw anew;
    None uses the stored training states.
    """

    episodes: int
    noise: float
    driver: Path | None
    driven: float
    fresh: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """Which share of a lesson: the episodes `number`, `number + of` and so on."""

    number: int = 0
    of: int = 1


WHOLE = Part()


def record(
    settings: Settings,
    folder: Path,
    lesson: Lesson,
    on_episode: Callable[[int, int, int], None] = lambda *_: None,
    part: Part = WHOLE,
) -> int:
    """Record a lesson, or a part of it, into a run folder; returns how many episodes succeeded.

    Nothing depends on what was recorded before, so the same settings give the same episodes,
    in however many parts. on_episode: told episodes done, all there are, and how many succeeded.
    """
    create_run(folder, configuration.to_dict(settings), {})
    robot = make_robot(settings.robot)
    expert = make_expert(settings.robot, robot)
    store = ZarrStore(folder, codecs=parse_codecs(settings.store.codecs))
    try:
        store.open()
        hands = _hands(settings, lesson, robot)
        cards = choose_cards(robot.tasks(), settings.robot.task)
        won, judge = 0, OutcomeJudge()
        numbers = range(part.number, lesson.episodes, part.of)
        for done, number in enumerate(numbers, start=1):
            task = _task(cards, lesson, settings.run.seed, number)
            recording = store.begin(task, "expert", 0.0, extra={"use": "demonstration"})
            signal = judge.score(rollout.run_episode(hands, expert, recording, task, 0.0))
            recording.seal(signal)
            won += signal.verdict is Verdict.SUCCESS
            on_episode(done, len(numbers), won)
        return won
    finally:
        store.close()
        robot.close()


def _task(cards: tuple[TaskCard, ...], lesson: Lesson, seed: int, number: int) -> Task:
    card, turn = cards[number % len(cards)], number // len(cards)
    if lesson.fresh is None:
        start = card.train[turn % len(card.train)]
    else:
        start = lesson.fresh + seed * 100_000 + turn
    return Task(card.name, card.instruction, start, card.horizon_steps, seed=number)


def _hands(settings: Settings, lesson: Lesson, robot: Robot) -> Robot:
    seed = settings.run.seed
    if lesson.driver is not None:
        from agent.policy.policy import VLAPolicy

        policy = VLAPolicy(lesson.driver, settings.policy.threads)
        return BorrowedHands(robot, policy, lesson.driven, settings.policy.temperature, seed)
    return NoisyHands(robot, lesson.noise, seed) if lesson.noise else robot
