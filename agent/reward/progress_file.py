"""All that a training of a judge needs to go on to the bit, in one safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from agent.durable import write_bytes
from agent.errors import DataError

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def write_state(
    path: Path,
    step: int,
    parameters: Mapping[str, nn.Parameter],
    average: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
    told: Mapping[str, str],
) -> None:
    """Write weights, their average and AdamW's moments; the file is whole or the one before.

    Raises StorageError.
    """
    tensors = {f"weight/{name}": p.detach().contiguous() for name, p in parameters.items()}
    tensors |= {f"average/{name}": value.contiguous() for name, value in average.items()}
    for name, parameter in parameters.items():
        for moment, value in optimizer.state[parameter].items():
            tensors[f"{moment}/{name}"] = torch.as_tensor(value).clone()
    write_bytes(path, save(tensors, metadata={**told, "step": str(step)}))


def read_state(
    path: Path,
    parameters: Mapping[str, nn.Parameter],
    average: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    told: Mapping[str, str],
) -> int:
    """Put everything back in place; returns the step.

    Raises DataError for a damaged file or one of another training.
    """
    try:
        with safe_open(str(path), "pt") as file:
            found = dict(file.metadata() or {})
        tensors = load_file(str(path))
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} is damaged: {error}; start this training anew") from error
    unlike = [name for name, value in told.items() if found.get(name) != value]
    if unlike or any(f"weight/{name}" not in tensors for name in parameters):
        why = ", ".join(f"{name} {found.get(name)} for {told[name]}" for name in unlike)
        raise DataError(
            f"{path} belongs to another training ({why or 'other weights'}); "
            "give the same labels and settings, or another folder"
        )
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[f"weight/{name}"])
            moments = {m: tensors[f"{m}/{name}"] for m in _MOMENTS if f"{m}/{name}" in tensors}
            if moments:
                optimizer.state[parameter] = moments
        for name in average:
            average[name] = tensors[f"average/{name}"]
    return int(found["step"])
