"""What a candidate must pass before it acts, and when an adapter that acts is withdrawn."""

from __future__ import annotations

import math
from collections.abc import Mapping

from agent.interval import probability_worse
from agent.settings import GateSettings


def judge(metrics: Mapping[str, float], settings: GateSettings) -> tuple[bool, str]:
    """Say whether a candidate is kept, and why."""
    broken = [name for name, value in metrics.items() if not math.isfinite(value)]
    if broken:
        return False, f"not finite: {', '.join(sorted(broken))}"
    kl = metrics["update/kl_reference"]
    if kl > settings.max_kl:
        return False, f"KL to the start adapter {kl:.3f} is over {settings.max_kl:g} nats a token"
    lost = metrics.get("gate/forgetting", 0.0)
    if lost > settings.max_forgetting:
        return False, (
            f"banked successes became {lost:.3f} nats a token less likely, "
            f"limit {settings.max_forgetting:g}"
        )
    return True, f"finite, KL {kl:.3f}, forgetting {lost:+.3f} nats a token"


def worse(
    ours: tuple[int, int], theirs: tuple[int, int], settings: GateSettings
) -> tuple[bool, str]:
    """Whether an adapter (successes, tries) is worse than another by more than is allowed."""
    chance = probability_worse(theirs, ours, settings.worse_by)
    said = (
        f"{ours[0]}/{ours[1]} against {theirs[0]}/{theirs[1]}: worse by more than "
        f"{settings.worse_by:g} with probability {chance:.2f}"
    )
    return chance > settings.roll_back_above, said
