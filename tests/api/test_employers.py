"""The employer's list as files, behind the real guard."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pypdfium2
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
from emk_app.domain.enlisting import SIZE_LIMIT, NoRows, read
from emk_app.edge.guard import Guard
from emk_app.presenting.staff_files import HEADS, harmless
from emk_app.services import employing, enlisting, sharing
from emk_app.services.employing import Said
from emk_app.storage import workbooks
from tests.api.test_scans import ORIGIN, cookie_of
from tests.factories import make_book, make_employer, make_employers_user, make_holder
from tests.services.test_enlisting import number_of

pytestmark = pytest.mark.usefixtures("world")

UPLOADS, SAMPLE = "/api/employer/uploads", "/api/employer/sample.xlsx"
CSV, XLSX = "/api/employer/staff.csv", "/api/employer/staff.xlsx"
PDF, PRINT = "/api/employer/staff.pdf", "/api/employer/print"


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


@pytest.mark.parametrize("place", [CSV, XLSX, PDF, PRINT])
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


HEADS_OF_FILE = "Сотрудник;Номер книжки;СНИЛС\n"


async def test_file_of_staff_comes_in_and_its_result_goes_out(site: httpx.AsyncClient):
    now = clock.now()
    owner, holder = make_employer(now), make_holder(now)
    number = number_of(make_book(holder, now))
    body = f"{HEADS_OF_FILE}Анна;{number};112-233-445 95\nВера;1;2\n".encode("cp1251")
    cookie = cookie_of(owner, now)
    answer = await site.post(f"{UPLOADS}?name=a/Штат.csv", content=body, headers=cookie)
    assert answer.status_code == 201
    upload_id = answer.json()["id"]
    (view,) = enlisting.shown(owner)
    assert (view.name, view.rows, view.bad) == ("Штат.csv", 2, 1)
    again = await site.post(UPLOADS, content=body, headers=cookie)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    enlisting.confirm(owner, upload_id, now=now)
    enlisting.apply(upload_id, now)
    result = f"{UPLOADS}/{upload_id}/result"
    text = (await site.get(f"{result}.csv", headers=cookie)).content.decode("utf-8-sig")
    _, first, second = csv.reader(io.StringIO(text), delimiter=";")
    assert (first[1], first[5], first[7]) == ("Анна", "Добавлен в список", "Действует")
    assert "Номер книжки" in second[5]
    made = await site.get(f"{result}.xlsx", headers=cookie)
    sheet = load_workbook(io.BytesIO(made.content)).worksheets[0]
    assert isinstance(sheet["I2"].value, datetime)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\0", 422),
        (b"", 422),
        ("Имя;Оклад\nАнна;1".encode(), 422),
        (HEADS_OF_FILE.encode(), 422),
        (b"x" * (SIZE_LIMIT + 1), 413),
    ],
)
async def test_what_is_no_file_of_staff_is_refused(
    site: httpx.AsyncClient, body: bytes, status: int
):
    owner = make_employer(clock.now())
    cookie = cookie_of(owner, clock.now())
    answer = await site.post(UPLOADS, content=body, headers=cookie)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert enlisting.shown(owner) == []


async def test_sample_has_the_headings_that_are_known(site: httpx.AsyncClient):
    answer = await site.get(SAMPLE, headers=cookie_of(make_employer(clock.now()), clock.now()))
    rows = workbooks.read(answer.content)
    assert len(rows) == 1
    with pytest.raises(NoRows):
        read(rows)


async def test_files_are_brought_by_editors_alone(site: httpx.AsyncClient):
    now = clock.now()
    for who in (make_holder(now), make_employers_user(now)):
        answer = await site.post(UPLOADS, content=b"x", headers=cookie_of(who, now))
        assert answer.status_code == 403
    assert (await site.post(UPLOADS, content=b"x")).status_code == 401


async def test_list_is_printed_as_it_is_filtered(site: httpx.AsyncClient):
    owner = made_staff()
    cookie = cookie_of(owner, clock.now())
    whole = await site.get(PRINT, headers=cookie)
    assert "script-src 'self'" in whole.headers["content-security-policy"]
    assert whole.headers["cache-control"] == "no-store"
    assert "Кафе на Мира" in whole.text
    assert "=HYPERLINK(1)" in whole.text
    assert "Анна" in whole.text
    assert "Чужой" not in whole.text
    part = await site.get(f"{PRINT}?light=grey&department=%00", headers=cookie)
    assert "Анна" in part.text
    assert "HYPERLINK" not in part.text
    assert "состояние «Книжка не открыта»" in part.text
    none = await site.get(f"{PRINT}?department=<b>", headers=cookie)
    assert "Под эти условия никто не подходит" in none.text
    assert "<b>" not in none.text
    assert "&lt;b&gt;" in none.text


async def test_pdf_says_what_the_list_says(site: httpx.AsyncClient):
    owner = made_staff()
    answer = await site.get(f"{PDF}?occupation=cook", headers=cookie_of(owner, clock.now()))
    assert answer.headers["content-type"] == "application/pdf"
    text = pypdfium2.PdfDocument(answer.content)[0].get_textpage().get_text_bounded()
    assert "Допуск сотрудников к работе" in text
    assert "=HYPERLINK(1)" in text
    assert "Действует" in text
    assert "Анна" not in text
