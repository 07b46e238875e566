"""What passes the guard, and what it makes of it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from emk_app import attempts, clock
from emk_app.crypto import tokens
from emk_app.db import changes
from emk_app.domain.actors import Role
from emk_app.edge import cookies, headers, limits
from emk_app.edge.cookies import Caller, Standing
from emk_app.edge.guard import (
    BODY_LIMIT,
    CALLER,
    CLOSED,
    App,
    Guard,
    Message,
    Receive,
    Scope,
    Send,
    _Vigil,
    asked_for,
    client_address,
    state_name,
)
from emk_app.edge.limits import (
    CHANGES,
    CLASSES,
    FILES,
    FRAMES_AT_ONCE,
    PAGES,
    SOCKETS_AT_ONCE,
    SOCKETS_PER_CALLER,
    STATE_LIFE,
    STATES,
    STATES_OF_STRANGERS,
    UPLOADS,
    Class,
    Sockets,
    source_of,
)
from emk_app.services import accounts
from emk_app.settings import settings
from tests.services.test_accounts import PASSWORD, SECRET, signed_in

pytestmark = pytest.mark.usefixtures("world")

ORIGIN = "http://localhost:8000"
TAB = "0f5b1d5e-6a0d-4a6e-9c75-5a0d4a6e9c75"


class Behind:
    """Stands behind the guard and remembers what reached it."""

    def __init__(
        self,
        content_type: bytes = b"text/html; charset=utf-8",
        *more: tuple[bytes, bytes],
    ) -> None:
        self.more = more
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []
        self.content_type = content_type
        self.ended: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            self.ended.append(await receive())
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                break
            body += message.get("body", b"")
            if not message.get("more_body"):
                self.bodies.append(body)
                break
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", self.content_type),
                    (b"server", b"granian"),
                    *self.more,
                ],
            }
        )
        await send({"type": "http.response.body", "body": b"<p>ok</p>"})


@pytest.fixture(autouse=True)
def no_built_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy of the built pages has its own tests; here there may be no build."""
    monkeypatch.setattr(headers, "BUILD", Path("/nowhere"))
    forget_pages()


@pytest.fixture(autouse=True, scope="module")
def built_pages_are_found_again() -> Iterator[None]:
    yield
    forget_pages()


def forget_pages() -> None:
    for kept in (headers.built_pages, headers.page_policy, headers._added):
        kept.cache_clear()


def ask(
    behind: App,
    path: str = "/",
    *,
    method: str = "GET",
    cookie: str | None = None,
    given: dict[str, str] | None = None,
    content: bytes | None = None,
    guard: Guard | None = None,
) -> httpx.Response:
    async def once() -> httpx.Response:
        known = guard or Guard(behind)
        transport = httpx.ASGITransport(known)  # pyright: ignore[reportArgumentType]
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            sent = dict(given or {})
            if cookie is not None:
                sent["cookie"] = f"emk_sid={cookie}"
            return await client.request(method, path, headers=sent, content=content)

    return asyncio.run(once())


def knock(
    behind: Behind,
    *,
    cookie: str | None,
    origin: str | None = ORIGIN,
    token: str = TAB,
    host: str = "localhost:8000",
    path: str = "/_event/",
    guard: Guard | None = None,
    more: Sequence[tuple[bytes, bytes]] = (),
    while_open: Callable[[], Awaitable[None]] | None = None,
    address: str = "10.0.0.9",
) -> list[Message]:
    """Try a websocket handshake; return what the client is told."""
    told: list[Message] = []

    async def once() -> None:
        gone, answered = asyncio.Event(), asyncio.Event()
        sent = [(b"host", host.encode()), *more]
        if origin is not None:
            sent.append((b"origin", origin.encode()))
        if cookie is not None:
            sent.append((b"cookie", f"emk_sid={cookie}".encode()))
        incoming: list[Message] = [{"type": "websocket.connect"}]

        async def receive() -> Message:
            if incoming:
                return incoming.pop(0)
            await gone.wait()
            return {"type": "websocket.disconnect", "code": 1000}

        async def send(message: Message) -> None:
            told.append(message)
            answered.set()

        scope: dict[str, Any] = {
            "type": "websocket",
            "path": path,
            "query_string": f"EIO=4&transport=websocket&token={token}".encode(),
            "headers": sent,
            "client": (address, 5000),
        }
        task = asyncio.create_task((guard or Guard(behind))(scope, receive, send))
        if while_open is not None:
            await answered.wait()
            await while_open()
            await asyncio.wait_for(task, 5)
        else:
            await asyncio.sleep(0.05)
            gone.set()
            await task

    asyncio.run(once())
    return told


