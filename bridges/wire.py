"""What agent and guard say to each other: one strict JSON object in each std_msgs/String."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from agent.errors import DataError

# Relative to the arm's namespace; reliable, this many messages deep.
REQUEST_TOPIC = "vlarl/request"
ANSWER_TOPIC = "vlarl/answer"
OPERATOR_TOPIC = "vlarl/operator"
DEPTH = 10
# What a person may say on the operator topic. Success and failure are for the agent alone.
OPERATOR_WORDS = (
    "stop", "hold", "resume", "arm", "disarm", "clear", "success", "failure", "take", "release",
)  # fmt: skip
# The sequence number of an answer that nobody asked for: the guard's state changed by itself.
UNASKED = -1
LONGEST = 4096

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
Json = Mapping[str, Any]
Word = TypeVar("Word", bound=StrEnum)


class Kind(StrEnum):
    """What the agent asks for.

    BEGIN: an episode starts (ARMED to RUNNING). MOVE: one setpoint. REST: the episode is over.
    HOME: bring the arm home; answered when it is there or cannot get there; wants beats.
    BEAT: the agent is alive, and asks for the state; it replaces no move.
    ARM, CLEAR, RESUME: the program in a person's stead; for a simulated arm only.
    """

    BEGIN = "begin"
    MOVE = "move"
    REST = "rest"
    HOME = "home"
    BEAT = "beat"
    ARM = "arm"
    CLEAR = "clear"
    RESUME = "resume"


class State(StrEnum):
    """What the guard allows: motion in RUNNING alone."""

    DISARMED = "DISARMED"
    ARMED = "ARMED"
    RUNNING = "RUNNING"
    HOLD = "HOLD"
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class Request:
    """One wish of the agent; pose and gripper count in a MOVE alone.

    sequence: rises by at least one with every request of a process; BEGIN may start anew.
    adapter, episode: who acts, and how many episodes that adapter has had before this one.
    sent_s, deadline_s, next_s: monotonic; the guard refuses it after deadline_s and holds the arm
        where nothing has come by next_s.
    position_m, quaternion_xyzw: the tool in the base frame. gripper: 0 closed .. 1 open.
    """

    sequence: int
    kind: Kind
    sent_s: float
    deadline_s: float
    next_s: float
    adapter: str = ""
    episode: int = 0
    position_m: Vector = (0.0, 0.0, 0.0)
    quaternion_xyzw: Quaternion = (0.0, 0.0, 0.0, 1.0)
    gripper: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the guard made of a request.

    sequence: the request's, or UNASKED. reason: why nothing was published, "" where something was.
    position_m, quaternion_xyzw, gripper: as published; NaN where nothing was.
    limits: the agent.episode.Limit that the request was held to.
    received_s, applied_s: monotonic; applied_s is NaN where nothing was published.
    by_hand: a person has the arm.
    """

    sequence: int
    state: State
    reason: str
    received_s: float
    position_m: Vector = (math.nan, math.nan, math.nan)
    quaternion_xyzw: Quaternion = (math.nan, math.nan, math.nan, math.nan)
    gripper: float = math.nan
    limits: int = 0
    applied_s: float = math.nan
    by_hand: bool = False

    @property
    def is_published(self) -> bool:
        """Whether a target was published with it."""
        return not math.isnan(self.position_m[0])


def request_text(request: Request) -> str:
    """The request as JSON. Raises DataError for a number that is not finite."""
    try:
        return json.dumps(asdict(request), allow_nan=False)
    except ValueError as error:
        raise DataError(
            f"a request holds finite numbers alone, this one does not: {error}"
        ) from None


def answer_text(answer: Answer) -> str:
    """The answer as JSON; NaN is written null."""
    return json.dumps(
        {name: _with_null(value) for name, value in asdict(answer).items()}, allow_nan=False
    )


