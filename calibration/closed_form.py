"""OpenCV's closed-form solutions of the hand-eye loop, the best first."""

from __future__ import annotations

import cv2
import numpy as np

from calibration.camera import locate
from calibration.complaints import CalibrationError
from calibration.loop import Guess, Loop, predicted
from calibration.rigid import Float64Array, inverse

HAND_EYE = {
    "tsai": cv2.CALIB_HAND_EYE_TSAI,
    "park": cv2.CALIB_HAND_EYE_PARK,
    "horaud": cv2.CALIB_HAND_EYE_HORAUD,
    "andreff": cv2.CALIB_HAND_EYE_ANDREFF,
    "daniilidis": cv2.CALIB_HAND_EYE_DANIILIDIS,
}
ROBOT_WORLD = {
    "shah": cv2.CALIB_ROBOT_WORLD_HAND_EYE_SHAH,
    "li": cv2.CALIB_ROBOT_WORLD_HAND_EYE_LI,
}


def closed_form(loop: Loop) -> list[Guess]:
    """Every solver's solution, the one that fits the median view best first.

    Raises CalibrationError where none gives a finite one.
    """
    boards = np.stack([locate(loop.board, seen, loop.camera) for seen in loop.seen])
    # A camera beside the arm is one on the hand of an arm whose base is the tool.
    hands = np.stack(
        [tool if loop.mount == "on-hand" else inverse(tool) for tool in loop.tool_in_base]
    )
    found = []
    for name, method in HAND_EYE.items():
        turned, moved = cv2.calibrateHandEye(
            list(hands[:, :3, :3]), list(hands[:, :3, 3]),
            list(boards[:, :3, :3]), list(boards[:, :3, 3]), method=method,
        )  # fmt: skip
        camera = _joined(turned, moved)
        found.append(_judged(loop, name, camera, _board_of(hands, camera, boards)))
    backs = np.stack([inverse(hand) for hand in hands])
    for name, method in ROBOT_WORLD.items():
        turned, moved, hand_turned, hand_moved = cv2.calibrateRobotWorldHandEye(
            list(boards[:, :3, :3]), list(boards[:, :3, 3]),
            list(backs[:, :3, :3]), list(backs[:, :3, 3]), method=method,
        )  # fmt: skip
        # OpenCV gives base_in_world, the world being the board, and the tool in the camera's frame.
        board, camera = inverse(_joined(turned, moved)), inverse(_joined(hand_turned, hand_moved))
        found.append(_judged(loop, name, camera, board))
    sound = sorted((each for each in found if np.isfinite(each.rms_px)), key=lambda g: g.rms_px)
    if not sound:
        raise CalibrationError(
            "a camera pose that closes the loop wanted, no solver found one; are the arm poses "
            "those of the pictures?"
        )
    return sound


def _board_of(hands: Float64Array, camera: Float64Array, boards: Float64Array) -> Float64Array:
    """The board that the views agree on: the one whose place is in the middle of all."""
    each = np.stack([hand @ camera @ board for hand, board in zip(hands, boards, strict=True)])
    middle = np.median(each[:, :3, 3], axis=0)
    nearest = int(np.argmin(np.linalg.norm(each[:, :3, 3] - middle, axis=1)))
    return np.asarray(each[nearest])


def _judged(loop: Loop, name: str, camera: Float64Array, board: Float64Array) -> Guess:
    if not (np.isfinite(camera).all() and np.isfinite(board).all()):
        return Guess(name, camera, board, float("inf"))
    off = [
        float(np.sqrt(((predicted(loop, n, camera, board) - seen.corners_px) ** 2).sum(1).mean()))
        for n, seen in enumerate(loop.seen)
    ]
    return Guess(name, camera, board, float(np.median(off)))


def _joined(turned: Float64Array, moved: Float64Array) -> Float64Array:
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = turned, np.asarray(moved).ravel()
    return made
