"""The figures for Prometheus: on an address of their own, which no browser of the public sees."""

from __future__ import annotations

import contextlib
import hmac
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import ThreadingWSGIServer, make_wsgi_app
from prometheus_client.registry import Collector

from emk_app import clock, figures, incidents
from emk_app.crypto.signing import KeyUse
from emk_app.db import changes
from emk_app.db.engine import engine
from emk_app.keys import keystore
from emk_app.readiness import PROBES
from emk_app.services import gauging
from emk_app.settings import settings

log = logging.getLogger("emk.metrics")

FRESH: Final = 5.0
"""Seconds for which what the database said is repeated."""


class Gauges(Collector):
    """What is looked up when Prometheus asks: queues, pool, watchers, readiness."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: tuple[gauging.Queue, ...] = ()
        self._asked_at = float("-inf")

    def collect(self) -> Iterable[Metric]:
        """Return the gauges; those of a database that does not answer are left out."""
        yield from self._of_queues()
        yield from _of_pool()
        yield from _of_signers()
        yield GaugeMetricFamily(
            "emk_watchers", "Screens and rounds that follow changes", value=changes.watchers()
        )
        parts = GaugeMetricFamily("emk_works", "Whether a part works: 1 or 0", labels=["part"])
        for part, works in PROBES.items():
            parts.add_metric([part], float(_asked(works)))
        yield parts

    def _of_queues(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("emk_queue_waiting", "What is due", labels=["queue"])
        oldest = GaugeMetricFamily(
            "emk_queue_oldest_seconds", "How long the oldest has been due", labels=["queue"]
        )
        dead = GaugeMetricFamily("emk_queue_dead", "What was given up", labels=["queue"])
        for queue in self._asked_queues():
            waiting.add_metric([queue.name], queue.waiting)
            oldest.add_metric([queue.name], queue.oldest_seconds)
            dead.add_metric([queue.name], queue.dead)
        yield from (waiting, oldest, dead)

    def _asked_queues(self) -> tuple[gauging.Queue, ...]:
        with self._lock:
            if time.monotonic() - self._asked_at > FRESH:
                try:
                    self._queues = gauging.queues(now=clock.now())
                except Exception as error:
                    incidents.note(log, "the gauges", error)
                    self._queues = ()
                self._asked_at = time.monotonic()
            return self._queues


def _of_pool() -> Iterator[Metric]:
    pool: Any = engine().pool
    family = GaugeMetricFamily("emk_database_connections", "By state", labels=["state"])
    for state, name in (("used", "checkedout"), ("idle", "checkedin"), ("over", "overflow")):
        if (count := getattr(pool, name, None)) is not None:
            family.add_metric([state], max(0, count()))
    yield family


def _of_signers() -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "emk_signer_seconds_left", "Until a certificate of the key that signs ends", labels=["use"]
    )
    try:
        store = keystore()
    except Exception:
        # ``emk_works`` says so.
        return
    for use in KeyUse:
        signer = store.signer(use)
        end = min(each.not_valid_after_utc for each in (signer.certificate, *signer.chain))
        family.add_metric([use.value], (end - clock.now()).total_seconds())
    yield family


def _asked(works: Any) -> bool:
    try:
        return works()
    except Exception:
        return False


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: who asks for figures is of no interest, twice a minute for ever."""


_gauges = Gauges()


def _register() -> None:
    for each in (_gauges,):
        with contextlib.suppress(ValueError):
            figures.REGISTRY.register(each)
    with contextlib.suppress(ValueError):
        ProcessCollector(registry=figures.REGISTRY)
        PlatformCollector(registry=figures.REGISTRY)
        GCCollector(registry=figures.REGISTRY)


def application() -> Any:
    """Return the WSGI application: ``GET /metrics`` for whoever has the token, if there is one."""
    _register()
    inner = make_wsgi_app(figures.REGISTRY)
    token = settings().metrics_token

    def answer(environ: dict[str, Any], start: Any) -> Any:
        if environ["PATH_INFO"] != "/metrics" or environ["REQUEST_METHOD"] != "GET":
            start("404 Not Found", [("content-type", "text/plain")])
            return [b""]
        said = environ.get("HTTP_AUTHORIZATION", "")
        if token and not hmac.compare_digest(said.encode("latin-1"), f"Bearer {token}".encode()):
            start(
                "401 Unauthorized",
                [("content-type", "text/plain"), ("www-authenticate", "Bearer")],
            )
            return [b""]
        return inner(environ, start)

    return answer


@contextlib.contextmanager
def served() -> Iterator[None]:
    """Serve the figures while inside, where the settings name a port."""
    port = settings().metrics_port
    if port is None:
        yield
        return
    server = make_server(
        settings().metrics_host, port, application(), ThreadingWSGIServer, handler_class=_Quiet
    )
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
