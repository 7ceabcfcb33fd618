"""Views are read while the robot acts, and the robot never waits for it."""

import threading
import time
from dataclasses import replace

import pytest

from agent.errors import RewardUnavailable
from agent.reward.judge import FrameJudge
from agent.reward.online import WAITING, OnlineReading
from tests.reward.judged import BrightReader, MuteReader, episode_of, told


def act(eye, episode, pause_s=0.0):
    """Show the views of an episode as a rollout does; gives the longest wait for it."""
    views = [*(step.observation for step in episode.steps), episode.last]
    longest_s = 0.0
    for number, view in enumerate(views):
        began_s = time.perf_counter()
        eye.look(number, view)
        longest_s = max(longest_s, time.perf_counter() - began_s)
        time.sleep(pause_s)
    return longest_s


def settled(reader, reads):
    """Wait until so many readings are done."""
    ends_s = time.monotonic() + 5.0
    while len(reader.read_views) < reads and time.monotonic() < ends_s:
        time.sleep(0.005)


@pytest.fixture
def reading():
    made = []

    def make(reader, **settings):
        made.append(OnlineReading(reader, told(**settings)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_acting_never_waits_for_a_slow_reader(reading):
    eye = reading(BrightReader(slow_s=0.5))
    episode = episode_of(*[0.1] * 40)
    # Forty views of half a second each would be twenty seconds.
    assert act(eye, episode) < 0.1
    # One is read, some wait, and for the rest there was no room.
    assert eye.dropped >= 39 - WAITING - 2


def test_what_was_read_while_acting_is_not_read_again(reading):
    reader, settings = BrightReader(), told(every_views=2)
    eye = reading(reader, every_views=2)
    judge = FrameJudge(reader, settings, seen=eye)
    episode = episode_of(0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    act(eye, episode, pause_s=0.05)
    settled(reader, 2)
    # Each view beside the first one, which progress is seen against.
    assert reader.read_views == [[0.0, 0.2], [0.0, 0.4]]
    signal = judge.score(episode)
    # Only the last view is missing; the first goes with it again.
    assert reader.read_views[2:] == [[0.0, 0.502]]
    offline = FrameJudge(BrightReader(), settings).score(episode)
    assert signal.progress.tolist() == offline.progress.tolist()
    assert signal.verdict is offline.verdict


def test_what_was_read_of_one_episode_says_nothing_of_the_next(reading):
    reader = BrightReader()
    eye = reading(reader)
    act(eye, episode_of(0.0, 0.9, 0.9), pause_s=0.05)
    settled(reader, 2)
    other = episode_of(0.0, 0.1, 0.1)
    views = [*(step.observation for step in other.steps), other.last]
    eye.look(0, views[0])
    assert eye.opinions(views) == {}


def test_other_views_than_those_that_were_read_are_not_known(reading):
    reader = BrightReader()
    eye = reading(reader)
    episode = episode_of(0.0, 0.9, 0.9)
    act(eye, episode, pause_s=0.05)
    settled(reader, 2)
    views = [*(step.observation for step in episode.steps), episode.last]
    # A recorded episode, say, whose views were taken at other times.
    others = [replace(view, time_s=view.time_s + 100.0) for view in views]
    assert eye.opinions(others) == {}
    assert set(eye.opinions(views)) == {0, 1, 2}


def test_nobody_else_uses_the_reader_once_the_judge_has_begun(reading):
    busy = threading.Lock()

    class Alone(BrightReader):
        def read(self, frames):
            assert busy.acquire(blocking=False), "two at once"
            try:
                return super().read(frames)
            finally:
                busy.release()

    reader = Alone(slow_s=0.05)
    eye = reading(reader)
    judge = FrameJudge(reader, told(), seen=eye)
    for _ in range(3):
        episode = episode_of(0.0, 0.2, 0.4, 0.6, 0.8)
        act(eye, episode)
        assert judge.score(episode).progress[-1] == pytest.approx(0.8)


def test_a_reader_that_fails_while_acting_is_left_alone_until_the_end(reading):
    eye = reading(MuteReader())
    judge = FrameJudge(MuteReader(), told(), seen=eye)
    episode = episode_of(0.0, 0.5, 0.9)
    act(eye, episode, pause_s=0.02)
    with pytest.raises(RewardUnavailable, match="nobody is there"):
        judge.score(episode)


def test_it_may_be_closed_twice_and_unopened():
    eye = OnlineReading(BrightReader(), told())
    eye.close()
    act(eye, episode_of(0.0, 0.5))
    eye.close()
    eye.close()
    assert not [t for t in threading.enumerate() if t.name == "judge"]