def accepted(told: list[Message]) -> bool:
    return any(message["type"] == "websocket.accept" for message in told)


def a_session(role: Role = Role.OPERATOR) -> str:
    now = clock.now()
    accounts.create_user(role, "operator@example.ru", PASSWORD, totp_secret=SECRET, now=now)
    return signed_in(now)


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", ORIGIN + ".evil.example"])
def test_handshake_from_another_origin_is_refused(origin: str | None):
    behind = Behind()
    assert not accepted(knock(behind, cookie=tokens.new_token(), origin=origin))
    assert behind.scopes == []


@pytest.mark.parametrize("token", ["x", "../../etc", "", "0" * 37])
def test_handshake_with_a_malformed_tab_token_is_refused(token: str):
    assert not accepted(knock(Behind(), cookie=tokens.new_token(), token=token))


@pytest.mark.parametrize("cookie", [None, "", "short", "a" * 44, "ы" * 43])
def test_handshake_without_a_well_formed_cookie_is_refused(cookie: str | None):
    assert not accepted(knock(Behind(), cookie=cookie))


def test_handshake_for_another_host_or_path_is_refused():
    assert not accepted(knock(Behind(), cookie=tokens.new_token(), host="evil.example"))
    assert not accepted(knock(Behind(), cookie=tokens.new_token(), path="/other"))


def test_socket_sees_a_sealed_reference_and_never_the_cookie():
    behind = Behind()
    cookie = a_session()
    assert accepted(knock(behind, cookie=cookie))
    passed = dict(behind.scopes[0]["headers"])
    assert cookie not in str(behind.scopes[0])
    caller = cookies.unpack(passed[b"cookie"].decode())
    assert caller == Caller(Standing.SIGNED_IN, accounts.ref_of(cookie))


def test_reference_that_the_guard_did_not_seal_is_nobody():
    sealed = cookies.pack(Caller(Standing.SIGNED_IN, "a" * 64))
    assert cookies.unpack(sealed) is not None
    assert cookies.unpack(sealed.replace("a" * 64, "b" * 64)) is None
    assert cookies.unpack("signed_in." + "a" * 64) is None
    assert cookies.unpack("") is None


def test_one_tab_token_leads_two_sessions_to_two_states():
    one, two = Caller(Standing.STRANGER, "a" * 64), Caller(Standing.STRANGER, "b" * 64)
    signed = Caller(Standing.SIGNED_IN, "a" * 64)
    assert len({state_name(each, TAB) for each in (one, two, signed)}) == 3
    assert state_name(one, TAB) == state_name(one, TAB)


def test_ended_session_gets_a_state_of_nobody():
    ended = Caller(Standing.ENDED, "a" * 64)
    assert state_name(ended, TAB) != state_name(ended, TAB)


def test_leaving_cuts_the_open_socket_at_once():
    behind = Behind()
    cookie = a_session()

    async def leave() -> None:
        await asyncio.to_thread(accounts.leave, accounts.ref_of(cookie), now=clock.now())

    told = knock(behind, cookie=cookie, while_open=leave)
    assert told[-1] == {"type": "websocket.close", "code": 4401}
    assert behind.ended == [{"type": "websocket.disconnect", "code": 4401}]


