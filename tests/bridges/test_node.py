"""One node, one thread: what comes in, how old it is, and a clean end."""

import math
import threading
import time

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from agent.clock import now_s
from agent.errors import RobotFault
from bridges.node import Link
from bridges.topic import Sample, Topic

pytestmark = pytest.mark.ros


@pytest.fixture
def link():
    link = Link("vlarl_test")
    link.open()
    yield link
    link.close()


@pytest.fixture
def other():
    """A node of somebody else."""
    other = Link("somebody_else")
    other.open()
    yield other
    other.close()


def stamped(ahead_s: float = 0.0) -> JointState:
    message = JointState()
    moment = time.time() + ahead_s
    message.header.stamp.sec = int(moment)
    message.header.stamp.nanosec = int((moment % 1) * 1e9)
    return message


def test_the_newest_message_is_kept_with_its_age(link, other, until):
    topic = link.listen("/joints", JointState)
    publisher = other.publisher("/joints", JointState)
    assert until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(stamped(-0.1))
    assert until(lambda: topic.newest)
    # stamped 0.1 s ago, and under way for a few milliseconds
    age_s = topic.newest.age_s(now_s())
    assert 0.1 <= age_s < 0.4
    with pytest.raises(RobotFault, match=r"old, limit 0.05 s"):
        topic.fresh(0.05, "joint state")
    publisher.publish(stamped())
    assert until(lambda: topic.newest.age_s(now_s()) < 0.1)
    topic.fresh(0.2, "joint state")


def test_a_silent_topic_says_its_name(link):
    with pytest.raises(RobotFault, match=r"joint state wanted on /nobody"):
        link.listen("/nobody", JointState).fresh(1.0, "joint state")


def test_a_stamp_in_the_future_or_none_is_never_fresh():
    topic = Topic("/joints")
    topic.take(stamped(3.0))
    with pytest.raises(RobotFault, match=r"found one 3.0\d s ahead"):
        topic.fresh(100.0, "joint state")
    topic.take(JointState())
    with pytest.raises(RobotFault, match="found no stamp"):
        topic.fresh(100.0, "joint state")
    # a few milliseconds between two clocks are no lie
    topic.take(stamped(0.01))
    assert topic.fresh(0.2, "joint state").captured_s <= now_s()


def test_a_message_ages_by_its_stamp_and_by_waiting():
    # arrived at 100 s, stamped half a second before: captured at 99.5, and 1.5 s old at 101
    sample = Sample(None, 100.0, 0.5)
    assert sample.captured_s == 99.5
    assert sample.age_s(101.0) == 1.5
    assert math.isinf(Sample(None, 100.0, -0.06).age_s(101.0))


def test_the_message_nearest_to_a_moment_is_found():
    topic = Topic("/joints")
    moments = []
    for number in range(5):
        message = stamped()
        message.effort = [float(number)]
        topic.take(message)
        moments.append(now_s())
        time.sleep(0.03)
    assert topic.near(moments[2]).message.effort[0] == 2.0
    assert topic.near(moments[0] - 9).message.effort[0] == 0.0
    assert topic.near(moments[4] + 9).message.effort[0] == 4.0


def test_a_kilohertz_is_thinned_and_its_newest_message_kept():
    topic = Topic("/joints")
    for number in range(1000):
        message = JointState(effort=[float(number)])
        topic.take(message)
    assert topic.newest.message.effort[0] == 999.0
    assert len(topic._course) < 1000 / 2


@pytest.mark.parametrize(
    "offered", [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT], ids=["reliable", "not"]
)
def test_images_are_asked_for_as_their_publishers_offer_them(link, other, until, offered):
    topic = link.listen("/joints", JointState, "as offered")
    publisher = other._node.create_publisher(
        JointState, "/joints", QoSProfile(depth=1, reliability=offered)
    )
    assert until(lambda: link.publishers("/joints") == 1)
    link.follow()
    link.follow()

    def asked():
        return other._node.get_subscriptions_info_by_topic("/joints")

    assert until(lambda: [each.qos_profile.reliability for each in asked()] == [offered])
    assert until(lambda: publisher.publish(stamped()) or topic.newest)


def test_a_subscription_ends_on_the_thread_that_waits_for_it(link, other, until, monkeypatch):
    """Another one may meet the wait at a moment at which rclpy cannot do without it."""
    link.listen("/joints", JointState, "as offered")
    other.publisher("/joints", JointState)
    assert until(lambda: link.publishers("/joints") == 1)
    ended, end = [], link._node.destroy_subscription

    def noted(subscription):
        ended.append(threading.current_thread())
        return end(subscription)

    monkeypatch.setattr(link._node, "destroy_subscription", noted)
    link.follow()
    assert until(lambda: ended)
    assert ended == [link._thread]
    link.check()


def test_a_service_that_nobody_offers_or_answers_is_a_fault(link, other):
    with pytest.raises(RobotFault, match="nobody offers it"):
        link.call("/reset", Trigger, Trigger.Request(), 0.1)
    other._node.create_service(Trigger, "/slow", lambda request, answer: time.sleep(1.0) or answer)
    with pytest.raises(RobotFault, match="did not answer"):
        link.call("/slow", Trigger, Trigger.Request(), 0.5)


def test_a_service_answers(link, other):
    def yes(request, answer):
        answer.success = True
        return answer

    other._node.create_service(Trigger, "/yes", yes)
    assert link.call("/yes", Trigger, Trigger.Request(), 5.0).success


def test_a_thread_that_died_is_noticed(link, other, until):
    def fail(sample):
        raise ValueError("in a hurry")

    link.listen("/words", String, "reliable", hear=fail)
    publisher = other.publisher("/words", String)
    assert until(lambda: publisher.get_subscription_count() == 1)
    link.check()
    publisher.publish(String(data="boo"))
    assert until(lambda: link._died is not None)
    with pytest.raises(RobotFault, match="in a hurry"):
        link.check()


def test_a_link_opens_and_closes_again_and_leaves_no_thread():
    before = threading.active_count()
    link = Link("vlarl_test")
    link.close()
    for _ in range(2):
        link.open()
        link.open()
        assert link.is_open
        link.check()
        link.close()
        link.close()
        assert not link.is_open
        with pytest.raises(RobotFault):
            link.check()
    assert threading.active_count() == before
