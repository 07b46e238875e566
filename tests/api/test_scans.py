"""Scans over HTTP, behind the real guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from emk_app import clock
from emk_app.api import scans as api
from emk_app.api.routing import routes
from emk_app.crypto import tokens
from emk_app.db.engine import unit_of_work
from emk_app.db.tables.people import UserSession
from emk_app.domain.actors import Actor
from emk_app.domain.applications import ApplicationStatus
from emk_app.domain.documents import LIMITS, ScanKind
from emk_app.edge.cookies import cookie_name
from emk_app.edge.guard import Guard
from emk_app.services import accounts, applying
from tests.factories import make_clinic, make_holder, make_operator, make_submitted, put
from tests.files import good

pytestmark = pytest.mark.usefixtures("world")

ORIGIN = "http://localhost:8000"


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


def cookie_of(actor: Actor, now: datetime) -> dict[str, str]:
    cookie = tokens.new_token()
    with unit_of_work() as db:
        db.add(
            UserSession(
                ref=accounts.ref_of(cookie),
                user_id=actor.user_id,
                factor_at=now,
                device="Chrome",
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(hours=12),
            )
        )
    return {"cookie": f"{cookie_name()}={cookie}"}


def part(content: bytes, name: str = "паспорт.jpg") -> dict[str, tuple[str, bytes, str]]:
    return {"scan": (name, content, "image/jpeg")}


async def test_stranger_gets_nothing(site: httpx.AsyncClient, moment: datetime):
    draft = make_submitted(make_holder(moment), moment)
    ref = draft.scans[0].ref
    for answer in (
        await site.get(f"/api/scans/{ref}/file"),
        await site.get(f"/api/scans/{ref}/preview"),
        await site.post(f"/api/scans/{draft.number}/passport", files=part(good.jpeg())),
    ):
        assert answer.status_code == 401
        assert set(answer.json()) == {"code", "message", "id"}


async def test_foreign_scan_and_missing_scan_look_the_same(
    site: httpx.AsyncClient, moment: datetime
):
    draft = make_submitted(make_holder(moment), moment)
    cookie = cookie_of(make_holder(moment), moment)
    answers = [
        await site.get(path, headers=cookie)
        for path in (
            f"/api/scans/{draft.scans[0].ref}/file",
            f"/api/scans/{'0' * 32}/file",
            f"/api/scans/{draft.scans[0].ref}/preview",
            "/api/scans/../../etc/passwd/preview",
        )
    ] + [
        await site.post(path, headers=cookie, files=part(good.jpeg()))
        for path in (
            f"/api/scans/{draft.number}/passport",
            "/api/scans/EMK-2026-999999-0/passport",
            f"/api/scans/{draft.number}/secret",
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["message"] for answer in answers if "message" in answer.text}) == 1


async def test_operator_sends_nothing(site: httpx.AsyncClient, moment: datetime):
    draft = applying.draft(make_holder(moment), now=moment)
    answer = await site.post(
        f"/api/scans/{draft.number}/passport",
        headers=cookie_of(make_operator(moment), moment),
        files=part(good.jpeg()),
    )
    assert answer.status_code == 403


async def test_page_of_another_site_sends_nothing(site: httpx.AsyncClient, moment: datetime):
    holder = make_holder(moment)
    draft = applying.draft(holder, now=moment)
    answer = await site.post(
        f"/api/scans/{draft.number}/passport",
        headers=cookie_of(holder, moment) | {"origin": "https://evil.example"},
        files=part(good.jpeg()),
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Файл пустой"),
        (b"MZ" + b"\0" * 200, "не похоже на PDF или JPEG"),
        (b"\xff\xd8\xff" + b"\0" * LIMITS[ScanKind.PASSPORT], "а можно не больше 2\u00a0МБ"),
        (b"%PDF-1.7\nno pages", "не открывается"),
    ],
)
async def test_refusal_says_why_in_the_envelope(
    content: bytes, words: str, site: httpx.AsyncClient, moment: datetime
):
    holder = make_holder(moment)
    draft = applying.draft(holder, now=moment)
    answer = await site.post(
        f"/api/scans/{draft.number}/passport",
        headers=cookie_of(holder, moment),
        files=part(content),
    )
    assert answer.status_code == 422
    assert words in answer.json()["message"]


async def test_body_over_the_bound_is_not_read(site: httpx.AsyncClient, moment: datetime):
    holder = make_holder(moment)
    draft = applying.draft(holder, now=moment)
    answer = await site.post(
        f"/api/scans/{draft.number}/diploma",
        headers=cookie_of(holder, moment),
        files=part(b"\xff\xd8\xff" + b"\0" * (6 * 1024 * 1024)),
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x\r\nbroken"),
        ({"content-type": "multipart/form-data"}, b""),
        ({"content-type": "application/json"}, b"{}"),
        (
            {"content-type": "multipart/form-data; boundary=x"},
            b'--x\r\nContent-Disposition: form-data; name="scan"\r\n\r\ntext\r\n--x--\r\n',
        ),
    ],
)
async def test_what_is_no_upload_is_told_so(
    headers: dict[str, str], body: bytes, site: httpx.AsyncClient, moment: datetime
):
    holder = make_holder(moment)
    draft = applying.draft(holder, now=moment)
    answer = await site.post(
        f"/api/scans/{draft.number}/passport",
        headers=cookie_of(holder, moment) | headers,
        content=body,
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == "broken_upload"


async def test_holder_sends_a_scan_and_gets_it_back(site: httpx.AsyncClient, moment: datetime):
    holder = make_holder(moment)
    draft = applying.draft(holder, now=moment)
    cookie = cookie_of(holder, moment)
    sent = await site.post(
        f"/api/scans/{draft.number}/passport",
        headers=cookie,
        files=part(good.scanned_pdf(2), "Паспорт «Мария».pdf"),
    )
    assert sent.status_code == 201
    ref = sent.json()["ref"]
    file = await site.get(f"/api/scans/{ref}/file", headers=cookie)
    assert file.content.startswith(b"%PDF-")
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-disposition"] == (
        "attachment; filename=\"scan.pdf\"; filename*=UTF-8''"
        "%D0%9F%D0%B0%D1%81%D0%BF%D0%BE%D1%80%D1%82%20%C2%AB"
        "%D0%9C%D0%B0%D1%80%D0%B8%D1%8F%C2%BB.pdf"
    )
    for page, status in [("1", 200), ("2", 200), ("3", 404), ("0", 404), ("-1", 404), ("x", 404)]:
        picture = await site.get(f"/api/scans/{ref}/preview?page={page}", headers=cookie)
        assert picture.status_code == status
        if status == 200:
            assert picture.content.startswith(b"\xff\xd8\xff")
            assert picture.headers["content-type"] == "image/jpeg"
    for answer in (file, await site.get(f"/api/scans/{ref}/preview", headers=cookie)):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox;")


async def test_operator_looks_at_what_was_handed_in(site: httpx.AsyncClient, moment: datetime):
    draft = make_submitted(make_holder(moment), moment, clinic_id=make_clinic())
    put(draft.id, status=ApplicationStatus.RECEIVED)
    answer = await site.get(
        f"/api/scans/{draft.scans[0].ref}/preview",
        headers=cookie_of(make_operator(moment), moment),
    )
    assert answer.status_code == 200
