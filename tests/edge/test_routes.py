"""Every route of ours, for every role and for strangers."""

from __future__ import annotations

import asyncio
import urllib.parse
from datetime import datetime, timedelta

import httpx
import pytest

from emk_app import clock
from emk_app.api.aliases import ALIASES
from emk_app.api.routing import Endpoint, routes
from emk_app.domain.actors import Role
from emk_app.edge.guard import BODY_LIMIT, Guard
from emk_app.edge.site import Site
from emk_app.emk_app import ENDPOINTS
from emk_app.pages.site_map import PAGES
from emk_app.services import accounts, sharing
from tests.access import by_call
from tests.factories import make_book, make_draft, make_holder
from tests.services.test_accounts import PASSWORD, SECRET, signed_in

pytestmark = pytest.mark.usefixtures("world")

ORIGIN = "http://localhost:8000"
TABLE = by_call()
"""Who may do what by ``docs/access.md``, whatever the routes themselves declare."""
CLOSED = [each for each in ENDPOINTS if not TABLE[f"{each.method} {each.path}"].is_open]
FILLED = {
    "examination_id": "1",
    "number": "EMK-2026-000001-5",
    "kind": "passport",
    "ref": "0" * 32,
    "ticket": "00000000",
    "screenshot": "0" * 32,
    "link_id": "1",
    "grant_id": "1",
    "entry_id": "1",
    "uid": "0" * 32,
    "part": "text",
    "import_id": "1",
    "book_id": "1",
    "version": "1",
    "code": "nothing",
    "code:path": "nothing",
    "name": "nothing",
    "slug:path": "nothing",
    "name:path": "nothing",
    "key": "nothing",
}


async def nothing_else(_scope: object, _receive: object, _send: object) -> None:
    raise AssertionError("our routes are answered before the framework")


def ask(
    method: str,
    path: str,
    cookie: str = "",
    *,
    given: dict[str, str] | None = None,
    content: bytes | None = None,
) -> httpx.Response:
    async def once() -> httpx.Response:
        site = Guard(Site(routes(ENDPOINTS), nothing_else))
        transport = httpx.ASGITransport(site)  # pyright: ignore[reportArgumentType]
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            sent = {"origin": ORIGIN} | ({"cookie": f"emk_sid={cookie}"} if cookie else {})
            return await client.request(method, path, headers=sent | (given or {}), content=content)

    return asyncio.run(once())


def place(endpoint: Endpoint) -> str:
    path = endpoint.path
    for name, value in FILLED.items():
        path = path.replace("{" + name + "}", value)
    return path


