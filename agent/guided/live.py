"""Views taken by hand: what is seen is told at once, and what helps is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from agent.guided.folder import CaptureFolder
from agent.protocols import Glance, Onlooker
from calibration.board import Board, Seen, find
from calibration.coverage import ENOUGH_VIEWS, Coverage, coverage, spoilt
from calibration.poses import too_similar
from calibration.rigid import Float64Array

STILL_PX = 1.5  # a corner's way between two pictures
NEW_PX = 0.06  # of the picture's width: mean way of the corners from every view taken already


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be told of one picture. hint: why it was not taken; kept: it was."""

    glance: Glance
    corners: int
    hint: str
    kept: bool
    covered: Coverage
    views: int


def collect(
    onlooker: Onlooker,
    folder: CaptureFolder,
    board: Board,
    tell: Callable[[Look], None],
    *,
    count: int = ENOUGH_VIEWS,
    posed: bool = False,
) -> Coverage:
    """Keep pictures that show the board at rest, from where it was not seen yet.

    Ends with `count` views that differ enough, or with twice as many; Ctrl-C ends it earlier,
    and nothing is lost. posed: for a hand-eye calibration, whose poses must differ.
    """
    before: Seen | None = None
    while True:
        glance = onlooker.look()
        picture = glance.picture
        seen = find(board, picture)
        tool = None if glance.pose is None else _pose(glance.pose)
        hint = _hint(seen, before, folder, tool, glance)
        before, kept = seen, False
        if seen is not None and not hint:
            folder.add(picture, seen, tool)
            kept = True
        height, width = picture.shape[:2]
        covered = coverage(board, folder.seen, width, height)
        corners = 0 if seen is None else len(seen.ids)
        tell(Look(glance, corners, hint, kept, covered, folder.views))
        enough = folder.views >= count and (posed or covered.varied)
        if enough or folder.views >= 2 * count:
            return covered


def _hint(
    seen: Seen | None,
    before: Seen | None,
    folder: CaptureFolder,
    tool: Float64Array | None,
    glance: Glance,
) -> str:
    """Why a picture is not taken; "" where it is."""
    if trouble := spoilt(glance.picture):
        return trouble
    if seen is None:
        return "the board is out of view"
    if before is None or not _near(seen, before, STILL_PX):
        return "hold still"
    if tool is not None:
        return "turn and move the wrist: too like an earlier pose" * too_similar(tool, folder.tools)
    width = glance.picture.shape[1]
    like = any(each is not None and _near(seen, each, NEW_PX * width) for each in folder.seen)
    return "move or tilt the board: too like an earlier view" if like else ""


def _near(one: Seen, other: Seen, limit_px: float) -> bool:
    """Whether the corners that both show are within a mean way of each other."""
    _, ours, theirs = np.intersect1d(one.ids, other.ids, return_indices=True)
    if not len(ours):
        return False
    way = np.linalg.norm(one.corners_px[ours] - other.corners_px[theirs], axis=1)
    return float(way.mean()) < limit_px


def _pose(told: Float64Array) -> Float64Array:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = Rotation.from_quat(told[3:]).as_matrix(), told[:3]
    return pose
