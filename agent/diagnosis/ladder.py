"""The rungs of a failing deployment, lowest first: what is off, by how much, and what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from agent.diagnosis.measuring import Measured, Moved
from agent.diagnosis.reference import Reference
from calibration.motion import Change

Rung = Literal[
    "normalisation", "camera", "light", "frame", "gain", "bias", "delay", "gripper", "policy"
]
RUNGS: tuple[Rung, ...] = (
    "normalisation", "camera", "light", "frame", "gain", "bias", "delay", "gripper", "policy"
)  # fmt: skip

# Beyond these a thing is off. Set on recorded runs that benchmarks/diagnose.py does not count.
STATISTICS = 0.01  # full scale
VIEW_SHARE, VIEW_DEG, VIEW_SCALE = 1 / 60, 2.0, 0.04  # of the picture's width
LIGHT, PIXEL_NOISE, HUE = math.log(1.15), 4.0, 0.25
TURN_DEG, GAIN = 7.0, math.log(1.15)
# Along z a table or a button pushes back, which is no drift of the arm's.
BIAS = np.array([0.06, 0.06, 0.25])
OPENING = 0.12
CHANCE = 0.01
SURE = 4.0  # standard deviations that a figure must also be beyond
STRAIGHT = 0.95  # share of a move along one axis, where axes are swapped
LOOSE_DEG = 20.0  # a turn known no better says nothing of the frame
CAMERAS_SHOWN = (
    "lay its views over good ones (vlarl-agent calibrate view), or make a reference of a healthy "
    "run that has them (--make)"
)
MOTION_SHOWN = (
    "act some more, the arm free to move (vlarl-agent run --no-update), or test it: vlarl-agent "
    "calibrate actions"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rung. said: with the figures.

    advice: what to do where it is off, what would show it where it is unknown, "" elsewhere.
    """

    rung: Rung
    status: Literal["ok", "off", "unknown"]
    said: str
    advice: str = ""
    facts: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """verdict: the lowest rung that is off; "none" where the run does as well as the reference."""

    verdict: Rung | Literal["none"]
    findings: tuple[Finding, ...]
    episodes: int

    @property
    def unseen(self) -> tuple[Finding, ...]:
        """Rungs that could not be looked at, and so may be what is wrong."""
        # With a lower rung off, how the policy does tells nothing and nothing would show it.
        return tuple(each for each in self.findings if each.status == "unknown" and each.advice)


def diagnose(seen: Measured, known: Reference, episodes: int) -> Diagnosis:
    """Judge every rung, lowest first."""
    findings = (
        _normalisation(seen),
        _camera(seen, known),
        _light(seen),
        *_response(seen),
        _gripper(seen, known),
        _policy(seen),
    )
    off = [each.rung for each in findings if each.status == "off"]
    if len(off) > 1 and off[-1] == "policy":
        # Below, something is wrong that any policy would fail of.
        findings = (*findings[:-1], replace(findings[-1], status="unknown", advice=""))
    return Diagnosis(off[0] if off else "none", findings, episodes)


def _normalisation(seen: Measured) -> Finding:
    found = seen.statistics
    if found is None:
        return Finding(
            "normalisation", "unknown", "the policy's actions come without tokens",
            "look at a run in which the policy acts by tokens; an expert or a person has none",
        )  # fmt: skip
    facts = {"off": found.off}
    if found.off <= STATISTICS:
        return Finding("normalisation", "ok", "tokens became actions as in training", facts=facts)
    worst = int(np.nanargmax(np.abs(found.q99 - found.q01)))
    return Finding(
        "normalisation", "off",
        f"tokens became actions up to {found.off:.2f} of full scale from those in training; the "
        f"run used q01 {_row(found.q01[:6])}, q99 {_row(found.q99[:6])}",
        "give the policy the statistics it was trained with: dataset_statistics.json of its "
        "checkpoint, and the key of its data set (norm_key)",
        facts | {"axis": str(worst)},
    )  # fmt: skip


