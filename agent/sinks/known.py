"""The sinks by name, and what each one needs before a run may begin with it."""

from __future__ import annotations

import difflib
import importlib.util
import ipaddress
from collections.abc import Mapping

from agent.errors import UsageError
from agent.settings import RunSettings
from agent.sinks.row import Sink

# Sink to the package it imports.
NEEDS: Mapping[str, str] = {
    "tensorboard": "tensorboard",
    "trackio": "trackio",
    "wandb": "wandb",
    "prometheus": "prometheus_client",
}


def named(run: RunSettings) -> tuple[str, ...]:
    """The sinks that the settings name, each once.

    Raises UsageError for a name nobody knows, a package that is not installed, or a server that
    would be open to others without having been told to.
    """
    names = tuple(dict.fromkeys(word.strip() for word in run.metrics.split(",") if word.strip()))
    for name in names:
        if name not in NEEDS:
            near = difflib.get_close_matches(name, NEEDS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageError(
                f"run.metrics: no sink is called {name!r}; known: {', '.join(NEEDS)}{hint}"
            )
        if importlib.util.find_spec(NEEDS[name]) is None:
            raise UsageError(
                f"run.metrics: {name} wants the package {NEEDS[name]}, not installed here; "
                "pip install 'vlarl-agent[metrics]'"
            )
    if "prometheus" in names:
        _check_host(run)
    return names


def make_sink(name: str, run: RunSettings) -> Sink:
    """Build a sink that `named` has let pass; nothing is opened yet."""
    if name == "tensorboard":
        from agent.sinks.to_tensorboard import TensorBoard

        return TensorBoard()
    if name == "trackio":
        from agent.sinks.to_trackio import Trackio

        return Trackio()
    if name == "wandb":
        from agent.sinks.to_wandb import WeightsAndBiases

        return WeightsAndBiases()
    from agent.sinks.to_prometheus import Prometheus

    return Prometheus(run.metrics_host, run.metrics_port)


def _check_host(run: RunSettings) -> None:
    try:
        address = ipaddress.ip_address(run.metrics_host)
    except ValueError as error:
        raise UsageError(
            f"run.metrics_host: want an address such as 127.0.0.1, found {run.metrics_host!r}"
        ) from error
    if not address.is_loopback and not run.metrics_exposed:
        raise UsageError(
            f"run.metrics_host: {address} is open to other machines and nothing asks who they "
            "are; stay on 127.0.0.1, or say run.metrics_exposed=true"
        )
