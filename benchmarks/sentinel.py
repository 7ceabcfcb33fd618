"""When the sentinel speaks: shifts that come in mid-run, lights that must not matter, calm runs.

    python -m benchmarks.sentinel --out results/sentinel.json

Every run begins with sixteen unshifted episodes of the table-top arm. Cameras are moved in the
model itself, about a random axis or along a random direction, and looked through at resets; the
arm's own episodes are played by the expert with Gaussian noise on its actions. Each part is
kept as it is done in `<out>.partial.jsonl`: a run that was broken off goes on from there.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from agent.episode import Action, Task, Uint8Array
from agent.interval import wilson
from agent.sentinel.arm import ArmWatch
from agent.sentinel.cameras import CameraWatch
from agent.settings import RobotSettings, SentinelSettings
from benchmarks import setting
from calibration.motion import Motion
from sim.tabletop.catalog import CAMERAS, CARDS
from sim.tabletop.expert import TabletopExpert
from sim.tabletop.robot import Tabletop

SETTINGS = SentinelSettings()
BEGUN = SETTINGS.reference_episodes
PATIENCE = 12  # episodes after a shift that an alarm may take
TURNS_DEG = (0.25, 0.5, 1.0, 2.0, 5.0)
MOVES_MM = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
LIGHTS = (0.3, 0.5, 0.7, 1.3, 1.6, 2.0)
LAMPS_DEG = (30.0, 60.0)
ARM_SHIFTS = tuple(
    [("rotate", value) for value in (0.0873, 0.175, 0.349, 0.785)]
    + [("gain", value) for value in (0.3, 0.6, 0.8, 0.9, 1.2, 1.5)]
    + [("drift", value) for value in (0.05, 0.1, 0.18, 0.3)]
    + [("delay", value) for value in (1.0, 2.0, 4.0)]
)
STARTS = 1000  # start states above the stored ones are drawn anew
NOISE = np.array([0.3, 0.3, 0.3, 0.05, 0.05, 0.05])


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one shift in one run. after: episodes until the alarm, 0 for none. said: it."""

    part: str
    what: str
    size: float
    run: int
    after: int
    said: str
    looks: int


class Views:
    """First views of table-top episodes, through cameras that can be moved."""

    def __init__(self) -> None:
        self._robot = Tabletop(RobotSettings())
        self._cards = CARDS
        self.see(0)
        model = self._robot.world.model
        self._place, self._turn = model.cam_pos.copy(), model.cam_quat.copy()
        self._lamp = model.light_dir.copy()
        head = model.vis.headlight
        self._lamps = (head.ambient, head.diffuse, model.light_diffuse)
        self._glow = [np.array(each) for each in self._lamps]

    def see(self, number: int) -> Mapping[str, Uint8Array]:
        """The first view of an episode with a start state of its own."""
        card = self._cards[number % len(self._cards)]
        task = Task(card.name, card.instruction, STARTS + number, card.horizon_steps, number)
        return self._robot.reset(task).images

    def upright(self) -> None:
        """Put cameras and lamp back."""
        model = self._robot.world.model
        model.cam_pos[:], model.cam_quat[:] = self._place, self._turn
        model.light_dir[:] = self._lamp

    def move(self, camera: str, along_m: np.ndarray, about_rad: np.ndarray) -> None:
        """Move a camera in its own frame."""
        model = self._robot.world.model
        number = model.camera(camera).id
        held = Rotation.from_quat(self._turn[number], scalar_first=True)
        model.cam_pos[number] = self._place[number] + held.apply(along_m)
        turned = held * Rotation.from_rotvec(about_rad)
        model.cam_quat[number] = turned.as_quat(scalar_first=True)

    def lamp(self, about_rad: np.ndarray) -> None:
        """Let the light come from elsewhere."""
        self._robot.world.model.light_dir[:] = Rotation.from_rotvec(about_rad).apply(self._lamp)

    def light(self, factor: float) -> None:
        """All light brighter or darker, as the shift `light` makes it."""
        for lamp, usual in zip(self._lamps, self._glow, strict=True):
            lamp[:] = usual * factor


