"""Names of everything an update measures; docs/metrics.md explains each one."""

from __future__ import annotations

NAMES = (
    "update/seconds",
    "update/foreseen_seconds",
    "update/foreseen_bytes",
    "update/most_bytes",
    "update/decisions",
    "update/decisions_taught",
    "update/groups",
    "update/groups_agreed",
    "update/replayed",
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
    "update/replay_loss",
    "critic/explained_variance",
    "critic/used",
    "critic/decisions",
    "gate/forgetting",
    "gate/swap_gap",
    "gate/trials",
    "gate/trial_success",
    "policy/temperature",
)
# Of an alignment, which is an update of its own.
ALIGNMENT = (
    "align/episodes",
    "align/shift",
    "align/turn_deg",
    "align/scale",
    "align/gain",
    "align/hue_turns",
    "align/apart_before",
    "align/apart_after",
)
