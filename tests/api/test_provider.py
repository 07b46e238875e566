"""The way to the provider of identities and back, behind the real guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from emk_app import clock
from emk_app.api import session as api
from emk_app.api.routing import routes
from emk_app.edge.guard import Guard
from tests import provider as local
from tests.provider import Provider

pytestmark = pytest.mark.usefixtures("world")

ORIGIN = "http://localhost:8000"
COOKIE = {"emk_sid": "c" * 43}


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    # The routes read the clock themselves.
    with local.signing_in(tmp_path, monkeypatch, clock.now()) as served:
        yield served


@pytest.fixture
async def site() -> AsyncIterator[httpx.AsyncClient]:
    app = Guard(Starlette(routes=routes(api.ENDPOINTS)))
    transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=COOKIE) as client:
        yield client


async def back(site: httpx.AsyncClient, provider: Provider) -> httpx.Response:
    sent = await site.get("/session/provider")
    assert sent.status_code == 303 and sent.headers["cache-control"] == "no-store"
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{ORIGIN}/session/provider/back"]
    return await site.get(
        "/session/provider/back", params=provider.authorize(sent.headers["location"])
    )


async def test_known_person_is_led_to_the_second_factor(
    site: httpx.AsyncClient, provider: Provider
):
    local.make_known(clock.now())
    answer = await back(site, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_unknown_person_is_told_so(site: httpx.AsyncClient, provider: Provider):
    answer = await back(site, provider)
    assert answer.headers["location"] == "/login?provider=unknown"


async def test_answer_that_nobody_asked_for_leads_to_the_beginning(
    site: httpx.AsyncClient, provider: Provider
):
    for query in ({}, {"state": "x" * 5000, "code": "y"}, {"error": "access_denied"}):
        answer = await site.get("/session/provider/back", params=query)
        assert answer.headers["location"] == "/login?provider=stale"


async def test_silent_provider_leaves_the_password(site: httpx.AsyncClient, provider: Provider):
    provider.issuer += "/elsewhere"
    answer = await site.get("/session/provider")
    assert answer.headers["location"] == "/login?provider=unavailable"


async def test_without_a_provider_there_is_nothing(site: httpx.AsyncClient):
    assert (await site.get("/session/provider")).status_code == 404