def begun_views(views: Views, run: int) -> dict[str, CameraWatch]:
    """Watches over both cameras after the first episodes of a run."""
    views.upright()
    pictures = [views.see(1000 * run + n) for n in range(BEGUN)]
    watches = {name: CameraWatch(name, SETTINGS) for name in CAMERAS}
    for name, watch in watches.items():
        watch.learn([each[name] for each in pictures])
    return watches


def heard_views(views: Views, run: int, watches: Mapping[str, CameraWatch]) -> tuple[int, str]:
    """Resets until an alarm, and what it says; 0 and "" for none in PATIENCE resets."""
    mine = copy.deepcopy(dict(watches))
    for after in range(1, PATIENCE + 1):
        seen = views.see(1000 * run + 100 + after)
        for name, watch in mine.items():
            watch.look([seen[name]])
            if watch.alarmed:
                return after, watch.alarmed
    return 0, ""


def moved_cameras(run: int) -> Iterator[Heard]:
    """Every size of turn and move of every camera, in one run, in a direction of its own."""
    views, rng = Views(), np.random.default_rng([7, run])
    watches = begun_views(views, run)
    for camera in CAMERAS:
        one = {camera: watches[camera]}
        for kind, sizes in (("turn", TURNS_DEG), ("move", MOVES_MM)):
            for size in sizes:
                way = rng.normal(size=3)
                way /= np.linalg.norm(way)
                turn = np.radians(size) * way if kind == "turn" else np.zeros(3)
                views.move(camera, 0.001 * size * way if kind == "move" else np.zeros(3), turn)
                after, said = heard_views(views, run, one)
                views.upright()
                yield Heard("camera", f"{camera} {kind}", size, run, after, said, PATIENCE)


def other_light(run: int) -> Iterator[Heard]:
    """Lights that must not matter, coming in mid-run."""
    views, rng = Views(), np.random.default_rng([11, run])
    watches = begun_views(views, run)
    for factor in LIGHTS:
        views.light(factor)
        after, said = heard_views(views, run, watches)
        yield Heard("light", "brightness", factor, run, after, said, PATIENCE)
    views.light(1.0)
    for turn in LAMPS_DEG:
        way = rng.normal(size=3)
        views.lamp(np.radians(turn) * way / np.linalg.norm(way))
        after, said = heard_views(views, run, watches)
        views.upright()
        yield Heard("light", "lamp turned", turn, run, after, said, PATIENCE)


def calm_views(run: int, resets: int = 60) -> Iterator[Heard]:
    """Resets of a run in which nothing happens: every alarm is a false one."""
    views = Views()
    watches = begun_views(views, run)
    alarms, said = 0, ""
    for number in range(resets):
        seen = views.see(1000 * run + 100 + number)
        for name, watch in watches.items():
            watch.look([seen[name]])
        for watch in watches.values():
            if watch.alarmed:
                alarms, said = alarms + 1, watch.alarmed
                watch.forget()
    yield Heard("calm cameras", "none", 0.0, run, alarms, said, resets)


def moved_arm(run: int) -> Iterator[Heard]:
    """Every action shift coming in mid-run."""
    watch = ArmWatch(SETTINGS)
    if not watch.learn([motion(1000 * run + n) for n in range(BEGUN)]):
        raise RuntimeError("the first episodes hardly moved")
    for name, size in ARM_SHIFTS:
        mine, after, said = copy.deepcopy(watch), 0, ""
        for number in range(1, PATIENCE + 1):
            mine.look(motion(1000 * run + 100 + number, **{name: size}))
            if mine.alarmed:
                after, said = number, mine.alarmed
                break
        yield Heard("arm", name, size, run, after, said, PATIENCE)


