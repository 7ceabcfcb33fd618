"""Format `mcap`: one file an episode, with the message types that Foxglove shows at once."""

from __future__ import annotations

import base64
import datetime
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from mcap.writer import Writer
from PIL import Image

from agent.episode import Limit, ScoredEpisode, Uint8Array
from agent.export.part import Part, Receipt
from agent.export.rows import AXES, Rows, rows_of
from agent.store.layout import OPTIONAL
from agent.store.schema import made_by
from agent.store.summary import Summary

QUALITY = 95  # of the JPEG images

_TIME = {
    "type": "object",
    "title": "time",
    "properties": {"sec": {"type": "integer"}, "nsec": {"type": "integer"}},
}
_NUMBER, _TEXT, _FLAG = {"type": "number"}, {"type": "string"}, {"type": "boolean"}
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "foxglove.CompressedImage": {
        "timestamp": _TIME,
        "frame_id": _TEXT,
        "data": {"type": "string", "contentEncoding": "base64"},
        "format": _TEXT,
    },
    "foxglove.Log": {
        "timestamp": _TIME,
        "level": {"type": "integer"},
        "message": _TEXT,
        "name": _TEXT,
        "file": _TEXT,
        "line": {"type": "integer"},
    },
    "vlarl.State": {"timestamp": _TIME, "values": {"type": "object"}},
    "vlarl.Action": {
        "timestamp": _TIME,
        "requested": {"type": "object"},
        "applied": {"type": "object"},
        "executed": _FLAG,
        "limits": {"type": "array", "items": _TEXT},
        "by_hand": _FLAG,
    },
    "vlarl.Judgement": {
        "timestamp": _TIME,
        "progress": _NUMBER,
        "success": _NUMBER,
        "uncertainty": _NUMBER,
    },
}


class McapLog:
    """Episodes as MCAP, JSON messages; an episode's own clock, laid onto the time it began."""

    name = "mcap"

    def __init__(self, control_hz: float, proprio: Sequence[str]) -> None:
        self._control_hz = control_hz
        self._proprio = tuple(proprio)

    @property
    def options(self) -> Mapping[str, Any]:
        """Everything that shapes the files."""
        return {"fps": self._control_hz, "proprio": list(self._proprio), "jpeg_quality": QUALITY}

    def part(self, scored: ScoredEpisode, row: Summary, before: Sequence[Receipt]) -> Part:  # noqa: ARG002  each file stands alone
        """<id>.mcap."""
        rows = rows_of(scored)
        log = _Log(datetime.datetime.fromisoformat(row.began))
        # Each control step has its time: the view's, and from there the robot's own pace.
        within = _place_in_decision(rows)
        began_s = float(rows.view_s[0])
        for i in range(len(rows)):
            at_s = float(rows.view_s[i]) - began_s + within[i] / self._control_hz
            if rows.fresh[i]:
                view = scored.episode.steps[int(rows.decision[i])].observation
                for camera, image in view.images.items():
                    log.image(f"/camera/{camera}", at_s, camera, image)
                log.add("/judge", "vlarl.Judgement", at_s, _judged(rows, int(rows.decision[i])))
            log.add("/state", "vlarl.State", at_s, {"values": self._named(rows.state[i].tolist())})
            log.add("/action", "vlarl.Action", at_s, _action(rows, i))
        last = scored.episode.last
        end_s = last.time_s - began_s
        for camera, image in last.images.items():
            log.image(f"/camera/{camera}", end_s, camera, image)
        log.add("/judge", "vlarl.Judgement", end_s, _judged(rows, -1))
        log.say(end_s, f"{row.ending}; verdict {row.verdict} ({scored.signal.source})")
        return Part({f"{row.id}.mcap": log.close(row)}, {"steps": len(rows)})

    def closing(self, receipts: Sequence[Receipt]) -> Mapping[str, bytes]:  # noqa: ARG002
        """Nothing: the files are all there is."""
        return {}

    def _named(self, values: list[float]) -> dict[str, float]:
        names = self._proprio if len(self._proprio) == len(values) else map(str, range(len(values)))
        return dict(zip(names, values, strict=True))


class _Log:
    def __init__(self, began: datetime.datetime) -> None:
        self._began_ns = int(began.timestamp() * 1e9)
        self._buffer = io.BytesIO()
        self._writer = Writer(self._buffer)
        self._writer.start(profile="", library=f"vlarl-agent {made_by()}")
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}

    def add(self, topic: str, schema: str, at_s: float, message: Mapping[str, Any]) -> None:
        at_ns = self._began_ns + round(at_s * 1e9)
        stamped = {"timestamp": {"sec": at_ns // 10**9, "nsec": at_ns % 10**9}, **message}
        self._writer.add_message(
            self._channel(topic, schema, message), at_ns, json.dumps(stamped).encode(), at_ns
        )

    def image(self, topic: str, at_s: float, frame: str, image: Uint8Array) -> None:
        data = base64.b64encode(_jpeg(image)).decode()
        message = {"frame_id": frame, "data": data, "format": "jpeg"}
        self.add(topic, "foxglove.CompressedImage", at_s, message)

    def say(self, at_s: float, text: str) -> None:
        message = {"level": 2, "message": text, "name": "vlarl-agent", "file": "", "line": 0}
        self.add("/log", "foxglove.Log", at_s, message)

    def close(self, row: Summary) -> bytes:
        facts = {key: str(value) for key, value in row.to_json().items()}
        self._writer.add_metadata("episode", facts)
        self._writer.finish()
        return self._buffer.getvalue()

    def _channel(self, topic: str, schema: str, message: Mapping[str, Any]) -> int:
        if topic not in self._channels:
            if schema not in self._schemas:
                told = SCHEMAS[schema].items()
                kinds = {n: kind for n, kind in told if n in message or n not in OPTIONAL}
                shape = {"type": "object", "title": schema, "properties": kinds}
                data = json.dumps(shape).encode()
                self._schemas[schema] = self._writer.register_schema(schema, "jsonschema", data)
            self._channels[topic] = self._writer.register_channel(
                topic, "json", self._schemas[schema]
            )
        return self._channels[topic]


def _judged(rows: Rows, view: int) -> dict[str, float]:
    """What the judge says of one view; what it says of none has no name here."""
    return {name: float(values[view]) for name, values in rows.judged.items()}


def _action(rows: Rows, i: int) -> dict[str, Any]:
    return {
        "requested": dict(zip(AXES, rows.requested[i].tolist(), strict=True)),
        "applied": dict(zip(AXES, rows.applied[i].tolist(), strict=True)),
        "executed": bool(rows.executed[i]),
        "limits": [str(limit.name) for limit in Limit(int(rows.limits[i]))],
        "by_hand": bool(rows.by_hand[i]),
    }


def _place_in_decision(rows: Rows) -> list[int]:
    places: list[int] = []
    for fresh in rows.fresh:
        places.append(0 if fresh else places[-1] + 1)
    return places


def _jpeg(image: Uint8Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()
