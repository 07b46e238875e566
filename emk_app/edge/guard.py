"""The ASGI guard: every request and every handshake passes here before anything else (D01-D05)."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import urllib.parse
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from functools import cache
from typing import Any, Final

from emk_app import attempts, clock, incidents
from emk_app.crypto import tokens
from emk_app.db import changes
from emk_app.domain import enlisting, imports
from emk_app.edge import cookies, frames, headers, limits
from emk_app.edge.cookies import Caller, Standing
from emk_app.keys import keystore
from emk_app.outages import is_outage
from emk_app.presenting import refusals
from emk_app.readiness import leaving, parting
from emk_app.services import accounts
from emk_app.settings import settings
from emk_app.threads import in_thread

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("emk.guard")

CALLER: Final = "emk.caller"
"""Key of the scope under which our own routes find the ``Caller``."""
CLEAR: Final = (b"clear-site-data", b'"cache"')
"""No page of an ended session stays in the browser (D11).

Its storage holds nothing of any session, and the check without a network lives there, with the root
it saw first (decision 0040)."""
BROWSER: Final = "emk.browser"
"""Key of the scope under which the way in finds the cookie by which the browser is known."""
ADDRESS: Final = "emk.address"
"""Key of the scope under which they find the client's address."""
TAKEN_AWAY: Final = (b"cookie", b"authorization", b"proxy-authorization", b"x-forwarded-for")
SOCKET_PATH: Final = "/_event"
CLOSED: Final = ("/_event", "/_upload", "/_all_routes", "/auth-codespace", "/_health", "/ping")
"""The framework's own routes that nobody outside needs (D04); ``/_event`` is a socket alone."""
BELOW_CLOSED: Final = tuple(f"{path}/" for path in CLOSED)
UNASKED: Final = (b"last-modified", b"accept-ranges")
"""What no browser asks of a file that it keeps for ever by its name."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
TAB_TOKEN: Final = re.compile(r"[0-9a-fA-F-]{36}")
BODY_LIMIT: Final = 64 * 1024
"""Bytes of a request to any route that does not say otherwise."""
BODY_LIMITS: Final = (
    ("/api/scans", 6 * 1024 * 1024),
    ("/api/attachments", 6 * 1024 * 1024),
    ("/api/support", 6 * 1024 * 1024),
    ("/check/picture", 6 * 1024 * 1024),
    ("/check/pdf", 6 * 1024 * 1024),
    ("/api/esignatures", 512 * 1024),
    ("/api/registers", imports.SIZE_LIMIT),
    ("/api/employer/uploads", enlisting.SIZE_LIMIT),
    ("/api/exchange/", 513 * 1024),
)
SHARED: Final = "/.well-known/"
MACHINES: Final = ("/api/v1/", "/api/exchange/", "/api/handover/", "/api/verify/", SHARED)
"""Where other systems speak: a signature, a key or a code in the address counts and no cookie does,
and no browser belongs."""
KEYED: Final = "/api/v1/employer/"
"""Where a key in ``Authorization`` says who asks; nowhere else is it handed on."""
HEADER_LIMIT: Final = 16 * 1024
"""Bytes of the request line and the headers together."""
WATCHED: Final = ("/healthz", "/readyz")
"""Asked by who watches over us: without a session, which would need the database, or a limit."""
SESSIONLESS: Final = ("/assets/", *MACHINES)
"""Where nobody's session is looked at: what is answered does not depend on it."""
NOTED: Final = frozenset(
    {
        "headers_too_large",
        "too_many_requests",
        "unknown_host",
        "not_found",
        "foreign_origin",
        "body_too_large",
    }
)
"""What no page of ours leads to: somebody tries (ASVS 16.3.3)."""
TOO_MUCH: Final = 4429
"""The code with which a socket is refused or closed that asks for too much."""
SOON: Final = 5
"""Seconds after which it makes sense to try again what is out of order."""


