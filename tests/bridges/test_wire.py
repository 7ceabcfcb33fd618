import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import DataError
from bridges import wire

FINITE = st.floats(-1e300, 1e300)
REQUESTS = st.builds(
    wire.Request,
    sequence=st.integers(-(2**52), 2**52),
    kind=st.sampled_from(wire.Kind),
    sent_s=FINITE,
    deadline_s=FINITE,
    next_s=FINITE,
    adapter=st.text(max_size=40),
    episode=st.integers(0, 2**52),
    position_m=st.tuples(FINITE, FINITE, FINITE),
    quaternion_xyzw=st.tuples(FINITE, FINITE, FINITE, FINITE),
    gripper=FINITE,
)
MOVE = wire.Request(7, wire.Kind.MOVE, 1.0, 1.1, 1.2, "0003", 4, (0.4, 0.0, 0.3))
ANSWER = wire.Answer(7, wire.State.RUNNING, "", 1.01, (0.4, 0.0, 0.3), limits=1, applied_s=1.02)


@given(REQUESTS)
@settings(max_examples=200, deadline=None)
def test_a_request_is_read_as_it_was_written(request_: wire.Request):
    assert wire.read_request(wire.request_text(request_)) == request_


def test_an_answer_is_read_as_it_was_written_and_nothing_published_is_null():
    text = wire.answer_text(ANSWER)
    assert json.loads(text)["gripper"] is None
    assert json.loads(text)["quaternion_xyzw"] == [None] * 4
    told = wire.read_answer(text)
    assert math.isnan(told.gripper)
    assert all(math.isnan(each) for each in told.quaternion_xyzw)
    assert told.position_m == (0.4, 0.0, 0.3)
    assert (told.sequence, told.state, told.limits) == (7, wire.State.RUNNING, 1)
    assert (told.received_s, told.applied_s, told.by_hand) == (1.01, 1.02, False)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_request_with_a_number_that_is_not_finite_is_not_written(value: float):
    with pytest.raises(DataError, match="finite"):
        wire.request_text(replace(MOVE, position_m=(0.4, value, 0.3)))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sequence", 1.0, "sequence: a whole number"),
        ("sequence", True, "sequence: a whole number"),
        ("sequence", 2**53, "sequence: a whole number"),
        ("kind", "jump", "kind: one of"),
        ("kind", ["move"], "kind: one of"),
        ("sent_s", None, "sent_s: a number"),
        ("sent_s", "1", "sent_s: a number"),
        ("sent_s", True, "sent_s: a number"),
        ("deadline_s", 10**400, "deadline_s: a number below"),
        ("adapter", 3, "adapter: a text"),
        ("position_m", [0.0, 0.0], "position_m: 3 numbers"),
        ("position_m", [0.0, 0.0, "0"], "position_m: a number"),
        ("quaternion_xyzw", [0.0, 0.0, 1.0], "quaternion_xyzw: 4 numbers"),
        ("gripper", None, "gripper: a number"),
    ],
)
def test_a_wrong_field_is_named(key: str, value: object, message: str):
    told = json.loads(wire.request_text(MOVE)) | {key: value}
    with pytest.raises(DataError, match=message):
        wire.read_request(json.dumps(told))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "3", "{", '{"sequence": 1}', "[" * 4000, " " * 5000,
        wire.request_text(MOVE).replace("0.4", "NaN"),
        wire.request_text(MOVE).replace("0.4", "1e999"),
        wire.request_text(MOVE).replace('"gripper"', '"gripper": 0, "gripper"'),
        wire.request_text(MOVE)[:-1] + ', "more": 1}',
    ],
)  # fmt: skip
def test_anything_but_one_whole_strict_request_is_refused(text: str):
    with pytest.raises(DataError):
        wire.read_request(text)


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_no_text_makes_the_reader_fail_in_another_way(text: str):
    with pytest.raises(DataError):
        wire.read_answer(text)


def test_an_answer_of_a_state_unknown_is_refused():
    told = json.loads(wire.answer_text(ANSWER)) | {"state": "ASLEEP"}
    with pytest.raises(DataError, match="state: one of"):
        wire.read_answer(json.dumps(told))
    told = json.loads(wire.answer_text(ANSWER)) | {"by_hand": 1}
    with pytest.raises(DataError, match="by_hand: true or false"):
        wire.read_answer(json.dumps(told))
