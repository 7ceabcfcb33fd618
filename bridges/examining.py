"""What is there of a real arm's graph, one finding a line, without commanding anything."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from agent.errors import RobotFault, UsageError
from agent.protocols import Finding
from agent.settings import RobotSettings
from bridges.franka import DEFAULT_PROFILE
from bridges.hearing import Heard, Hearing
from bridges.messages import joints_of, pose_of, says_simulated
from bridges.topic import FUTURE_S
from bridges.wire import ANSWER_TOPIC, OPERATOR_TOPIC, REQUEST_TOPIC
from calibration.complaints import ProfileError
from calibration.franka import forward
from calibration.profile import Profile, load

LISTENED_S = 3.0
# Less often than this, and a reading is stale before the next one comes.
STATE_HZ = 30.0
# Tool poses of the controller and of this model's own figures may differ by the tool's frame.
TOOL_APART_M = 0.02
# A gripper speaks at 10 Hz or so.
GRIPPER_S = 1.0


def examine(settings: RobotSettings) -> tuple[Finding, ...]:
    """Listen to the arm that the settings name for some seconds. Raises UsageError for its profile.

    Nothing is published and no service is called.
    """
    try:
        profile = load(settings.profile or DEFAULT_PROFILE)
    except ProfileError as error:
        raise UsageError(str(error)) from error
    what = f"{profile.name}, {profile.model}, {'simulated' if profile.simulated else 'real'}"
    first = Finding("profile", "ok", f"{what}, sha256 {profile.sha256[:16]}")
    if find_spec("rclpy") is None:
        advice = "pip install 'vlarl-agent[ros]', or source a ROS 2 that fits this Python"
        return first, Finding("ros", "fail", "no rclpy", advice)
    with Hearing(profile) as hearing:
        hearing.listen(LISTENED_S)
        return (first, *_everything(profile, hearing))


def _everything(profile: Profile, hearing: Hearing) -> Iterator[Finding]:
    topics, fresh = profile.topics, profile.freshness
    for wanted in (
        _Wanted("joint states", topics.joint_states, STATE_HZ, fresh.joints_s),
        _Wanted("tool pose", topics.current_pose, STATE_HZ, fresh.pose_s),
        _Wanted("gripper", topics.gripper_state, 1.0, GRIPPER_S),
    ):
        yield _spoken(hearing, wanted)
    yield from _arm(profile, hearing)
    yield from _cameras(profile, hearing)
    yield _mode(profile, hearing)
    yield from _command(profile, hearing)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is wanted of a topic. driver: what publishes it."""

    name: str
    topic: str
    least_hz: float
    limit_s: float
    driver: str = "the arm's driver"


def _spoken(hearing: Hearing, wanted: _Wanted) -> Finding:
    """Whether a topic is published, of the right type, often enough, and with honest stamps."""
    heard = hearing.of(wanted.topic)
    if trouble := _trouble(heard, wanted):
        return Finding(wanted.name, "fail", *trouble)
    found = _told(heard)
    if heard.rate_hz < wanted.least_hz:
        return Finding(wanted.name, "warn", found, f"{wanted.least_hz:.0f} Hz or more wanted")
    return Finding(wanted.name, "ok", found)


def _trouble(heard: Heard, wanted: _Wanted) -> tuple[str, str] | None:
    """What is found that cannot work, and what to do; None where nothing is."""
    if not heard.publishers:
        return f"nobody publishes {heard.topic}", f"start {wanted.driver}"
    if heard.wrong_type:
        advice = f"{heard.wanted_type} wanted; set [topics] in the profile"
        return f"{heard.topic} is {heard.wrong_type}", advice
    if not heard.count:
        return f"nothing came on {heard.topic} ({heard.offered})", f"restart {wanted.driver}"
    if heard.lag_s < -FUTURE_S:
        found = f"{heard.topic} is stamped {-heard.lag_s:.2f} s ahead"
        return found, "set both machines' clocks by one server (chrony)"
    # NaN, where nobody stamps, is too old as well.
    if not heard.age_s <= wanted.limit_s:
        advice = f"{1e3 * wanted.limit_s:.0f} ms at most wanted: look at clocks and driver"
        return _told(heard), advice
    return None


def _told(heard: Heard) -> str:
    age = "without stamps" if math.isnan(heard.lag_s) else f"age {1e3 * heard.age_s:.0f} ms"
    return f"{heard.topic} {heard.rate_hz:.0f} Hz, {age}, {heard.offered}"


