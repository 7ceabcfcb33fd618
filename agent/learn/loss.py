"""The clipped PPO objective, and KL divergences: exact over all bins, and on the sampled ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Clipped:
    """loss: scalar to minimise. ratio: (b, g). clip_fraction: share of ratios out of range."""

    loss: Tensor
    ratio: Tensor
    clip_fraction: float


def clipped_surrogate(
    new_log_probs: Tensor,
    old_log_probs: Tensor,
    advantage: Tensor,
    mask: Tensor,
    clip: tuple[float, float],
    group: int,
) -> Clipped:
    """PPO's clipped surrogate (Schulman et al. 2017, equation 7), one ratio a group of tokens.

    new_log_probs, old_log_probs: (b, d). advantage: (b,). mask: (b, d), True where a token was
    carried out. clip: how far below and above 1 a ratio may count. group: tokens a ratio, a
    divisor of d: d for one ratio a decision, 7 a control step, 1 a token.
    """
    batch, width = new_log_probs.shape
    parts = (batch, width // group, group)
    difference = (new_log_probs - old_log_probs).masked_fill(~mask, 0.0).view(parts).sum(-1)
    counts = mask.view(parts).any(-1)
    ratio = difference.exp()
    held = ratio.clamp(1.0 - clip[0], 1.0 + clip[1])
    weight = advantage[:, None]
    gain = torch.minimum(ratio * weight, held * weight)
    total = counts.sum().clamp(min=1)
    out = ((ratio != held) & counts).sum() / total
    return Clipped(-(gain * counts).sum() / total, ratio, float(out))


def sampled_kl(new_log_probs: Tensor, old_log_probs: Tensor, mask: Tensor) -> float:
    """KL(old || new) a token, estimated on the sampled ones: mean of r - 1 - log r, nats.

    Schulman, "Approximating KL divergence" (2020), estimator k3: unbiased, never negative.
    """
    log_ratio = (new_log_probs - old_log_probs)[mask]
    return float((log_ratio.exp() - 1 - log_ratio).mean())


def exact_kl(logits: Tensor, reference_logits: Tensor, mask: Tensor) -> Tensor:
    """KL(policy || reference) over all bins, mean over the masked tokens: a scalar, nats.

    logits, reference_logits: (b, d, a). mask: (b, d).
    """
    ours = torch.log_softmax(logits.float(), -1)
    theirs = torch.log_softmax(reference_logits.float(), -1)
    each = (ours.exp() * (ours - theirs)).sum(-1)
    return (each * mask).sum() / mask.sum().clamp(min=1)


def cross_entropy(log_probs: Tensor, mask: Tensor) -> Tensor:
    """Mean negative log-probability of the masked tokens: a scalar, nats."""
    return -(log_probs * mask).sum() / mask.sum().clamp(min=1)