def read_request(text: str) -> Request:
    """The request in a message. Raises DataError naming what is wrong with it."""
    told = _object(text, Request)
    return Request(
        sequence=_whole(told, "sequence"),
        kind=_word(told, "kind", Kind),
        sent_s=_number(told, "sent_s"),
        deadline_s=_number(told, "deadline_s"),
        next_s=_number(told, "next_s"),
        adapter=_text(told, "adapter"),
        episode=_whole(told, "episode"),
        position_m=_three(_numbers(told, "position_m", 3)),
        quaternion_xyzw=_four(_numbers(told, "quaternion_xyzw", 4)),
        gripper=_number(told, "gripper"),
    )


def read_answer(text: str) -> Answer:
    """The answer in a message. Raises DataError naming what is wrong with it."""
    told = _object(text, Answer)
    return Answer(
        sequence=_whole(told, "sequence"),
        state=_word(told, "state", State),
        reason=_text(told, "reason"),
        received_s=_number(told, "received_s"),
        position_m=_three(_numbers(told, "position_m", 3, null=True)),
        quaternion_xyzw=_four(_numbers(told, "quaternion_xyzw", 4, null=True)),
        gripper=_number(told, "gripper", null=True),
        limits=_whole(told, "limits"),
        applied_s=_number(told, "applied_s", null=True),
        by_hand=_truth(told, "by_hand"),
    )


def _object(text: str, noun: type[Request] | type[Answer]) -> Json:
    wanted = {field.name for field in fields(noun)}
    what = noun.__name__.lower()
    if len(text) > LONGEST:
        raise DataError(f"{what}: at most {LONGEST} characters wanted, found {len(text)}")
    try:
        told = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{what}: strict JSON wanted, found {text[:80]!r}: {error}") from None
    if not isinstance(told, dict):
        raise DataError(f"{what}: a JSON object wanted, found {type(told).__name__}")
    if set(told) != wanted:
        raise DataError(
            f"{what}: missing {sorted(wanted - set(told))}, unknown {sorted(set(told) - wanted)}; "
            "are agent and guard of one version?"
        )
    return told


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key comes twice")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _with_null(value: object) -> object:
    if isinstance(value, tuple):
        return [_with_null(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _whole(told: Json, name: str) -> int:
    value = told[name]
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**53:
        raise DataError(f"{name}: a whole number below 2^53 wanted, found {value!r}")
    return value


def _as_float(value: object, name: str, *, null: bool) -> float:
    if value is None and null:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{name}: a number wanted, found {value!r}")
    # A literal such as 1e999 reads as infinity, and a long enough integer does not fit a float.
    if abs(value) > 1e300:
        raise DataError(f"{name}: a number below 1e300 wanted, found {str(value)[:40]}")
    return float(value)


def _number(told: Json, name: str, *, null: bool = False) -> float:
    return _as_float(told[name], name, null=null)


def _numbers(told: Json, name: str, count: int, *, null: bool = False) -> list[float]:
    values = told[name]
    if not isinstance(values, list) or len(values) != count:
        raise DataError(f"{name}: {count} numbers wanted, found {str(values)[:80]}")
    return [_as_float(each, name, null=null) for each in values]


def _three(values: list[float]) -> Vector:
    x, y, z = values
    return x, y, z


def _four(values: list[float]) -> Quaternion:
    x, y, z, w = values
    return x, y, z, w


def _text(told: Json, name: str) -> str:
    value = told[name]
    if not isinstance(value, str):
        raise DataError(f"{name}: a text wanted, found {value!r}")
    return value


def _truth(told: Json, name: str) -> bool:
    value = told[name]
    if not isinstance(value, bool):
        raise DataError(f"{name}: true or false wanted, found {value!r}")
    return value


def _word(told: Json, name: str, words: type[Word]) -> Word:
    value = told[name]
    try:
        return words(value)
    except ValueError:
        raise DataError(
            f"{name}: one of {[str(w) for w in words]} wanted, found {value!r}"
        ) from None
