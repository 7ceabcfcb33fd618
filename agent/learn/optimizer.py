"""AdamW's state on disk, by parameter name, so that a resumed update is the same update."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn

from agent.errors import DataError

WEIGHTS = "optimizer.safetensors"


def save_optimizer(
    optimizer: torch.optim.Optimizer, parameters: Mapping[str, nn.Parameter], folder: Path
) -> None:
    """Write every parameter's moments and step count to the folder."""
    tensors: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        for part, value in optimizer.state[parameter].items():
            tensors[f"{name}|{part}"] = torch.as_tensor(value).detach().clone().contiguous()
    save_file(tensors, str(folder / WEIGHTS))


def load_optimizer(
    optimizer: torch.optim.Optimizer, parameters: Mapping[str, nn.Parameter], folder: Path
) -> None:
    """Read them back. Raises DataError listing what is missing or of another shape."""
    path = folder / WEIGHTS
    try:
        tensors = load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise DataError(f"optimizer state {path} cannot be read: {error}") from error
    wrong = [name for name in parameters if f"{name}|exp_avg" not in tensors]
    wrong += [
        name
        for name, parameter in parameters.items()
        if name not in wrong and tensors[f"{name}|exp_avg"].shape != parameter.shape
    ]
    if wrong:
        raise DataError(f"optimizer state {path} does not fit: {', '.join(wrong[:5])}")
    for name, parameter in parameters.items():
        optimizer.state[parameter] = {
            part: tensors[f"{name}|{part}"] for part in ("step", "exp_avg", "exp_avg_sq")
        }
