"""The check page's forms over the wire: a pasted link, a picture, a number with СНИЛС."""

from __future__ import annotations

import urllib.parse
from io import BytesIO

import httpx
import pytest
from PIL import Image
from sqlmodel import select

from emk_app import clock
from emk_app.api import check
from emk_app.crypto import qr
from emk_app.db.engine import reading
from emk_app.db.tables.books import MedicalBook
from emk_app.db.tables.journal import AuditEntry
from emk_app.edge.allowance import Allowance
from emk_app.services import issuing
from tests.edge.test_routes import ORIGIN, ask
from tests.factories import make_book, make_holder, make_officer, spoil_versions

CODE = "ABCDEFGHIJKLMNOPQRSTUVWX24"
FORM = {"content-type": "application/x-www-form-urlencoded"}
SNILS = "112-233-445 95"
OTHER_SNILS = "087-654-303 00"

world = pytest.mark.usefixtures("world")


def paste(said: str) -> httpx.Response:
    return ask("GET", "/check/open?" + urllib.parse.urlencode({"code": said}))


def send(picture: bytes, field: str = "picture") -> httpx.Response:
    body = (
        f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="a.png"\r\n'.encode()
        + b"Content-Type: image/png\r\n\r\n"
        + picture
        + b"\r\n--x--\r\n"
    )
    given = {"content-type": "multipart/form-data; boundary=x"}
    return ask("POST", "/check/picture", given=given, content=body)


def find(number: str, snils: str) -> httpx.Response:
    body = urllib.parse.urlencode({"number": number, "snils": snils}).encode()
    return ask("POST", "/check/number", given=FORM, content=body)


@world
@pytest.mark.parametrize(
    "said",
    [
        CODE,
        CODE.lower(),
        f"  {CODE[:13]} {CODE[13:]}\n",
        f"{ORIGIN}/v/{CODE}",
        f"{ORIGIN}/V/{CODE.lower()}/?x=1#TOKEN",
        f"LOCALHOST:8000/v/{CODE}",
        f"https://localhost:8000/v/{CODE}",
        f"/v/{CODE}",
    ],
)
def test_link_is_read_in_any_spelling(said: str):
    answer = paste(said)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/v/{CODE}")


@world
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "Вставьте ссылку или код"),
        ("privet", "Это не ссылка на книжку"),
        (f"{ORIGIN}/check/{CODE}", "Это не ссылка на книжку"),
        (f"https://evil.example/v/{CODE}", "ведёт на другой сайт, evil.example"),
        (f"https://localhost:8000@evil.example/v/{CODE}", "ведёт на другой сайт, evil.example"),
    ],
)
def test_anything_else_is_told_beside_the_field_and_kept(said: str, words: str):
    answer = paste(said)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{said}"' in answer.text or not said
    assert answer.headers["cache-control"] == "no-store"
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


@world
def test_what_was_typed_is_no_markup():
    assert '"><b>x' not in paste('"><b>x').text


@world
def test_picture_leads_to_the_verdict_of_its_code():
    answer = send(qr.qr_png(f"{ORIGIN}/v/{CODE}#" + "B" * 320))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/v/{CODE}")


@world
def test_each_other_picture_is_told_by_itself():
    blank, wide = BytesIO(), BytesIO()
    Image.new("L", (300, 300), 255).save(blank, "PNG")
    Image.new("1", (12_000, 12_000)).save(wide, "PNG")
    for picture, words in (
        (b"", "Выберите картинку"),
        (b"not a picture", "файл повреждён"),
        (blank.getvalue(), "не найден"),
        (wide.getvalue(), "файл повреждён"),
        (qr.qr_png("https://example.com/menu"), "не медицинской книжки"),
        (b"x" * (5 * 1024 * 1024 + 1), "больше 5"),
    ):
        answer = send(picture)
        assert (answer.status_code, words in answer.text) == (422, True), words
    assert send(b"x", field="other").status_code == 422


@world
def test_one_address_has_few_pictures(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(check, "allowance", Allowance(1, 0.001))
    assert send(b"x").status_code == 422
    assert send(b"x").status_code == 429


@world
def test_number_and_snils_show_the_verdict_and_a_masked_name():
    now = clock.now()
    make_book(make_holder(now), now)
    with reading() as db:
        number = db.exec(select(MedicalBook.number)).one()
    answer = find(number, SNILS)
    assert answer.status_code == 200
    assert "И*** Мария С***" in answer.text
    assert "Действует" in answer.text
    for secret in ("Иванова", "Сергеевна", "1990", SNILS, number, "Повар"):
        assert secret not in answer.text, secret
    with reading() as db:
        assert db.exec(select(AuditEntry).where(AuditEntry.action == "look_up")).one()


@world
def test_wrong_pairs_are_one_answer():
    now = clock.now()
    holder = make_holder(now)
    book_id = make_book(holder, now)
    with reading() as db:
        number = db.exec(select(MedicalBook.number)).one()
    foreign = find(number, OTHER_SNILS)
    unknown = find("77-01-999999-26", OTHER_SNILS)
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.text.replace(number, "77-01-999999-26") == unknown.text
    issuing.suspend(make_officer(now), book_id, "Проверяем", now=now)
    assert "Приостановлена" in find(number, SNILS).text
    spoil_versions(signature=b"{}")
    assert find(number, SNILS).status_code == 404


@world
def test_errors_stand_beside_their_fields_and_tries_are_few():
    answer = find("77", "112-233-445 96")
    assert answer.status_code == 422
    assert answer.text.count("Ошибка: ") == 2
    assert 'value="112-233-445 96"' in answer.text
    said = [find("77-01-999999-26", OTHER_SNILS).status_code for _ in range(7)]
    assert said[0] == 404
    assert said[-1] == 429
