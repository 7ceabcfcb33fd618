"""What a judge's score is worth: a curve to probability and a bar, fitted once and kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agent.durable import write_text
from agent.episode import Float32Array
from agent.errors import DataError
from agent.interval import Interval, wilson

FILE = "calibration.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Norm:
    """How a judge did on episodes whose truth was known: what a court compares a run with.

    successes, failures: raw scores of episodes that were one or the other, sorted.
    probes: by name, how many failed and how many were made. disagreed: how many successes it saw
    that a witness denied, and how many it saw. witness: see agent/reward/witness.py; None without.
    """

    successes: tuple[float, ...] = ()
    failures: tuple[float, ...] = ()
    probes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    disagreed: tuple[int, int] = (0, 0)
    witness: Mapping[str, tuple[float, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of one model. raw, chance: knots of a rising curve from its score to a probability.

    theta: the bar; a view with at least this probability counts as success.
    hits of positives true successes and false_positives of negatives true failures are above it.
    limit: the rate of false positives it was chosen for. log_losses: cross-validated, by method.
    k, n: an episode's score is the k-th highest of its last n judged views.
    """

    model: str
    method: Literal["platt", "isotonic"]
    raw: tuple[float, ...]
    chance: tuple[float, ...]
    theta: float
    limit: float
    k: int
    n: int
    hits: int
    positives: int
    false_positives: int
    negatives: int
    log_losses: Mapping[str, float] = field(default_factory=dict)
    norm: Norm = field(default_factory=Norm)

    def probability(self, raw: ArrayLike) -> Float32Array:
        """Turn scores of any shape into probabilities of success, rising strictly with them."""
        values = np.asarray(raw, np.float64)
        return np.asarray(np.interp(values, self.raw, self.chance), np.float32)

    @property
    def interval(self) -> Interval:
        """95 % Wilson interval of the rate of false positives."""
        return wilson(self.false_positives, self.negatives)

    @property
    def shown(self) -> bool:
        """Whether the failures at hand are enough to claim the limit: the interval ends below."""
        return self.interval.high <= self.limit

    def said(self) -> str:
        """One line: the bar, its false positives, and what may be claimed of them."""
        low, high = 100 * self.interval.low, 100 * self.interval.high
        line = (
            f"theta {self.theta:.3f} ({self.method}): {self.false_positives} of {self.negatives} "
            f"failures pass, 95 % interval {low:.1f} to {high:.1f} %; "
            f"{self.hits} of {self.positives} successes do"
        )
        if self.shown:
            return line
        needed = failures_needed(self.limit)
        return f"{line}; at most {100 * self.limit:g} % is not shown: " + (
            f"that takes {needed} failures without one that passes"
            if self.negatives < needed
            else "too many of them pass to be sure of it"
        )


def failures_needed(limit: float) -> int:
    """How many failures, none above the bar, bring Wilson's upper bound under a limit.

    With none of n it is z^2 / (n + z^2), so n = z^2 (1 - limit) / limit; 189 for 2 %.
    """
    count = 1
    while wilson(0, count).high > limit:
        count += 1
    return count


def episode_score(success: ArrayLike, k: int, n: int) -> float:
    """The k-th highest of the last n views' scores: above a bar exactly where k of n views are."""
    last: NDArray[np.float64] = np.sort(np.asarray(success, np.float64)[-n:])
    return float(last[-min(k, len(last))])


def save(path: Path, calibration: Calibration) -> None:
    """Keep it as JSON, whole or not at all. Raises StorageError."""
    text = json.dumps({"version": VERSION, **asdict(calibration)}, indent=1, allow_nan=False)
    write_text(path, text + "\n")


def load(path: Path, model: str = "") -> Calibration:
    """Read one back. model: id of the model it must belong to, "" for any.

    Raises DataError for a file that is torn, of another version, or of another model.
    """
    again = f"fit it anew with: vlarl-agent reward calibrate RUN --out {path}"
    try:
        found = _parsed(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is no calibration of a judge: {error}; {again}") from error
    # The name before the @ is a folder's, and folders are renamed; the hash is of the weights.
    if model and found.model.rpartition("@")[2] != model.rpartition("@")[2]:
        raise DataError(f"{path} was fitted to {found.model}, the judge is {model}; {again}")
    return found


def _parsed(values: dict[str, Any]) -> Calibration:
    if values.pop("version") != VERSION:
        raise ValueError(f"version {VERSION} wanted")
    norm = values.pop("norm")
    knots = [tuple(float(each) for each in values.pop(key)) for key in ("raw", "chance")]
    witness = norm["witness"]
    found = Calibration(
        **values,
        raw=knots[0],
        chance=knots[1],
        norm=Norm(
            successes=tuple(norm["successes"]),
            failures=tuple(norm["failures"]),
            probes={name: (int(a), int(b)) for name, (a, b) in norm["probes"].items()},
            disagreed=(int(norm["disagreed"][0]), int(norm["disagreed"][1])),
            witness=None if witness is None else {key: tuple(w) for key, w in witness.items()},
        ),
    )
    if not isinstance(found.model, str):
        raise TypeError("a model's id wanted")
    raw, chance = np.array(found.raw), np.array(found.chance)
    if raw.size < 2 or raw.shape != chance.shape:
        raise ValueError("two knots or more wanted")
    if not (np.isfinite(raw).all() and (np.diff(raw) > 0).all() and (np.diff(chance) > 0).all()):
        raise ValueError("a curve that rises wanted")
    if not (chance[0] >= 0 and chance[-1] <= 1 and 0 <= found.theta <= 1):
        raise ValueError("probabilities of 0 to 1 wanted")
    if not 1 <= found.k <= found.n:
        raise ValueError(f"k of n views wanted, found {found.k} of {found.n}")
    return found