@pytest.mark.parametrize("endpoint", CLOSED, ids=lambda endpoint: endpoint.path)
def test_strangers_are_not_let_in(endpoint: Endpoint):
    answer = ask(endpoint.method, place(endpoint))
    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "message", "id"}


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM}))
def test_other_roles_are_not_let_in(role: Role, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO", "emk.api")
    accounts.create_user(role, "x@example.ru", PASSWORD, totp_secret=SECRET, now=clock.now())
    cookie = signed_in(clock.now(), "x@example.ru")
    for endpoint in CLOSED:
        if role not in TABLE[f"{endpoint.method} {endpoint.path}"].roles:
            assert ask(endpoint.method, place(endpoint), cookie).status_code == 403, endpoint.path
            assert caplog.messages[-1] == f"refused {endpoint.path} for {role}"


def enveloped(answer: httpx.Response) -> bool:
    """Whether an error is told in the one shape that machines know."""
    said = answer.json() if answer.headers["content-type"] == "application/json" else {}
    return set(said) == {"code", "message", "id"} and all(
        isinstance(value, str) and value for value in said.values()
    )


FOR_PEOPLE = ("/v", "/V", "/check/", "/handover/", "/session/", "/news", "/status")
"""What browsers open by themselves is answered with a page, or leads to one."""


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: f"{each.method} {each.path}")
def test_every_error_is_told_in_the_envelope(endpoint: Endpoint):
    """By its missing thing, by the wrong method, by a foreign origin, by too large a body."""
    path = urllib.parse.quote(place(endpoint))
    answers = [
        ask(endpoint.method, path),
        ask("PATCH", path),
        ask("POST", path, given={"origin": "https://evil.example"}),
        ask("POST", path, given={"content-length": str(10**12)}),
    ]
    for answer in answers:
        if answer.status_code < 400 or enveloped(answer) or endpoint.path == "/readyz":
            # Not being ready is no error of the asking.
            continue
        assert endpoint.path.startswith(FOR_PEOPLE), (answer.status_code, answer.text[:200])
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_fault_of_any_route_is_told_in_the_envelope_by_its_number_alone(
    monkeypatch: pytest.MonkeyPatch,
):
    def away(*_: object, **__: object) -> None:
        raise RuntimeError("Иванова 112-233-445 95")

    accounts.create_user(Role.HOLDER, "x@example.ru", PASSWORD, totp_secret=SECRET, now=clock.now())
    cookie = signed_in(clock.now(), "x@example.ru")
    monkeypatch.setattr("emk_app.api.routing.actor_of", away)
    for endpoint in CLOSED:
        answer = ask(endpoint.method, place(endpoint), cookie)
        assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
        assert enveloped(answer)
        assert answer.json()["id"] in answer.json()["message"]
        assert "Иванова" not in answer.text


@pytest.mark.parametrize("path", ["/api/nothing", "/session/other", "/.well-known/x", "/404.html"])
def test_unknown_addresses_of_ours_are_not_pages(path: str):
    answer = ask("GET", path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_wrong_method_is_refused():
    answer = ask("GET", "/session/leave")
    assert (answer.status_code, answer.json()["code"]) == (405, "wrong_method")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", b"nothing"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("application/x-www-form-urlencoded", b"ticket=\xff&" * 100),
        ("application/json", b"{}"),
        ("", b"ticket"),
    ],
)
def test_ticket_in_any_other_shape_is_no_ticket(kind: str, content: bytes):
    answer = ask("POST", "/session/enter", given={"content-type": kind}, content=content)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_body_that_goes_on_past_what_it_announced_is_refused():
    given = {"content-length": "1"}
    answer = ask("POST", "/session/enter", given=given, content=b"x" * (BODY_LIMIT + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "said", ["", "http://[", "//", "https://evil.example/x", "/v/../../evil", "a" * 5000, "\r\nx"]
)
def test_whatever_is_pasted_leads_nowhere_but_to_ours(said: str):
    answer = ask("GET", "/check/open?" + urllib.parse.urlencode({"code": said}))
    assert answer.status_code == 422
    assert "location" not in answer.headers


def test_code_is_given_to_its_owner_alone():
    now = clock.now()
    owner = make_holder(now, "owner@example.ru")
    other = make_holder(now, "other@example.ru")
    link = sharing.make(owner, make_book(owner, now), now=now)
    path = f"/api/book/links/{link.id}/qr"
    mine = signed_in_as("owner@example.ru", "d" * 64)
    png = ask("GET", f"{path}.png", mine)
    assert png.status_code == 200
    assert png.content.startswith(b"\x89PNG")
    assert png.headers["content-disposition"] == 'attachment; filename="emk-qr.png"'
    assert png.headers["cache-control"] == "no-store"
    svg = ask("GET", f"{path}.svg?show", mine)
    assert svg.content.startswith(b"<svg")
    assert "script-src" not in svg.headers["content-security-policy"]
    theirs = signed_in_as("other@example.ru", "e" * 64)
    assert other.user_id != owner.user_id
    for foreign in (f"{path}.png", "/api/book/links/999/qr.png", "/api/book/links/x/qr.svg"):
        answer = ask("GET", foreign, theirs)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_version_as_a_file_is_given_to_its_owner_alone():
    now = clock.now()
    book_id = make_book(make_holder(now, "owner@example.ru"), now)
    make_holder(now, "other@example.ru")
    mine = signed_in_as("owner@example.ru", "d" * 64)
    theirs = signed_in_as("other@example.ru", "e" * 64)
    for name, kind in (("signed", "application/json"), ("fhir", "application/fhir+json")):
        path = f"/api/book/{book_id}/versions/1/{name}.json"
        given = ask("GET", path, mine)
        assert (given.status_code, given.headers["content-type"]) == (200, kind)
        assert given.headers["cache-control"] == "no-store"
        said = given.headers["content-disposition"]
        assert said.startswith('attachment; filename="emk-77') and "filename*=UTF-8''%D0%AD" in said
        said.encode("ascii")
        for foreign in (path, path.replace("/1/", "/x/"), path.replace("/1/", "/2/")):
            assert ask("GET", foreign, theirs).status_code == 404
        assert ask("GET", path.replace("/1/", "/99/"), mine).status_code == 404


def test_consent_on_paper_is_empty_for_anybody_and_filled_in_for_its_owner():
    blank = ask("GET", "/api/consent/blank.pdf")
    assert (blank.status_code, blank.headers["content-type"]) == (200, "application/pdf")
    assert blank.content.startswith(b"%PDF-")
    assert blank.headers["content-disposition"] == 'attachment; filename="soglasie.pdf"'
    make_draft(make_holder(clock.now(), "owner@example.ru"), clock.now(), with_scans=False)
    filled = ask("GET", "/api/consent/form.pdf", signed_in_as("owner@example.ru", "d" * 64))
    assert filled.content.startswith(b"%PDF-")
    assert filled.content != blank.content
    assert filled.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("name", "page"), ALIASES.items())
