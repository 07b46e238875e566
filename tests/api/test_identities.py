"""Wishes to change identity data over HTTP, behind the real guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest
from starlette.applications import Starlette

from emk_app import clock
from emk_app.api import identities as api
from emk_app.api.routing import routes
from emk_app.domain.actors import Actor
from emk_app.edge.guard import Guard
from emk_app.services import renaming
from tests.api.test_scans import ORIGIN, cookie_of
from tests.factories import make_book, make_holder, make_operator
from tests.files import good

pytestmark = pytest.mark.usefixtures("world")

SAID = {
    "last": "Петрова",
    "first": "Мария",
    "patronymic": "Сергеевна",
    "born_on": "27.03.1990",
    "basis": "marriage",
}
URL = "/api/identities"


@pytest.fixture
async def site() -> AsyncIterator[httpx.AsyncClient]:
    app = Guard(Starlette(routes=routes(api.ENDPOINTS)))
    transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}
    ) as client:
        yield client


@pytest.fixture
def moment() -> datetime:
    """The routes read the clock themselves."""
    return clock.now()


@pytest.fixture
def holder(moment: datetime) -> Actor:
    made = make_holder(moment)
    make_book(made, moment)
    return made


def paper(content: bytes | None = None) -> dict[str, tuple[str, bytes, str]]:
    return {"paper": ("свидетельство.jpg", content or good.jpeg(), "image/jpeg")}


async def test_wish_is_taken_and_its_paper_shown_to_the_two_who_may(
    site: httpx.AsyncClient, holder: Actor, moment: datetime
):
    cookie = cookie_of(holder, moment)
    answer = await site.post(URL, data=SAID, files=paper(), headers=cookie)
    assert answer.status_code == 201
    base = f"{URL}/{answer.json()['ref']}"
    operator = cookie_of(make_operator(moment), moment)
    for headers in (cookie, operator):
        picture = await site.get(f"{base}/preview", headers=headers)
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
        assert picture.headers["cache-control"] == "no-store"
        file = await site.get(f"{base}/file", headers=headers)
        assert "attachment" in file.headers["content-disposition"]
    stranger = cookie_of(make_holder(moment), moment)
    for path in (f"{base}/file", f"{base}/preview", f"{base}/preview?page=2"):
        assert (await site.get(path, headers=stranger)).status_code == 404
        assert (await site.get(path)).status_code == 401
    again = await site.post(URL, data=SAID, files=paper(), headers=cookie)
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"last": ""}, "last"), ({"born_on": "1"}, "born_on"), ({"basis": "x"}, "basis")],
)
async def test_refusal_names_the_control(
    changed: dict[str, str], code: str, site: httpx.AsyncClient, holder: Actor, moment: datetime
):
    answer = await site.post(
        URL, data=SAID | changed, files=paper(), headers=cookie_of(holder, moment)
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert renaming.mine(holder).changes == ()


async def test_paper_that_is_none_is_refused_beside_its_control(
    site: httpx.AsyncClient, holder: Actor, moment: datetime
):
    cookie = cookie_of(holder, moment)
    answer = await site.post(URL, data=SAID, files=paper(b"GIF89a..."), headers=cookie)
    assert (answer.status_code, answer.json()["code"]) == (422, "paper")
    for broken in (
        await site.post(URL, data=SAID, headers=cookie),
        await site.post(URL, content=b"x", headers=cookie),
        await site.post(
            URL, files={"other": ("x.jpg", b"x", "image/jpeg")}, data=SAID, headers=cookie
        ),
    ):
        assert broken.status_code == 400


async def test_others_send_nothing(site: httpx.AsyncClient, moment: datetime):
    assert (await site.post(URL, data=SAID, files=paper())).status_code == 401
    operator = cookie_of(make_operator(moment), moment)
    assert (await site.post(URL, data=SAID, files=paper(), headers=operator)).status_code == 403
    nobody = cookie_of(make_holder(moment), moment)
    assert (await site.post(URL, data=SAID, files=paper(), headers=nobody)).status_code == 409
