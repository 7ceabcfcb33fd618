"""What is kept of each view for the passes of an update: as far as no adapter changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from agent.configuration import must_be_cut
from agent.policy.policy import ModelInputs, VLAPolicy
from agent.policy.states import States, joined
from agent.policy.targets import depth_of
from agent.settings import LearnSettings


@dataclass(frozen=True, slots=True)
class Views:
    """What the model is given for some decisions (n of them), patches instead of pixels.

    patches: (n, p, h). proprio: (n, q) or None. prompt_ids, prompt_mask: (n, l).
    """

    patches: Tensor
    proprio: Tensor | None
    prompt_ids: Tensor
    prompt_mask: Tensor

    def __len__(self) -> int:
        """Decisions."""
        return len(self.patches)

    def rows(self, index: Tensor) -> Views:
        """Pick some decisions."""
        proprio = None if self.proprio is None else self.proprio[index]
        return Views(self.patches[index], proprio, self.prompt_ids[index], self.prompt_mask[index])

    def to(self, device: torch.device) -> Views:
        """Move to a device."""
        proprio = None if self.proprio is None else self.proprio.to(device)
        return Views(
            self.patches.to(device), proprio, self.prompt_ids.to(device),
            self.prompt_mask.to(device),
        )  # fmt: skip


# With adapters on the top blocks alone, the tokens as they stand in front of the lowest of those.
Seen = Views | States


@dataclass(frozen=True, slots=True)
class Keep:
    """How far views are run once and for all: up to projected patches, unless one of these.

    pixels: not at all, for an adapter in the towers or the projector. cut: up to this block of the
    language model, the actions that are followed with them.
    """

    pixels: bool = False
    cut: int = 0


def keep_of(policy: VLAPolicy, settings: LearnSettings) -> Keep:
    """As the settings' adapters allow. Raises UsageError for a cut that this policy cannot have."""
    top, depth = settings.top_layers, depth_of(policy.model)
    must_be_cut(settings.targets, top, depth)
    return Keep(settings.targets != "language", depth - top if top else 0)


def passed(
    policy: VLAPolicy, keep: Keep, inputs: ModelInputs, tokens: Tensor
) -> tuple[Seen, Tensor]:
    """Run views as far as they are kept, and through the bare base to their features (n, h).

    tokens: (n, d) that were answered.
    """
    model, words = policy.model, (inputs.prompt_ids, inputs.prompt_mask)
    with policy.adapters.use(None):
        patches = policy.patches(inputs)
        if keep.cut:
            sequence = model.sequence(patches, inputs.proprio, *words, tokens)
            states = model.below(sequence, keep.cut)
            return states, model.above(states, keep.cut).feature
        feature = model.feature(patches, inputs.proprio, *words)
    return Views(inputs.pixels if keep.pixels else patches, inputs.proprio, *words), feature


def logits_of(policy: VLAPolicy, keep: Keep, seen: Seen, tokens: Tensor) -> Tensor:
    """Logits (n, d, a) under the adapter in use; in turn, each follows the tokens before it."""
    model = policy.model
    if isinstance(seen, States):
        return model.above(seen, keep.cut).logits
    patches = seen.patches
    if keep.pixels:
        patches = policy.look(patches)
    return model.action_logits(patches, seen.proprio, seen.prompt_ids, seen.prompt_mask, tokens)


def stack(parts: Sequence[Seen]) -> Seen:
    """Put views of several episodes together, prompts padded to the longest."""
    states = [each for each in parts if isinstance(each, States)]
    if states:
        return joined(states)
    views = [each for each in parts if isinstance(each, Views)]
    longest = max(each.prompt_ids.shape[1] for each in views)
    proprio = [each.proprio for each in views if each.proprio is not None]
    return Views(
        torch.cat([each.patches for each in views]),
        torch.cat(proprio) if proprio else None,
        torch.cat([_padded(each.prompt_ids, longest) for each in views]),
        torch.cat([_padded(each.prompt_mask, longest) for each in views]),
    )


def _padded(rows: Tensor, longest: int) -> Tensor:
    return torch.nn.functional.pad(rows, (longest - rows.shape[1], 0))
