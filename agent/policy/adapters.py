"""LoRA adapters by name over one frozen base; nothing is ever merged into it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, LoraModel
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file
from torch import Tensor, nn

from agent.errors import DataError, UsageError
from agent.policy import foreign
from agent.policy.foreign import CONFIG, WEIGHTS
from agent.policy.foreign import PREFIX as _PREFIX
from agent.policy.targets import TARGETS, Kind, Targets, target_pattern, top_of, unused
from agent.policy.vla import VLA

MANIFEST = "MANIFEST.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AdapterSpec:
    """The size of a LoRA: its scale is alpha / rank (Hu et al. 2021).

    top: of the language model, so many of its last blocks alone; 0: all.
    """

    rank: int = 16
    alpha: float = 16.0
    targets: Targets = "language"
    top: int = 0


class Adapters:
    """The adapters of one model. `base` is the hash of the frozen weights under them."""

    def __init__(self, model: VLA, base: str) -> None:
        self.model = model
        self.base = base
        self._specs: dict[str, AdapterSpec] = {}
        self._active: str | None = None
        self._layers: list[tuple[str, Any]] = []
        self._tuner: Any = None
        model.requires_grad_(requires_grad=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The adapters attached, in the order they came."""
        return tuple(self._specs)

    @property
    def active(self) -> str | None:
        """The adapter in use; None: the bare base."""
        return self._active

    def spec(self, name: str) -> AdapterSpec:
        """The size of an attached adapter."""
        self._known(name)
        return self._specs[name]

    def attach(self, name: str, spec: AdapterSpec, seed: int) -> None:
        """Add a fresh adapter in float32 that changes nothing yet (B is 0). It stays inactive."""
        if name in self._specs or not name.isidentifier():
            raise DataError(f"an adapter needs a new, plain name; {name!r} will not do")
        before, learning = self._active, self._learning()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._inject(name, self._peft_config(spec))
        self._layers = [
            (path, module)
            for path, module in self.model.named_modules()
            if isinstance(module, LoraLayer)
        ]
        self._specs[name] = spec
        for parameter in self.parameters(name).values():
            parameter.data = parameter.data.float()
        self.activate(before)
        self.freeze(*learning)

    def detach(self, name: str) -> None:
        """Forget an adapter; if it was active, the bare base is."""
        self._known(name)
        if self._active == name:
            self.activate(None)
        learning = self._learning()
        for _, layer in self._layers:
            layer.set_adapter([])  # or peft would pick another one to be active
        self._tuner.delete_adapter(name)
        del self._specs[name]
        self.activate(self._active)
        self.freeze(*(learning - {name}))

    def copy(self, source: str, target: str) -> None:
        """Make `target` (attached if new) a frozen clone of `source`."""
        spec = self.spec(source)
        if target not in self._specs:
            self.attach(target, spec, seed=0)
        self.set_state(target, self.state(source))

    def activate(self, name: str | None) -> None:
        """Use this adapter from now on; None: the bare base, bit for bit."""
        if name is not None:
            self._known(name)
        learning = self._learning()
        for _, layer in self._layers:
            if name is not None:
                layer.set_adapter(name)
            layer.enable_adapters(name is not None and name in layer.lora_A)
        self._active = name
        self.freeze(*learning)  # peft ties gradients to being active; here they are two things

    @contextlib.contextmanager
    def use(self, name: str | None) -> Iterator[None]:
        """Use an adapter (None: the bare base) inside the block, then the one before."""
        before = self._active
        if name == before:
            yield
            return
        self.activate(name)
        try:
            yield
        finally:
            self.activate(before)

    def freeze(self, *but: str) -> None:
        """Let no adapter learn but these."""
        for name in self._specs:
            for parameter in self._tensors(name):
                parameter.requires_grad_(name in but)

    def parameters(self, name: str) -> dict[str, nn.Parameter]:
        """The adapter's weights under the keys of its file, in a fixed order."""
        self._known(name)
        found = {}
        for path, layer in self._layers:
            if name in layer.lora_A:
                for part in ("lora_A", "lora_B"):
                    weight = getattr(layer, part)[name].weight
                    found[f"{_PREFIX}{path}.{part}.weight"] = weight
        return found

    def state(self, name: str) -> dict[str, Tensor]:
        """A copy of the adapter's weights."""
        return {key: p.detach().clone() for key, p in self.parameters(name).items()}

    def set_state(self, name: str, state: dict[str, Tensor]) -> None:
        """Overwrite the adapter's weights. Raises DataError listing what does not fit."""
        own = self.parameters(name)
        wrong = [f"missing {key}" for key in own if key not in state]
        wrong += [f"unexpected {key}" for key in state if key not in own]
        for key in own.keys() & state.keys():
            if state[key].shape != own[key].shape:
                wrong.append(f"{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}")
            elif not bool(torch.isfinite(state[key]).all()):
                wrong.append(f"NaN or infinity in {key}")
        if wrong:
            more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
            raise DataError(f"weights do not fit {name!r}: {'; '.join(wrong[:5])}{more}")
        with torch.no_grad():
            for key, parameter in own.items():
                parameter.copy_(state[key])

    def save(self, name: str, folder: Path) -> None:
        """Write a PEFT adapter folder and its manifest, whole or not at all.

        Raises DataError if the folder is there already.
        """
        if folder.exists():
            raise DataError(f"{folder} is there already; adapters are never overwritten")
        half = folder.with_name(f".{folder.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        self._peft_config(self.spec(name), inference=True).save_pretrained(str(half))
        state = {key: tensor.cpu().contiguous() for key, tensor in self.state(name).items()}
        save_file(state, str(half / WEIGHTS), metadata={"format": "pt"})
        spec = self.spec(name)
        manifest = {"format": 1, "base": self.base, "targets": spec.targets, "top": spec.top}
        (half / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        for path in (*half.iterdir(), half):
            _to_disk(path)
        half.rename(folder)
        _to_disk(folder.parent)

    def load(self, folder: Path, name: str) -> None:
        """Read an adapter folder into `name`, attached if new; gradients stay off.

        Raises DataError for another base, size or key, for NaN, and for a damaged file.
        """
        state = foreign.read_weights(folder)
        if (folder / MANIFEST).exists():
            spec = self.read_spec(folder)
        else:
            spec, state = self._from_elsewhere(folder, state)
        fresh = name not in self._specs
        if not fresh and self._specs[name] != spec:
            raise DataError(f"adapter {name!r} is {self._specs[name]}; {folder} holds {spec}")
        if fresh:
            self.attach(name, spec, seed=0)
        try:
            self.set_state(name, state)
        except DataError:
            if fresh:
                self.detach(name)
            raise
        if not (folder / MANIFEST).exists():
            log.warning("%s does not say for which base it was made; its sizes fit this", folder)

    def read_spec(self, folder: Path) -> AdapterSpec:
        """Read the size of a saved adapter. Raises DataError if it was made for another base."""
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            base, targets = manifest["base"], manifest["targets"]
            top = int(manifest.get("top", 0))
            spec = AdapterSpec(int(config["r"]), float(config["lora_alpha"]), targets, top)
            pattern, wanted = config["target_modules"], target_pattern(self.model, targets, top)
        except UsageError as error:
            raise DataError(f"{folder} adapts layers that are not here: {error}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{folder} is no adapter: {error!r}") from error
        if base != self.base:
            raise DataError(f"{folder} was made for base {base[:12]}; this one is {self.base[:12]}")
        if spec.rank < 1 or pattern != wanted:
            raise DataError(f"{folder} adapts other layers than {targets!r} does here")
        return spec

    def _from_elsewhere(
        self, folder: Path, state: dict[str, Tensor]
    ) -> tuple[AdapterSpec, dict[str, Tensor]]:
        """A folder that plain peft wrote, as trainers of OpenVLA do; it names no base."""
        rank, alpha, adapted = foreign.read_size(folder)
        kinds = [Kind(target) for target in TARGETS]
        if top := top_of(self.model, state):
            kinds.append(Kind("language", top))
        patterns = {kind: target_pattern(self.model, kind.targets, kind.top) for kind in kinds}
        if adapted in patterns.values():
            raise DataError(f"{folder} is no adapter: it was made here and lacks {MANIFEST}")
        names = [name for name, _ in self.model.named_modules()]
        layers = {
            kind: [name for name in names if re.fullmatch(pattern, name)]
            for kind, pattern in patterns.items()
        }
        found, kept = foreign.fitting(state, layers, unused(self.model))
        return AdapterSpec(rank, alpha, *found), kept

    def _peft_config(self, spec: AdapterSpec, *, inference: bool = False) -> LoraConfig:
        # A new one each time: peft writes into the one it is given.
        return LoraConfig(
            r=spec.rank,
            lora_alpha=spec.alpha,  # type: ignore[arg-type]  # any number works; its hint says int
            target_modules=target_pattern(self.model, spec.targets, spec.top),
            inference_mode=inference,
        )

    def _inject(self, name: str, config: LoraConfig) -> None:
        if self._tuner is None:
            self._tuner = LoraModel(self.model, config, adapter_name=name)
        else:
            self._tuner.peft_config[name] = config
            self._tuner.inject_adapter(self.model, name)

    def _learning(self) -> set[str]:
        return {n for n in self._specs if any(p.requires_grad for p in self._tensors(n))}

    def _tensors(self, name: str) -> list[nn.Parameter]:
        return list(self.parameters(name).values())

    def _known(self, name: str) -> None:
        if name not in self._specs:
            raise DataError(f"no adapter is called {name!r}; attached: {', '.join(self._specs)}")


def _to_disk(path: Path) -> None:
    """Wait until a file or folder would survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
