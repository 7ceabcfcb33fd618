"""Format `rerun`: one .rrd an episode, laid out so that the viewer opens on the cameras."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import rerun as rr
import rerun.blueprint as rrb
from PIL import Image

from agent.episode import Limit, Observation, ScoredEpisode, Uint8Array
from agent.export.part import Part, Receipt
from agent.export.rows import AXES, Rows, rows_of
from agent.store.summary import Summary

APPLICATION = "vlarl-agent"


class RerunLog:
    """Episodes as Rerun recordings: timelines `step` (control steps) and `time` (of the views)."""

    name = "rerun"

    def __init__(self, control_hz: float, proprio: Sequence[str]) -> None:
        self._control_hz = control_hz
        self._proprio = tuple(proprio)

    @property
    def options(self) -> Mapping[str, Any]:
        """Everything that shapes the files."""
        return {"fps": self._control_hz, "proprio": list(self._proprio)}

    def part(self, scored: ScoredEpisode, row: Summary, before: Sequence[Receipt]) -> Part:  # noqa: ARG002  each recording stands alone
        """<id>.rrd."""
        rows = rows_of(scored)
        cameras = list(scored.episode.steps[0].observation.images)
        stream = rr.RecordingStream(APPLICATION, recording_id=f"{row.began}-{row.id}")
        stream.set_log_time_enabled(False)  # when it was exported is no time of the episode
        memory = stream.memory_recording()
        stream.send_blueprint(_blueprint(cameras))
        stream.send_recording_name(f"{row.id} {row.task}: {row.verdict or row.ending}")
        stream.log("episode", rr.TextDocument(_about(row), media_type="text/markdown"), static=True)
        self._name_series(stream, rows)
        place = 0
        for i in range(len(rows)):
            place = 0 if rows.fresh[i] else place + 1
            at_s = float(rows.view_s[i] - rows.view_s[0]) + place / self._control_hz
            _at(stream, i, at_s)
            if rows.fresh[i]:
                _views(stream, scored.episode.steps[int(rows.decision[i])].observation)
                _judged(stream, rows, int(rows.decision[i]))
            stream.log("state", rr.Scalars(rows.state[i]))
            stream.log("action/requested", rr.Scalars(rows.requested[i]))
            stream.log("action/applied", rr.Scalars(rows.applied[i]))
            if marks := _marks(rows, i):
                stream.log("guard", rr.TextLog(marks, level=rr.TextLogLevel.WARN))
        last = scored.episode.last
        _at(stream, len(rows), last.time_s - float(rows.view_s[0]))
        _views(stream, last)
        _judged(stream, rows, -1)
        stream.log("ending", rr.TextLog(f"{row.ending}; verdict {row.verdict}"))
        data = memory.drain_as_bytes()
        stream.disconnect()
        return Part({f"{row.id}.rrd": data}, {"steps": len(rows)})

    def closing(self, receipts: Sequence[Receipt]) -> Mapping[str, bytes]:  # noqa: ARG002
        """Nothing: the recordings are all there is."""
        return {}

    def _name_series(self, stream: rr.RecordingStream, rows: Rows) -> None:
        width = rows.state.shape[1]
        names = self._proprio if len(self._proprio) == width else tuple(map(str, range(width)))
        stream.log("state", rr.SeriesLines(names=list(names)), static=True)
        for which in ("requested", "applied"):
            stream.log(f"action/{which}", rr.SeriesLines(names=list(AXES)), static=True)


def _at(stream: rr.RecordingStream, step: int, at_s: float) -> None:
    stream.set_time("step", sequence=step)
    stream.set_time("time", duration=at_s)


def _judged(stream: rr.RecordingStream, rows: Rows, view: int) -> None:
    for name, values in rows.judged.items():
        stream.log(f"judge/{name}", rr.Scalars(float(values[view])))


def _views(stream: rr.RecordingStream, view: Observation) -> None:
    for camera, image in view.images.items():
        picture = rr.EncodedImage(contents=_png(image), media_type="image/png")
        stream.log(f"camera/{camera}", picture)


def _blueprint(cameras: Sequence[str]) -> rrb.Blueprint:
    return rrb.Blueprint(
        rrb.Horizontal(
            rrb.Vertical(
                *(rrb.Spatial2DView(origin=f"camera/{name}", name=name) for name in cameras)
            ),
            rrb.Vertical(
                rrb.TimeSeriesView(origin="action", name="action"),
                rrb.TimeSeriesView(origin="state", name="state"),
                rrb.TimeSeriesView(origin="judge", name="judge"),
            ),
        ),
        collapse_panels=True,
    )


def _about(row: Summary) -> str:
    lines = (f"| {key} | {value} |" for key, value in row.to_json().items())
    return "\n".join([f"# {row.instruction}", "", "| | |", "|---|---|", *lines])


def _marks(rows: Rows, i: int) -> str:
    held = ", ".join(str(limit.name) for limit in Limit(int(rows.limits[i])))
    said = [f"held to {held}"] if held else []
    if rows.by_hand[i]:
        said.append("a person had the arm")
    return "; ".join(said)


def _png(image: Uint8Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
