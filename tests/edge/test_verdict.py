"""What comes over the wire after a scan: page and JSON, for whoever asks."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from emk_app import clock
from emk_app.api import verdict
from emk_app.db.engine import reading
from emk_app.db.tables.books import Look
from emk_app.domain.actors import Actor
from emk_app.services import issuing, sharing
from tests.edge.test_routes import ask
from tests.factories import make_book, make_holder, make_officer, spoil_versions

pytestmark = pytest.mark.usefixtures("world")

PHONE = {"user-agent": "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36"}
STRANGER_TO_NONE = {"set-cookie", "date"}


@pytest.fixture(autouse=True)
def fresh_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has looks to take; the count of one is not another's."""
    monkeypatch.setattr(
        verdict,
        "allowance",
        type(verdict.allowance)(verdict.LOOKS_AT_ONCE, verdict.LOOKS_A_SECOND),
    )


def made() -> tuple[Actor, int, str]:
    """Return a holder, their book and the code of a link to it."""
    now = clock.now()
    holder = make_holder(now)
    book_id = make_book(holder, now)
    return holder, book_id, sharing.make(holder, book_id, now=now).url[-26:]


def looks() -> int:
    with reading() as db:
        return len(db.exec(select(Look)).all())


def page(code: str, **given: str):
    return ask("GET", f"/v/{code}", given=PHONE | given)


def test_unknown_and_malformed_codes_get_one_page():
    answers = [
        page(code)
        for code in ("A" * 26, "a" * 26, "short", "", "A" * 27, "%00", "a/b/c", "index.html")
    ] + [ask("GET", path) for path in ("/v", "/V", "/v.html", "/V/ABC")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    headers = [
        {name: value for name, value in answer.headers.items() if name not in STRANGER_TO_NONE}
        for answer in answers
    ]
    assert all(each == headers[0] for each in headers)
    assert "Книжка не найдена" in answers[0].text


def test_known_link_answers_in_every_state():
    holder, book_id, code = made()
    officer, now = make_officer(clock.now()), clock.now()
    said: list[tuple[int, str]] = []

    def note() -> None:
        answer = page(code)
        word = re.search(r'class="e-verdict-word"[^>]*>([^<]+)<', answer.text)
        assert word is not None
        said.append((answer.status_code, word[1]))

    note()
    issuing.suspend(officer, book_id, "Проверяем", now=now)
    note()
    issuing.revoke(officer, book_id, "Ошибка", now=now)
    note()
    spoil_versions(signature=b"{}")
    note()
    (link,) = sharing.links(holder, now=now)
    sharing.revoke(holder, link.id, now=now)
    note()
    assert said == [
        (200, "Действует"),
        (200, "Приостановлена"),
        (200, "Аннулирована"),
        (200, "Подлинность не подтверждена"),
        (200, "Ссылка закрыта"),
    ]


def test_page_tells_nothing_medical_and_no_numbers_of_papers():
    holder, _, code = made()
    answer = page(code)
    card = issuing.card(holder, now=clock.now())
    assert card is not None
    assert card.content is not None
    text = answer.text + ask("GET", f"/api/verify/{code}").text
    for line in card.content.lines:
        assert line.name not in text
        assert line.code != "bp" or line.value not in text
    for secret in (
        "11223344595",
        "112-233",
        "Мария",
        "Сергеевна",
        "27.03.1990",
        "1990-03-27",
        card.number.shown,
        card.number.digits,
        "Седов",
        "поликлиник",
        "Повар",
        "годен",
    ):
        assert secret not in text, secret


def test_page_is_whole_without_scripts_and_kept_by_nobody():
    _, _, code = made()
    answer = page(code)
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    policy = answer.headers["content-security-policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"<script|javascript:|\son\w+=", answer.text)
    assert '<html lang="ru">' in answer.text


def test_code_is_read_in_any_case_and_with_a_slash_behind():
    _, _, code = made()
    for path in (f"/v/{code.lower()}", f"/V/{code}", f"/v/{code}/"):
        assert ask("GET", path).status_code == 200
    assert ask("GET", f"/api/verify/{code.lower()}").status_code == 200


def test_machine_gets_the_same_verdict_or_the_envelope():
    _, _, code = made()
    answer = ask("GET", f"/api/verify/{code}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["verdict"], answer.json()["name"]) == ("valid", "Иванова М. С.")
    for unknown in ("A" * 26, "zzz", "%00"):
        refusal = ask("GET", f"/api/verify/{unknown}")
        assert refusal.status_code == 404
        assert set(refusal.json()) == {"code", "message", "id"}
    assert ask("POST", f"/api/verify/{code}").status_code == 405


def test_preview_in_a_messenger_is_no_look():
    now = clock.now()
    holder = make_holder(now)
    code = sharing.make(holder, make_book(holder, now), looks=1, now=now).url[-26:]
    drawn = page(code, **{"user-agent": "TelegramBot (like TwitterBot)"})
    assert "Иванова" not in drawn.text
    assert drawn.text == page("A" * 26, **{"user-agent": "TelegramBot (like TwitterBot)"}).text
    assert ask("HEAD", f"/v/{code}").status_code == 200
    assert ask("HEAD", f"/api/verify/{code}").status_code == 200
    assert page(code, **{"sec-purpose": "prefetch"}).status_code == 503
    assert looks() == 0
    assert "Действует" in page(code).text
    assert looks() == 1


def test_flood_from_one_address_is_told_to_wait():
    _, _, code = made()
    for _ in range(verdict.LOOKS_AT_ONCE):
        assert page("A" * 26).status_code == 404
    refused = page(code)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert "Слишком много проверок" in refused.text
    machine = ask("GET", f"/api/verify/{code}")
    assert (machine.status_code, machine.json()["code"]) == (429, "too_many_attempts")
    assert looks() == 0


def test_looks_name_the_browser_and_no_more():
    holder, _, code = made()
    page(code)
    (seen,) = sharing.looks(holder)
    assert seen.viewer == "Chrome, Android"


def test_closed_link_is_closed_for_the_very_next_scan():
    holder, _, code = made()
    assert "Действует" in page(code).text
    (link,) = sharing.links(holder, now=clock.now())
    sharing.revoke(holder, link.id, now=clock.now() + timedelta(seconds=1))
    assert "Ссылка закрыта" in page(code).text
    assert ask("GET", f"/api/verify/{code}").json()["verdict"] == "link_revoked"
