"""One camera under watch: its views against those with which the run began."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Mapping, Sequence

from agent.episode import Uint8Array
from agent.sentinel.figures import Figures, Kind
from agent.settings import SentinelSettings
from calibration.marks import Standing, standing
from calibration.sightline import Sightline
from calibration.view import ViewOffset, ViewReference, camera_move, reference, register

log = logging.getLogger(__name__)

LEAST_SHIFT = 0.001  # of the width, the noise of a registration
LEAST_TURN_DEG, LEAST_SCALE, LEAST_LIKENESS = 0.1, 0.002, 0.02
LEAST_USUAL = 0.1  # likeness of a camera in whose view something stands still
LIKENESS = 0.8  # of its usual one: the loss that counts; glaring light alone costs a third
UNLIKE = 0.5  # of its usual likeness: what is registered then means nothing
CALM = 0.25  # of the way to an alarm: below, a search from no motion is enough


class CameraWatch:
    """Looks through one camera at one moment of an episode, its reset or while the arm moves."""

    def __init__(
        self, name: str, settings: SentinelSettings, sight: Sightline | None = None
    ) -> None:
        """sight: what makes degrees and millimetres of the camera's pixels, where it is known."""
        self._name, self._settings, self._sight = name, settings, sight
        self._figures: Figures | None = None
        self._marks: Standing | None = None
        self._known: ViewReference | None = None
        self._usual = 0.0

    @property
    def ready(self) -> bool:
        """Whether there is a reference."""
        return self._figures is not None

    def learn(self, pictures: Sequence[Uint8Array]) -> None:
        """Take these as what the camera sees while all is well."""
        self._known = reference(pictures)
        self._marks = standing(pictures)
        if self._marks is not None:
            told = f"{len(self._marks.known)} markers of {self._marks.family}"
            log.info("camera %s is watched by %s", self._name, told)
            found = [self._marks.offset(each) for each in pictures]
        else:
            # Each as seen from the others: what differs among them is what to expect.
            found = [
                register(reference([*pictures[:n], *pictures[n + 1 :]]), each, thorough=False)
                for n, each in enumerate(pictures)
            ]
        rows = [self._told(each) for each in found]
        known = {name: [row[name] for row in rows] for name in rows[0]}
        self._usual = statistics.median(known["likeness"])
        if self._usual < LEAST_USUAL:
            log.info("camera %s is not watched: nothing stands still in its views", self._name)
            return
        self._figures = Figures(self._kinds(pictures[0].shape[1]), known)

    def look(self, pictures: Sequence[Uint8Array]) -> dict[str, float]:
        """Look at views of one episode; gives what was measured, by figure, their medians."""
        if self._known is None or self._figures is None or not pictures:
            return {}
        thorough = self._figures.share > CALM
        rows = [self._told(self._laid(each, thorough=thorough)) for each in pictures]
        told = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        if not thorough and self._far(told):
            rows = [self._told(self._laid(each, thorough=True)) for each in pictures]
            told = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        self.take(told)
        return told

    def take(self, told: Mapping[str, float]) -> None:
        """Add what was measured in an episode to what is watched."""
        if self._figures is None or not told:
            return
        trusted = told["likeness"] > UNLIKE * self._usual
        self._figures.take(told if trusted else {"likeness": told["likeness"]})

    def forget(self) -> None:
        """Begin to add up anew."""
        if self._figures is not None:
            self._figures.forget()

    @property
    def alarmed(self) -> str:
        """What drifted, in words; "" for nothing."""
        said = self._figures.alarmed if self._figures else ()
        return f"camera {self._name}: {' and '.join(said)}" if said else ""

    @property
    def off(self) -> dict[str, float]:
        """How far each figure is off, in its unit; and what of the camera would explain it."""
        if self._figures is None:
            return {}
        off = self._figures.off
        if self._sight is None:
            return off
        move = camera_move(
            ViewOffset((off["right_px"], off["down_px"]), off["turn_deg"], 1.0 + off["scale"], 1.0),
            self._sight.focal_px, self._sight.distance_m,
        )  # fmt: skip
        return {
            **off, "pan_deg": move.pan_deg, "tilt_deg": move.tilt_deg,
            "right_mm": 1000 * move.right_m, "down_mm": 1000 * move.down_m,
            "ahead_mm": 1000 * move.ahead_m,
        }  # fmt: skip

    @property
    def share(self) -> float:
        """How near it is to an alarm: 1 is one."""
        return self._figures.share if self._figures else 0.0

    def _laid(self, picture: Uint8Array, *, thorough: bool) -> ViewOffset:
        """Where the picture lies: by markers that stand still, else by all that does."""
        if self._marks is not None:
            return self._marks.offset(picture)
        if self._known is None:
            raise RuntimeError(f"camera {self._name} was looked through before it was known")
        return register(self._known, picture, thorough=thorough)

    def _far(self, told: dict[str, float]) -> bool:
        width = self._known.size[0] if self._known else 1
        moved = max(abs(told["right_px"]), abs(told["down_px"])) > 0.02 * width
        return moved or told["likeness"] < 0.8 * self._usual

    def _told(self, offset: ViewOffset) -> dict[str, float]:
        return {
            "right_px": offset.shift_px[0],
            "down_px": offset.shift_px[1],
            "turn_deg": offset.rotation_deg,
            "scale": offset.scale,
            "likeness": offset.confidence,
        }

    def _kinds(self, width: int) -> tuple[Kind, ...]:
        settings = self._settings
        shift, least = settings.view_shift * width, LEAST_SHIFT * width
        return (
            Kind("right_px", shift, least, lambda off: _side(off, "right", "left", self._sight)),
            Kind("down_px", shift, least, lambda off: _side(off, "down", "up", self._sight)),
            Kind("turn_deg", settings.view_turn_deg, LEAST_TURN_DEG, _turned),
            Kind("scale", settings.view_scale, LEAST_SCALE, lambda off: _scaled(off, self._sight)),
            Kind("likeness", LIKENESS * self._usual, LEAST_LIKENESS, _unlike),
        )


def _side(off: float, ahead: str, back: str, sight: Sightline | None) -> str:
    said = f"what it sees went {abs(off):.1f} px {ahead if off > 0 else back}"
    if sight is None:
        return said
    # A turn and a move sideways look alike in one view of a flat scene: both readings are told.
    move = camera_move(ViewOffset((abs(off), 0.0), 0.0, 1.0, 1.0), sight.focal_px, sight.distance_m)
    way = back if off > 0 else ahead
    reading = f"turned {move.turned_deg:.1f} deg or moved {1000 * move.moved_m:.0f} mm {way}"
    return f"{said} (the camera {reading})"


def _turned(off: float) -> str:
    return f"what it sees turned {abs(off):.1f} deg {'' if off > 0 else 'counter'}clockwise"


def _scaled(off: float, sight: Sightline | None) -> str:
    said = f"what it sees is {100 * abs(off):.1f} % {'larger' if off > 0 else 'smaller'}"
    if sight is None:
        return said
    move = camera_move(
        ViewOffset((0.0, 0.0), 0.0, 1.0 + off, 1.0), sight.focal_px, sight.distance_m
    )
    way = "ahead" if move.ahead_m > 0 else "back"
    return f"{said} (the camera moved {1000 * abs(move.ahead_m):.0f} mm {way})"


def _unlike(off: float) -> str:
    if off > 0:
        return f"its view is likelier than usual by {off:.2f}: another reference is wanted"
    return (
        f"its view is unlike the reference (likeness lower by {-off:.2f}): covered, out of focus, "
        "or moved too far to follow"
    )
