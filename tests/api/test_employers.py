"""The employer's list as files, behind the real guard."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest
from openpyxl import load_workbook
from sqlmodel import select
from starlette.applications import Starlette

from emk_app import clock
from emk_app.api import employers as api
from emk_app.api.routing import routes
from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor
from emk_app.edge.guard import Guard
from emk_app.presenting.staff_files import HEADS, harmless
from emk_app.services import employing, sharing
from emk_app.services.employing import Said
from tests.api.test_scans import ORIGIN, cookie_of
from tests.factories import make_book, make_employer, make_employers_user, make_holder

pytestmark = pytest.mark.usefixtures("world")

CSV, XLSX = "/api/employer/staff.csv", "/api/employer/staff.xlsx"


@pytest.fixture
async def site() -> AsyncIterator[httpx.AsyncClient]:
    app = Guard(Starlette(routes=routes(api.ENDPOINTS)))
    transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}
    ) as client:
        yield client


def made_staff() -> Actor:
    now = clock.now()
    owner, holder = make_employer(now), make_holder(now)
    link = sharing.make(holder, make_book(holder, now), now=now)
    said = Said("=HYPERLINK(1)", "-17", "Кухня; зал", "cook")
    employing.add_by_link(owner, link.url, said, now=now)
    employing.invite(owner, "who@example.ru", Said("Анна"), now=now)
    employing.invite(make_employer(now), "other@example.ru", Said("Чужой"), now=now)
    return owner


async def test_csv_opens_in_a_spreadsheet_and_runs_nothing(site: httpx.AsyncClient):
    owner = made_staff()
    answer = await site.get(CSV, headers=cookie_of(owner, clock.now()))
    assert answer.status_code == 200
    assert "staff.csv" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    heads, first, second = csv.reader(io.StringIO(answer.text.lstrip("\ufeff")), delimiter=";")
    assert tuple(heads) == HEADS
    assert first[:3] == ["'=HYPERLINK(1)", "-17", "Кухня; зал"]
    assert first[6] == "Действует"
    assert second[0] == "Анна"
    with reading() as db:
        assert "export_staff" in db.exec(select(AuditEntry.action)).all()


async def test_workbook_holds_dates_and_no_formulas(site: httpx.AsyncClient):
    owner = made_staff()
    answer = await site.get(XLSX, headers=cookie_of(owner, clock.now()))
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    heads, first, second = sheet.iter_rows()
    assert tuple(cell.value for cell in heads) == HEADS
    assert (first[0].value, first[0].data_type) == ("'=HYPERLINK(1)", "s")
    assert isinstance(first[7].value, datetime)
    assert isinstance(first[8].value, int)
    assert second[0].value == "Анна"


@pytest.mark.parametrize("place", [CSV, XLSX])
async def test_list_is_given_to_members_alone(site: httpx.AsyncClient, place: str):
    now = clock.now()
    assert (await site.get(place)).status_code == 401
    for who in (make_holder(now), make_employers_user(now)):
        answer = await site.get(place, headers=cookie_of(who, now))
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("text", "written"),
    [("-5", "-5"), ("-5+2", "'-5+2"), ("@SUM(1)", "'@SUM(1)"), ("+7", "'+7"), ("Анна", "Анна")],
)
def test_what_a_spreadsheet_would_run_is_written_as_text(text: str, written: str):
    assert harmless(text) == written
