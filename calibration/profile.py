"""One robot cell as a file: topics, rates, limits, workspace, cameras; read strictly or refused."""  # noqa: A005  "profile" is what users call it

from __future__ import annotations

import hashlib
import json
import tomllib
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from calibration.complaints import ProfileError, said
from calibration.franka import MODELS, Model, forward
from calibration.tables import Latency, Lens, Name, Place, Positive, Response, Table
from calibration.workspace import Box

SHIPPED = Path(__file__).with_name("robots")

Three = tuple[float, float, float]
Six = tuple[float, float, float, float, float, float]
Seven = tuple[float, float, float, float, float, float, float]


class Frames(Table):
    """Frame names as the robot's own messages carry them. joint_prefix: "" is the model's own."""

    base: str = Field(min_length=1)
    tool: str = Field(min_length=1)
    joint_prefix: str = ""


class Topics(Table):
    """Topic names; one with a leading slash is left as it is, any other stands in the namespace.

    robot_state: franka_msgs/FrankaRobotState, "" where the arm tells its mode by diagnostics.
    """

    namespace: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*)?$")] = ""
    joint_states: str = "joint_states"
    current_pose: str = "current_pose"
    wrench: str = "external_wrench"
    target_pose: str = "target_pose"
    gripper_command: str = "gripper/gripper_position_controller/commands"
    gripper_state: str = "gripper/joint_states"
    diagnostics: str = "diagnostics"
    robot_state: str = ""

    def full(self, name: str) -> str:
        """Absolute name of a topic, service or node given as this table gives one."""
        if name.startswith("/"):
            return name
        return f"/{self.namespace}/{name}" if self.namespace else f"/{name}"


class Kinds(Table):
    """Which of the known ways the arm reports and is commanded in."""

    state: Literal["crisp", "franka_ros2"] = "crisp"
    controller: Literal["crisp", "servo", "joint_trajectory"] = "crisp"
    gripper: Literal["position", "gripper_command", "grasp"] = "position"


class Rates(Table):
    """Hz: decisions' control steps, setpoints sent to the controller, gripper commands."""

    control_hz: Positive = 5.0
    setpoint_hz: Positive = 50.0
    gripper_hz: Positive = 10.0


class Scale(Table):
    """full_scale: metres and radians that a delta of 1.0 stands for."""

    full_scale: tuple[Positive, Positive, Positive, Positive, Positive, Positive]


class Limits(Table):
    """What the guard holds every command to.

    step_m, step_rad: between two setpoints. lead_m, lead_rad: target ahead of the measured pose.
    singular_min: least singular value of the Jacobian. gripper_per_s: of its range.
    new_adapter_speed: share of speed_m_s and rotation_rad_s for the first new_adapter_episodes.
    """

    speed_m_s: Positive = 0.25
    rotation_rad_s: Positive = 1.0
    acceleration_m_s2: Positive = 3.0
    step_m: Positive = 0.01
    step_rad: Positive = 0.05
    lead_m: Positive = 0.08
    lead_rad: Positive = 0.4
    joint_margin_rad: Positive = 0.1
    singular_min: Positive = 0.05
    gripper_per_s: Positive = 2.0
    new_adapter_speed: Annotated[float, Field(gt=0, le=1)] = 0.5
    new_adapter_episodes: Annotated[int, Field(ge=0)] = 3


class Freshness(Table):
    """Age (s) above which a reading is stale, and when a camera counts as frozen or black.

    frozen_frames: so many equal frames in a row while the arm moves; 0 never.
    black_std: standard deviation of a frame's values (0..255) below which it is black.
    request_s: the guard holds after three control periods without a request, not before this.
    """

    joints_s: Positive = 0.2
    pose_s: Positive = 0.2
    camera_s: Positive = 0.3
    frozen_frames: Annotated[int, Field(ge=0)] = 8
    black_std: Annotated[float, Field(ge=0)] = 2.0
    request_s: Positive = 0.2


class Workspace(Table):
    """The box of the tool point, base frame, m."""

    low_m: Three
    high_m: Three

    @property
    def box(self) -> Box:
        """As a box that answers questions."""
        return Box(self.low_m, self.high_m)


class Home(Table):
    """Where an episode begins on an arm that cannot be put elsewhere, rad."""

    joints_rad: Seven


class Gripper(Table):
    """width_m: fully open. inverted: the driver counts 0 open and 1 closed."""

    width_m: Annotated[float, Field(gt=0, le=0.2)] = 0.08
    inverted: bool = False


