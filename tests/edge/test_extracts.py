"""The extract over HTTP: out to its holder alone, back from anybody, nothing kept."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from emk_app import clock
from emk_app.api import extracts as api
from emk_app.crypto import pades
from emk_app.domain.actors import Role
from emk_app.edge.allowance import Allowance
from emk_app.presenting.extracts import LINK_LABEL, printed
from emk_app.services import accounts, extracts, issuing
from tests.edge.test_routes import ask
from tests.factories import make_book, make_holder, make_officer
from tests.services.test_accounts import PASSWORD, SECRET, signed_in

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "allowance", Allowance(api.FILES_AT_ONCE, api.FILES_A_SECOND))


def sent(content: bytes):
    body = (
        b'--x\r\ncontent-disposition: form-data; name="scan"; filename="a.pdf"\r\n'
        b"content-type: application/pdf\r\n\r\n" + content + b"\r\n--x--\r\n"
    )
    return ask(
        "POST",
        "/check/pdf",
        given={"content-type": "multipart/form-data; boundary=x"},
        content=body,
    )


def made(now: datetime) -> tuple[bytes, int]:
    holder = make_holder(now)
    book_id = make_book(holder, now)
    extracts.make(holder, book_id, label=LINK_LABEL, printed=printed, now=now)
    return extracts.file(holder, book_id, now=now).content, book_id


def test_our_file_is_told_from_every_other_one():
    now = clock.now()
    content, book_id = made(now)
    changed = bytearray(content)
    changed[len(content) // 3] ^= 1
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    writer.root["/Note"] = writer.root["/Lang"]
    writer.update_root()
    on_top = io.BytesIO()
    writer.write(on_top)
    for file, word in (
        (content, "Действует"),
        (bytes(changed), "Повреждён или подделан"),
        (on_top.getvalue(), "Изменён после подписи"),
        (b"%PDF-1.7\n%%EOF", "Подписи нет"),
        (b"GIF89a", "Это не PDF"),
    ):
        answer = sent(file)
        assert answer.status_code == 200
        assert word in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "unsafe" not in answer.headers["content-security-policy"]
    issuing.suspend(make_officer(now), book_id, "Проверка", now=now)
    assert "Приостановлена" in sent(content).text


def test_no_file_and_a_large_one_are_refused():
    assert sent(b"").status_code == 400
    assert sent(b"%PDF-" + b" " * pades.MAX_FILE).status_code == 413
    answer = ask("POST", "/check/pdf", given={"content-type": "text/plain"}, content=b"x")
    assert answer.status_code == 400


def test_one_address_may_not_ask_for_ever():
    codes = [sent(b"%PDF-").status_code for _ in range(api.FILES_AT_ONCE + 2)]
    assert codes[0] == 200
    assert codes[-1] == 429


def test_the_holder_saves_the_file_and_nobody_else():
    now = clock.now()
    user_id = accounts.create_user(
        Role.HOLDER, "h@example.ru", PASSWORD, totp_secret=SECRET, now=now
    )
    del user_id
    cookie = signed_in(now, "h@example.ru")
    content, book_id = made(now)
    del content
    # Another's book does not exist.
    assert ask("GET", f"/api/book/{book_id}/extract.pdf", cookie).status_code == 404
    assert ask("GET", "/api/book/x/extract.pdf", cookie).status_code == 404
