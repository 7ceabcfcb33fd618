"""How late the arm follows a command, and how late a picture shows it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from agent.clock import now_s
from agent.errors import DataError
from agent.guided.arm import GuidedArm
from calibration.complaints import CalibrationError
from calibration.latency import Delay, Signal, delay
from calibration.rigid import Float64Array

SHARE = 0.3  # of full scale
SLOWEST_S, FASTEST_S = 1.6, 0.8  # a swing that quickens cannot be mistaken by a whole period


@dataclass(frozen=True, slots=True)
class Timing:
    """command: from a command to the arm's motion. frames: from the motion to its picture."""

    command: Delay
    frames: dict[str, Delay]


def time_arm(arm: GuidedArm, seconds: float = 6.0) -> Timing:
    """Swing to and fro along y, and compare commands, motion and pictures in time.

    Raises CalibrationError where the arm does not follow, DataError where no picture shows it.
    """
    scale, period_s = arm.card.full_scale[1], 1.0 / arm.card.control_hz
    arm.still()
    began_s, asked_m = now_s(), 0.0
    times: list[tuple[float, float, float, float]] = []  # sent, asked, measured at, place
    shown: list[tuple[float, float, Float64Array, str]] = []
    last_s: dict[str, float] = {}
    while (spent_s := now_s() - began_s) < seconds:
        rate = 1.0 / SLOWEST_S + (1.0 / FASTEST_S - 1.0 / SLOWEST_S) * spent_s / (2 * seconds)
        speed = SHARE * scale * np.sin(2 * np.pi * rate * spent_s)
        sent_s = now_s()
        reading, view = arm.step(np.array([0.0, speed, 0.0, 0.0, 0.0, 0.0]))
        arrived_s = now_s()
        at_s = reading.sent_s if np.isfinite(reading.sent_s) else sent_s
        times += [(at_s, asked_m, at_s + period_s, float(arm.tool_after(reading)[1, 3]))]
        asked_m += float(speed)
        for camera, picture in view.observation.images.items():
            if view.observation.time_s > last_s.get(camera, -np.inf):
                last_s[camera] = view.observation.time_s
                small = np.asarray(picture[:, :, 1], np.float64)
                shown.append((arrived_s, view.observation.time_s, small, camera))
    record = np.array(times)
    motion = Signal(record[:, 2], record[:, 3])
    command = delay(Signal(record[:, 0], record[:, 1]), motion)
    cameras = sorted({camera for *_, camera in shown})
    frames = {camera: _frames(motion, [s for s in shown if s[3] == camera]) for camera in cameras}
    return Timing(command, frames)


def _frames(motion: Signal, shown: list[tuple[float, float, Float64Array, str]]) -> Delay:
    """How much later the pictures of one camera show the motion than the arm told it."""
    import cv2

    window = cv2.createHanningWindow(shown[0][2].shape[::-1], cv2.CV_64F)
    places = [np.zeros(2)]
    for (_, _, before, _), (_, _, after, _) in itertools.pairwise(shown):
        (x, y), _ = cv2.phaseCorrelate(before, after, window)
        places.append(places[-1] + [x, y])
    way = np.array(places) - np.mean(places, axis=0)
    along = way @ np.linalg.svd(way, full_matrices=False)[2][0]
    times = np.array([arrived_s for arrived_s, *_ in shown])
    try:
        return delay(motion, Signal(times, along))
    except CalibrationError as error:
        raise DataError(
            f"pictures of camera {shown[0][3]!r} that show the arm's motion wanted: {error}"
        ) from error