def test_sockets_of_one_caller_are_counted():
    behind, cookie = Behind(), tokens.new_token()
    guard = Guard(behind)
    guard._sockets._by_caller[accounts.ref_of(cookie)] = SOCKETS_PER_CALLER
    assert not accepted(knock(behind, cookie=cookie, guard=guard))


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example"])
def test_unsafe_request_from_another_origin_is_refused(origin: str | None):
    behind = Behind()
    given = {"origin": origin} if origin else {}
    answer = ask(behind, "/session/leave", method="POST", given=given, content=b"x")
    assert answer.status_code == 403
    assert answer.json()["code"] == "foreign_origin"
    assert behind.scopes == []


@pytest.mark.parametrize("path", [*CLOSED, "/_upload/secret.pdf"])
def test_routes_of_the_framework_are_closed(path: str):
    behind = Behind()
    assert ask(behind, path).status_code == 404
    assert behind.scopes == []


def test_unknown_host_is_refused():
    assert ask(Behind(), given={"host": "evil.example"}).status_code == 400


def test_body_over_the_limit_is_refused_announced_or_not():
    behind = Behind()
    given = {"origin": ORIGIN}
    body = b"x" * (BODY_LIMIT + 1)
    answer = ask(behind, "/session/enter", method="POST", given=given, content=body)
    assert answer.status_code == 413
    assert behind.scopes == []
    chunked = given | {"content-length": "1"}
    ask(behind, "/session/enter", method="POST", given=chunked, content=body)
    assert behind.bodies == []


def test_secrets_and_forged_references_do_not_pass():
    behind = Behind()
    given = {"authorization": "Bearer x", "x-emk-session-ref": "y", "x-other": "z"}
    ask(behind, cookie=tokens.new_token(), given=given)
    passed = dict(behind.scopes[0]["headers"])
    assert b"cookie" not in passed
    assert b"authorization" not in passed
    assert b"x-emk-session-ref" not in passed
    assert passed[b"x-other"] == b"z"


def test_page_gives_a_stranger_a_cookie_once():
    first = ask(Behind())
    given = first.headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given
    assert "Path=/" in given
    cookie = cookies.read_cookie(given.split(";")[0])
    assert cookie is not None
    assert "set-cookie" not in ask(Behind(), cookie=cookie).headers
    assert "set-cookie" not in ask(Behind(b"application/json")).headers


def test_cookie_of_an_ended_session_is_replaced_and_stands_for_nobody():
    cookie = a_session()
    accounts.leave(accounts.ref_of(cookie), now=clock.now())
    behind = Behind()
    answer = ask(behind, cookie=cookie)
    assert cookies.read_cookie(answer.headers["set-cookie"].split(";")[0]) not in (None, cookie)
    assert behind.scopes[0][CALLER].standing is Standing.ENDED


def test_every_answer_carries_the_headers():
    for answer in (ask(Behind()), ask(Behind(), "/ping"), ask(Behind(b"application/json"))):
        for name, value in headers.ALWAYS:
            assert answer.headers[name.decode()] == value.decode()
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
    policy = ask(Behind()).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'unsafe-inline'" not in policy
    assert "frame-ancestors 'none'" in policy
    other = ask(Behind(b"application/json")).headers["content-security-policy"]
    assert other == "frame-ancestors 'none'"


def test_file_that_is_kept_for_ever_brings_no_more_headers_than_are_asked():
    more = ((b"Last-Modified", b"yesterday"), (b"accept-ranges", b"bytes"), (b"etag", b'"1"'))
    more += ((b"vary", b"Accept-Encoding, Origin"),)
    script = Behind(b"text/javascript", *more)
    kept = ask(script, "/assets/a-1.js").headers
    assert not {"last-modified", "accept-ranges", "content-security-policy"} & set(kept)
    assert (kept["etag"], kept["vary"]) == ('"1"', "accept-encoding")
    assert "immutable" in kept["cache-control"]
    assert all(kept[name.decode()] == value.decode() for name, value in headers.ALWAYS)
    assert {"last-modified", "accept-ranges"} <= set(ask(script, "/emk.js").headers)
    assert "default-src" in ask(Behind(), "/assets/a.html").headers["content-security-policy"]