class Camera(Table):
    """One view. crop: left, top, width, height in the source's pixels, before turning.

    lens, place: as calibrated, of the uncut picture; None before that.
    """

    name: Name
    source: Annotated[str, Field(pattern=r"^(ros|ros-compressed|opencv|realsense):\S+$")]
    height_px: Annotated[int, Field(ge=16, le=2160)]
    width_px: Annotated[int, Field(ge=16, le=3840)]
    rotate_deg: Literal[0, 90, 180, 270] = 0
    crop: tuple[int, int, int, int] | None = None
    lens: Lens | None = None
    place: Place | None = None


class Proprio(Table):
    """names: the layout that the policy expects.

    origin_m: the point, in the base frame, from which tool positions are told to the policy.
    Rotations are told as a rotation vector from the tool pointing straight down.
    """

    names: tuple[
        Literal[
            "tool_x_m", "tool_y_m", "tool_z_m", "tool_rx_rad", "tool_ry_rad", "tool_rz_rad",
            "opening", "opening_commanded", "joint_1_rad", "joint_2_rad", "joint_3_rad",
            "joint_4_rad", "joint_5_rad", "joint_6_rad", "joint_7_rad",
        ], ...,
    ] = Field(
        default=(
            "tool_x_m", "tool_y_m", "tool_z_m", "tool_rx_rad", "tool_ry_rad", "tool_rz_rad",
            "opening", "opening_commanded",
        ),
        min_length=1,
    )  # fmt: skip
    origin_m: Three = (0.0, 0.0, 0.0)


class Anchor(Table):
    """Where a delta starts from: the measured pose, or the last target."""

    target: Literal["measured", "last"] = "measured"


class ActionStatistics(Table):
    """Where a policy's actions are normalised by quantiles: per dimension, with the mask used."""

    q01: Seven
    q99: Seven
    mask: tuple[bool, bool, bool, bool, bool, bool, bool]


class Profile(Table):
    """A whole cell. simulated: only such a cell may be armed without a person."""

    schema_version: Literal[1] = Field(alias="schema")
    name: Name
    model: Literal["fr3", "panda"]
    simulated: bool
    frames: Frames
    topics: Topics = Topics()
    kinds: Kinds = Kinds()
    rates: Rates = Rates()
    scale: Scale
    limits: Limits = Limits()
    freshness: Freshness = Freshness()
    workspace: Workspace
    home: Home
    gripper: Gripper = Gripper()
    cameras: Annotated[tuple[Camera, ...], Field(min_length=1)]
    proprio: Proprio = Proprio()
    anchor: Anchor = Anchor()
    action_statistics: ActionStatistics | None = None
    latency: Latency | None = None
    response: Response | None = None

    @property
    def arm(self) -> Model:
        """The published figures of this model."""
        return MODELS[self.model]

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of joints 1 to 7 in the joint state messages."""
        prefix = self.frames.joint_prefix
        return tuple(f"{prefix}{n}" for n in range(1, 8)) if prefix else self.arm.joint_names

    @property
    def sha256(self) -> str:
        """Hash of what the profile says; comments and layout of the file do not count."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, object]:
        """Plain JSON that `from_dict` reads back."""
        return self.model_dump(mode="json", by_alias=True)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        from calibration.possible import contradictions

        for key, wanted, found in contradictions(self):
            raise ValueError(f"{key}: wanted {wanted}, found {found}")
        return self


def load(name_or_path: str) -> Profile:
    """Read a shipped profile by its name, or a file.

    Raises ProfileError, one line that names file, key, what was wanted and what was found.
    """
    path = find(name_or_path)
    try:
        text = path.read_bytes().decode()
        return from_dict(tomllib.loads(text), str(path))
    except OSError as error:
        raise ProfileError(f"profile {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"profile {path} is not TOML: {error}") from error


def from_dict(data: dict[str, object], origin: str) -> Profile:
    """Build a profile out of plain tables; origin names where they came from in errors."""
    try:
        return Profile.model_validate_json(json.dumps(data, default=_text))
    except ValidationError as error:
        raise ProfileError(said(Profile, error, origin)) from error


def find(name_or_path: str) -> Path:
    """Where a profile lies. Raises ProfileError for a name that none is shipped under."""
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        return Path(name_or_path)
    path = SHIPPED / f"{name_or_path}.toml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in SHIPPED.glob("*.toml")))
        raise ProfileError(
            f"no profile is called {name_or_path!r}; shipped: {known}; or give a file: cell.toml"
        )
    return path


def home_tool(profile: Profile) -> Three:
    """Where the tool point is (m, base frame) when the arm is at home."""
    x, y, z = (float(value) for value in forward(profile.home.joints_rad)[0])
    return x, y, z


def _text(value: object) -> str:
    """Dates and times are the only TOML values that JSON lacks; no key here takes one."""
    if isinstance(value, (date, time)):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