def _camera(seen: Measured, known: Reference) -> Finding:
    if not seen.views:
        why = "; ".join(seen.blind.values()) or "the reference has no camera"
        return Finding("camera", "unknown", why, CAMERAS_SHOWN)
    off = {n: v for n, v in seen.views.items() if _is_moved(v, known.sights[n].still.size[0])}
    told = "; ".join(
        f"{name}: {_shift(view)}" for name, view in (off if off else seen.views).items()
    )
    facts: dict[str, float | str] = {}
    for name, view in seen.views.items():
        facts |= {
            f"{name}.right_px": view.right_px, f"{name}.down_px": view.down_px,
            f"{name}.rotation_deg": view.rotation_deg, f"{name}.scale": view.scale,
            f"{name}.agreement": view.agreement,
        }  # fmt: skip
    if seen.blind and not off:
        blind = "; ".join(seen.blind.values())
        return Finding("camera", "unknown", f"{told}; {blind}", CAMERAS_SHOWN, facts)
    if not off:
        return Finding("camera", "ok", told, facts=facts)
    return Finding(
        "camera", "off", told,
        f"bring {' and '.join(off)} back until the view lies on the reference's, or calibrate "
        "anew; do not learn before: the adapter would learn the camera's new place",
        facts | {"moved": ",".join(off)},
    )  # fmt: skip


def _is_moved(view: Moved, width: int) -> bool:
    far = math.hypot(view.right_px, view.down_px)
    return (
        far > max(VIEW_SHARE * width, SURE * view.doubt_px)
        or abs(view.rotation_deg) > max(VIEW_DEG, SURE * view.doubt_deg)
        or abs(math.log(view.scale)) > max(VIEW_SCALE, SURE * view.doubt_scale)
    )


def _shift(view: Moved) -> str:
    side = "right" if view.right_px >= 0 else "left"
    height = "down" if view.down_px >= 0 else "up"
    return (
        f"the scene lies {abs(view.right_px):.1f} px {side} and {abs(view.down_px):.1f} px "
        f"{height} (+- {view.doubt_px:.1f}), turned {view.rotation_deg:+.1f} deg, "
        f"{view.scale:.3f} times as large"
    )


def _light(seen: Measured) -> Finding:
    parts, off = [], False
    facts: dict[str, float | str] = {}
    for name, each in seen.looks.items():
        facts |= {f"{name}.light": each.light, f"{name}.noise": each.noise, f"{name}.hue": each.hue}
        parts.append(
            f"{name}: {each.light:.2f} times as bright, noise +{each.noise:.1f} grey levels, "
            f"{100 * each.hue:.0f} % of colours elsewhere"
        )
        lit = abs(math.log(max(each.light, 1e-3))) > LIGHT
        off = off or lit or each.noise > PIXEL_NOISE or each.hue > HUE
    if not parts:
        return Finding("light", "unknown", "the reference has no camera", CAMERAS_SHOWN)
    if not off:
        return Finding("light", "ok", "; ".join(parts), facts=facts)
    return Finding(
        "light", "off", "; ".join(parts),
        "restore the lighting, exposure and white balance of training (fix them by hand: no "
        "automatics); what stays is for adaptation or new demonstrations",
        facts,
    )  # fmt: skip


def _response(seen: Measured) -> tuple[Finding, ...]:
    found = seen.change
    if found is None:
        return tuple(
            Finding(rung, "unknown", seen.still, MOTION_SHOWN)
            for rung in ("frame", "gain", "bias", "delay")
        )
    return (
        _frame(seen, found), _gain(seen, found), _bias(seen, found), _delay(found)
    )  # fmt: skip


def _frame(seen: Measured, found: Change) -> Finding:
    facts: dict[str, float | str] = {
        "turn_deg": found.turn_deg, "turn_sd_deg": seen.turn_sd, "order": found.order,
        "mirrored": float(found.mirrored),
        **{f"axis_{name}": float(value) for name, value in zip("xyz", found.axis, strict=True)},
    }  # fmt: skip
    if seen.turn_sd > LOOSE_DEG:
        said = f"turned {found.turn_deg:.0f} deg +- {seen.turn_sd:.0f}: too little free motion"
        return Finding("frame", "unknown", said, MOTION_SHOWN, facts)
    turned = found.turn_deg > max(TURN_DEG, SURE * seen.turn_sd)
    doubt = f"{found.turn_deg:.1f} deg +- {seen.turn_sd:.1f}"
    if found.mirrored:
        said = f"moves are mirrored along {_row(found.axis)}"
        said += f" and turned by {doubt}" if turned else ""
    elif turned:
        said = f"moves are turned by {doubt} about {_row(found.axis)}"
    else:
        return Finding("frame", "ok", f"moves go where they are asked to, {doubt}", facts=facts)
    sizes = np.linalg.norm(found.between, axis=0)
    if (np.abs(found.between).max(axis=0) > STRAIGHT * sizes).all() and found.order != "xyz":
        said += f"; commands along x, y, z come out along {', '.join(found.order)}"
    advice = "set the base frame and the signs and order of axes in the robot's profile or driver"
    return Finding("frame", "off", said, advice, facts)