class Guard:
    """Checks the origin and the session, takes secrets away, names the caller, adds headers."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._requests = limits.Requests()
        self._sockets = limits.Sockets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what may pass."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        given = headers_of(scope)
        method: str = scope["method"]
        fresh: list[tuple[bytes, bytes]] = []
        is_answered = False

        async def answer(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                own, names, kind = _passed_out(path, message.get("headers", ()))
                own += headers.headers_for(path, message["status"], kind, names)
                if kind.startswith(b"text/html") and b"set-cookie" not in names:
                    own += fresh
                message = {**message, "headers": own}
            await send(message)

        async def say_no(
            status: int, code: str, incident: str = "", wait: int | None = None
        ) -> None:
            if code in NOTED:
                attempts.note(code, limits.source_of(address))
            person = _wants_page(path, given)
            again = asked_for(scope) if person and method in SAFE else None
            await refuse(answer, status, code, incident, wait=wait, is_page=person, again=again)

        address = client_address(scope, given)
        kind = _class_of(method, path)
        if _is_too_long(scope):
            await say_no(431, "headers_too_large")
            return
        wait = self._requests.wait(kind, address) if kind is not None else None
        if wait is not None:
            # What is still being sent is not read: that would be a favour to a flood.
            await say_no(429, "too_many_requests", wait=wait)
            return
        if not _host_is_ours(given):
            await say_no(400, "unknown_host")
            return
        if path in CLOSED or path.startswith(BELOW_CLOSED):
            await say_no(404, "not_found")
            return
        is_machine = path.startswith(MACHINES) and b"origin" not in given
        # A machine that asks by a method we do not have is told so, by the site.
        if not is_machine and (
            method == "TRACE" or (method not in SAFE and not _origin_is_ours(given))
        ):
            await _drain(receive)
            await say_no(403, "foreign_origin")
            return
        limit = BODY_LIMIT if method in SAFE else _body_limit(path)
        if _announced_length(given) > limit:
            await _drain(receive)
            await say_no(413, "body_too_large")
            return

        try:
            if not path.startswith(SESSIONLESS) and path not in WATCHED:
                cookie = cookies.read_cookie(given.get(b"cookie", ""))
                caller = await _caller(cookie)
                is_ended = caller.standing is Standing.ENDED
                if cookie is None or is_ended:
                    # Only pages hand out a cookie; an ended session's cookie is never used again.
                    fresh.append((b"set-cookie", cookies.set_cookie(tokens.new_token()).encode()))
                if is_ended:
                    fresh.append(CLEAR)
                browser = cookies.read_browser(given.get(b"cookie", ""))
                scope = {**scope, CALLER: caller, BROWSER: browser}
            await self._app(
                {**scope, "headers": _passed_in(scope["headers"], path), ADDRESS: address},
                _bounded(receive, limit),
                answer,
            )
        except Exception as error:
            incident = incidents.note(log, "a request", error)
            if is_answered:
                return
            if is_outage(error):
                await say_no(503, "out_of_order", incident, wait=SOON)
            else:
                await say_no(500, "unexpected", incident)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = headers_of(scope)
        query = urllib.parse.parse_qs(scope["query_string"].decode("latin-1"))
        if leaving.is_set():
            # Its page tries again by itself, and meets who comes after us.
            await _refuse_socket(receive, send, 1012)
            return
        token = query.get("token", [""])[0]
        cookie = cookies.read_cookie(given.get(b"cookie", ""))
        address = client_address(scope, given)
        if (
            not scope["path"].startswith(SOCKET_PATH)
            or _is_too_long(scope)
            or not _origin_is_ours(given)
            or not _host_is_ours(given)
            or not TAB_TOKEN.fullmatch(token)
            or cookie is None
        ):
            attempts.note("handshake", limits.source_of(address))
            await _refuse_socket(receive, send, 4403)
            return
        if not self._sockets.may_knock(address):
            attempts.note("too_many_sockets", limits.source_of(address))
            await _refuse_socket(receive, send, TOO_MUCH)
            return
        try:
            caller = await _caller(cookie)
        except Exception as error:
            # Its page tries again by itself, ever more slowly.
            incidents.note(log, "a handshake", error)
            await _refuse_socket(receive, send, 1013)
            return
        state = state_name(caller, token)
        is_stranger = caller.standing is not Standing.SIGNED_IN
        if not self._sockets.open(caller.ref, address, state, is_stranger=is_stranger):
            attempts.note("too_many_sockets", limits.source_of(address))
            await _refuse_socket(receive, send, TOO_MUCH)
            return
        query["token"] = [state]
        behind: Scope = {
            **scope,
            "query_string": urllib.parse.urlencode(query, doseq=True).encode(),
            # The framework's own view of it: what a proxy said is read here alone.
            "client": (address, 0),
            "headers": [
                *_passed_in(scope["headers"]),
                (b"cookie", cookies.pack(caller).encode()),
            ],
        }

        async def counted() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive" or self._sockets.may_say(caller.ref, address):
                return message
            attempts.note("too_many_frames", limits.source_of(address))
            await send({"type": "websocket.close", "code": TOO_MUCH})
            return {"type": "websocket.disconnect", "code": TOO_MUCH}

        vigil = _Vigil(counted, send, caller)
        watch = changes.subscribe([f"session:{caller.ref}", changes.PARTING], vigil.wake)
        try:
            # What changed since the handshake, and when the session ends.
            vigil.wake()
            await self._app(behind, vigil.receive, send)
        finally:
            changes.unsubscribe(watch)
            vigil.stop()
            self._sockets.close(caller.ref, address, state)


def state_name(caller: Caller, token: str) -> str:
    """Return the name of a tab's state: nobody else's cookie leads to it (D30)."""
    if caller.standing is Standing.ENDED:
        return secrets.token_hex(20)
    said = f"{caller.standing}|{caller.ref}|{token}"
    return tokens.keyed_digest(keystore().session_key, said, "state")[:40]


def headers_of(scope: Scope) -> dict[bytes, str]:
    """Return the headers by name; what comes twice is joined, so that no layer sees another one."""
    joined: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        text = value.decode("latin-1")
        between = "; " if name == b"cookie" else ", "
        joined[name] = joined[name] + between + text if name in joined else text
    return joined


def client_address(scope: Scope, given: dict[bytes, str]) -> str:
    """Return the client's address, through exactly the configured number of proxies (D05)."""
    hops = settings().trusted_proxy_hops
    if hops:
        forwarded = given.get(b"x-forwarded-for", "").split(",")
        named = [part.strip() for part in forwarded if part.strip()]
        if len(named) >= hops:
            return named[-hops]
    client = scope.get("client")
    return client[0] if client else "unknown"


