"""Sink `prometheus`: counters and gauges of this process, served on loopback."""

from __future__ import annotations

import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from agent.sinks.row import About, Row

BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)


class Prometheus:
    """What a scraper finds changes when an episode or an update ends."""

    def __init__(self, host: str, port: int) -> None:
        self._at = host, port
        self._server: Any = None
        self.registry = CollectorRegistry()
        self._episodes = self._counter("episodes", "Episodes sealed.", "task", "verdict")
        self._steps = self._counter("control_steps", "Control steps taken.")
        self._updates = self._counter("updates", "Updates made.", "kept")
        self._limited = self._counter(
            "limited_decisions", "Decisions a guard held to a limit.", "limit"
        )
        self._by_hand = self._counter("by_hand_decisions", "Decisions while a person had the arm.")
        self._rate = self._gauge("success_rate", "Success of the last 24 episodes.")
        self._scored = self._gauge(
            "evaluation_success_rate", "Greedy success on held-out states.", "phase"
        )
        self._kl = self._gauge("kl_reference_nats", "KL of the last update to the start adapter.")
        self._last = self._gauge("last_episode_timestamp_seconds", "When an episode ended last.")
        self._latency = Histogram(
            "vlarl_latency_seconds", "From view to command, by stretch.", ["span"],
            buckets=BUCKETS_S, registry=self.registry,
        )  # fmt: skip

    @property
    def port(self) -> int:
        """Where it listens: the port it was told, or the free one found for 0."""
        return int(self._server.server_port) if self._server is not None else self._at[1]

    def open(self, about: About) -> None:  # noqa: ARG002  a scraper names its target itself
        """Listen. Raises OSError where the port is taken."""
        host, port = self._at
        self._server, _ = start_http_server(port, addr=host, registry=self.registry)

    def take(self, row: Row) -> None:
        """Count it."""
        if row.kind == "episode":
            self._take_episode(row)
        elif row.kind == "update":
            self._updates.labels("true" if row.metrics["update/kept"] else "false").inc()
            if "update/kl_reference" in row.metrics:
                self._kl.set(row.metrics["update/kl_reference"])
        else:
            self._scored.labels(row.labels["phase"]).set(row.metrics["evaluation/success_rate"])

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _take_episode(self, row: Row) -> None:
        self._episodes.labels(row.labels["task"], row.labels["verdict"]).inc()
        self._steps.inc(row.metrics["episode/control_steps"])
        self._by_hand.inc(
            round(row.metrics["episode/by_hand"] * row.metrics["episode/decisions"])
            if row.metrics["episode/decisions"]
            else 0
        )
        self._rate.set(row.metrics["episode/success_recent"])
        self._last.set(time.time())
        for limit, count in row.limits.items():
            self._limited.labels(limit).inc(count)
        for span, seconds in row.spans_s.items():
            for value in seconds:
                self._latency.labels(span.replace(" ", "_")).observe(value)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"vlarl_{name}", told, labels, registry=self.registry)

    def _gauge(self, name: str, told: str, *labels: str) -> Gauge:
        return Gauge(f"vlarl_{name}", told, labels, registry=self.registry)
