"""An episode as one row a control step: what most other tools expect a recording to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episode import Action, ScoredEpisode, Uint8Array, Verdict
from agent.errors import DataError

AXES = ("x", "y", "z", "rx", "ry", "rz", "gripper")


@dataclass(frozen=True, slots=True)
class Rows:
    """n control steps. A policy that answers with K actions is seen K times on one view.

    decision: (n,) which decision. fresh: (n,) True where the view was taken just before.
    view_s: (n,) monotonic time of the view. state: (n, p) proprioception before the action.
    applied, requested: (n, 7) delta and gripper. executed: (n,) as asked. limits: (n,) bits of
    `Limit`, by_hand: (n,), both of the decision. progress: (n,) the judge's, at the view.
    judged: by "progress", "success" and "uncertainty", (views,) each, as far as they are said.
    """

    decision: NDArray[np.int64]
    fresh: NDArray[np.bool_]
    view_s: NDArray[np.float64]
    state: NDArray[np.float32]
    applied: NDArray[np.float32]
    requested: NDArray[np.float32]
    executed: NDArray[np.bool_]
    limits: NDArray[np.int64]
    by_hand: NDArray[np.bool_]
    progress: NDArray[np.float32]
    success: bool
    judged: Mapping[str, NDArray[np.float32]]

    def __len__(self) -> int:
        """Control steps."""
        return len(self.decision)


def rows_of(scored: ScoredEpisode) -> Rows:
    """Unfold an episode. Raises DataError for one in which nothing was done."""
    episode, signal = scored.episode, scored.signal
    turns = [(i, k) for i, step in enumerate(episode.steps) for k in range(len(step.applied))]
    if not turns:
        raise DataError(f"episode {episode.id} has no control step to export; leave it out")
    steps = episode.steps
    felt = [steps[i].observation.proprio if k == 0 else steps[i].track[k - 1] for i, k in turns]

    def each(of: Any, dtype: type) -> NDArray[Any]:  # noqa: ANN401  any scalar
        return np.array([of(i, k) for i, k in turns], dtype)

    return Rows(
        decision=each(lambda i, _: i, np.int64),
        fresh=each(lambda _, k: k == 0, np.bool_),
        view_s=each(lambda i, _: steps[i].observation.time_s, np.float64),
        state=np.stack(felt).astype(np.float32),
        applied=np.stack([_row(steps[i].applied[k]) for i, k in turns]),
        requested=np.stack([_row(steps[i].decision.actions[k]) for i, k in turns]),
        executed=each(lambda i, k: steps[i].executed[k], np.bool_),
        limits=each(lambda i, _: int(steps[i].limits), np.int64),
        by_hand=each(lambda i, _: steps[i].by_hand, np.bool_),
        progress=each(lambda i, _: signal.progress[i], np.float32),
        success=signal.verdict is Verdict.SUCCESS,
        judged={
            name: values
            for name in ("progress", "success", "uncertainty")
            if len(values := getattr(signal, name))
        },
    )


def views(scored: ScoredEpisode, camera: str) -> Iterator[Uint8Array]:
    """One image a control step, as in `Rows`: a view is held until the next one."""
    for step in scored.episode.steps:
        for _ in step.applied:
            yield step.observation.images[camera]


def _row(action: Action) -> NDArray[np.float32]:
    return np.append(action.delta, np.float32(action.gripper)).astype(np.float32)
