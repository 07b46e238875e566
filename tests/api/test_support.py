"""Questions to support over HTTP, behind the real guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest
from starlette.applications import Starlette

from emk_app import clock
from emk_app.api import support as api
from emk_app.api.routing import routes
from emk_app.domain.support import SIZE_LIMIT
from emk_app.edge.guard import Guard
from emk_app.services import supporting
from tests.api.test_scans import ORIGIN, cookie_of
from tests.factories import make_holder, make_support
from tests.files import good

pytestmark = pytest.mark.usefixtures("world")

SAID = {"subject": "other", "text": "Письма не приходят", "form_key": "k"}
URL = "/api/support"


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


def sent(content: bytes = b"", name: str = "") -> dict[str, tuple[str, bytes, str]]:
    """Return the file of a form, empty where none was chosen, as browsers send it."""
    return {"screenshot": (name, content, "application/octet-stream")}


async def test_question_and_what_is_added_arrive_with_their_screenshots(
    site: httpx.AsyncClient, moment: datetime
):
    holder = make_holder(moment)
    cookie = cookie_of(holder, moment)
    answer = await site.post(URL, data=SAID, files=sent(), headers=cookie)
    assert answer.status_code == 201
    number = answer.json()["ticket"]
    again = await site.post(URL, data=SAID, files=sent(), headers=cookie)
    assert again.json()["ticket"] == number
    added = await site.post(
        f"{URL}/{number}",
        data={"text": "Вот снимок"},
        files=sent(good.jpeg(), "a.jpg"),
        headers=cookie,
    )
    assert added.status_code == 201
    first, second = supporting.thread(holder, number, now=moment).lines
    assert (first.text, first.files) == (SAID["text"], ())
    base = f"{URL}/files/{second.files[0].ref}"
    for headers in (cookie, cookie_of(make_support(moment), moment)):
        shown = await site.get(f"{base}/preview", headers=headers)
        assert shown.headers["content-type"] == "image/jpeg"
        saved = await site.get(f"{base}/file", headers=headers)
        assert saved.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in saved.headers["content-security-policy"]


async def test_refusal_names_its_field(site: httpx.AsyncClient, moment: datetime):
    cookie = cookie_of(make_holder(moment), moment)
    for said, files, code in (
        ({**SAID, "text": ""}, sent(), "text"),
        ({**SAID, "subject": "x"}, sent(), "subject"),
        ({**SAID, "incident": "!"}, sent(), "incident"),
        (SAID, sent(b"GIF89a" + b"\0" * 64, "a.gif"), "screenshot"),
        (SAID, sent(b"\xff\xd8\xff" + b"\0" * SIZE_LIMIT, "a.jpg"), "screenshot"),
    ):
        answer = await site.post(URL, data=said, files=files, headers=cookie)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["message"]


async def test_stranger_and_another_are_refused(site: httpx.AsyncClient, moment: datetime):
    cookie = cookie_of(make_holder(moment), moment)
    number = (await site.post(URL, data=SAID, files=sent(), headers=cookie)).json()["ticket"]
    other = cookie_of(make_holder(moment), moment)
    for headers, status in (({}, 401), (other, 404)):
        answer = await site.post(
            f"{URL}/{number}", data={"text": "Да"}, files=sent(), headers=headers
        )
        assert answer.status_code == status
    broken = await site.post(URL, content=b"x", headers=cookie)
    assert broken.status_code == 400