def test_over_https_answers_say_so_for_a_year_and_the_cookie_is_of_this_host_alone(
    monkeypatch: pytest.MonkeyPatch,
):
    over_https = dataclasses.replace(settings(), origin=ORIGIN.replace("http://", "https://"))
    for module in ("headers", "cookies"):
        monkeypatch.setattr(f"emk_app.edge.{module}.settings", lambda: over_https)
    answer = ask(Behind())
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == "__Host-emk_sid"
    assert {"Path=/", "HttpOnly", "Secure"} <= set(rest.split("; "))
    assert "Domain" not in rest


def test_hashed_assets_are_kept_for_ever():
    answer = ask(Behind(b"text/javascript"), "/assets/index-AbC.js")
    assert "immutable" in answer.headers["cache-control"]


def test_inline_scripts_are_allowed_by_their_hash_alone():
    page = b'<script>alert(1)</script><script src="/x.js"></script><script type="module">2</script>'
    assert headers.script_hashes([page]) == {
        "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='",
        "'sha256-1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU='",
    }


def test_page_lets_its_own_scripts_run_and_no_other_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("index", "login", "cabinet/book", "404"):
        page = tmp_path / f"{name}.html"
        page.parent.mkdir(exist_ok=True)
        page.write_text(f"<script>{name}</script>", encoding="ascii")
    monkeypatch.setattr(headers, "BUILD", tmp_path)
    forget_pages()

    def scripts_of(path: str) -> set[str]:
        said = ask(Behind(b"text/html"), path).headers["content-security-policy"]
        runs = {
            name: f"<script>{name}</script>".encode() for name in ("index", "login", "cabinet/book")
        }
        return {
            name for name, page in runs.items() if headers.script_hashes([page]) <= {*said.split()}
        }

    for path in ("/", "/index.html"):
        assert scripts_of(path) == {"index"}
    for path in ("/login", "/login/", "/login.html", "/login/index.html"):
        assert scripts_of(path) == {"login"}
    assert scripts_of("/cabinet/book") == {"cabinet/book"}
    assert scripts_of("/cabinet/elsewhere") == set()


def test_forwarded_address_counts_only_behind_known_proxies(
    monkeypatch: pytest.MonkeyPatch, now: datetime
):
    scope: dict[str, Any] = {"client": ("10.0.0.9", 1)}
    given = {b"x-forwarded-for": "6.6.6.6, 7.7.7.7"}
    assert client_address(scope, given) == "10.0.0.9"
    behind_one = dataclasses.replace(settings(), trusted_proxy_hops=1)
    monkeypatch.setattr("emk_app.edge.guard.settings", lambda: behind_one)
    assert client_address(scope, given) == "7.7.7.7"


def test_address_behind_a_proxy_is_the_same_for_every_layer(monkeypatch: pytest.MonkeyPatch):
    behind_one = dataclasses.replace(settings(), trusted_proxy_hops=1)
    monkeypatch.setattr("emk_app.edge.guard.settings", lambda: behind_one)
    behind = Behind()
    forwarded = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"7.7.7.7")]
    knock(behind, cookie=tokens.new_token(), more=forwarded)
    scope = behind.scopes[0]
    assert scope["client"][0] == "7.7.7.7"
    assert b"x-forwarded-for" not in dict(scope["headers"])


def test_host_said_twice_is_no_host_of_ours():
    behind = Behind()
    for host, other in (("localhost:8000", b"evil.example"), ("evil.example", b"localhost:8000")):
        more = [(b"host", other)]
        assert not accepted(knock(behind, cookie=tokens.new_token(), host=host, more=more))
    assert behind.scopes == []


