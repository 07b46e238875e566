"""The ASGI guard: every request and every handshake passes here before anything else (D01-D05)."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import urllib.parse
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from emk_app import clock
from emk_app.crypto import tokens
from emk_app.db import changes
from emk_app.edge import cookies, frames, headers
from emk_app.edge.cookies import Caller, Standing
from emk_app.keys import keystore
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
ADDRESS: Final = "emk.address"
"""Key of the scope under which they find the client's address."""
SOCKET_PATH: Final = "/_event"
CLOSED: Final = ("/_upload", "/_all_routes", "/auth-codespace", "/_health", "/ping")
"""The framework's own routes that nobody outside needs (D04)."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
TAB_TOKEN: Final = re.compile(r"[0-9a-fA-F-]{36}")
SOCKETS_PER_CALLER: Final = 24
SOCKETS_PER_ADDRESS: Final = 400
BODY_LIMIT: Final = 64 * 1024
"""Bytes of a request to any route that does not say otherwise."""
BODY_LIMITS: Final = (("/api/scans", 6 * 1024 * 1024),)
HEADER_LIMIT: Final = 16 * 1024


class Guard:
    """Checks the origin and the session, takes secrets away, names the caller, adds headers."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._by_caller: Counter[str] = Counter()
        self._by_address: Counter[str] = Counter()

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
        given = dict(scope["headers"])
        method: str = scope["method"]
        fresh_cookie: list[str] = []

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [pair for pair in message.get("headers", []) if pair[0].lower() != b"server"]
                names = {name.lower() for name, _ in own}
                kind = next((value for name, value in own if name.lower() == b"content-type"), b"")
                own += headers.headers_for(path, kind, names)
                if kind.startswith(b"text/html") and b"set-cookie" not in names:
                    own += [(b"set-cookie", value.encode()) for value in fresh_cookie]
                message = {**message, "headers": own}
            await send(message)

        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_LIMIT:
            await refuse(answer, 431, "headers_too_large")
            return
        if not _host_is_ours(given.get(b"host", b"").decode("latin-1")):
            await refuse(answer, 400, "unknown_host")
            return
        if any(path == closed or path.startswith(closed + "/") for closed in CLOSED):
            await refuse(answer, 404, "not_found")
            return
        if method == "TRACE" or (
            method not in SAFE and given.get(b"origin", b"").decode("latin-1") != settings().origin
        ):
            await _drain(receive)
            await refuse(answer, 403, "foreign_origin")
            return
        limit = next((size for prefix, size in BODY_LIMITS if path.startswith(prefix)), BODY_LIMIT)
        if _announced_length(given) > limit:
            await _drain(receive)
            await refuse(answer, 413, "body_too_large")
            return

        cookie = cookies.read_cookie(given.get(b"cookie", b"").decode("latin-1"))
        if not path.startswith("/assets/"):
            caller = await _caller(cookie)
            if cookie is None or caller.standing is Standing.ENDED:
                # Only pages hand out a cookie; an ended session's cookie is never used again.
                fresh_cookie.append(cookies.set_cookie(tokens.new_token()))
            scope = {**scope, CALLER: caller}
        await self._app(
            {
                **scope,
                "headers": _without_secrets(scope["headers"]),
                ADDRESS: client_address(scope, given),
            },
            _bounded(receive, limit),
            answer,
        )

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"])
        query = urllib.parse.parse_qs(scope["query_string"].decode("latin-1"))
        token = query.get("token", [""])[0]
        cookie = cookies.read_cookie(given.get(b"cookie", b"").decode("latin-1"))
        address = client_address(scope, given)
        if (
            not scope["path"].startswith(SOCKET_PATH)
            or given.get(b"origin", b"").decode("latin-1") != settings().origin
            or not _host_is_ours(given.get(b"host", b"").decode("latin-1"))
            or not TAB_TOKEN.fullmatch(token)
            or cookie is None
        ):
            await _refuse_socket(receive, send, 4403)
            return
        caller = await _caller(cookie)
        if (
            self._by_caller[caller.ref] >= SOCKETS_PER_CALLER
            or self._by_address[address] >= SOCKETS_PER_ADDRESS
        ):
            await _refuse_socket(receive, send, 4429)
            return
        query["token"] = [state_name(caller, token)]
        behind: Scope = {
            **scope,
            "query_string": urllib.parse.urlencode(query, doseq=True).encode(),
            "headers": [
                *_without_secrets(scope["headers"]),
                (b"cookie", cookies.pack(caller).encode()),
            ],
        }
        self._by_caller[caller.ref] += 1
        self._by_address[address] += 1
        watch = changes.subscribe([f"session:{caller.ref}"])
        try:
            await self._app(behind, _until_ended(receive, send, watch, caller), send)
        finally:
            changes.unsubscribe(watch)
            _count_down(self._by_caller, caller.ref)
            _count_down(self._by_address, address)


