"""Readiness is honest, and the figures are for those alone who run the service."""

from __future__ import annotations

import asyncio
import errno
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from emk_app import metrics, readiness
from emk_app.db import bus
from emk_app.db.engine import unit_of_work
from emk_app.emk_app import ENDPOINTS
from emk_app.keys import keystore
from emk_app.readiness import LONGEST_PAUSE, LONGEST_ROUND, Pulses, Readiness, leaving, pulses
from emk_app.settings import read, settings
from tests.edge.test_routes import ask

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture(autouse=True)
def working() -> Iterator[None]:
    """Let rounds have been made, as a server makes them."""
    pulses.end("jobs")
    bus._listening.set()
    yield
    bus._listening.clear()
    pulses.clear()
    leaving.clear()


def failing() -> set[str]:
    return set(asyncio.run(Readiness().failing()))


def broken(*_: object) -> Any:
    raise OperationalError("SELECT 1", {}, Exception("secret-host refused"))


def test_all_is_well():
    assert failing() == set()


@pytest.mark.parametrize(
    ("part", "ruin"),
    [
        ("work", lambda _: pulses.clear()),
        ("stopping", lambda _: leaving.set()),
        ("bus", lambda _: bus._listening.clear()),
        ("disk", lambda patch: patch.setattr(shutil, "disk_usage", lambda _: FULL)),
        ("keys", lambda patch: patch.setattr(readiness, "keystore", broken)),
        ("schema", lambda patch: patch.setattr(readiness, "_head", lambda: "2099_01_01_other")),
    ],
)
def test_each_part_alone_makes_it_red(
    part: str, ruin: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
):
    keystore()
    ruin(monkeypatch)
    assert failing() == {part}


def test_schema_that_is_not_there_makes_it_red():
    with unit_of_work() as db:
        newest = db.connection().execute(sa.text("SELECT version_num FROM alembic_version")).one()
        db.connection().execute(sa.text("UPDATE alembic_version SET version_num = 'older'"))
    try:
        assert failing() == {"schema"}
    finally:
        with unit_of_work() as db:
            db.connection().execute(
                sa.text("UPDATE alembic_version SET version_num = :v"), {"v": newest[0]}
            )


def test_database_away_makes_it_red_and_its_return_makes_it_green(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def story() -> None:
        asked = Readiness()
        with monkeypatch.context() as patch:
            patch.setattr(readiness, "reading", broken)
            assert await asked.failing() == {"database", "schema"}
            assert await asked.failing() == {"database", "schema"}
        monkeypatch.setattr(readiness, "FRESH", -1.0)
        assert await asked.failing() == frozenset()

    asyncio.run(story())
    assert [record.getMessage() for record in caplog.records] == [
        "not ready: database, schema",
        "ready again",
    ]
    assert "secret-host" not in caplog.text


def test_part_that_hangs_is_red_and_is_not_asked_again_until_it_comes_back(
    monkeypatch: pytest.MonkeyPatch,
):
    let_go = threading.Event()
    asked = 0

    def hang() -> bool:
        nonlocal asked
        asked += 1
        return let_go.wait(20)

    monkeypatch.setattr(readiness, "PATIENCE", 0.05)
    monkeypatch.setattr(readiness, "FRESH", -1.0)
    monkeypatch.setattr(readiness, "PROBES", {"database": hang})

    async def story() -> None:
        readiness_ = Readiness()
        assert await readiness_.failing() == {"database"}
        assert await readiness_.failing() == {"database"}
        assert asked == 1
        (probe,) = [each for each in threading.enumerate() if each.name == "probe-database"]
        let_go.set()
        await asyncio.to_thread(probe.join)
        monkeypatch.setattr(readiness, "PATIENCE", 20.0)
        assert await readiness_.failing() == frozenset()

    asyncio.run(story())
    assert asked == 2


def test_work_is_dead_after_a_long_pause_or_in_an_endless_round():
    some = Pulses()
    at = time.monotonic()
    assert not some.are_alive(at)
    some.begin("jobs")
    assert some.are_alive(at + LONGEST_ROUND - 1)
    assert not some.are_alive(at + LONGEST_ROUND + 1)
    some.end("jobs")
    assert some.are_alive(at + LONGEST_PAUSE - 1)
    some.begin("letters")
    assert not some.are_alive(at + LONGEST_PAUSE + 1)


def test_stranger_learns_that_it_is_red_and_nothing_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("emk_app.api.health._readiness", Readiness())
    leaving.set()
    answer = ask("GET", "/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not_ready"})
    assert ask("GET", "/healthz").json() == {"status": "alive"}