def _gain(seen: Measured, found: Change) -> Finding:
    facts = {"gain": found.gain, "gain_log_sd": seen.gain_sd}
    said = f"moves are {found.gain:.2f} times as long as asked for, +- {100 * seen.gain_sd:.0f} %"
    if abs(math.log(max(found.gain, 1e-9))) <= max(GAIN, SURE * seen.gain_sd):
        return Finding("gain", "ok", said, facts=facts)
    advice = "set the full scale of an action, the controller's stiffness or its speed limit right"
    return Finding("gain", "off", said, advice, facts)


def _bias(seen: Measured, found: Change) -> Finding:
    facts = {f"bias_{name}": float(value) for name, value in zip("xyz", found.bias, strict=True)}
    said = f"every move drifts by {_row(found.bias)} of full scale, +- {_row(seen.bias_sd)}"
    if (np.abs(found.bias) <= np.maximum(BIAS, SURE * seen.bias_sd)).all():
        return Finding("bias", "ok", said, facts=facts)
    advice = "look for a wrong payload or tool weight, a loose mount, or a zero of the controller"
    return Finding("bias", "off", said, advice, facts)


def _delay(found: Change) -> Finding:
    facts = {"delay_steps": float(found.delay_steps)}
    said = f"moves come {found.delay_steps:+d} control periods later than in training"
    if found.delay_steps == 0:
        return Finding("delay", "ok", "moves come as promptly as in training", facts=facts)
    advice = "look for a queue, a slower controller or a busy network; see the run's cadence"
    return Finding("delay", "off", said, advice, facts)


def _gripper(seen: Measured, known: Reference) -> Finding:
    now, before = seen.gripping, known.gripping
    if now is None or before is None:
        return Finding(
            "gripper", "unknown", "proprioception tells no opening",
            "tell it: add opening to [proprio] names of the robot's profile",
        )  # fmt: skip
    facts: dict[str, float | str] = {"opened": now.opened}
    said, wrong = [], []
    if not math.isnan(now.opened):
        said.append(f"told to open it is {now.opened:.2f} open")
        if not math.isnan(before.opened) and abs(now.opened - before.opened) > OPENING:
            wrong.append(now.opened < 0.2)
    for task, least in now.least.items():
        usual = before.usual.get(task, max(before.usual.values(), default=0.0))
        facts[f"closed.{task}"] = least
        said.append(f"told to close in {task} it is {least:.2f} open, usually {usual:.2f}")
        if least > usual + OPENING:
            wrong.append(least > 0.8)
    if not said:
        return Finding(
            "gripper", "unknown", "it was never told the same for long enough",
            "let it open and close: act longer, or vlarl-agent calibrate actions",
        )  # fmt: skip
    if not wrong:
        return Finding("gripper", "ok", "; ".join(said), facts=facts)
    kind = "its sign is swapped, or it is stuck" if all(wrong) else "it is stuck or weak"
    advice = "set gripper.inverted in the robot's profile, or look at the hand, its air and power"
    return Finding("gripper", "off", f"{kind}: {'; '.join(said)}", advice, facts)


def _policy(seen: Measured) -> Finding:
    if not seen.tried:
        return Finding(
            "policy", "unknown", "no episode was judged",
            "act with a judge (--reward), or say how they went: vlarl-agent episodes label",
        )  # fmt: skip
    facts = {"won": float(seen.won), "tried": float(seen.tried), "chance": seen.chance}
    said = (
        f"{seen.won} of {seen.tried} episodes succeeded; had all been as in training, so few or "
        f"fewer would have a chance of {seen.chance:.2g}"
    )
    if seen.chance >= CHANCE:
        return Finding("policy", "ok", said, facts=facts)
    advice = "where every lower rung is well it is the policy itself: adapt it (vlarl-agent run)"
    return Finding("policy", "off", said, advice, facts)


def _row(values: np.typing.NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{float(value):.2f}" for value in values) + ")"
