"""`vlarl-agent plan`: does a policy fit this device, and how long will it take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import AsJson, Checkpoint, ConfigFile, Preset, Sets

if TYPE_CHECKING:
    from agent.learn.plan import Plan
    from agent.policy.roofline import Roofline

Decisions = Annotated[int, typer.Option("--decisions", min=1, help="Decisions of one update.")]
Between = Annotated[
    float, typer.Option("--between", min=0, help="Seconds there are between two episodes.")
]
Memory = Annotated[
    float | None, typer.Option("--memory-gb", help="Device memory to plan for; what it has.")
]


def plan(  # noqa: PLR0913  one parameter an option
    *,
    checkpoint: Checkpoint = None,
    config: ConfigFile = None,
    sets: Sets = None,
    preset: Preset = None,
    decisions: Decisions = 800,
    between: Between = 60.0,
    memory_gb: Memory = None,
    as_json: AsJson = False,
) -> None:
    """Predict memory and seconds of acting and learning, and choose what fits.

    Reads config.json alone and measures the device for a second; the weights may be elsewhere.
    """
    import json
    import math
    from dataclasses import asdict
    from pathlib import Path

    from agent.cli.build import usage_of
    from agent.cli.options import resolve
    from agent.cli.shipped import SHIPPED
    from agent.errors import UsageError
    from agent.learn.plan import foresee

    asked = (between, 1.0 if memory_gb is None else memory_gb)
    if not all(map(math.isfinite, asked)) or asked[1] <= 0:
        raise UsageError(
            f"--memory-gb above 0 and --between wanted as numbers; found {memory_gb} and {between}"
        )
    settings = resolve(config, sets, checkpoint=checkpoint, preset=preset).settings
    folder = Path(settings.policy.checkpoint) if settings.policy.checkpoint else SHIPPED
    memory = None if memory_gb is None else 1e9 * memory_gb
    usage = usage_of(settings.policy)
    sizes, line, found = foresee(
        folder, usage, settings.policy.threads, settings.learn, decisions, memory
    )
    if as_json:
        told = {"device": asdict(line), "sizes": asdict(sizes), "plan": asdict(found)}
        typer.echo(json.dumps({**told, "peak": found.peak, "fits": found.update_s <= between}))
        return
    typer.echo(said(found, line, sizes.parameters, decisions, between))


def said(found: Plan, line: Roofline, parameters: int, decisions: int, between: float) -> str:
    """A few lines for people; all figures but the device's are predictions."""
    way = found.way
    held = "whole" if way.base == "whole" else f"in {way.base}"
    again = ", activations recomputed" if way.checkpointing else ""
    fits = "fits" if found.update_s <= between else "does not fit"
    return "\n".join(
        [
            (
                f"device      {line.device}: {line.flops / 1e12:.3g} TFLOP/s, "
                f"{line.bytes_s / 1e9:.3g} GB/s (measured), {line.memory / 1e9:.1f} GB"
            ),
            f"policy      {parameters / 1e6:.1f} M parameters, {8 * way.bytes}-bit numbers",
            f"chosen      base {held}, {way.micro_batch} decisions at once{again}",
            "predicted:",
            (
                f"  memory    {found.peak / 1e9:.2f} GB = base {found.base / 1e9:.2f} + adapters "
                f"{found.adapters / 1e9:.2f} + the larger of update {found.activations / 1e9:.2f} "
                f"and acting {found.cache / 1e9:.2f}"
            ),
            f"  beside it {found.kept / 1e9:.2f} GB of main memory for {decisions} decisions",
            f"  decision  {1e3 * found.decision_s:.1f} ms",
            (
                f"  update    {found.update_s:.1f} s of {decisions} decisions: {fits} into "
                f"{between:g} s between two episodes"
            ),
            f"  new adapter {1e3 * found.load_s:.1f} ms",
            (
                f"to run so:  --set policy.base={way.base} "
                f"--set learn.micro_batch={way.micro_batch} "
                f"--set learn.checkpointing={str(way.checkpointing).lower()}"
            ),
        ]
    )
