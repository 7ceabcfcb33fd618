"""The seams: what a robot, a policy, a judge, a store and a learner must do for each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from agent.episode import (
    Action,
    Alarm,
    Decision,
    Ending,
    Episode,
    Gone,
    Observation,
    Reading,
    RewardSignal,
    RobotCard,
    ScoredEpisode,
    Step,
    Task,
    TaskCard,
    Uint8Array,
)
from agent.settings import RobotSettings


class Robot(Protocol):
    """An arm with cameras, simulated or real. Its constructor touches nothing."""

    @property
    def card(self) -> RobotCard:
        """What this robot is."""
        ...

    def tasks(self) -> tuple[TaskCard, ...]:
        """The tasks on offer, in a fixed order."""
        ...

    def reset(self, task: Task) -> Observation:
        """Bring the world to the task's start state and look. The same task gives the same view."""
        ...

    def step(self, actions: Sequence[Action]) -> Reading:
        """Carry out the actions one control step each, up to an ending, and look.

        Raises UsageError before any motion for a malformed or non-finite action, or before reset.
        """
        ...

    def rest(self) -> None:
        """Come to rest and stay. Safe at any time, any number of times."""
        ...

    def close(self) -> None:
        """Rest and let go of everything. May be called twice."""
        ...


@runtime_checkable
class Supervised(Protocol):
    """What a robot has besides where a guard and a person watch over it."""

    def acting(self, adapter: str, episodes: int) -> None:
        """Note who acts from the next reset on, and how many episodes that adapter has had."""
        ...

    def heed(self, stop_wanted: Callable[[], bool]) -> None:
        """Give up waiting for anyone, raising Interrupted, once `stop_wanted` says True."""
        ...


@runtime_checkable
class Attentive(Protocol):
    """What a robot has besides where a person speaks to it, by keys or on a topic."""

    def heard(self) -> tuple[str, ...]:
        """Words said since this was asked last, oldest first; "success" and "failure" are two."""
        ...


@runtime_checkable
class Consoled(Protocol):
    """What a robot has besides where it reads single keys of the terminal."""

    def attend(self, *, keys: bool) -> None:
        """Take keys as words of the operator, or leave them to whoever asks questions."""
        ...


@dataclass(frozen=True, slots=True)
class Glance:
    """One picture (h, w, 3) of a camera as it is, uncut, and when it was taken, monotonic.

    pose: the tool's in the base frame then, (7,) m and quaternion x y z w; None where not asked.
    """

    picture: Uint8Array
    time_s: float
    pose: NDArray[np.float64] | None


class Onlooker(Protocol):
    """Looks through one camera, and at the arm, without any way to move it."""

    def look(self) -> Glance:
        """Wait for the next picture. Raises RobotFault where none comes."""
        ...

    def close(self) -> None:
        """Let go of everything. May be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at around a robot, what was found, and what to do.

    status: warn works, look at it; off is optional and absent; fail: a run cannot work.
    """

    name: str
    status: Literal["ok", "warn", "off", "fail"]
    found: str
    advice: str = ""


class Examiner(Protocol):
    """Looks whether a robot is ready, without moving it."""

    def __call__(self, settings: RobotSettings) -> tuple[Finding, ...]:
        """One finding a thing. Raises UsageError for settings that cannot be used."""
        ...


class Policy(Protocol):
    """Answers views with actions."""

    @property
    def adapter(self) -> str:
        """The adapter that answers now; "base" for none."""
        ...

    def seed(self, seed: int) -> None:
        """Fix every random choice from here on."""
        ...

    def act(self, views: Sequence[Observation], temperature: float) -> tuple[Decision, ...]:
        """Answer each view with one decision; temperature 0 is greedy."""
        ...


@runtime_checkable
class Proposing(Protocol):
    """What a policy has besides where it can answer one view many times at little more cost."""

    def propose(self, view: Observation, count: int, temperature: float) -> tuple[Decision, ...]:
        """Draw `count` answers to a view, each as `act` would; choosing is up to who asks."""
        ...


class AdaptablePolicy(Policy, Protocol):
    """A policy whose adapter can be exchanged between episodes."""

    def load(self, folder: Path | None, name: str) -> None:
        """Act with this adapter from now on; None is the base alone."""
        ...


class RewardModel(Protocol):
    """Judges an episode."""

    def score(self, episode: Episode) -> RewardSignal:
        """Say how it went. Raises RewardUnavailable when it cannot."""
        ...


class Eye(Protocol):
    """Looks at each view while the robot acts."""

    def look(self, number: int, view: Observation) -> None:
        """Take note of a view of the episode, 0 being the first. Never waits and never raises."""
        ...


class Watch(Protocol):
    """Looks after each episode whether what learning leans on still holds: a camera, the judge."""

    def recall(self, scored: ScoredEpisode) -> None:
        """Take in an episode of this run that was noted before the run was resumed."""
        ...

    def note(self, scored: ScoredEpisode) -> Alarm | None:
        """Look at an episode just sealed; an alarm suspends learning until a person lifts it."""
        ...


class Recording(Protocol):
    """One episode being written."""

    @property
    def id(self) -> str:
        """The episode's id."""
        ...

    def append(self, step: Step) -> None:
        """Keep a step; when this returns it survives the death of this process.

        Raises StorageError when the disk cannot keep it.
        """
        ...

    def finish(self, last: Observation, ending: Ending) -> Episode:
        """Keep the last view and ending, and give the whole episode back."""
        ...

    def seal(self, signal: RewardSignal) -> None:
        """Commit the finished episode with its judgement, whole, in one atomic step."""
        ...

    def abandon(self, why: str) -> None:
        """Commit what there is as interrupted: kept, never learned from."""
        ...


class EpisodeStore(Protocol):
    """Keeps episodes; what was sealed is never lost and never altered."""

    def begin(
        self,
        task: Task,
        adapter: str,
        temperature: float,
        *,
        extra: Mapping[str, str | int | float] | None = None,
    ) -> Recording:
        """Start writing an episode under the next free id; `extra` is kept with it."""
        ...

    def ids(self) -> tuple[str, ...]:
        """Ids of all sealed episodes, oldest first; interrupted ones are left out."""
        ...

    def gone(self) -> tuple[Gone, ...]:
        """Sealed episodes that were let go of since, by id; they count in a run's numbering."""
        ...

    def read(self, episode_id: str) -> ScoredEpisode:
        """Read one sealed episode back. Raises DataError naming the damage."""
        ...

    def close(self) -> None:
        """Wait for everything to be on disk. May be called twice."""
        ...


class Learner(Protocol):
    """Makes a better adapter out of episodes; never touches the one that acts."""

    def observe(self, scored: ScoredEpisode) -> None:
        """Take note of a sealed episode, of any adapter: the critic learns from all of them."""
        ...

    def forget(self, ids: Sequence[str]) -> None:
        """Let go of observed episodes that turned out to be doubtful; unknown ids are nothing."""
        ...

    def update(self, batch: Sequence[ScoredEpisode], number: int, out: Path) -> dict[str, float]:
        """Learn from on-policy episodes and write a candidate adapter folder to `out`.

        number: which update this is; with the seed it fixes every random choice.
        Returns metrics by the names of docs/metrics.md.
        Raises DataError for a batch that cannot be learned from, saying why; `out` is then absent.
        """
        ...

    def gap(self, views: Sequence[Observation], decisions: Sequence[Decision]) -> float:
        """Compare what a policy answered through the last candidate with what was learned.

        Gives the largest difference of one token's log-probability. Raises DataError where no
        rounding explains it: the policy then acts by something else than the candidate.
        """
        ...
