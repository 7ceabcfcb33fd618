"""Names of everything an update measures; docs/metrics.md explains each one."""

from __future__ import annotations

NAMES = (
    "update/seconds",
    "update/foreseen_seconds",
    "update/foreseen_bytes",
    "update/most_bytes",
    "update/decisions",
    "update/success_rate",
    "update/epochs",
    "update/gradient_steps",
    "update/sampler_gap",
    "update/ratio_first",
    "update/policy_loss",
    "update/clip_fraction",
    "update/kl_step",
    "update/kl_reference",
    "update/entropy",
    "update/gradient_norm",
    "update/advantage_std",
    "update/clone_loss",
    "critic/explained_variance",
    "critic/used",
    "gate/forgetting",
    "gate/swap_gap",
    "gate/trials",
    "gate/trial_success",
)
