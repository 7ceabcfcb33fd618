"""Judges behind HTTP, against a real process that serves our own model, well and badly."""

import http.client
import time

import numpy as np
import pytest

from agent.errors import RewardUnavailable, UsageError
from agent.reward.chat import ChatReader
from agent.reward.line import FIRST_WAIT_S, MOST_SENT, Body, is_loopback, line_to
from agent.reward.robometer import MOST_FRAMES, RobometerReader
from agent.reward.vlm import VlmReader
from tests.reward.servers import frames_of, line, save_small, serving

READERS = {"chat": ChatReader, "robometer": RobometerReader}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_small(tmp_path_factory.mktemp("vlm") / "small")


@pytest.fixture(scope="module")
def address(folder):
    with serving(folder) as address:
        yield address


def knowing(kind, address, fault, **told):
    """A reader that knows its server, which from now on has a fault."""
    reader = READERS[kind](line(address))
    assert reader.id
    reader._line = line(f"{address}/{fault}", **told)
    return reader


def test_a_chat_judge_says_what_the_model_says_that_is_served(address, folder):
    frames = frames_of(3)
    served, here = ChatReader(line(address)).read(frames), VlmReader(folder).read(frames)
    np.testing.assert_allclose(served.success, here.success, atol=1e-5)
    np.testing.assert_allclose(served.progress, here.progress, atol=1e-5)
    assert np.ptp(here.success) > 1e-4  # or any constant would have passed


def test_robometer_says_what_the_model_says_in_parts_of_a_long_episode(address, folder):
    frames = frames_of(MOST_FRAMES + 3)
    served = RobometerReader(line(address)).read(frames)
    # Each camera is a trajectory of its own, and the figures are their mean.
    each = []
    for images in frames.images.values():
        twice = dict.fromkeys(frames.images, images)
        each.append(VlmReader(folder).read(type(frames)(twice, frames.instruction)))
    np.testing.assert_allclose(served.success, np.mean([e.success for e in each], 0), atol=1e-5)
    np.testing.assert_allclose(served.progress, np.mean([e.progress for e in each], 0), atol=1e-5)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("e500", "answered with 500"),
        ("e404", "200 wanted, found 404"),
        ("garbage", "JSON wanted"),
        ("lying", "wanted, found"),
        ("nan", "wanted, found"),
        ("huge", "4 MB at most wanted"),
        ("away", "200 wanted, found 307"),
        ("words", "wanted, found"),
    ],
)
def test_a_judge_that_does_not_answer_as_asked_is_unavailable(address, kind, fault, said):
    reader = knowing(kind, address, fault)
    with pytest.raises(RewardUnavailable, match=said):
        reader.read(frames_of(2))


@pytest.mark.parametrize("fault", ["slow", "drip"])
def test_a_slow_answer_is_given_up_in_time_even_if_it_drips(address, fault):
    reader = knowing("chat", address, fault, timeout_s=0.7)
    began_s = time.monotonic()
    with pytest.raises(RewardUnavailable, match=r"no answer in 0\.7 s"):
        reader.read(frames_of(1))
    assert time.monotonic() - began_s < 3.0


@pytest.mark.parametrize("kind", READERS)
def test_nobody_at_the_address_is_unavailable(kind):
    # Port 9 is for discarding; nothing listens there on loopback.
    with pytest.raises(RewardUnavailable, match="is it running"):
        READERS[kind](line("http://127.0.0.1:9")).read(frames_of(1))


def test_a_passing_fault_is_waited_out_longer_each_time(address):
    reader = ChatReader(line(address, retries=2))
    assert reader.id.startswith("chat/small@")
    tell(address, "/fail/2")
    began_s = time.monotonic()
    reader.read(frames_of(1))
    assert time.monotonic() - began_s >= 3 * FIRST_WAIT_S  # once, and then twice as long
    tell(address, "/fail/3")
    with pytest.raises(RewardUnavailable, match="answered with 503"):
        reader.read(frames_of(1))


def test_the_token_is_sent_and_never_shown(address):
    told = line(address, token="of-nobody")
    ChatReader(told).read(frames_of(1))
    assert "of-nobody" not in repr(told)
    assert told.ask("/asked")["tokens"][-1] == "Bearer of-nobody"


def test_who_answers_is_known_by_name_and_does_not_change_with_its_age(address):
    first, again = ChatReader(line(address)), ChatReader(line(address))
    assert first.id == again.id
    assert RobometerReader(line(address)).id.startswith("robometer/small@")
    with pytest.raises(RewardUnavailable, match="model 'large' wanted, found small"):
        ChatReader(line(address), "large").read(frames_of(1))


def test_too_large_a_request_is_never_sent(address):
    before = line(address).ask("/asked")["asked"]
    with pytest.raises(RewardUnavailable, match="64 MB at most"):
        line(address).ask("/v1/chat/completions", Body(bytes(MOST_SENT + 1), "text/plain"))
    assert line(address).ask("/asked")["asked"] == before


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "::1"])
def test_this_machine_is_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "0.0.0.0", "example.org", "127.0.0.1.example.org", "localhost.example"]
)
def test_anything_else_is_not(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:80", "ftp://127.0.0.1", "http://", "http://a:b@127.0.0.1", "http://[::1",
     "http://127.0.0.1:x", "http://127.0.0.1/?a=b"],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused(url):
    with pytest.raises(UsageError, match=r"reward\.url"):
        line_to(url, 1.0, 0, exposed=True)


def test_pictures_leave_this_machine_only_where_it_was_said_and_a_token_only_over_tls():
    with pytest.raises(UsageError, match="another machine"):
        line_to("http://10.0.0.1:8000", 1.0, 0, exposed=False)
    assert line_to("http://10.0.0.1:8000", 1.0, 0, exposed=True).url == "http://10.0.0.1:8000"
    with pytest.raises(UsageError, match="https wanted where a token goes"):
        line_to("http://10.0.0.1:8000", 1.0, 0, exposed=True, token="secret")


def tell(address, path):
    host = address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=5)
    connection.request("GET", path)
    assert connection.getresponse().status == 200
    connection.close()