def test_cookie_is_found_among_broken_ones_of_other_sites():
    cookie = tokens.new_token()
    for header in (
        f'x={{"a": 1}}; emk_sid={cookie}',
        f"a b; emk_sid={cookie}; =",
        f"emk_sid={cookie}",
    ):
        assert cookies.read_cookie(header) == cookie
    assert cookies.read_cookie(f"xemk_sid={cookie}") is None


def test_endless_request_line_is_refused():
    behind = Behind()
    assert ask(behind, "/check?code=" + "x" * 20_000).status_code == 431
    assert behind.scopes == []


def test_new_sockets_of_one_address_are_few_at_a_time():
    behind, guard = Behind(), Guard(Behind())
    for _ in range(SOCKETS_AT_ONCE):
        guard._sockets._opening.take("10.0.0.9", limits.monotonic())
    assert not accepted(knock(behind, cookie=tokens.new_token(), guard=guard))


def test_leaving_is_heeded_while_messages_never_stop():
    cookie = a_session()
    caller = Caller(Standing.SIGNED_IN, accounts.ref_of(cookie))
    told: list[Message] = []

    async def flood() -> Message:
        return {"type": "websocket.receive", "text": "3"}

    async def send(message: Message) -> None:
        told.append(message)

    async def listen() -> list[Message]:
        vigil = _Vigil(flood, send, caller)
        changes.subscribe([f"session:{caller.ref}"], vigil.wake)
        for _ in range(3):
            await vigil.receive()
        accounts.leave(caller.ref, now=clock.now())
        await asyncio.sleep(0)
        return [await vigil.receive() for _ in range(3)]

    heard = asyncio.run(listen())
    assert {"type": "websocket.disconnect", "code": 4401} in heard
    assert {"type": "websocket.close", "code": 4401} in told


def test_page_after_an_ended_session_clears_the_pages_that_the_browser_kept():
    cookie = a_session()
    accounts.leave(accounts.ref_of(cookie), now=clock.now())
    assert ask(Behind(), cookie=cookie).headers["clear-site-data"] == '"cache"'
    assert "clear-site-data" not in ask(Behind(), cookie=tokens.new_token()).headers


def test_fault_behind_the_guard_is_told_by_number_alone(caplog: pytest.LogCaptureFixture):
    class Faulty(Behind):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            raise ValueError("112-233-445 95")

    answer = ask(Faulty(), "/v/CODE")
    assert answer.status_code == 500
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.json()["id"] in caplog.text
    assert "ValueError" in caplog.text
    for private in ("112-233-445 95", "CODE"):
        assert private not in caplog.text
        assert private not in answer.text


def test_nothing_is_shared_with_other_origins():
    class Sharing(Behind):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            shared = [(b"Access-Control-Allow-Credentials", b"true"), (b"vary", b"Origin")]
            await send({"type": "http.response.start", "status": 200, "headers": shared})
            await send({"type": "http.response.body", "body": b""})

    answer = ask(Sharing())
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"] == "Origin"


