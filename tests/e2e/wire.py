"""A client of the event socket that says what it likes: no page, no manners."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

import aiohttp
import httpx

from tests.running import Server

T = TypeVar("T")
PATIENCE: Final = 10.0
HYDRATE: Final = "reflex___state____state.hydrate"
LOAD: Final = "reflex___state____state.hydrate_and_load"
ROOT: Final = "reflex___state____state"


class Refused(Exception):
    """The handshake was refused."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Wire:
    """One socket; whatever it is sent is kept."""

    def __init__(
        self,
        server: Server,
        cookie: str | None = None,
        *,
        tab: str | None = None,
        origin: str | None = "",
        host: str | None = None,
        query: Mapping[str, str] | None = None,
        boot: Mapping[str, Any] | None = None,
        address: str | None = None,
    ) -> None:
        self.tab = tab or str(uuid.uuid4())
        self.frames: list[str] = []
        self.updates: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self._stirred = threading.Condition()
        headers = {}
        if cookie is not None:
            headers["Cookie"] = f"emk_sid={cookie}"
        if origin is not None:
            headers["Origin"] = origin or server.origin
        if host is not None:
            headers["Host"] = host
        if address is not None:
            headers["X-Forwarded-For"] = address
        asked = {"EIO": "4", "transport": "websocket", "token": self.tab, **(query or {})}
        self._session, self._socket = LOOP.run(self._open(server.origin, asked, headers))
        self._task = LOOP.start(self._listen())
        self.wait(lambda: any(frame.startswith("0") for frame in self.frames))
        # The page's own script sends its first event along with the connection.
        auth = json.dumps({"event": dict(boot)}) if boot else ""
        self.send_raw(f"40/_event,{auth}")
        self.wait(
            lambda: any(frame.startswith(("40/_event", "44/_event")) for frame in self.frames)
        )

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send_raw(self, frame: str) -> None:
        """Send one frame as it is; a socket that is closed swallows it."""
        if self.close_code is None:
            LOOP.run(self._send(frame))

    def emit(self, kind: str, *arguments: Any) -> None:
        """Send a message of socket.io."""
        self.send_raw("42/_event," + json.dumps([kind, *arguments]))

    def call(
        self,
        name: str,
        payload: Any = None,
        path: str = "/",
        query: Mapping[str, str] | None = None,
    ) -> None:
        """Send an event as a page at ``path`` would."""
        self.emit("event", event(name, payload, path, query))

    def state(self) -> dict[str, Any]:
        """Ask for everything that the server keeps for this tab; return it by state and var."""
        before = len(self.updates)
        self.call(HYDRATE)
        self.wait(lambda: any(_is_whole(each) for each in self.updates[before:]))
        assert self.close_code is None, f"hung up: {self.close_code}"
        return next(each["delta"] for each in self.updates[before:] if _is_whole(each))

    def wait(self, holds: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Return once ``holds``, or once the socket is closed; fail if neither happens."""
        end = time.monotonic() + patience
        with self._stirred:
            while not holds() and self.close_code is None:
                left = end - time.monotonic()
                assert left > 0, f"nothing came; last of {len(self.frames)}: {self.frames[-3:]}"
                self._stirred.wait(left)

    def wait_closed(self, patience: float = PATIENCE) -> int:
        """Return the code with which the server closed the socket."""
        self.wait(lambda: False, patience)
        assert self.close_code is not None
        return self.close_code

    @property
    def pages(self) -> list[str]:
        """Where the server has sent this tab."""
        return [
            each["payload"]["path"]
            for update in self.updates
            for each in update.get("events", [])
            if each["name"] == "_redirect"
        ]

    def close(self) -> None:
        """Hang up."""
        LOOP.run(self._hang_up())

    async def _open(
        self, origin: str, asked: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
        session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        try:
            socket = await session.ws_connect(
                f"{origin}/_event/", params=asked, headers=headers, max_msg_size=0
            )
        except aiohttp.WSServerHandshakeError as error:
            await session.close()
            raise Refused(error.status) from None
        except BaseException:
            await session.close()
            raise
        return session, socket

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame: str = message.data
            if frame == "2":
                await self._socket.send_str("3")
                continue
            with self._stirred:
                self.frames.append(frame)
                if frame.startswith("42/_event,"):
                    kind, *said = json.loads(frame.removeprefix("42/_event,"))
                    if kind == "event":
                        update = said[0]
                        self.updates.append(
                            json.loads(update) if isinstance(update, str) else update
                        )
                self._stirred.notify_all()
        with self._stirred:
            self.close_code = self._socket.close_code or 0
            self._stirred.notify_all()

    async def _send(self, frame: str) -> None:
        try:
            await self._socket.send_str(frame)
        except (ConnectionError, aiohttp.ClientError):
            return

    async def _hang_up(self) -> None:
        await self._socket.close()
        await self._session.close()


def event(
    name: str, payload: Any = None, path: str = "/", query: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return an event as the page's script writes it."""
    return {
        "name": name,
        "payload": {} if payload is None else payload,
        "router_data": {"pathname": path, "asPath": path, "query": dict(query or {})},
    }


def is_loaded(wire: Wire) -> bool:
    """Whether all that a page begins with has been done."""
    return any(
        update.get("delta", {}).get(ROOT, {}).get("is_hydrated_rx_state_") is True
        for update in wire.updates
    )


def stranger(server: Server) -> str:
    """Return the cookie that the first page gives to anybody."""
    cookie = httpx.get(f"{server.origin}/login").cookies["emk_sid"]
    server.keep_private(cookie)
    return cookie


def _is_whole(update: Mapping[str, Any]) -> bool:
    """Whether the update shows every var of the first state, not only those that have changed."""
    return len(update.get("delta", {})) > 3


class _Loop:
    """An event loop in a thread of its own: the test's thread has the browser's."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what ``work`` returns."""
        return self.start(work).result(PATIENCE * 2)

    def start(self, work: Coroutine[Any, Any, T]) -> Any:
        """Start ``work``."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, daemon=True).start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)


LOOP: Final = _Loop()