async def refuse(
    send: Send,
    status: int,
    code: str,
    incident: str = "",
    *,
    wait: int | None = None,
    is_page: bool = False,
    again: str | None = None,
    methods: Iterable[str] = (),
) -> None:
    """Answer with the fixed error envelope, or with a page that says the same to a person.

    ``wait`` is in how many seconds it makes sense to try again, ``again`` where, ``methods`` how.
    """
    known = incident or secrets.token_hex(4)
    given = [(b"retry-after", str(wait).encode())] if wait is not None else []
    if methods:
        given.append((b"allow", ", ".join(sorted(methods)).encode()))
    if is_page:
        body = refusals.page(code, known, again=again, wait=wait)
        given.append((b"content-type", b"text/html; charset=utf-8"))
        given.append((b"content-security-policy", refusals.POLICY.encode()))
    else:
        body = json.dumps({"code": code, "message": refusals.REFUSALS[code], "id": known})
        given.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": given})
    await send({"type": "http.response.body", "body": body.encode()})


async def _caller(cookie: str | None) -> Caller:
    if cookie is None:
        return Caller(Standing.STRANGER, accounts.ref_of(tokens.new_token()))
    ref = accounts.ref_of(cookie)
    return await in_thread(_standing, ref)


def _standing(ref: str) -> Caller:
    if accounts.session_of(ref, now=clock.now()) is not None:
        return Caller(Standing.SIGNED_IN, ref)
    return Caller(Standing.ENDED if accounts.was_session(ref) else Standing.STRANGER, ref)