def test_missing_asset_is_not_kept():
    added = dict(headers.headers_for("/assets/gone.js", 404, b"text/plain", set()))
    assert added[b"cache-control"] == b"no-store"


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bucket fills while a test is at it."""
    monkeypatch.setattr(limits, "monotonic", lambda: 1000.0)


PERSON = {"accept": "text/html,application/xhtml+xml", "sec-fetch-dest": "document"}


def spent(guard: Guard, kind: Class, address: str = "127.0.0.1") -> None:
    """Let an address have used up what it may ask for."""
    while guard._requests.wait(kind, address) is None:
        pass


@pytest.mark.usefixtures("still")
def test_too_many_requests_are_refused_to_people_in_a_page_and_to_machines_in_the_envelope():
    guard = Guard(Behind())
    spent(guard, PAGES)
    page = ask(guard._app, "/check?a=1&b=<", given=PERSON, guard=guard)
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) >= 1
    assert page.headers["content-type"].startswith("text/html")
    assert "Слишком много запросов" in page.text
    assert 'href="/check?a=1&amp;b=%3C"' in page.text
    assert "script" not in page.headers["content-security-policy"]
    answer = ask(guard._app, "/api/list", given=PERSON, guard=guard)
    assert answer.status_code == 429
    assert set(answer.json()) == {"code", "message", "id"}
    assert answer.json()["code"] == "too_many_requests"
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/cabinet", PAGES),
        ("GET", "/emk.css", FILES),
        ("GET", "/assets/index-AbC.js", FILES),
        ("POST", "/session/enter", CHANGES),
        ("POST", "/api/scans/1/passport", UPLOADS),
        ("POST", "/api/exchange/documents", CHANGES),
    ],
)
def test_each_class_of_requests_has_a_bucket_of_its_own(method: str, path: str, kind: Class):
    given = {"origin": ORIGIN}
    for each in CLASSES:
        guard = Guard(Behind())
        spent(guard, each)
        status = ask(guard._app, path, method=method, given=given, guard=guard).status_code
        assert (status == 429) is (each is kind)


@pytest.mark.usefixtures("still")
def test_one_address_that_asks_too_much_leaves_others_what_is_theirs():
    guard = Guard(Behind())
    spent(guard, PAGES)
    spent(guard, PAGES, "10.1.1.1")
    assert guard._requests.wait(PAGES, "10.1.1.2") is None


@pytest.mark.usefixtures("still")
def test_who_watches_over_us_is_never_told_to_wait():
    guard = Guard(Behind())
    for each in CLASSES:
        spent(guard, each)
    assert ask(guard._app, "/readyz", guard=guard).status_code == 200
    assert ask(guard._app, "/healthz", guard=guard).status_code == 200


def test_subscriber_with_many_addresses_is_one_source():
    assert source_of("2001:db8:1:2::1") == source_of("2001:db8:1:2:ffff::9")
    assert source_of("2001:db8:1:2::1") != source_of("2001:db8:1:3::1")
    assert source_of("::ffff:10.0.0.9") == source_of("10.0.0.9")
    assert source_of("10.0.0.9") != source_of("10.0.0.8")
    assert len(source_of("x" * 5000)) == 64


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    raise OperationalError("SELECT secret", {}, Exception("at secret-host"))


def test_database_away_is_told_to_people_in_a_page_and_to_machines_in_the_envelope():
    page = ask(fails, "/cabinet", given=PERSON)
    assert page.status_code == 503
    assert "Сервис временно недоступен" in page.text
    assert "Всё, что вы сохранили, на месте" in page.text
    answer = ask(fails, "/api/list")
    assert answer.status_code == 503
    assert answer.json()["code"] == "out_of_order"
    for each in (page, answer):
        assert int(each.headers["retry-after"]) >= 1
        assert "secret" not in each.text
        assert each.headers["cache-control"] == "no-store"


def test_page_of_a_refused_form_leads_back_and_not_to_the_form_s_address():
    given = PERSON | {"origin": ORIGIN}
    page = ask(fails, "/session/enter", method="POST", given=given)
    assert page.status_code == 503
    assert "/session/enter" not in page.text
    assert "Вернитесь на предыдущую страницу" in page.text


def test_link_of_a_refusal_stays_within_the_site():
    for path in ("//evil.example", "///evil.example"):
        assert asked_for({"path": path, "query_string": b""}) == "/evil.example"
    assert asked_for({"path": "/\\evil", "query_string": b"a=1"}) == "/%5Cevil?a=1"


def test_session_that_can_not_be_looked_up_opens_nothing(monkeypatch: pytest.MonkeyPatch):
    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception())

    monkeypatch.setattr("emk_app.edge.guard.accounts.session_of", away)
    behind = Behind()
    assert ask(behind, cookie=tokens.new_token()).status_code == 503
    assert not accepted(knock(behind, cookie=tokens.new_token()))
    assert behind.scopes == []


@pytest.mark.usefixtures("still")
def test_flood_of_frames_costs_its_sender_the_socket():
    behind, cookie = Behind(), tokens.new_token()
    guard = Guard(behind)
    ref = accounts.ref_of(cookie)
    for _ in range(FRAMES_AT_ONCE):
        assert guard._sockets.may_say(ref, "10.0.0.9")
    assert not guard._sockets.may_say(ref, "10.0.0.9")
    assert guard._sockets.may_say(accounts.ref_of(tokens.new_token()), "10.0.0.9")


def test_states_are_few_enough_and_the_last_ones_are_for_who_is_signed_in():
    sockets = Sockets()
    for number in range(STATES_OF_STRANGERS):
        sockets._closed[f"tab{number}"] = limits.monotonic()
    assert not sockets.open("a", "10.0.0.1", "fresh", is_stranger=True)
    assert sockets.open("a", "10.0.0.1", "tab5", is_stranger=True)
    assert sockets.open("b", "10.0.0.1", "fresh", is_stranger=False)
    for number in range(STATES_OF_STRANGERS, STATES):
        sockets._closed[f"tab{number}"] = limits.monotonic()
    assert not sockets.open("b", "10.0.0.1", "fresher", is_stranger=False)
    sockets.close("b", "10.0.0.1", "fresh")
    assert sockets.open("b", "10.0.0.1", "fresh", is_stranger=False)
    for name in sockets._closed:
        sockets._closed[name] -= STATE_LIFE + 1
    assert sockets.open("c", "10.0.0.1", "later", is_stranger=True)
    assert len(sockets._closed) == 0


def test_socket_that_is_closed_counts_no_more():
    behind = Behind()
    guard = Guard(behind)
    for _ in range(SOCKETS_PER_CALLER + 1):
        assert accepted(knock(behind, cookie=tokens.new_token(), guard=guard))
    assert not guard._sockets._by_caller
    assert not guard._sockets._by_address
    assert not guard._sockets._open


@pytest.mark.parametrize(
    ("kind", "request_"),
    [
        ("foreign_origin", {"method": "POST", "given": {"origin": "https://evil.example"}}),
        ("unknown_host", {"given": {"host": "evil.example"}}),
        ("not_found", {"path": "/_upload"}),
        ("headers_too_large", {"given": {"x": "y" * 20_000}}),
        ("body_too_large", {"given": {"content-length": "999999999", "origin": ORIGIN}}),
    ],
)
def test_try_to_get_round_is_noted(
    caplog: pytest.LogCaptureFixture, kind: str, request_: dict[str, Any]
):
    attempts.lines.forget()
    behind = Behind()
    ask(behind, **request_)
    assert [said.split(" by ")[0] for said in caplog.messages] == [f"attempt {kind}"]
    assert not behind.scopes and "evil" not in caplog.text


def test_made_up_handshake_is_noted(caplog: pytest.LogCaptureFixture):
    attempts.lines.forget()
    knock(Behind(), cookie=a_session(), token="../../etc")
    assert caplog.messages[0].startswith("attempt handshake by ")


def test_frame_that_no_page_sends_ends_the_socket_and_is_noted(caplog: pytest.LogCaptureFixture):
    attempts.lines.forget()
    caller = Caller(Standing.SIGNED_IN, accounts.ref_of(a_session()))
    told: list[Message] = []

    async def made_up() -> Message:
        return {"type": "websocket.receive", "text": '42/_event,["on_connect",{}]'}

    async def send(message: Message) -> None:
        told.append(message)

    async def listen() -> Message:
        return await _Vigil(made_up, send, caller).receive()

    assert asyncio.run(listen()) == {"type": "websocket.disconnect", "code": 4400}
    assert told == [{"type": "websocket.close", "code": 4400}]
    assert caplog.messages[0].startswith("attempt made_up_frame by ")


def test_what_pages_ask_for_is_no_try(caplog: pytest.LogCaptureFixture):
    attempts.lines.forget()
    ask(Behind(), cookie=a_session())
    ask(Behind(), path="/nothing")
    assert caplog.messages == []
