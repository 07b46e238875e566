"""What is counted and timed while the process works; no label holds a person or what they sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()
QUICK: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)
"""Bounds of the histograms, in seconds."""

REQUESTS: Final = Counter(
    "emk_requests",
    "Answers by the pattern of the route, method and status",
    ("route", "method", "status"),
    registry=REGISTRY,
)
REQUEST_SECONDS: Final = Histogram(
    "emk_request_seconds",
    "Time from request to the end of the answer",
    ("route",),
    buckets=QUICK,
    registry=REGISTRY,
)
EVENT_SECONDS: Final = Histogram(
    "emk_event_seconds",
    "Time from an event's turn to the end of its handler",
    ("handler",),
    buckets=QUICK,
    registry=REGISTRY,
)
INCIDENTS: Final = Counter(
    "emk_incidents",
    "Faults by the part that noted them and the kind of error",
    ("part", "error"),
    registry=REGISTRY,
)
REQUESTS_RUNNING: Final = Gauge(
    "emk_requests_running", "Requests being answered", registry=REGISTRY
)
TOO_MANY: Final = Counter(
    "emk_too_many",
    "Requests, sockets and frames that were refused because one source asked for too much",
    ("limit",),
    registry=REGISTRY,
)
ATTEMPTS: Final = Counter(
    "emk_attempts",
    "Tries to get round the service's bounds: made-up requests, foreign origins, floods",
    ("kind",),
    registry=REGISTRY,
)
SOCKETS: Final = Gauge("emk_sockets", "Open sockets of screens", registry=REGISTRY)
ROUNDS: Final = Counter(
    "emk_rounds", "Rounds of background work made", ("work",), registry=REGISTRY
)

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count one answer; what method a stranger makes up is not a label."""
    known = method if method in METHODS else "other"
    answers, times = _children(route, known, status)
    answers.inc()
    times.observe(seconds)


@cache
def _children(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """Return the counters of these labels; to find them anew costs as much as to count."""
    return REQUESTS.labels(route, method, str(status)), REQUEST_SECONDS.labels(route)


_answering: Final[list[None]] = []
REQUESTS_RUNNING.set_function(lambda: len(_answering))


def begin_request() -> None:
    """Note that one more request is being answered."""
    _answering.append(None)


def end_request() -> None:
    """Note that one request less is."""
    _answering.pop()


def running_requests() -> int:
    """Return how many requests are being answered."""
    return len(_answering)


def open_sockets() -> int:
    """Return how many screens are connected."""
    return int(REGISTRY.get_sample_value("emk_sockets") or 0)


_running: set[asyncio.Task[object]] = set()


def running_events() -> int:
    """Return how many events are being worked on."""
    return len(_running)


def time_event(handler: str) -> None:
    """Time the event whose task is running; ``handler`` is a registered name."""
    task = asyncio.current_task()
    if task is not None:
        _running.add(task)
        task.add_done_callback(_running.discard)
        task.add_done_callback(_until_done(handler, time.perf_counter()))


def _until_done(handler: str, since: float) -> Callable[[object], None]:
    def observe(_task: object) -> None:
        _seconds_of(handler).observe(time.perf_counter() - since)

    return observe


@cache
def _seconds_of(handler: str) -> Histogram:
    return EVENT_SECONDS.labels(handler)
