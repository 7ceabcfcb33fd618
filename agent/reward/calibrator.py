"""Fitting a judge's calibration to episodes whose truth is known, with scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agent.errors import DataError, UsageError
from agent.reward.calibration import Calibration, Norm

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]
Curve = Callable[[Floats], Floats]
Method = Literal["platt", "isotonic"]

LIMIT = 0.02
FOLDS = 5
KNOTS = 65
# A share of a straight line in every curve: scores that differ never tie, so that a bar between
# two of them exists wherever a fitted curve is flat.
_STRAIGHT = 1e-3
_EDGE = 1e-6  # a logit ends here


def fit(
    raw: Sequence[float],
    truth: Sequence[bool],
    model: str,
    *,
    views: tuple[int, int] = (1, 1),
    limit: float = LIMIT,
) -> Calibration:
    """Fit the curve and choose the bar.

    raw: an episode's score (calibration.episode_score with k, n of `views`), 0 .. 1, each.
    The method, Platt's (two parameters) or isotonic, is the one with the smaller cross-validated
    log loss; the bar is the lowest with at most `limit` of the failures above it.
    Raises DataError where there is too little to learn from, or nothing.
    """
    scores, known = np.asarray(raw, np.float64), np.asarray(truth, np.bool_)
    _usable(scores, known)
    losses = {method: _log_loss(method, scores, known) for method in ("platt", "isotonic")}
    method: Method = "isotonic" if losses["isotonic"] < losses["platt"] else "platt"
    knots, chance = _knots(_curve(method, scores, known), scores)
    given = np.interp(scores, knots, chance)
    theta = bar(given[~known], given, limit)
    return Calibration(
        model=model,
        method=method,
        raw=tuple(knots.tolist()),
        chance=tuple(chance.tolist()),
        theta=theta,
        limit=limit,
        k=views[0],
        n=views[1],
        hits=int((given[known] >= theta).sum()),
        positives=int(known.sum()),
        false_positives=int((given[~known] >= theta).sum()),
        negatives=int((~known).sum()),
        log_losses=losses,
        norm=Norm(tuple(np.sort(scores[known]).tolist()), tuple(np.sort(scores[~known]).tolist())),
    )


def bar(failures: Floats, given: Floats, limit: float) -> float:
    """The lowest bar that at most `limit` of the failures pass, 0.5 or more.

    It lies half way from the highest failure that must stay below to the next of all scores given.
    """
    if not 0 < limit < 1:
        raise UsageError(f"a rate of false positives between 0 and 1 wanted, found {limit}")
    under = np.sort(failures)[::-1][int(np.floor(limit * len(failures)))]
    above = given[given > under]
    ceiling = float(above.min()) if above.size else 1.0
    return max(0.5, float(under + ceiling) / 2.0)


def _usable(scores: Floats, known: Truth) -> None:
    if scores.ndim != 1 or scores.shape != known.shape:
        raise UsageError(f"a truth a score wanted, found {known.shape} for {scores.shape}")
    if not (np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all()):
        raise DataError("scores of 0 to 1 wanted, found others; judge the episodes anew")
    fewest = min(int(known.sum()), int((~known).sum()))
    if fewest < FOLDS:
        raise DataError(
            f"{FOLDS} successes and {FOLDS} failures or more wanted to calibrate a judge, found "
            f"{int(known.sum())} and {int((~known).sum())}; give more runs, or label more episodes"
        )
    if scores[known].mean() <= scores[~known].mean():
        raise DataError(
            "this judge scores failures as high as successes, no curve makes that a probability; "
            "use another judge"
        )


def _log_loss(method: Method, scores: Floats, known: Truth) -> float:
    """Mean of -log of the probability given to the truth, on folds that the fit did not see."""
    from sklearn.metrics import log_loss
    from sklearn.model_selection import StratifiedKFold

    given = np.zeros_like(scores)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for learn, held in folds.split(scores[:, None], known):
        given[held] = _curve(method, scores[learn], known[learn])(scores[held])
    return float(log_loss(known, given))


def _curve(method: Method, scores: Floats, known: Truth) -> Curve:
    """Fit one method. No probability is surer than n episodes can say: 1/(n + 2) from 0 and 1."""
    shape = _platt(scores, known) if method == "platt" else _isotonic(scores, known)
    edge = 1.0 / (len(scores) + 2.0)
    return lambda raw: (1.0 - _STRAIGHT) * np.clip(shape(raw), edge, 1 - edge) + _STRAIGHT * raw


def _platt(scores: Floats, known: Truth) -> Curve:
    from sklearn.linear_model import LogisticRegression

    fitted: Any = LogisticRegression(C=1e3).fit(_logit(scores)[:, None], known)
    slope, shift = max(float(fitted.coef_[0, 0]), 0.0), float(fitted.intercept_[0])
    return lambda raw: 1.0 / (1.0 + np.exp(-(slope * _logit(raw) + shift)))


def _isotonic(scores: Floats, known: Truth) -> Curve:
    from sklearn.isotonic import IsotonicRegression

    fitted: Any = IsotonicRegression(out_of_bounds="clip").fit(scores, known)
    return lambda raw: np.asarray(fitted.predict(raw), np.float64)


def _knots(curve: Curve, scores: Floats) -> tuple[Floats, Floats]:
    """Points enough to draw the curve with straight lines: even in the logit, and every score's."""
    even = 1.0 / (1.0 + np.exp(-np.linspace(-_logit(1 - _EDGE), _logit(1 - _EDGE), KNOTS)))
    raw = np.unique(np.concatenate([[0.0, 1.0], even, np.unique(scores)[:: _thin(scores)]]))
    chance = curve(raw)
    rises = np.concatenate([[True], np.diff(np.maximum.accumulate(chance)) > 0])
    return raw[rises], chance[rises]


def _thin(scores: Floats) -> int:
    """Take every n-th score where there are more than a file should hold."""
    return max(1, len(np.unique(scores)) // 256)


def _logit(raw: Any) -> Any:  # noqa: ANN401  a number or an array of them
    inside = np.clip(raw, _EDGE, 1.0 - _EDGE)
    return np.log(inside) - np.log1p(-inside)
