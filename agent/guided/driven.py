"""Views for a hand-eye calibration, taken by an arm that is driven from pose to pose."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from agent.errors import DataError, Interrupted
from agent.guided.arm import GuidedArm, View
from agent.guided.folder import CaptureFolder
from calibration.board import Board, find
from calibration.camera import locate
from calibration.closed_form import closed_form
from calibration.coverage import spoilt
from calibration.loop import Guess, Loop, Mount
from calibration.poses import Bounds, Proposal, feelers, propose, rough_lens, said, too_similar
from calibration.reach import Vector, joints_for

LEAST_BLIND = 5  # views before the camera's place is guessed at all
AHEAD_M = 0.15  # from the tool point to what it looks at, where nothing is known

# Asks a person something; the answer is the first letter of one of the words.
Ask = Callable[[str, tuple[str, ...]], str]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """count: views in all. consent: "each" move is asked for, or "given" beforehand for all."""

    camera: str
    board: Board
    mount: Mount
    bounds: Bounds
    home_rad: Vector
    count: int = 20
    consent: str = "each"
    seed: int = 0


def collect(arm: GuidedArm, folder: CaptureFolder, wanted: Wanted, ask: Ask, say: Say) -> None:
    """Drive to poses worth seeing the board from, until there are enough views.

    Nothing moves without consent; everything taken is on disk at once. Raises DataError where the
    board is not seen from the start, or no pose is left, Interrupted where the person has enough.
    """
    view = arm.begin()
    joints = joints_for(wanted.bounds.reach.model, view.tool, wanted.home_rad)
    joints = wanted.home_rad if joints is None else joints
    _first(arm, folder, wanted, say)
    rng = np.random.default_rng([wanted.seed, len(folder.seen)])
    blind = feelers(wanted.bounds, joints, view.tool, AHEAD_M)
    consent, fruitless = wanted.consent, 0
    while folder.views < wanted.count:
        found = arm.meanwhile(partial(_next, folder, wanted, blind, joints, rng))
        if found is None or fruitless > wanted.count:
            raise DataError(
                f"{wanted.count} views wanted, {folder.views} taken, and no further pose is in "
                "reach that shows the board; lay it nearer to the middle, or widen [workspace]"
            )
        say(_told(found, folder, wanted))
        if consent == "each":
            consent, go = _asked(folder, ask)
            if not go:
                fruitless += 1
                continue
        joints = found.joints_rad
        fruitless += not _taken(arm.go(found.tool), folder, wanted, say)


def _first(arm: GuidedArm, folder: CaptureFolder, wanted: Wanted, say: Say) -> None:
    """Look from the start pose, which is to show the board."""
    view, board = arm.still(), wanted.board
    if find(board, view.picture(wanted.camera)) is None and not folder.views:
        raise DataError(
            f"the {board.columns} x {board.rows} board of {board.dictionary} markers in view of "
            f"camera {wanted.camera!r} wanted, it is not seen from the start pose; lay it there, "
            "light it, or say its size and dictionary as printed"
        )
    _taken(view, folder, wanted, say)


def _asked(folder: CaptureFolder, ask: Ask) -> tuple[str, bool]:
    """How the person consents from now on, and whether to go now."""
    answer = ask("drive there?", ("yes", "all", "skip", "quit"))
    if answer == "quit":
        raise Interrupted(f"ended on request; {folder.views} views are kept")
    return "given" if answer == "all" else "each", answer != "skip"


def _taken(view: View, folder: CaptureFolder, wanted: Wanted, say: Say) -> bool:
    """Keep a view that is new and shows the board, unspoilt; say why not."""
    picture = view.picture(wanted.camera)
    seen = find(wanted.board, picture)
    trouble = "the board is out of view" if seen is None else spoilt(picture)
    if too_similar(view.tool, folder.tools):
        trouble = "too like an earlier pose"
    if seen is None or trouble:
        say(f"not taken: {trouble}")
        return False
    file = folder.add(picture, seen, view.tool)
    say(f"{file.name}: {len(seen.ids)} corners, view {folder.views} of {wanted.count}")
    return True


def _next(
    folder: CaptureFolder,
    wanted: Wanted,
    blind: Iterator[Proposal],
    joints: Vector,
    rng: np.random.Generator,
) -> Proposal | None:
    known = _known(folder, wanted)
    if known is None:
        return next(blind, None)
    planned = propose(*known, wanted.bounds, joints, rng)
    return planned or propose(*known, wanted.bounds, wanted.home_rad, rng)


def _known(folder: CaptureFolder, wanted: Wanted) -> tuple[Loop, Guess] | None:
    """What the views tell of the camera so far; None where that is too little to plan with."""
    pairs = [(s, t) for s, t in zip(folder.seen, folder.tools, strict=True) if s is not None]
    if len(pairs) < LEAST_BLIND or folder.size is None:
        return None
    seen, tools = zip(*pairs, strict=True)
    lens = rough_lens(wanted.board, seen, *folder.size)
    loop = Loop(wanted.mount, wanted.board, lens, np.stack(tools), seen)
    guess = closed_form(loop)[0]
    # A guess that puts the board elsewhere than the picture shows it is no ground to plan on.
    away = [float(np.linalg.norm(locate(wanted.board, each, lens)[:3, 3])) for each in seen]
    limit_px = 0.1 * folder.size[0]
    return (loop, guess) if guess.rms_px < limit_px and max(away) < 5.0 else None


def _told(found: Proposal, folder: CaptureFolder, wanted: Wanted) -> str:
    words = f"next pose: {said(found.tool)}"
    if math.isfinite(found.gain_nats):
        words += (
            f"; worth {found.gain_nats:.1f} nats, the camera's place then known to "
            f"{1000 * found.deviation_m:.2f} mm"
        )
    return f"{folder.views} of {wanted.count}: {words}"
