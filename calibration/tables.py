"""Groups of keys that profiles and camera files share: strict, with units and ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Three = Annotated[tuple[float, ...], Field(min_length=3, max_length=3)]
Five = Annotated[tuple[float, ...], Field(min_length=5, max_length=5)]


class Table(BaseModel):
    """A frozen group of keys that refuses unknown ones, NaN and silent conversions."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True
    )


class Lens(Table):
    """px and 1; deviations: one standard deviation of each, by name."""

    width_px: Annotated[int, Field(ge=16, le=16384)]
    height_px: Annotated[int, Field(ge=16, le=16384)]
    fx: Positive
    fy: Positive
    cx: float
    cy: float
    distortion: Five
    rms_px: NotNegative
    views: Annotated[int, Field(ge=1)]
    deviations: dict[str, float]


class Place(Table):
    """Where the camera is: in the tool's frame (on-hand) or the base's (beside).

    bootstrap_m, bootstrap_rad: spread over resampled views, a check of the deviations; 0 untold.
    """

    mount: Literal["on-hand", "beside"]
    position_m: Three
    rotation_vector_rad: Three
    deviation_m: NotNegative
    deviation_rad: NotNegative
    gap_m: NotNegative
    gap_rad: NotNegative
    views: Annotated[int, Field(ge=1)]
    bootstrap_m: NotNegative = 0.0
    bootstrap_rad: NotNegative = 0.0


class Latency(Table):
    """Delays and their standard deviations, s.

    command_s: from a command until the arm moves so. frame_s: by camera, from an event until its
    picture is there.
    """

    command_s: NotNegative
    command_deviation_s: NotNegative
    frame_s: dict[Name, float] = Field(default_factory=dict)
    frame_deviation_s: dict[Name, NotNegative] = Field(default_factory=dict)


class Response(Table):
    """How this arm answered its action test when it was well.

    gain: metres moved per metre commanded in the long run. delay_steps: control periods.
    """

    gain: Positive
    delay_steps: Annotated[int, Field(ge=0)]
