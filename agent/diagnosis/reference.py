"""How it was in the training world: one small file beside a checkpoint, made of a healthy run."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent import durable
from agent.diagnosis.evidence import Evidence, Sight
from agent.diagnosis.gripping import Gripping, gripping
from agent.errors import DataError, UsageError
from agent.policy.action_tokens import ActionStats
from calibration.complaints import CalibrationError
from calibration.expected import Expected, Float64Array, expect
from calibration.looks import Looks, looks
from calibration.motion import Motion, Response, respond
from calibration.view import ViewReference, register
from calibration.view import reference as view_of

FILE = "reference.npz"
SCHEMA = 1
STEADY_PX = 0.004  # share of the width: a start view that registers this well needs no regression
EDGE_M = 0.01  # beyond where the tool usually was, nothing is compared


@dataclass(frozen=True, slots=True)
class KnownSight:
    """One camera. still: its start views; noise: of registering one, share of the width.

    moving: what it sees of the arm at a pose, None where the start views tell enough.
    """

    still: ViewReference
    noise: float
    moving: Expected | None
    looks: Looks


@dataclass(frozen=True, slots=True)
class Reference:
    """A healthy run. low, high: (3,) m where the tool usually was. tally: by task."""

    robot: str
    made: str
    episodes: int
    proprio: int
    sights: Mapping[str, KnownSight]
    response: Response
    low: Float64Array
    high: Float64Array
    gripping: Gripping | None
    stats: ActionStats
    tally: Mapping[str, tuple[int, int]]

    def free(self, motions: tuple[Motion, ...], places: tuple[Float64Array, ...]) -> list[Motion]:
        """Motions of which only that counts which happened where the reference has any."""
        low, high = self.low - EDGE_M, self.high + EDGE_M
        return [
            replace(motion, free=motion.free & ((at >= low) & (at <= high)).all(axis=1))
            for motion, at in zip(motions, places, strict=True)
        ]


def make(evidence: Evidence, robot: str, made: str, stats: ActionStats) -> Reference:
    """Take a healthy run for the truth. Raises DataError where it is too small for that."""
    places = np.vstack(evidence.places)
    low, high = np.percentile(places, [2.0, 98.0], axis=0)
    try:
        sights = {name: _known(sight) for name, sight in evidence.sights.items()}
        known = Reference(
            robot=robot, made=made, episodes=evidence.episodes, proprio=evidence.proprio,
            sights=sights, response=respond(evidence.motions), low=low, high=high,
            gripping=gripping(evidence.grips) if evidence.grips else None,
            stats=stats, tally=dict(evidence.tally),
        )  # fmt: skip
        free = known.free(evidence.motions, evidence.places)
        return replace(known, response=respond(free))
    except CalibrationError as error:
        raise DataError(f"a reference needs more: {error}") from error


def _known(sight: Sight) -> KnownSight:
    still = view_of(sight.starts)
    offsets = [register(still, each) for each in sight.starts[:40]]
    width = sight.starts[0].shape[1]
    noise = float(np.median([each.length_px for each in offsets])) / width
    sure = noise < STEADY_PX and float(np.median([each.confidence for each in offsets])) > 0.7
    moving = None if sure else expect(sight.poses, sight.greys)
    return KnownSight(still, noise, moving, looks(sight.starts))


def save(path: Path, known: Reference) -> None:
    """Write a reference. Raises StorageError."""
    arrays: dict[str, NDArray[Any]] = {
        "low": known.low, "high": known.high, "steady": known.response.steady,
        "bias_m": known.response.bias_m, "rivals": known.response.rivals,
        "q01": known.stats.q01, "q99": known.stats.q99, "mask": known.stats.mask,
    }  # fmt: skip
    cameras = {}
    for name, sight in known.sights.items():
        arrays[f"typical/{name}"] = sight.still.typical.astype(np.float16)
        arrays[f"spread/{name}"] = sight.still.spread.astype(np.float16)
        arrays[f"hues/{name}"] = sight.looks.hues
        if sight.moving is not None:
            arrays[f"middle/{name}"] = sight.moving.middle
            arrays[f"reach/{name}"] = sight.moving.reach
            arrays[f"weights/{name}"] = sight.moving.weights.astype(np.float16)
            arrays[f"rest/{name}"] = sight.moving.spread.astype(np.float16)
        cameras[name] = {
            "size": sight.still.size, "noise": sight.noise, "moving": sight.moving is not None,
            "brightness": sight.looks.brightness, "pixel_noise": sight.looks.noise,
        }  # fmt: skip
    told = {
        "schema": SCHEMA, "robot": known.robot, "made": known.made, "episodes": known.episodes,
        "proprio": known.proprio, "cameras": cameras, "lag": known.response.lag,
        "delay_steps": known.response.delay_steps, "residual_m": known.response.residual_m,
        "steps": known.response.steps, "tally": known.tally,
        "gripping": None if known.gripping is None else asdict(known.gripping),
    }  # fmt: skip
    buffer = io.BytesIO()
    np.savez_compressed(buffer, told=np.array(json.dumps(told)), **arrays)  # type: ignore[arg-type]
    durable.write_bytes(path, buffer.getvalue())


def load(path: Path) -> Reference:
    """Read a reference. Raises UsageError where there is none, DataError for a torn one."""
    if not path.is_file():
        raise UsageError(
            f"a reference of the training world wanted at {path}, found none; make one of a "
            f"healthy run with: vlarl-agent diagnose RUN --make {path}"
        )
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no .npz file")
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _read(json.loads(str(arrays["told"])), arrays)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no reference of ours: {error}; make it again") from error


def _read(told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Reference:
    if told["schema"] != SCHEMA:
        raise ValueError(f"schema {SCHEMA} wanted, found {told['schema']}")
    response = Response(
        lag=float(told["lag"]), steady=arrays["steady"], bias_m=arrays["bias_m"],
        delay_steps=int(told["delay_steps"]), residual_m=float(told["residual_m"]),
        rivals=arrays["rivals"], steps=int(told["steps"]),
    )  # fmt: skip
    grip = told["gripping"]
    return Reference(
        robot=str(told["robot"]), made=str(told["made"]), episodes=int(told["episodes"]),
        proprio=int(told["proprio"]),
        sights={name: _sight(name, each, arrays) for name, each in told["cameras"].items()},
        response=response, low=arrays["low"], high=arrays["high"],
        gripping=None if grip is None else Gripping(**grip),
        stats=ActionStats(arrays["q01"], arrays["q99"], arrays["mask"]),
        tally={task: (int(won), int(tried)) for task, (won, tried) in told["tally"].items()},
    )  # fmt: skip


def _sight(name: str, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> KnownSight:
    moving = None
    if told["moving"]:
        moving = Expected(
            arrays[f"middle/{name}"], arrays[f"reach/{name}"],
            arrays[f"weights/{name}"].astype(np.float32), arrays[f"rest/{name}"].astype(np.float32),
        )  # fmt: skip
    width, height = told["size"]
    still = ViewReference(
        (int(width), int(height)),
        arrays[f"typical/{name}"].astype(np.float32),
        arrays[f"spread/{name}"].astype(np.float32),
    )
    seen = Looks(float(told["brightness"]), float(told["pixel_noise"]), arrays[f"hues/{name}"])
    return KnownSight(still, float(told["noise"]), moving, seen)
