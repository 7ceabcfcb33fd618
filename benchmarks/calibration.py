"""How near calibration comes to the truth on drawn pictures, beside OpenCV's own solvers.

    python -m benchmarks.calibration --out results/calibration.json

Each round draws a board through a known lens from known places, with noise and blur, and jitters
the arm's poses; then camera and hand-eye are found from pictures and jittered poses alone.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks import setting
from benchmarks.board_scene import TRUE, BoardScene, Picture, looks_at
from calibration.board import Board, Seen, find
from calibration.camera import calibrate
from calibration.hand_eye import bootstrap, solve
from calibration.loop import Loop, Mount
from calibration.rigid import Float64Array, apart, inverse, motion, nudged

ARM_M, ARM_RAD = 2e-4, np.radians(0.03)  # the arm's own error, rms of the whole vector
CAMERA = {
    "on-hand": motion([0.03, -0.02, 1.55], [0.045, 0.02, 0.035]),  # in the tool's frame
    "beside": motion([-2.0, 0.1, 0.3], [0.9, 0.1, 0.55]),  # in the base's
}
BOARD = {
    "on-hand": motion([3.1, 0.02, 0.3], [0.45, -0.1, 0.02]),  # in the base's frame
    "beside": motion([0.1, 0.2, -0.4], [-0.1, -0.08, 0.06]),  # in the tool's
}


def measured(
    mount: Mount, scene: BoardScene, board: Board, rng: np.random.Generator, views: int
) -> tuple[Float64Array, list[Seen | None]]:
    """Arm poses (n, 4, 4) as the arm tells them, and what the camera saw there."""
    tools, seen = [], []
    middle = np.array([board.columns, board.rows, 0]) * board.square_m / 2
    for _ in range(views):
        aim = middle + np.append(rng.uniform(-0.05, 0.05, 2), 0.0)
        camera_in_board = looks_at(aim, rng.uniform(0.28, 0.42), rng)
        if mount == "on-hand":
            true = BOARD[mount] @ camera_in_board @ inverse(CAMERA[mount])
        else:
            true = CAMERA[mount] @ inverse(camera_in_board) @ inverse(BOARD[mount])
        seen.append(find(board, scene.look(inverse(camera_in_board), rng, Picture())))
        jitter = np.concatenate([rng.normal(0, ARM_M, 3), rng.normal(0, ARM_RAD, 3)]) / np.sqrt(3)
        tools.append(nudged(true, jitter))
    return np.stack(tools), seen


def one_round(mount: Mount, seed: int, views: int, bad: int) -> dict[str, object]:
    """Errors of one round: intrinsics, ours and every closed form. bad: wrongly told arm poses."""
    rng = np.random.default_rng(seed)
    board, scene = Board(), None
    try:
        scene = BoardScene(board)
        tools, seen = measured(mount, scene, board, rng, views)
    finally:
        if scene is not None:
            scene.close()
    for view in range(bad):
        tools[view] = nudged(tools[view], np.array([0.006, 0, 0, 0, 0.01, 0]))
    camera = calibrate(board, seen, TRUE.width_px, TRUE.height_px).intrinsics
    found = solve(mount, board, camera, tools, seen)
    shown = tuple(each for each in seen if each is not None)
    used = [number for number, each in enumerate(seen) if each is not None]
    loop = Loop(mount, board, found.fit.intrinsics, tools[used], shown)
    kept = loop.only([used.index(view) for view in found.views])
    spread = bootstrap(kept, found.fit, 20, seed)
    errors = {"ours": apart(found.fit.camera, CAMERA[mount])}
    errors |= {each.name: apart(each.camera, CAMERA[mount]) for each in found.closed}
    index = ([0, 1, 0, 1], [0, 1, 2, 2])
    return {
        "mount": mount,
        "seed": seed,
        "wrong_poses": bad,
        "left_out": list(found.left_out),
        "pictures_px": np.abs(camera.matrix - TRUE.matrix)[index].round(3).tolist(),
        "with_arm_px": np.abs(found.fit.intrinsics.matrix - TRUE.matrix)[index].round(3).tolist(),
        "deviation_mm": round(1e3 * found.deviation_m, 4),
        "deviation_deg": round(float(np.degrees(found.deviation_rad)), 4),
        "bootstrap_mm": round(1e3 * spread[0], 4),
        "bootstrap_deg": round(float(np.degrees(spread[1])), 4),
        "errors": {
            name: {"mm": round(1e3 * far, 4), "deg": round(float(np.degrees(turned)), 4)}
            for name, (far, turned) in errors.items()
        },
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--views", type=int, default=30)
    parser.add_argument("--out", type=Path, required=True)
    told = parser.parse_args()
    rounds = [
        one_round(mount, seed, told.views, bad)
        for mount in ("on-hand", "beside")
        for bad in (0, 3)
        for seed in range(told.seeds)
    ]
    text = json.dumps(
        {
            "command": setting.command("calibration"),
            "commit": setting.commit(),
            "machine": setting.machine("opencv-python-headless", "mujoco"),
            "views": told.views,
            "rows": [
                row
                for mount in ("on-hand", "beside")
                for bad in (0, 3)
                for row in summary(mount, bad, rounds)
            ],
            "rounds": rounds,
        },
        indent=1,
    )
    told.out.write_text(text + "\n")


def summary(mount: str, bad: int, rounds: list[dict[str, object]]) -> list[dict[str, object]]:
    """One row a solver: rms and largest error over the seeds."""
    mm, deg = defaultdict(list), defaultdict(list)
    for each in rounds:
        if each["mount"] == mount and each["wrong_poses"] == bad:
            for name, error in each["errors"].items():
                mm[name].append(error["mm"])
                deg[name].append(error["deg"])
    return [
        {
            "mount": mount,
            "wrong_poses": bad,
            "solver": name,
            "rms_mm": round(float(np.sqrt(np.square(mm[name]).mean())), 3),
            "worst_mm": max(mm[name]),
            "rms_deg": round(float(np.sqrt(np.square(deg[name]).mean())), 4),
            "worst_deg": max(deg[name]),
        }
        for name in mm
    ]


if __name__ == "__main__":
    main()
