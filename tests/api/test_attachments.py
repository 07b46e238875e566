"""Papers of examinations over HTTP, behind the real guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest
from starlette.applications import Starlette

from emk_app import clock
from emk_app.api import attachments as api
from emk_app.api.routing import routes
from emk_app.domain.actors import Actor, Position
from emk_app.edge.guard import Guard
from emk_app.services import attaching, examining
from tests.api.test_scans import ORIGIN, cookie_of, part
from tests.factories import (
    make_clinic,
    make_holder,
    make_operator,
    make_physician,
    make_received,
)
from tests.files import good

pytestmark = pytest.mark.usefixtures("world")


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
    return make_holder(moment)


@pytest.fixture
def chair(moment: datetime) -> Actor:
    return make_physician(make_clinic(), moment, Position.CHAIR)


@pytest.fixture
def case(holder: Actor, chair: Actor, moment: datetime) -> int:
    number = make_received(holder, moment, clinic_id=chair.clinic_id).number.slug
    found = examining.open_case(chair, number, now=moment)
    examining.confirm_identity(chair, found, now=moment)
    return found


async def test_paper_goes_in_by_the_clinic_and_out_to_its_holder(
    site: httpx.AsyncClient, case: int, holder: Actor, chair: Actor, moment: datetime
):
    sent = await site.post(
        f"/api/attachments/{case}/image",
        headers=cookie_of(chair, moment),
        files=part(good.jpeg(), "снимок.jpg"),
    )
    assert sent.status_code == 201
    path = f"/api/attachments/{sent.json()['ref']}"
    shown = await site.get(f"{path}/preview", headers=cookie_of(holder, moment))
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.headers["cache-control"] == "no-store"
    assert "sandbox" in shown.headers["content-security-policy"]
    saved = await site.get(f"{path}/file", headers=cookie_of(holder, moment))
    assert saved.headers["content-disposition"].startswith("attachment; ")
    assert saved.content.startswith(b"\xff\xd8\xff")


async def test_strangers_and_foreign_people_get_and_send_nothing(
    site: httpx.AsyncClient, case: int, holder: Actor, chair: Actor, moment: datetime
):
    await site.post(
        f"/api/attachments/{case}/image", headers=cookie_of(chair, moment), files=part(good.jpeg())
    )
    (paper,) = attaching.folder(chair, case, now=moment).papers
    place, path = f"/api/attachments/{case}/other", f"/api/attachments/{paper.ref}"
    assert (await site.post(place, files=part(good.jpeg()))).status_code == 401
    assert (await site.get(f"{path}/file")).status_code == 401
    foreign = make_physician(make_clinic(), moment, Position.CHAIR)
    expected = {
        foreign: (404, 404),
        make_physician(chair.clinic_id or 0, moment, Position.REGISTRAR): (403, 403),
        holder: (403, 200),
        make_holder(moment): (403, 404),
        make_operator(moment): (403, 403),
    }
    for actor, (sends, gets) in expected.items():
        cookie = cookie_of(actor, moment)
        sent = await site.post(place, headers=cookie, files=part(good.gray_jpeg()))
        assert sent.status_code == sends
        for name in ("file", "preview"):
            assert (await site.get(f"{path}/{name}", headers=cookie)).status_code == gets
    assert len(attaching.folder(chair, case, now=moment).papers) == 1


@pytest.mark.parametrize(
    "place", ["0/image", "-1/image", "x/image", "{case}/secret", "424242/image"]
)
async def test_place_that_is_none_takes_nothing(
    place: str, site: httpx.AsyncClient, case: int, chair: Actor, moment: datetime
):
    answer = await site.post(
        f"/api/attachments/{place.format(case=case)}",
        headers=cookie_of(chair, moment),
        files=part(good.jpeg()),
    )
    assert answer.status_code == 404


async def test_what_is_not_a_paper_is_refused_with_words(
    site: httpx.AsyncClient, case: int, chair: Actor, moment: datetime
):
    place, cookie = f"/api/attachments/{case}/image", cookie_of(chair, moment)
    answer = await site.post(place, headers=cookie, files=part(b"MZ" + b"\0" * 200))
    assert answer.status_code == 422
    assert "не похоже на PDF или JPEG" in answer.json()["message"]
    assert (await site.post(place, headers=cookie, content=b"x")).status_code == 400
    answer = await site.post(place, headers=cookie, content=b"x" * (7 * 1024 * 1024))
    assert answer.status_code == 413