def test_other_name_of_a_page_leads_to_it(name: str, page: str):
    answer = ask("GET", urllib.parse.quote(name))
    assert (answer.status_code, answer.headers["location"]) == (308, page)


def test_every_other_name_means_a_page_there_is():
    routes_there_are = {each.route for each in PAGES}
    assert set(ALIASES.values()) <= routes_there_are
    assert not set(ALIASES) & routes_there_are


def signed_in_as(login: str, door: str) -> str:
    """Sign in with the factories' password and secret."""
    from pyotp.totp import TOTP

    from tests import factories

    now = clock.now()
    accounts.begin_sign_in(door, login, factories.PASSWORD, source="10.0.0.1", now=now)
    ticket = accounts.confirm_code(door, TOTP(factories.SECRET).at(now), now=now)
    return accounts.enter(door, ticket, device="Chrome", now=now)[0]


def test_browser_is_known_by_a_lasting_cookie_of_its_own():
    from pyotp.totp import TOTP

    now, sid = clock.now(), "s" * 43
    accounts.create_user(Role.OPERATOR, "x@example.ru", PASSWORD, totp_secret=SECRET, now=now)

    def entered(known: str, at: datetime) -> list[str]:
        door = accounts.ref_of(sid)
        accounts.begin_sign_in(door, "x@example.ru", PASSWORD, source="10.0.0.1", now=at)
        ticket = accounts.confirm_code(door, TOTP(SECRET).at(at), now=at)
        content = f"ticket={ticket}".encode()
        given = {"cookie": f"emk_sid={sid}; {known}"}
        answer = ask("POST", "/session/enter", given=given, content=content)
        assert (answer.status_code, answer.headers["location"]) == (303, "/review")
        return answer.headers.get_list("set-cookie")

    [kept] = [each for each in entered("", now) if each.startswith("emk_browser=")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} < set(kept.split("; "))
    assert f"Max-Age={400 * 24 * 3600}" in kept
    known = kept.partition(";")[0]
    assert len(known) == len("emk_browser=") + 43
    assert kept in entered(known, now + timedelta(seconds=30))
    assert kept not in entered("emk_browser=x", now + timedelta(seconds=60))