def _look_at(caller: Caller) -> tuple[bool, float | None]:
    """Return whether the caller stands as before, and when to look again by itself.

    Only the end of a session comes unannounced; others are told as they happen.
    """
    if caller.standing is not Standing.SIGNED_IN:
        return _standing(caller.ref) == caller, None
    now = clock.now()
    session = accounts.session_of(caller.ref, now=now)
    if session is None:
        return False, None
    return True, max((session.ends_at - now).total_seconds(), 0.0) + 0.1


def _class_of(method: str, path: str) -> limits.Class | None:
    """Return what a request costs; None for what is asked by machines that watch over us."""
    if path in WATCHED:
        return None
    if method not in SAFE:
        is_large = any(path.startswith(prefix) for prefix, _ in BODY_LIMITS)
        return limits.UPLOADS if is_large and not path.startswith(MACHINES) else limits.CHANGES
    is_file = path.startswith("/assets/") or "." in path.rpartition("/")[2]
    return limits.FILES if is_file else limits.PAGES


def _wants_page(path: str, given: dict[bytes, str]) -> bool:
    """Whether a browser will show the answer to a person."""
    if path.startswith(("/api/", "/assets/", SHARED)):
        return False
    goal = given.get(b"sec-fetch-dest")
    return goal == "document" if goal else "text/html" in given.get(b"accept", "")


def asked_for(scope: Scope) -> str:
    """Return the path and query of a request, as a link within the site."""
    path = urllib.parse.quote("/" + scope["path"].lstrip("/"))
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _host_is_ours(given: dict[bytes, str]) -> bool:
    return given.get(b"host", "").lower() == _own_host(settings().origin)


@cache
def _own_host(origin: str) -> str:
    return urllib.parse.urlsplit(origin).netloc


def _origin_is_ours(given: dict[bytes, str]) -> bool:
    return given.get(b"origin", "") == settings().origin


def _is_too_long(scope: Scope) -> bool:
    lines = sum(len(name) + len(value) for name, value in scope["headers"])
    return lines + len(scope["path"]) + len(scope["query_string"]) > HEADER_LIMIT


def _passed_out(
    path: str, given: Iterable[tuple[bytes, bytes]]
) -> tuple[list[tuple[bytes, bytes]], set[bytes], bytes]:
    """Return the headers that an answer keeps, their names, and the kind of its content.

    We share nothing with other origins but what verifiers of any origin have to read.
    """
    is_shared = path.startswith(SHARED)
    is_asset = path.startswith(headers.ASSETS)
    own: list[tuple[bytes, bytes]] = []
    names: set[bytes] = set()
    kind = b""
    for spelled, value in given:
        name = spelled.lower()
        if name == b"server" or (name.startswith(b"access-control-") and not is_shared):
            continue
        if is_asset and name in UNASKED:
            continue
        if name == b"content-type" and name not in names:
            kind = value
        names.add(name)
        # A file of the build is the same whoever asks, and comes pressed or not.
        own.append((spelled, b"accept-encoding" if is_asset and name == b"vary" else value))
    return own, names, kind


def _passed_in(given: list[tuple[bytes, bytes]], path: str = "") -> list[tuple[bytes, bytes]]:
    is_keyed = path.startswith(KEYED)
    return [
        (name, value)
        for name, value in given
        if (name not in TAKEN_AWAY or (is_keyed and name == b"authorization"))
        and not name.startswith(b"x-emk-")
    ]