def _arm(profile: Profile, hearing: Hearing) -> Iterator[Finding]:
    """Whether joints and pose are this model's, in this frame, and inside the cell."""
    joints, pose = (
        hearing.of(name).newest
        for name in (profile.topics.joint_states, profile.topics.current_pose)
    )
    if joints is None or pose is None:
        return
    try:
        angles = joints_of(joints, profile.joint_names)
        place = pose_of(pose, profile.frames.base).position_m
    except RobotFault as fault:
        yield Finding("frames", "fail", str(fault), "set [frames] and model in the profile")
        return
    apart_m = float(abs(forward(angles)[0] - place).max())
    frames = f"{profile.frames.base} to {profile.frames.tool}"
    if apart_m > TOOL_APART_M:
        found = f"{frames}: pose and joints of a {profile.model} are {1e3 * apart_m:.0f} mm apart"
        yield Finding("frames", "warn", found, "set the controller's end effector frame")
    else:
        yield Finding("frames", "ok", f"{frames}, pose and joints agree")
    inside = profile.workspace.box.contains(place)
    where = "tool at " + ", ".join(f"{value:.3f}" for value in place) + " m"
    advice = "" if inside else "outside [workspace]: guide the arm back into it before arming"
    yield Finding("workspace", "ok" if inside else "warn", where, advice)


def _cameras(profile: Profile, hearing: Hearing) -> Iterator[Finding]:
    for camera in profile.cameras:
        kind, _, rest = camera.source.partition(":")
        name = f"camera {camera.name}"
        if not kind.startswith("ros"):
            yield Finding(name, "ok", f"{camera.source}, opened by the agent itself")
            continue
        limit_s = profile.freshness.camera_s
        yield _spoken(hearing, _Wanted(name, rest, 1.0 / limit_s, limit_s, "the camera's driver"))
        info = hearing.of(hearing.info_topic(rest)).newest
        if info is None:
            yield Finding(f"{name} info", "warn", "no camera_info", "only calibration needs it")
        elif not info.k[0] > 0:
            yield Finding(f"{name} info", "warn", "all zero", "calibrate the camera's lens")
        else:
            found = f"{info.width}x{info.height}, focal length {info.k[0]:.0f} px"
            yield Finding(f"{name} info", "ok", found)


def _mode(profile: Profile, hearing: Hearing) -> Finding:
    heard = hearing.of(profile.topics.diagnostics)
    said = heard.values("robot_mode")
    simulated = any(says_simulated(message) for message in heard.messages)
    if profile.simulated and not simulated:
        advice = "start python -m sim.franka, or give the real arm's own profile"
        return Finding("mode", "fail", "the profile says simulated, the arm does not", advice)
    if not said:
        return Finding(
            "mode", "warn", "the arm does not tell its mode", "see docs/ros2.md, robot_state"
        )
    found = f"{said[-1]}{', simulated' if simulated else ''}"
    if said[-1] in {"reflex", "user_stopped"}:
        return Finding(
            "mode", "fail", found, "clear it at the arm: release the stop, unlock in Desk"
        )
    return Finding("mode", "ok", found)


def _command(profile: Profile, hearing: Hearing) -> Iterator[Finding]:
    """Who listens to targets, who sends them, and whether one guard lives."""
    target = profile.topics.full(profile.topics.target_pose)
    listeners, senders = hearing.listeners(target), hearing.senders(target)
    guards = len(hearing.senders(profile.topics.full(ANSWER_TOPIC)))
    if listeners:
        yield Finding("controller", "ok", f"{', '.join(listeners)} listens on {target}")
    else:
        advice = "activate the Cartesian impedance controller (ros2 control list_controllers)"
        yield Finding("controller", "fail", f"nobody listens on {target}", advice)
    if len(senders) > guards:
        found = f"{', '.join(senders)} publish {target}"
        yield Finding(
            "targets", "fail", found, "end all but the guard; CRISP heeds none of several"
        )
    else:
        yield Finding("targets", "ok", f"{', '.join(senders) or 'nobody'} publishes {target}")
    if guards != 1:
        advice = f"python -m bridges.guard --profile {profile.name}" if not guards else "end one"
        yield Finding("guard", "fail", f"{guards} guards", advice)
        return
    status = hearing.of("guard/status")
    state = (status.values("state") or ["unknown"])[-1]
    agents = len(hearing.senders(profile.topics.full(REQUEST_TOPIC)))
    found = f"{state}, {agents} agents, a person's words on {OPERATOR_TOPIC}"
    added = (status.values("request_to_target_p99_ms") or ["nan"])[-1]
    if added != "nan":
        found += f", adds {added} ms p99"
    advice = {"FAULT": "see why, then say clear", "HOLD": "see why, then say resume"}.get(state, "")
    yield Finding("guard", "warn" if advice else "ok", found, advice)
