"""How a checkpoint is used: on which device, how held, with which statistics and pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch

from agent.errors import DataError, UsageError
from agent.policy.config import Images, VLAConfig

Base = Literal["whole", "int8", "nf4"]
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class Usage:
    """What the settings say; "auto" and empty values leave it to the checkpoint.

    cameras: the robot's names for the checkpoint's cameras, in its order; () for the same names.
    """

    device: str = "cpu"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    base: Base = "whole"
    norm_key: str = ""
    images: Literal["auto", "plain", "libero", "bridge"] = "auto"
    cameras: tuple[str, ...] = ()


def device_of(usage: Usage) -> torch.device:
    """The device that is meant. Raises UsageError for one that this machine lacks."""
    there = torch.cuda.is_available()
    if usage.device == "auto":
        return torch.device("cuda" if there else "cpu")
    device = torch.device(usage.device)
    if device.type == "cuda" and not there:
        raise UsageError(
            f"policy.device {usage.device}: torch {torch.__version__} finds no CUDA device here; "
            "set policy.device=cpu, or install a torch built for CUDA"
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"policy.device {usage.device}: this machine has {torch.cuda.device_count()} devices"
        )
    return device


def dtype_of(usage: Usage, device: torch.device) -> torch.dtype | None:
    """What to compute in; None: as the file says."""
    if usage.dtype != "auto":
        return _DTYPES[usage.dtype]
    return torch.float32 if device.type == "cpu" else None


def told(config: VLAConfig, usage: Usage) -> VLAConfig:
    """The config with what the settings say. Raises DataError for what does not fit it."""
    if usage.cameras and len(usage.cameras) != len(config.cameras):
        raise DataError(
            f"policy.cameras names {', '.join(usage.cameras)}; the checkpoint wants "
            f"{len(config.cameras)}, for {', '.join(config.cameras)}"
        )
    only = next(iter(config.norm_stats)) if len(config.norm_stats) == 1 else ""
    key = usage.norm_key or config.norm_key or only
    if key not in config.norm_stats:
        named = f"no action statistics {key!r}" if key else "several action statistics"
        raise DataError(
            f"{named} in the checkpoint; choose one with policy.norm_key: "
            f"{', '.join(sorted(config.norm_stats)) or 'it has none'}"
        )
    images: Images = _pipeline(config, key) if usage.images == "auto" else usage.images
    cameras = usage.cameras or config.cameras
    chosen = usage.norm_key or config.norm_key
    return replace(config, norm_key=chosen, images=images, cameras=cameras)


def _pipeline(config: VLAConfig, key: str) -> Images:
    """As the config says; a published one says nothing, so the name of its data set does."""
    if config.images != "plain" or not config.timm_model_ids:
        return config.images
    if key.startswith("libero"):
        return "libero"
    return "bridge" if key.startswith("bridge") else "plain"
