"""Registers over HTTP, behind the real guard."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from emk_app import clock
from emk_app.api import registers as api
from emk_app.api.routing import routes
from emk_app.domain import imports
from emk_app.domain.actors import Actor
from emk_app.domain.imports import ImportState
from emk_app.edge.guard import Guard
from emk_app.services import registering
from emk_app.settings import settings
from tests.api.test_scans import ORIGIN, cookie_of
from tests.factories import make_admin, make_holder, make_operator
from tests.services.test_importing import rows, table
from tests.services.test_registering import bring, work

pytestmark = pytest.mark.usefixtures("world")

PLACE = "/api/registers"


@pytest.fixture
async def site() -> AsyncIterator[httpx.AsyncClient]:
    app = Guard(Starlette(routes=routes(api.ENDPOINTS)))
    transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}
    ) as client:
        yield client


@pytest.fixture
def moment() -> Iterator[datetime]:
    """The routes read the clock themselves."""
    yield clock.now()
    for path in folder().glob("*"):
        path.unlink()


@pytest.fixture
def admin(moment: datetime) -> Actor:
    return make_admin(moment)


def folder() -> Path:
    return settings().data / "register"


def left() -> list[str]:
    return [path.name for path in folder().glob("*")]


async def test_file_is_taken_as_it_comes_and_looked_through(
    site: httpx.AsyncClient, admin: Actor, moment: datetime
):
    content = table([*rows(1), "плохая"]).encode("cp1251")

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(content), 50):
            yield content[at : at + 50]

    cookie = cookie_of(admin, moment)
    answer = await site.post(f"{PLACE}?name=реестр.csv", content=pieces(), headers=cookie)
    assert answer.status_code == 201
    work(clock.now())
    [seen] = registering.history(admin)
    assert (seen.id, seen.name, seen.size) == (answer.json()["id"], "реестр.csv", len(content))
    assert (seen.state, seen.report.put.added) == (ImportState.CHECKED, 1)

    report = await site.get(f"{PLACE}/{seen.id}/report", headers=cookie)
    assert report.status_code == 200
    assert report.headers["content-type"] == "text/csv; charset=utf-8"
    assert report.headers["cache-control"] == "no-store"
    assert report.headers["content-disposition"].startswith("attachment;")
    lines = list(csv.reader(io.StringIO(report.content.decode("utf-8-sig")), delimiter=";"))
    assert [line[0] for line in lines] == ["Строка", "3"]


async def test_others_bring_and_see_nothing(
    site: httpx.AsyncClient, admin: Actor, moment: datetime
):
    import_id = bring(admin, table(["плохая"]), moment)
    work(clock.now())
    before = sorted(left())
    for actor in (make_holder(moment), make_operator(moment)):
        cookie = cookie_of(actor, moment)
        sent = await site.post(PLACE, content=b"oid", headers=cookie)
        seen = await site.get(f"{PLACE}/{import_id}/report", headers=cookie)
        assert (sent.status_code, seen.status_code) == (403, 403)
    assert (await site.post(PLACE, content=b"oid")).status_code == 401
    assert (await site.get(f"{PLACE}/{import_id}/report")).status_code == 401
    assert sorted(left()) == before


async def test_foreign_origin_brings_nothing(
    site: httpx.AsyncClient, admin: Actor, moment: datetime
):
    given = cookie_of(admin, moment) | {"origin": "https://evil.example"}
    answer = await site.post(PLACE, content=b"oid", headers=given)
    assert (answer.status_code, left()) == (403, [])


async def test_empty_file_and_a_second_one_are_refused_in_words(
    site: httpx.AsyncClient, admin: Actor, moment: datetime
):
    cookie = cookie_of(admin, moment)
    empty = await site.post(PLACE, content=b"", headers=cookie)
    assert (empty.status_code, left()) == (422, [])
    assert empty.json()["message"] == "Файл пустой. Выберите другой."
    bring(admin, table(rows(1)), moment)
    second = await site.post(PLACE, content=table(rows(2)).encode(), headers=cookie)
    assert second.status_code == 409
    assert second.json()["message"].startswith("Другой файл")
    assert len(left()) == 1


async def test_too_large_a_file_is_refused_whatever_it_announces(
    site: httpx.AsyncClient, admin: Actor, moment: datetime, monkeypatch: pytest.MonkeyPatch
):
    limit = 100_000
    monkeypatch.setattr("emk_app.edge.guard.BODY_LIMITS", ((PLACE, limit),))
    cookie = cookie_of(admin, moment)
    announced = await site.post(PLACE, content=b"x" * (limit + 1), headers=cookie)
    assert announced.status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield b"x" * 10_000

    answer = await site.post(PLACE, content=endless(), headers=cookie)
    assert (answer.status_code, left()) == (413, [])
    assert registering.history(admin) == []


def test_limit_of_the_guard_is_that_of_the_rule():
    from emk_app.edge.guard import BODY_LIMITS

    assert dict(BODY_LIMITS)[PLACE] == imports.SIZE_LIMIT


@pytest.mark.parametrize("number", ["0", "999", "x", "-1", "1" * 30, "٣"])
async def test_report_of_no_import_is_not_found(
    site: httpx.AsyncClient, admin: Actor, moment: datetime, number: str
):
    answer = await site.get(f"{PLACE}/{number}/report", headers=cookie_of(admin, moment))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