class _Usage:
    free = 1000


FULL = _Usage()


def figures(path: str = "/metrics", token: str = "") -> tuple[str, str]:
    environ: dict[str, Any] = {"PATH_INFO": path, "HTTP_AUTHORIZATION": f"Bearer {token}"}
    setup_testing_defaults(environ)
    status = ""

    def start(said: str, _headers: object) -> None:
        nonlocal status
        status = said

    body = b"".join(metrics.application()(environ, start))
    return status.split()[0], body.decode()


def test_figures_name_patterns_of_routes_and_never_what_was_asked():
    ask("GET", "/api/nothing/112-233-445-95")
    ask("GET", "/healthz")
    status, text = figures()
    assert status == "200"
    for name in (
        'emk_queue_waiting{queue="jobs"} 0.0',
        'emk_queue_dead{queue="outbox"} 0.0',
        'emk_queue_oldest_seconds{queue="exchange"} 0.0',
        "emk_watchers ",
        'emk_works{part="database"} 1.0',
        "emk_database_connections",
        "emk_incidents",
        "emk_sockets",
    ):
        assert name in text
    left = dict(re.findall(r'emk_signer_seconds_left\{use="(\w+)"\} (\S+)', text))
    assert set(left) == {"book", "qr", "list"}
    assert all(0 < float(seconds) < 3 * 366 * 86400 for seconds in left.values())
    assert "112-233" not in text
    assert figures("/other")[0] == "404"


def test_requests_are_counted_by_route(monkeypatch: pytest.MonkeyPatch):
    from emk_app.api.routing import routes
    from emk_app.edge.guard import Guard
    from emk_app.edge.site import Metered, Site

    async def once(path: str, method: str) -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(_message: object) -> None:
            return

        async def nothing_else(*_: object) -> None:
            raise AssertionError

        site = Metered(Guard(Site(routes(ENDPOINTS), nothing_else)))
        scope = {
            "type": "http",
            "path": path,
            "query_string": b"",
            "method": method,
            "headers": [(b"host", b"localhost:8000")],
            "client": ("127.0.0.1", 1),
        }
        await site(scope, receive, send)

    asyncio.run(once("/healthz", "GET"))
    asyncio.run(once("/session/112-233", "GET"))
    asyncio.run(once("/_upload/112-233", "MADEUP"))
    _, text = figures()
    assert 'emk_requests_total{method="GET",route="/healthz",status="200"}' in text
    assert 'route="pages",status="404"' in text
    assert 'emk_requests_total{method="other",route="refused",status="404"}' in text
    assert "112-233" not in text
    assert "MADEUP" not in text


@pytest.mark.parametrize(("token", "status"), [("", "401"), ("x" * 32, "401"), ("t" * 32, "200")])
def test_figures_are_for_the_bearer_of_the_token(
    token: str, status: str, monkeypatch: pytest.MonkeyPatch
):
    of_token = read({"EMK_METRICS_TOKEN": "t" * 32, "EMK_DATA": str(settings().data)})
    monkeypatch.setattr(metrics, "settings", lambda: of_token)
    assert figures(token=token)[0] == status


def test_disk_is_asked_by_writing(monkeypatch: pytest.MonkeyPatch):
    assert readiness._disk()
    assert not list(settings().data.glob(".probe-*"))

    def refuse(_file: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(readiness.os, "fsync", refuse)
    assert "disk" in asyncio.run(Readiness().failing())
    assert not list(settings().data.glob(".probe-*"))
