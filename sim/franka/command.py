"""The command line of the simulated Franka, and what it asks for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from agent.errors import UsageError
from calibration.complaints import ProfileError
from calibration.profile import Profile, from_dict, load
from sim.franka.body import Body
from sim.franka.cell import Cell, names_of
from sim.franka.faults import FAULTS, read
from sim.tabletop.board import board_of
from sim.tabletop.shifts import shifts_of

_PROFILES = {"kinematic": "franka", "tabletop": "tabletop"}


def cell_of(arguments: Sequence[str]) -> Cell:
    """What the command line asks for. Raises UsageError for what cannot be."""
    asked = _parser().parse_args(arguments)
    try:
        profile = load(asked.profile or _PROFILES[asked.backend])
        if asked.namespace is not None:
            profile = _renamed(profile, asked.namespace)
    except ProfileError as error:
        raise UsageError(str(error)) from error
    topics, cameras = names_of(profile)
    read(asked.fault, cameras)
    return Cell(
        backend=asked.backend,
        model=profile.arm,
        joint_names=profile.joint_names,
        home_rad=profile.home.joints_rad,
        base=profile.frames.base,
        namespace=profile.topics.namespace,
        topics=topics,
        cameras=cameras,
        gripper_width_m=profile.gripper.width_m,
        gripper_inverted=profile.gripper.inverted,
        state_hz=asked.state_hz,
        camera_hz=asked.camera_hz,
        image_px=asked.image_px,
        render=asked.render,
        shifts=_shifts(asked.shift),
        task=asked.task,
        start=asked.start,
        seed=asked.seed,
        fault=asked.fault,
        board=asked.board,
    )


def body_of(cell: Cell) -> Body:
    """What moves in this cell. Raises UsageError where it does not fit the profile."""
    if cell.backend == "kinematic":
        if cell.shifts:
            raise UsageError(f"shifts {dict(cell.shifts)} wanted; only --backend tabletop has any")
        if cell.board:
            raise UsageError(f"board {cell.board} wanted; only --backend tabletop has a table")
        from sim.franka.kinematic import KinematicBody

        return KinematicBody(cell.model, cell.home_rad, tuple(cell.cameras), cell.image_px)
    from sim.franka.table import TableBody

    board = board_of(cell.board) if cell.board else None
    body = TableBody(shifts_of(cell.shifts), cell.image_px, cell.render, board)
    if missing := set(cell.cameras) - set(body.cameras()):
        raise UsageError(
            f"cameras {sorted(missing)} wanted; the tabletop has {', '.join(body.cameras())}"
        )
    if cell.model.name != "panda":
        raise UsageError(f"the tabletop's arm is a panda; found model {cell.model.name}")
    return body


def _renamed(profile: Profile, namespace: str) -> Profile:
    told = profile.to_dict()
    topics = {**profile.topics.model_dump(), "namespace": namespace}
    return from_dict(told | {"topics": topics}, "--namespace")


def _shifts(text: str) -> dict[str, float]:
    shifts = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        try:
            shifts[name.strip()] = float(value)
        except ValueError:
            raise UsageError(f"--shift name=strength,... wanted, found {part!r}") from None
    shifts_of(shifts)
    return shifts


def _parser() -> argparse.ArgumentParser:
    faults = "; ".join(f"{name}: {what}" for name, (what, _) in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m sim.franka",
        description="Runs a simulated Franka until it is told to stop.",
        epilog=f"Faults, also settable as the node's parameter `fault`: {faults}.",
    )
    add = parser.add_argument
    add("--backend", choices=tuple(_PROFILES), default="kinematic", help="what moves")
    add("--profile", default="", help="cell to play; the backend's own where not given")
    add("--namespace", help="instead of the profile's")
    add("--image-px", type=int, default=96, help="side of a picture")
    add("--camera-hz", type=float, default=30.0, help="pictures a second of each camera")
    add("--state-hz", type=float, default=100.0, help="joint states and poses a second, up to 200")
    add("--render", choices=("egl", "osmesa"), default="egl", help="what draws the tabletop")
    add("--shift", default="", help="tabletop only: drift=0.18,light=0.5")
    add("--task", default="lift-red-cube", help="parameter `task` at the start")
    add("--start", type=int, default=0, help="parameter `start` at the start")
    add("--seed", type=int, default=0, help="parameter `seed` at the start")
    add("--board", default="", help="tabletop only: a ChArUco board instead of things: 8x6:25:18")
    add("--fault", default="", help="faults from the start: name[=value][@camera],...")
    return parser
