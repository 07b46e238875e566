"""What an employer's systems ask by a key, behind the real guard: refusals first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette

from emk_app import clock
from emk_app.api import employer_v1 as api
from emk_app.api.routing import routes
from emk_app.db.engine import reading
from emk_app.db.repositories import books
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor
from emk_app.domain.books import BookNumber
from emk_app.domain.employer_keys import KeyScope
from emk_app.edge.allowance import Allowance
from emk_app.edge.guard import Guard
from emk_app.services import admitting, employer_keys, employing, sharing
from emk_app.services.employing import Said
from tests.api.test_scans import ORIGIN, cookie_of
from tests.factories import make_book, make_employer, make_holder

pytestmark = pytest.mark.usefixtures("world")

STAFF, CHECKS, FILE = f"{api.BASE}/staff", f"{api.BASE}/checks", f"{api.BASE}/staff.csv"
SNILS = "112-233-445 95"
CALLS = (
    ("GET", STAFF, KeyScope.STAFF_READ),
    ("GET", FILE, KeyScope.STAFF_READ),
    ("POST", STAFF, KeyScope.STAFF_WRITE),
    ("DELETE", f"{STAFF}/1", KeyScope.STAFF_WRITE),
    ("POST", CHECKS, KeyScope.BOOKS_CHECK),
)


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    # Other tests may have used up what a key of the same number may ask.
    monkeypatch.setattr(api, "allowance", Allowance(api.AT_ONCE, api.A_SECOND))
    monkeypatch.setattr(api, "checks_allowance", Allowance(api.CHECKS_AT_ONCE, api.CHECKS_A_SECOND))
    app = Guard(Starlette(routes=routes(api.ENDPOINTS)))
    transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


def made_owner() -> Actor:
    return replace(make_employer(clock.now()), factor_at=clock.now())


def key_of(owner: Actor, *scopes: KeyScope, days: int = 90) -> dict[str, str]:
    chosen = [each.value for each in scopes or KeyScope]
    token = employer_keys.make(owner, "Учёт", chosen, days, now=clock.now())
    return {"authorization": f"Bearer {token}"}


def link_of(holder: Actor, **given: Any) -> str:
    now = clock.now()
    return sharing.make(holder, make_book(holder, now), now=now, **given).url


def number_of(holder: Actor) -> str:
    book_id = make_book(holder, clock.now())
    with reading() as db:
        return BookNumber.parse(books.get(db, book_id).number).digits


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message", "id"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
async def test_without_its_key_nothing_is_answered(
    method: str, path: str, scope: KeyScope, site: httpx.AsyncClient
):
    owner = made_owner()
    for given in (
        {},
        {"authorization": "Bearer"},
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer emk_hr_" + "x" * 43},
        {"authorization": "Bearer " + "x" * 5000},
        # The session of the owner is no key.
        cookie_of(owner, clock.now()),
    ):
        answer = await site.request(method, path, headers=given)
        refused(answer, 401, "key_refused")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "set-cookie" not in answer.headers
    others = [each for each in KeyScope if each is not scope]
    answer = await site.request(method, path, headers=key_of(owner, *others))
    refused(answer, 403, "scope_missing")
    assert scope.value in answer.json()["message"]


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
async def test_ended_and_withdrawn_keys_are_told_apart(
    method: str,
    path: str,
    scope: KeyScope,
    site: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
):
    owner = made_owner()
    given = key_of(owner, scope, days=30)
    now = clock.now()
    with monkeypatch.context() as later:
        later.setattr(clock, "now", lambda: now + timedelta(days=30))
        refused(await site.request(method, path, headers=given), 401, "key_ended")
    (view,) = employer_keys.keys(owner, now=now)
    employer_keys.revoke(owner, view.id, now=now)
    refused(await site.request(method, path, headers=given), 401, "key_revoked")


async def test_browsers_of_other_sites_do_not_belong_here(site: httpx.AsyncClient):
    given = key_of(made_owner()) | {"origin": "https://evil.example"}
    answer = await site.post(CHECKS, headers=given, json={"items": [{"link": "x"}]})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


async def test_added_by_link_listed_by_parts_and_removed(site: httpx.AsyncClient):
    owner = made_owner()
    given = key_of(owner)
    ids: list[int] = []
    for number in range(3):
        sent = {"link": link_of(make_holder(clock.now())), "label": f"Сотрудник {number}"}
        answer = await site.post(STAFF, headers=given, json=sent | {"occupation": "cook"})
        assert answer.status_code == 201, answer.text
        added = answer.json()
        assert (added["light"], added["verdict"], added["added_by"]) == ("green", "valid", "link")
        assert added["days_left"] > 30
        ids.append(added["id"])
    first = (await site.get(STAFF, headers=given, params={"limit": 2})).json()
    assert [each["id"] for each in first["items"]] == ids[:2]
    assert (first["next"], first["total"]) == (ids[1], 3)
    rest = (await site.get(STAFF, headers=given, params={"after": first["next"]})).json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (ids[2:], None)
    none = (await site.get(STAFF, headers=given, params={"light": "red"})).json()
    assert none == {"items": [], "next": None, "total": 0}
    file = await site.get(FILE, headers=given)
    assert file.headers["content-type"].startswith("text/csv")
    assert file.text.count("Сотрудник ") == 3
    answer = await site.delete(f"{STAFF}/{ids[0]}", headers=given)
    assert (answer.status_code, answer.content) == (204, b"")
    refused(await site.delete(f"{STAFF}/{ids[0]}", headers=given), 404, "not_found")
    assert (await site.get(STAFF, headers=given)).json()["total"] == 2
    with reading() as db:
        actions = set(db.exec(select(AuditEntry.action)).all())
    assert {"use_employer_key", "see_staff", "export_staff", "remove_staff"} <= actions


async def test_added_by_number_and_told_to_the_holder_who_ends_it(site: httpx.AsyncClient):
    owner, holder = made_owner(), make_holder(clock.now())
    given = key_of(owner)
    sent = {"number": number_of(holder), "snils": SNILS, "label": "Анна"}
    wrong = await site.post(STAFF, headers=given, json=sent | {"snils": "112-233-446 96"})
    refused(wrong, 404, "not_found")
    answer = await site.post(STAFF, headers=given, json=sent)
    assert answer.status_code == 201
    assert "*" in answer.json()["name"]
    assert SNILS not in answer.text
    (seen,) = admitting.shown(holder, now=clock.now())
    admitting.end(holder, seen.id, now=clock.now())
    refused(await site.post(STAFF, headers=given, json=sent), 409, "access_ended")


async def test_nobody_of_another_organisation_is_seen_or_touched(site: httpx.AsyncClient):
    theirs = make_employer(clock.now())
    link = link_of(make_holder(clock.now()))
    entry_id = employing.add_by_link(theirs, link, Said("Чужой"), now=clock.now())
    given = key_of(made_owner())
    assert (await site.get(STAFF, headers=given)).json()["total"] == 0
    assert "Чужой" not in (await site.get(FILE, headers=given)).text
    refused(await site.delete(f"{STAFF}/{entry_id}", headers=given), 404, "not_found")
    for odd in ("0", "-1", "x", "9" * 30, "٣"):
        refused(await site.delete(f"{STAFF}/{odd}", headers=given), 404, "not_found")
    assert len(employing.roster(theirs, now=clock.now()).rows) == 1


async def test_array_is_checked_and_nobody_added(site: httpx.AsyncClient):
    owner, holder = made_owner(), make_holder(clock.now())
    number = number_of(holder)
    items = [
        {"ref": "1", "link": link_of(make_holder(clock.now()))},
        {"ref": "2", "number": number, "snils": SNILS},
        {"ref": "3", "number": number, "snils": "112-233-446 96"},
        {"ref": "4", "number": "12", "snils": "1"},
        {"ref": "5", "link": "https://example.ru/v/x"},
        {"ref": "6", "link": "A" * 26},
    ]
    answer = await site.post(CHECKS, headers=key_of(owner), json={"items": items})
    found = answer.json()["items"]
    assert [(each["ref"], each["outcome"]) for each in found] == [
        ("1", "found"),
        ("2", "found"),
        ("3", "not_found"),
        ("4", "invalid"),
        ("5", "invalid"),
        ("6", "not_found"),
    ]
    assert {(each["verdict"], bool(each["ends_on"])) for each in found[:2]} == {("valid", True)}
    assert all(each["verdict"] is None and each["message"] for each in found[2:])
    assert SNILS not in answer.text
    assert employing.roster(owner, now=clock.now()).found == 0


async def test_many_tries_at_one_number_are_stopped(site: httpx.AsyncClient):
    number = number_of(make_holder(clock.now()))
    items = [{"number": number, "snils": "112-233-446 96"}] * 5
    items += [{"number": number, "snils": SNILS}]
    answer = await site.post(CHECKS, headers=key_of(made_owner()), json={"items": items})
    assert [each["outcome"] for each in answer.json()["items"]] == ["not_found"] * 5 + ["too_many"]


WRONG_BODIES: tuple[tuple[str, Any, str], ...] = (
    (CHECKS, {}, "items"),
    (CHECKS, {"items": []}, "items"),
    (CHECKS, {"items": [{"link": "x"}] * 101}, "items"),
    (CHECKS, {"items": [{"link": 1}]}, "link: string_type"),
    (CHECKS, {"items": [{"link": "x", "role": "owner"}]}, "role: extra_forbidden"),
    (CHECKS, {"items": [], "more": 1}, "items"),
    (CHECKS, [], ""),
    (CHECKS, "x", ""),
    (STAFF, {"label": "Анна"}, "link"),
    (STAFF, {"label": "Анна", "link": "x", "number": "1", "snils": "2"}, "number"),
    (STAFF, {"label": "", "link": "x"}, "label"),
    (STAFF, {"label": "А" * 121, "link": "x"}, "label"),
    (STAFF, {"label": "Анна", "link": "x", "organisation_id": 1}, "organisation_id"),
)


@pytest.mark.parametrize(("path", "sent", "where"), WRONG_BODIES)
async def test_nothing_is_guessed_of_a_wrong_body(
    path: str, sent: Any, where: str, site: httpx.AsyncClient
):
    answer = await site.post(path, headers=key_of(made_owner()), json=sent)
    refused(answer, 422, "malformed")
    assert where in answer.json()["message"]


async def test_what_the_rules_refuse_is_named_by_its_field(site: httpx.AsyncClient):
    given = key_of(made_owner())
    answer = await site.post(
        STAFF, headers=given, json={"label": " ", "link": "x", "occupation": "king"}
    )
    refused(answer, 422, "invalid")
    for name in ("label:", "link:", "occupation:"):
        assert name in answer.json()["message"]
    for params in ({"limit": 0}, {"limit": 201}, {"after": -1}, {"light": "x"}, {"page": 2}):
        refused(await site.get(STAFF, headers=given, params=params), 422, "malformed")


@pytest.mark.parametrize("path", [STAFF, CHECKS])
async def test_only_json_is_taken(path: str, site: httpx.AsyncClient):
    given = key_of(made_owner())
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = await site.post(path, headers=given | {"content-type": kind}, content=b"{}")
        refused(answer, 415, "unsupported_media_type")
    for content in (b"", b"{", b'{"a": NaN}', b"\xff", b"[" * 10_000):
        answer = await site.post(
            path, headers=given | {"content-type": "application/json"}, content=content
        )
        refused(answer, 422, "malformed")


async def test_who_asks_too_much_is_told_when_to_come_back(
    site: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    owner = made_owner()
    given, other = key_of(owner), key_of(owner)
    monkeypatch.setattr(api, "allowance", Allowance(2, 0.1))
    monkeypatch.setattr(api, "checks_allowance", Allowance(1, 0.01))
    sent = {"items": [{"link": "x"}]}
    assert (await site.post(CHECKS, headers=given, json=sent)).status_code == 200
    answer = await site.post(CHECKS, headers=given, json=sent)
    refused(answer, 429, "too_many_requests")
    assert 90 <= int(answer.headers["retry-after"]) <= 100
    answer = await site.get(STAFF, headers=given)
    refused(answer, 429, "too_many_requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert (await site.get(STAFF, headers=other)).status_code == 200