def calm_arm(run: int, episodes: int = 40) -> Iterator[Heard]:
    """Episodes of a run in which nothing happens to the arm."""
    watch, alarms, said = ArmWatch(SETTINGS), 0, ""
    watch.learn([motion(1000 * run + n) for n in range(BEGUN)])
    for number in range(episodes):
        watch.look(motion(1000 * run + 100 + number))
        if watch.alarmed:
            alarms, said = alarms + 1, watch.alarmed
            watch.forget()
    yield Heard("calm arm", "none", 0.0, run, alarms, said, episodes)


def motion(number: int, **shift: float) -> Motion:
    """One episode of the expert with noise, without pictures: what was asked and what moved."""
    robot = Tabletop(RobotSettings(shift=shift), cameras=())
    expert = TabletopExpert(robot)
    card = CARDS[number // 1000 % len(CARDS)]
    view = robot.reset(Task(card.name, card.instruction, STARTS + number, 60, number))
    rng, commands, places = np.random.default_rng(number), [], [view.proprio[:3]]
    while True:
        (decision,) = expert.act([view], 0.0)
        actions = [
            Action(
                np.clip(each.delta + rng.normal(0, NOISE), -1, 1).astype(np.float32), each.gripper
            )
            for each in decision.actions
        ]
        reading = robot.step(actions)
        commands += [each.delta[:3] for each in reading.applied]
        places += list(reading.track[:, :3])
        view = reading.observation
        if reading.ending is not None:
            moves = np.diff(np.array(places, np.float64), axis=0)
            return Motion(np.array(commands, np.float64), moves, np.ones(len(moves), np.bool_))


PARTS: Mapping[str, tuple[Callable[[int], Iterator[Heard]], int]] = {
    "calm cameras": (calm_views, 20),
    "camera": (moved_cameras, 20),
    "light": (other_light, 10),
    "arm": (moved_arm, 10),
    "calm arm": (calm_arm, 25),
}


def table(rows: list[Heard]) -> dict[str, object]:
    """Shares of runs with an alarm, and how soon it came."""
    curve = []
    for key in sorted({(row.part, row.what, row.size) for row in rows if "calm" not in row.part}):
        mine = [row for row in rows if (row.part, row.what, row.size) == key]
        heard = [row.after for row in mine if row.after]
        bounds = wilson(len(heard), len(mine))
        curve.append(
            {
                "part": key[0], "what": key[1], "size": key[2], "runs": len(mine),
                "alarms": len(heard), "low": round(bounds.low, 3), "high": round(bounds.high, 3),
                "median_after": float(np.median(heard)) if heard else None,
            }
        )  # fmt: skip
    calm = {}
    for part in ("calm cameras", "calm arm"):
        mine = [row for row in rows if row.part == part]
        looks, alarms = sum(row.looks for row in mine), sum(row.after for row in mine)
        bounds = wilson(min(alarms, looks), max(looks, 1))
        calm[part] = {
            "runs": len(mine), "looks": looks, "alarms": alarms,
            "per_1000": round(1000 * alarms / max(looks, 1), 2),
            "high_per_1000": round(1000 * bounds.high, 2),
        }  # fmt: skip
    return {"curve": curve, "calm": calm}


def main() -> None:
    """Measure what is not measured yet, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the runs, for a quick look")
    given = parser.parse_args()
    partial = given.out.with_suffix(".partial.jsonl")
    lines = partial.read_text().splitlines() if partial.exists() else []
    rows = [Heard(**json.loads(line)) for line in lines]
    done = {(row.part, row.run) for row in rows}
    for part, (play, runs) in PARTS.items():
        for run in range(max(1, round(given.share * runs))):
            if (part, run) in done:
                continue
            found = list(play(run))
            rows += found
            with partial.open("a") as file:
                file.write("".join(json.dumps(asdict(row)) + "\n" for row in found))
    told = {
        "command": setting.command("sentinel"),
        "commit": setting.commit(),
        "machine": setting.machine("opencv-python-headless", "mujoco"),
        "settings": SETTINGS.model_dump(),
        **table(rows),
    }
    told["alarms"] = [asdict(row) for row in rows if row.said]
    given.out.write_text(json.dumps(told, indent=1) + "\n")
    partial.unlink()


if __name__ == "__main__":
    main()