def _announced_length(given: dict[bytes, str]) -> int:
    try:
        return int(given.get(b"content-length", "0"))
    except ValueError:
        return 0


def _body_limit(path: str) -> int:
    return next((size for prefix, size in BODY_LIMITS if path.startswith(prefix)), BODY_LIMIT)


def _bounded(receive: Receive, limit: int) -> Receive:
    """Cut a body that goes on past ``limit``, whatever length it announced."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > limit:
                return {"type": "http.disconnect"}
        return message

    return bounded


async def _drain(receive: Receive, most: int = 8 * 1024 * 1024) -> None:
    """Read what the client still sends, up to a bound, so that it gets to hear the answer."""
    taken = 0
    while taken < most:
        message = await receive()
        if message["type"] != "http.request":
            return
        taken += len(message.get("body", b""))
        if not message.get("more_body"):
            return


async def _refuse_socket(receive: Receive, send: Send, code: int) -> None:
    await receive()
    await send({"type": "websocket.close", "code": code})


class _Vigil:
    """Receives for one socket until its caller's standing changes (D11), or something comes that
    no page sends; then the socket closes.

    It looks when it is woken, from the loop of the socket, and costs no task while nothing happens.
    """

    def __init__(self, receive: Receive, send: Send, caller: Caller) -> None:
        self._receive = receive
        self._send = send
        self._caller = caller
        self._waiting: asyncio.Task[Any] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._next: asyncio.TimerHandle | None = None
        self._code: int | None = None
        self._is_sent_away = False

    def wake(self) -> None:
        """Look at the caller now; if that is being done, once more after it."""
        if self._code is not None:
            return
        if self._next is not None:
            self._next.cancel()
        self._looking = asyncio.ensure_future(self._look(self._looking))

    def stop(self) -> None:
        """Look no more."""
        self._code = self._code or 1000
        if self._next is not None:
            self._next.cancel()
        if self._looking is not None:
            self._looking.cancel()

    async def receive(self) -> Message:
        """Return the next message, or that the socket is closed."""
        if self._code is None:
            self._waiting = asyncio.current_task()
            try:
                message = await self._receive()
            except asyncio.CancelledError:
                if self._code is None or self._waiting is None:
                    raise
                self._waiting.uncancel()
                await self._tell()
                return self._closed()
            finally:
                self._waiting = None
            # A word that comes together with a message is heeded first.
            while self._looking is not None:
                await asyncio.wait([self._looking])
            if self._code is None:
                if message["type"] != "websocket.receive":
                    return message
                word = frames.read(message.get("text"))
                if word is None:
                    attempts.note("made_up_frame", self._caller.ref)
                    await self._close(4400)
                    return self._closed()
                return {**message, frames.WORD: word}
        return self._closed()

    async def _look(self, before: asyncio.Task[None] | None) -> None:
        me = asyncio.current_task()
        try:
            if before is not None:
                await asyncio.wait([before])
            if self._code is not None:
                return
            if parting.is_set() and not self._is_sent_away:
                self._is_sent_away = True
                await self._send({"type": "websocket.send", "text": frames.send_away()})
            is_same, left = await in_thread(_look_at, self._caller)
            if not is_same:
                await self._close(4401)
            elif left is not None and self._looking is me:
                self._next = asyncio.get_running_loop().call_later(left, self.wake)
        except Exception as error:
            # Who can't be asked about is not let go on.
            incidents.note(log, "a socket", error)
            await self._close(1013)
        finally:
            if self._looking is me:
                self._looking = None

    async def _close(self, code: int) -> None:
        self._code = code
        if self._waiting is None:
            await self._tell()
        else:
            # The server sends nothing past a receiving that waits, so that ends first.
            self._waiting.cancel()

    async def _tell(self) -> None:
        with suppress(Exception):
            # Who has gone by themselves need not be told.
            await self._send({"type": "websocket.close", "code": self._code})

    def _closed(self) -> Message:
        return {"type": "websocket.disconnect", "code": self._code or 1000}
