"""What this machine has and lacks to run the agent, one line each."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from packaging.requirements import Requirement

import agent
from agent.errors import DataError, RobotFault, StorageError, UsageError, VlarlError
from agent.registry import SHIFTS, make_examiner, shifts_of
from agent.settings import RobotSettings, RunSettings

PROBE_LIMIT_S = 60.0  # a busy machine takes long to import torch
GL_BACKENDS = ("egl", "osmesa", "glfw")
ROOMS = ("agent", "bridges", "sim", "calibration")
LEAST_FREE_GB = 1.0
GOOD_FREE_GB = 5.0


class Status(StrEnum):
    """OK; WARN: works, look at it; OFF: optional and absent; FAIL: a run cannot work."""

    OK = "ok"
    WARN = "warn"
    OFF = "off"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, what to do, and the exit code of its failure."""

    name: str
    status: Status
    found: str
    advice: str = ""
    code: int = VlarlError.exit_code


def examine() -> tuple[Check, ...]:
    """Look at everything; takes seconds, for what is heavy is tried in child processes."""
    single: Sequence[Callable[[], Check]] = (python, packages, rooms, torch)
    rest: Sequence[Callable[[], Check]] = (disk, checkpoint, libero, shifts, ros, cameras)
    return (*(check() for check in single), *drawing(), *(check() for check in rest))


def examine_robot(settings: RobotSettings) -> tuple[Check, ...]:
    """Look at ROS, the disk and everything around one robot. Raises UsageError for its profile."""
    found = tuple(
        Check(each.name, Status(each.status), each.found, each.advice, RobotFault.exit_code)
        for each in make_examiner(settings)(settings)
    )
    return (ros(), *found, disk())


def exit_code(checks: Sequence[Check]) -> int:
    """Give 0 when the main job can run, else the code that it would end with."""
    return next((check.code for check in checks if check.status is Status.FAIL), 0)


def as_text(checks: Sequence[Check]) -> str:
    """One line a check."""
    width = max(11, *(len(check.name) for check in checks))
    lines = [
        f"{check.status:<5} {check.name:<{width}} {check.found}"
        + (f"; {check.advice}" if check.advice else "")
        for check in checks
    ]
    return "\n".join(lines)


def as_json(checks: Sequence[Check]) -> str:
    """One object a check, and the exit code."""
    return json.dumps(
        {"exit_code": exit_code(checks), "checks": [asdict(each) for each in checks]}, indent=2
    )


def python() -> Check:
    """Look at the Python that runs this."""
    found = f"{platform.python_version()} at {sys.executable}"
    if (3, 11) <= sys.version_info[:2] < (3, 14):
        return Check("python", Status.OK, found)
    return Check("python", Status.FAIL, found, "use Python 3.11, 3.12 or 3.13")


def packages() -> Check:
    """Every required package against the range this project declares."""
    present, wrong = [], []
    for line in importlib.metadata.requires("vlarl-agent") or []:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{wanted.name} is absent, wanted {wanted.specifier or 'any'}")
            continue
        if not wanted.specifier.contains(version, prereleases=True):
            wrong.append(f"{wanted.name} {version}, wanted {wanted.specifier}")
        present.append(f"{wanted.name} {version}")
    if wrong:
        return Check("packages", Status.FAIL, ", ".join(wrong), "pip install vlarl-agent again")
    return Check("packages", Status.OK, ", ".join(present))


def rooms() -> Check:
    """Where each room is imported from: another package of the same name may stand before it."""
    specs = {room: importlib.util.find_spec(room) for room in ROOMS}
    if absent := [room for room, spec in specs.items() if spec is None or spec.origin is None]:
        return Check("rooms", Status.FAIL, f"not found: {', '.join(absent)}", "install again")
    files = {room: Path(spec.origin) for room, spec in specs.items() if spec and spec.origin}
    found = ", ".join(f"{room} {file}" for room, file in files.items())
    if len({file.parent.parent for file in files.values()}) > 1:
        return Check("rooms", Status.FAIL, found, "not one place; look at PYTHONPATH and sys.path")
    return Check("rooms", Status.OK, found)


def torch() -> Check:
    """Torch as a child process imports it, and the accelerators it sees."""
    code = (
        "import torch; n = torch.cuda.device_count(); "
        "print(torch.__version__, [torch.cuda.get_device_name(i) for i in range(n)] or 'CPU only')"
    )
    said, error = _child(code)
    if error:
        return Check("torch", Status.FAIL, error, "pip install torch again")
    return Check("torch", Status.OK, said)


def drawing() -> tuple[Check, ...]:
    """Each OpenGL backend, by a picture drawn with it."""
    default = RobotSettings().render
    drawn = {backend: _child(_DRAW, backend) for backend in GL_BACKENDS}
    able = [backend for backend, (said, _) in drawn.items() if said == "drew"]
    checks = []
    for backend, (said, error) in drawn.items():
        status, found, advice = Status.OFF, error or said or "draws nothing", ""
        if backend in able:
            status, found = Status.OK, "draws"
        elif backend == default:
            status = Status.WARN if able else Status.FAIL
            advice = (
                f"use --render {able[0]}"
                if able
                else "install Mesa's EGL (apt install libegl1 libgl1-mesa-dri) or a GPU driver"
            )
        checks.append(Check(f"gl {backend}", status, found, advice, RobotFault.exit_code))
    return tuple(checks)


