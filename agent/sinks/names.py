"""Names of every figure about episodes and evaluations; docs/metrics.md explains each one."""

from __future__ import annotations

EPISODE = (
    "episode/success",
    "episode/success_recent",
    "episode/success_probability",
    "episode/progress_last",
    "episode/decisions",
    "episode/control_steps",
    "episode/seconds",
    "episode/executed",
    "episode/limited",
    "episode/by_hand",
    "episode/log_prob",
    "episode/control_hz",
    "episode/answer_p99_s",
    "episode/latency_p99_s",
)
# What an update's own report does not measure but say.
UPDATE = ("update/kept", "update/episodes")
EVALUATION = (
    "evaluation/success_rate",
    "evaluation/low",
    "evaluation/high",
    "evaluation/trials",
)
PROMETHEUS = (
    "vlarl_episodes_total",
    "vlarl_control_steps_total",
    "vlarl_updates_total",
    "vlarl_success_rate",
    "vlarl_evaluation_success_rate",
    "vlarl_kl_reference_nats",
    "vlarl_latency_seconds",
    "vlarl_limited_decisions_total",
    "vlarl_by_hand_decisions_total",
    "vlarl_last_episode_timestamp_seconds",
)
RECENT = 24  # episodes in a moving success rate
