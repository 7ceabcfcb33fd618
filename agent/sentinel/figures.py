"""One figure under watch: its name in words and units, what it was, and how far it is off now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from calibration.drift import Sum, normal


@dataclass(frozen=True, slots=True)
class Kind:
    """What is watched. threshold, least: drift that counts, deviation believed at least, its unit.

    said: puts a drift into words.
    """

    name: str
    threshold: float
    least: float
    said: Callable[[float], str]


class Figures:
    """Some figures of one thing, such as a camera, from look to look."""

    def __init__(self, kinds: Sequence[Kind], known: Mapping[str, Sequence[float]]) -> None:
        """known: by name, what each figure was while all was well."""
        self._kinds = {kind.name: kind for kind in kinds}
        self._sums = {
            name: Sum(normal(known[name], kind.least), kind.threshold)
            for name, kind in self._kinds.items()
        }

    def take(self, values: Mapping[str, float]) -> None:
        """One more look; a figure that is absent or NaN stays where it was."""
        for name, value in values.items():
            self._sums[name] = self._sums[name].after(value)

    def forget(self) -> None:
        """Begin to add up anew, after an alarm was told."""
        self._sums = {name: each.begun_anew() for name, each in self._sums.items()}

    @property
    def share(self) -> float:
        """How near the nearest figure is to an alarm: 1 is one."""
        return max(each.share for each in self._sums.values())

    @property
    def off(self) -> dict[str, float]:
        """How far each figure is off, in its unit; 0 while nothing adds up."""
        return {name: each.off for name, each in self._sums.items()}

    @property
    def alarmed(self) -> tuple[str, ...]:
        """What drifted, in words, the worst first."""
        bad = sorted(
            (name for name, each in self._sums.items() if each.alarmed),
            key=lambda name: -abs(self._sums[name].off) / self._kinds[name].threshold,
        )
        return tuple(self._kinds[name].said(self._sums[name].off) for name in bad)
