"""`vlarl-agent plan`: does a policy fit a device, and how long will it take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import AsJson, Checkpoint, ConfigFile, Preset, Sets

if TYPE_CHECKING:
    from agent.learn.plan import Plan
    from agent.policy.pace import Pace
    from agent.policy.roofline import Device

Decisions = Annotated[int, typer.Option("--decisions", min=1, help="Decisions of one update.")]
Between = Annotated[
    float, typer.Option("--between", min=0, help="Seconds there are between two episodes.")
]
Memory = Annotated[
    float | None, typer.Option("--memory-gb", help="Device memory to plan for; what it has.")
]
As = Annotated[
    str | None, typer.Option("--as", help="A device that is not here, such as 'RTX 4090'.")
]
Flops = Annotated[
    float | None, typer.Option("--flops", help="Its products: TFLOP/s, 16 bits, as published.")
]
Bandwidth = Annotated[
    float | None, typer.Option("--bandwidth", help="Its memory: GB/s, as published.")
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
    elsewhere: As = None,
    flops: Flops = None,
    bandwidth: Bandwidth = None,
    as_json: AsJson = False,
) -> None:
    """Predict memory and seconds of acting and learning, and choose what fits.

    Reads config.json alone and times a thin twin of the policy here, for some seconds; for a device
    elsewhere (--as, or --flops, --bandwidth and --memory-gb) it is arithmetic.
    """
    import json
    from dataclasses import asdict

    from agent.cli.build import usage_of
    from agent.cli.options import resolve
    from agent.cli.shipped import checkpoint_of
    from agent.learn.foreseeing import Asked, foresee

    _must_be_numbers(between, memory_gb, flops, bandwidth)
    settings = resolve(config, sets, checkpoint=checkpoint, preset=preset).settings
    policy = checkpoint_of(settings.policy.checkpoint, settings.robot.name)
    memory = None if memory_gb is None else 1e9 * memory_gb
    asked = Asked(decisions, between, memory, _elsewhere(elsewhere, flops, bandwidth, memory))
    usage = usage_of(settings.policy)
    sizes, pace, found = foresee(policy, usage, settings.policy.threads, settings.learn, asked)
    if as_json:
        told = {"device": asdict(pace), "sizes": asdict(sizes), "plan": asdict(found)}
        typer.echo(json.dumps({**told, "peak": found.peak, "fits": found.update_s <= between}))
        return
    typer.echo(said(found, pace, sizes.parameters, decisions, between))


def said(found: Plan, pace: Pace, parameters: int, decisions: int, between: float) -> str:
    """A few lines for people; all figures but the device's memory are predictions."""
    way = found.way
    held = "whole" if way.base == "whole" else f"in {way.base}"
    again = ", activations recomputed" if way.checkpointing else ""
    top = f", adapters on the top {way.top} blocks alone" if way.top else ""
    fits = "fits" if found.update_s <= between else "does not fit"
    return "\n".join(
        [
            f"device      {pace.device}, {pace.memory / 1e9:.1f} GB; pace {pace.how}",
            f"policy      {parameters / 1e6:.1f} M parameters, {8 * way.bytes}-bit numbers",
            f"chosen      base {held}, {way.micro_batch} decisions at once{again}{top}",
            "predicted:" if pace.how == "measured" else "PREDICTED, nothing of it measured:",
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
                + f" --set learn.top_layers={way.top}"
                * bool(way.top)
            ),
        ]
    )


def _must_be_numbers(between: float, *above: float | None) -> None:
    import math

    from agent.errors import UsageError

    told = [number for number in above if number is not None]
    if not all(map(math.isfinite, (between, *told))) or min(told, default=1.0) <= 0:
        raise UsageError(
            "--between wanted as a number, --memory-gb, --flops and --bandwidth as numbers above "
            f"0; found {between} and {', '.join(map(str, told)) or 'none'}"
        )


def _elsewhere(
    name: str | None, flops: float | None, bandwidth: float | None, memory: float | None
) -> Device | None:
    """The device that is meant, where it is not this one's."""
    from dataclasses import replace

    from agent.errors import UsageError
    from agent.policy.roofline import Device, device_named

    if name is not None:
        known = device_named(name)
        return replace(
            known,
            flops=1e12 * flops if flops else known.flops,
            bytes_s=1e9 * bandwidth if bandwidth else known.bytes_s,
        )
    if flops is None and bandwidth is None:
        return None
    if flops is None or bandwidth is None or memory is None:
        raise UsageError(
            "a device by hand wants --flops, --bandwidth and --memory-gb together; give all three, "
            "or a name with --as"
        )
    return Device("a device by hand", 1e12 * flops, 1e9 * bandwidth, memory)