def disk() -> Check:
    """Free space where runs are written by default."""
    folder = Path(RunSettings().out).absolute()
    while not folder.exists():
        folder = folder.parent
    free_gb = shutil.disk_usage(folder).free / 1e9
    found = f"{free_gb:.1f} GB free at {folder}"
    if not os.access(folder, os.W_OK):
        advice = "cannot be written; give another folder with --out"
        return Check("disk", Status.FAIL, found, advice, StorageError.exit_code)
    if free_gb < LEAST_FREE_GB:
        advice = f"a run wants {LEAST_FREE_GB:g} GB"
        return Check("disk", Status.FAIL, found, advice, StorageError.exit_code)
    if free_gb < GOOD_FREE_GB:
        return Check("disk", Status.WARN, found, f"{GOOD_FREE_GB:g} GB is a comfortable amount")
    return Check("disk", Status.OK, found)


def checkpoint() -> Check:
    """Find the policy that comes with the package, and its hash."""
    folder = Path(str(agent.__file__)).parent / "policy" / "shipped"
    weights = sorted(folder.rglob("*.safetensors"))
    if not weights or not any(folder.rglob("config.json")):
        advice = "install again, or give a policy with --checkpoint"
        code = DataError.exit_code
        return Check("checkpoint", Status.FAIL, f"none in {folder}", advice, code)
    hashes = ", ".join(
        f"{file.relative_to(folder)} sha256 {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
        for file in weights
    )
    return Check("checkpoint", Status.OK, hashes)


def libero() -> Check:
    """LIBERO, found but not imported here: its import asks questions on the terminal."""
    if importlib.util.find_spec("libero") is None:
        return Check("libero", Status.OFF, "not installed", "see docs/libero.md")
    version = importlib.metadata.version("hf-libero")
    # By its name in a string, because agent never imports sim.
    code = (
        "import importlib; install = importlib.import_module('sim.libero.install'); "
        "print(install.find_assets('') or '')"
    )
    said, error = _child(code)
    if error or not said:
        found = f"hf-libero {version}, no assets" + (f" ({error})" if error else "")
        return Check("libero", Status.WARN, found, "see docs/libero.md, or set robot.assets")
    return Check("libero", Status.OK, f"hf-libero {version}, assets at {said}")


def shifts() -> Check:
    """What `--shift` can change in each simulated world."""
    try:
        known = "; ".join(f"{robot}: {', '.join(shifts_of(robot))}" for robot in SHIFTS)
    except UsageError as error:
        return Check("shifts", Status.WARN, str(error), "is another package called sim?")
    return Check("shifts", Status.OK, known)


def ros() -> Check:
    """ROS 2 as a child process imports it, and how far it talks."""
    if importlib.util.find_spec("rclpy") is None:
        return Check("ros", Status.OFF, "no rclpy", "source ROS 2, or pip install vlarl-agent[ros]")
    said, error = _child("import rclpy; print(rclpy.get_rmw_implementation_identifier())")
    if error:
        return Check("ros", Status.WARN, f"rclpy does not import: {error}", "source one ROS 2 only")
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    reach = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    found = f"{said}, domain {domain}, discovery {reach}"
    if reach == "SUBNET":
        advice = "anyone on this network can command the arm; LOCALHOST keeps to this machine"
        return Check("ros", Status.WARN, found, advice)
    return Check("ros", Status.OK, found)


def cameras() -> Check:
    """Video devices and RealSense cameras."""
    found = [str(device) for device in sorted(Path("/dev").glob("video*"))]
    if importlib.util.find_spec("pyrealsense2") is not None:
        code = "import pyrealsense2 as rs; print(len(rs.context().devices))"
        said, error = _child(code)
        found.append(f"pyrealsense2: {error or said + ' devices'}")
    if not found:
        return Check("cameras", Status.OFF, "none", "only a real arm needs one")
    return Check("cameras", Status.OK, ", ".join(found))


_DRAW = """
import os, sys
os.environ["MUJOCO_GL"] = sys.argv[1]
import mujoco
model = mujoco.MjModel.from_xml_string('''<mujoco><worldbody><light pos="0 -2 2" dir="0 1 -1"/>
<geom type="sphere" size=".2" rgba="1 0 0 1"/><camera name="c" pos="0 -1 0" xyaxes="1 0 0 0 0 1"/>
</worldbody></mujoco>''')
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
renderer = mujoco.Renderer(model, 32, 32)
renderer.update_scene(data, "c")
red, green, blue = (int(value) for value in renderer.render()[16, 16])
red_enough = red > 64 and red > 2 * max(green, blue)
print("drew" if red_enough else f"drew ({red}, {green}, {blue}) where red was wanted")
sys.stdout.flush()
os._exit(0)  # some drivers crash on their way out
"""


def _child(code: str, *arguments: str) -> tuple[str, str]:
    """Run code in another Python; the last line it printed, and what went wrong or ""."""
    command = [sys.executable, "-P", "-c", code, *arguments]
    try:
        done = subprocess.run(  # noqa: S603  our own code in our own Python
            command, capture_output=True, text=True, timeout=PROBE_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer in {PROBE_LIMIT_S:g} s"
    said = (done.stdout.strip().splitlines() or [""])[-1]
    talk = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return said, talk if done.returncode else ""
