"""What comes over the wire after a scan: page and JSON, for whoever asks."""

from __future__ import annotations

import asyncio
import html
import json
import re
import urllib.parse
from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import select

from emk_app import clock
from emk_app.api import verdict
from emk_app.api.routing import routes
from emk_app.db import changes
from emk_app.db.engine import reading
from emk_app.db.tables.books import Look
from emk_app.domain.actors import Actor
from emk_app.edge.allowance import Allowance
from emk_app.edge.guard import Guard
from emk_app.edge.site import Site
from emk_app.emk_app import ENDPOINTS
from emk_app.services import issuing, sharing
from emk_app.threads import in_thread
from tests.edge.test_routes import ask, nothing_else
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
    assert "default-src 'none'" in policy
    # One script of ours that begins when the page is there, and may ask in two places.
    assert re.findall(r"script-src ([^;]*);", policy) == [
        "http://localhost:8000/emk-verdict.js http://localhost:8000/check/offline/verify.js"
    ]
    assert re.findall(r"connect-src ([^;]*);", policy) == [
        "http://localhost:8000/api/verdict/ http://localhost:8000/.well-known/emk/"
    ]
    assert re.findall(r"<script[^>]*>", answer.text) == [
        '<script src="http://localhost:8000/emk-verdict.js" defer fetchpriority="low">'
    ]
    assert not re.search(r"javascript:|\son\w+=", answer.text)
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


def test_flood_from_one_address_is_told_to_wait(monkeypatch: pytest.MonkeyPatch):
    # On a slow machine the looks would come back while they are spent.
    monkeypatch.setattr(verdict, "allowance", Allowance(verdict.LOOKS_AT_ONCE, 1e-6))
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


def live_of(answer: httpx.Response) -> str:
    found = re.search(r'data-live="([^"]+)"', answer.text)
    assert found is not None
    return html.unescape(found[1])


class Stream:
    """An open stream of events, read one by one."""

    def __init__(self, address: str) -> None:
        path, _, query = address.partition("?")
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost:8000")],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 8000),
            "scheme": "http",
        }
        self._gone = asyncio.Event()
        self._said: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._read = b""

    async def __aenter__(self) -> Stream:
        site = Guard(Site(routes(ENDPOINTS), nothing_else))
        self._task = asyncio.create_task(site(self._scope, self._receive, self._said.put))
        self.start = await self._said.get()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await self._task

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def event(self) -> tuple[str, Any]:
        """Return the next event."""
        while True:
            block, found, rest = self._read.partition(b"\n\n")
            if not found:
                message = await asyncio.wait_for(self._said.get(), 10)
                self._read += message.get("body", b"")
                continue
            self._read = rest
            lines = dict(line.split(": ", 1) for line in block.decode().split("\n"))
            if "event" in lines:
                return lines["event"], json.loads(lines["data"])


async def test_open_page_hears_of_a_suspension_and_of_a_closed_link_and_counts_no_look():
    holder, book_id, code = made()
    officer = make_officer(clock.now())
    address = live_of(await asyncio.to_thread(page, code))
    before = changes.watchers()
    async with Stream(address) as stream:
        assert stream.start["status"] == 200
        headers = dict(stream.start["headers"])
        assert headers[b"content-type"].startswith(b"text/event-stream")
        assert headers[b"cache-control"] == b"no-store"
        name, checked = await stream.event()
        assert name == "checked"
        assert re.match(r"\d\d:\d\d:\d\d ", checked)
        await in_thread(issuing.suspend, officer, book_id, "Проверяем", now=clock.now())
        name, told = await stream.event()
        assert (name, told["word"]) == ("verdict", "Приостановлена")
        assert 'data-tone="danger"' in told["html"]
        (link,) = sharing.links(holder, now=clock.now())
        await in_thread(sharing.revoke, holder, link.id, now=clock.now())
        name, told = await stream.event()
        assert (name, told["word"]) == ("verdict", "Ссылка закрыта")
        assert "Иванова" not in told["html"]
    assert looks() == 1
    assert changes.watchers() == before
    assert verdict._streams.total() == 0


async def test_page_that_was_asleep_is_told_at_once_what_it_missed():
    _, book_id, code = made()
    address = live_of(await asyncio.to_thread(page, code))
    issuing.revoke(make_officer(clock.now()), book_id, "Ошибка", now=clock.now())
    async with Stream(address) as stream:
        name, told = await stream.event()
        assert (name, told["word"]) == ("verdict", "Аннулирована")
    # What is opened again from there begins with what is shown by then.
    (again,) = re.findall(r'data-live="([^"]+)"', told["html"])
    async with Stream(html.unescape(again)) as stream:
        assert (await stream.event())[0] == "checked"


async def test_last_allowed_look_goes_on_being_watched():
    now = clock.now()
    holder = make_holder(now)
    book_id = make_book(holder, now)
    code = sharing.make(holder, book_id, looks=1, now=now).url[-26:]
    address = live_of(await asyncio.to_thread(page, code))
    async with Stream(address) as stream:
        assert (await stream.event())[0] == "checked"


@pytest.mark.parametrize("spoilt", ["", "1.0", "9" * 40, "ticket", "٣.0"])
def test_only_who_has_looked_hears_of_changes(spoilt: str):
    _, _, code = made()
    path, _, query = live_of(page(code)).partition("?")
    ticket = urllib.parse.parse_qs(query)["ticket"][0]
    for wrong in (spoilt, ticket[:-1] + ("0" if ticket[-1] != "0" else "1"), "1" + ticket):
        answer = ask("GET", f"{path}?ticket={urllib.parse.quote(wrong)}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert ask("GET", f"/api/verdict/{'A' * 26}?{query}").status_code == 404
    assert looks() == 1


def test_ticket_ends_with_the_shift(monkeypatch: pytest.MonkeyPatch):
    _, _, code = made()
    address = live_of(page(code))
    later = clock.now() + verdict.WATCHED_FOR + timedelta(seconds=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert ask("GET", address).status_code == 404


def test_one_address_can_not_hold_every_stream(monkeypatch: pytest.MonkeyPatch):
    _, _, code = made()
    address = live_of(page(code))
    monkeypatch.setitem(verdict._streams, "127.0.0.1", verdict.STREAMS_PER_ADDRESS)
    answer = ask("GET", address)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")


@pytest.mark.parametrize("agent", ["TelegramBot (like TwitterBot)", "WhatsApp/2.23"])
def test_preview_of_a_messenger_watches_nothing(agent: str):
    _, _, code = made()
    assert "data-live" not in page(code, **{"user-agent": agent}).text