def state_name(caller: Caller, token: str) -> str:
    """Return the name of a tab's state: nobody else's cookie leads to it (D30)."""
    if caller.standing is Standing.ENDED:
        return secrets.token_hex(20)
    said = f"{caller.standing}|{caller.ref}|{token}"
    return tokens.keyed_digest(keystore().session_key, said, "state")[:40]


def client_address(scope: Scope, given: dict[bytes, bytes]) -> str:
    """Return the client's address, through exactly the configured number of proxies (D05)."""
    hops = settings().trusted_proxy_hops
    if hops:
        forwarded = given.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        named = [part.strip() for part in forwarded if part.strip()]
        if len(named) >= hops:
            return named[-hops]
    client = scope.get("client")
    return client[0] if client else "unknown"


async def refuse(send: Send, status: int, code: str) -> None:
    """Answer with the fixed error envelope."""
    body = json.dumps({"code": code, "message": REFUSALS[code], "id": secrets.token_hex(4)})
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "http.response.body", "body": body.encode()})


REFUSALS: Final = {
    "headers_too_large": "Слишком большой запрос. Очистите файлы cookie сайта и повторите.",
    "unknown_host": "Такого адреса у сервиса нет.",
    "not_found": "Такой страницы нет.",
    "foreign_origin": "Запрос пришёл с чужого сайта и не выполнен. Откройте страницу заново.",
    "body_too_large": "Запрос больше, чем можно принять. Выберите файл поменьше.",
}


async def _caller(cookie: str | None) -> Caller:
    if cookie is None:
        return Caller(Standing.STRANGER, accounts.ref_of(tokens.new_token()))
    ref = accounts.ref_of(cookie)
    return await in_thread(_standing, ref)


def _standing(ref: str) -> Caller:
    if accounts.session_of(ref, now=clock.now()) is not None:
        return Caller(Standing.SIGNED_IN, ref)
    return Caller(Standing.ENDED if accounts.was_session(ref) else Standing.STRANGER, ref)


def _seconds_left(caller: Caller) -> float | None:
    """Return when to look at the session again by itself; other ends are told as they happen."""
    if caller.standing is not Standing.SIGNED_IN:
        return None
    now = clock.now()
    session = accounts.session_of(caller.ref, now=now)
    return max((session.ends_at - now).total_seconds(), 0.0) + 0.1 if session else 0.0


def _host_is_ours(host: str) -> bool:
    return host == urllib.parse.urlsplit(settings().origin).netloc


def _without_secrets(given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [
        (name, value)
        for name, value in given
        if name not in (b"cookie", b"authorization", b"proxy-authorization")
        and not name.startswith(b"x-emk-")
    ]


def _announced_length(given: dict[bytes, bytes]) -> int:
    try:
        return int(given.get(b"content-length", b"0"))
    except ValueError:
        return 0


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


def _until_ended(receive: Receive, send: Send, watch: changes.Watch, caller: Caller) -> Receive:
    """Receive until the caller's standing changes (D11), or something comes that no page sends.

    Then the socket closes.
    """
    pending: asyncio.Task[Message] | None = None
    # The first look comes at once and says when the next is due.
    look_at: float | None = 0.0

    async def receive_or_end() -> Message:
        nonlocal pending, look_at
        loop = asyncio.get_running_loop()
        while True:
            if pending is None:
                pending = asyncio.ensure_future(receive())
            word = asyncio.ensure_future(watch.wait())
            try:
                await asyncio.wait(
                    {pending, word},
                    timeout=None if look_at is None else max(look_at - loop.time(), 0),
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                word.cancel()
            if pending.done():
                message, pending = pending.result(), None
                if message["type"] == "websocket.receive" and not frames.is_ours(
                    message.get("text")
                ):
                    await send({"type": "websocket.close", "code": 4400})
                    return {"type": "websocket.disconnect", "code": 4400}
                return message
            if await in_thread(_standing, caller.ref) != caller:
                pending.cancel()
                await send({"type": "websocket.close", "code": 4401})
                return {"type": "websocket.disconnect", "code": 4401}
            left = await in_thread(_seconds_left, caller)
            look_at = None if left is None else loop.time() + left

    return receive_or_end


def _count_down(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
