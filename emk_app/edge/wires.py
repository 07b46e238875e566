"""What a tab and the server say to each other: Engine.IO 4 and socket.io 5 over one WebSocket.

The protocol's own server is made for every transport and many rooms: for each client it keeps two
tasks, a queue and a timer for every wait, and for each frame it makes tasks anew. Pages of ours use
one transport, one namespace, text alone and no acknowledgements. What they may say the guard has
read already (``frames.py``).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from asyncio import AbstractEventLoop, Task, TimerHandle
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import cache
from typing import Any, Final, Protocol

import msgspec
from reflex_base.environment import environment

from emk_app import incidents
from emk_app.edge import frames, saying
from emk_app.edge.frames import Kind, Word

log = logging.getLogger("emk.wires")

Message = Any
MOST_WAITING: Final = 2000
"""Frames for a tab that takes none; beyond them it is hung up on, and connects anew."""
LAST_WORD: Final = 1.0
"""Seconds for what was said last to go out."""


class Namespace(Protocol):
    """What stands behind the wires: the framework's own, with what we put before it."""

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """A page is there; ``auth`` carries its first event."""
        ...

    async def on_event(self, sid: str, data: Any) -> None:
        """A page has sent an event."""
        ...

    async def on_client_error(self, sid: str, data: Any = None) -> None:
        """A page tells of a failure of its own."""
        ...

    def on_disconnect(self, sid: str) -> Any:
        """A page has gone."""
        ...


class Wires:
    """The sockets of this process, as an ASGI application."""

    def __init__(
        self, namespace: Namespace, contexts: Callable[[], AbstractContextManager[object]]
    ) -> None:
        self.namespace = namespace
        self.contexts = contexts
        self._by_sid: dict[str, Wire] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket to its end."""
        if (await receive())["type"] != "websocket.connect":
            return
        accepted: Message = {"type": "websocket.accept"}
        if offered := scope.get("subprotocols"):
            accepted["subprotocol"] = offered[0]
        await send(accepted)
        wire = Wire(self, environ_of(scope), receive, send)
        # Under a task of its own, which can be cancelled: the server's can't.
        reader = wire.loop.create_task(wire.listen())
        wire.reader = reader
        try:
            await asyncio.wait([reader])
        finally:
            reader.cancel()
            wire.end()
        with suppress(Exception):
            # Who has gone by themselves need not be told.
            await send({"type": "websocket.close"})

    def say(self, sid: str | None, event: str, data: Any) -> None:
        """Send an event to a page; who has gone is told nothing."""
        if sid is not None and (wire := self._by_sid.get(sid)) is not None:
            wire.say(f"42{frames.NAMESPACE},{saying.event(event, data)}")

    def dismiss(self, sid: str) -> None:
        """Let go a page that is connected by another socket already."""
        if (wire := self._by_sid.pop(sid, None)) is not None:
            wire.dismiss()

    def link(self, sid: str, wire: Wire) -> None:
        """Let ``say`` find the page."""
        self._by_sid[sid] = wire

    def unlink(self, sid: str) -> None:
        """Take the page's leave."""
        if self._by_sid.pop(sid, None) is not None:
            self.namespace.on_disconnect(sid)


class Wire:
    """One socket. What is said to it goes out in the order in which it was said."""

    __slots__ = (
        "_environ",
        "_held",
        "_is_dead",
        "_receive",
        "_send",
        "_sid",
        "_timer",
        "_waiting",
        "_wires",
        "_writer",
        "loop",
        "reader",
    )

    def __init__(self, wires: Wires, environ: dict[str, Any], receive: Any, send: Any) -> None:
        self.loop: AbstractEventLoop = asyncio.get_running_loop()
        self.reader: Task[None] | None = None
        self._wires = wires
        self._environ = environ
        self._receive = receive
        self._send = send
        self._sid = ""
        self._timer: TimerHandle | None = None
        self._waiting: list[str] = []
        self._held: list[str] | None = None
        """Said to a page before it was told that it is connected."""
        self._writer: Task[None] | None = None
        self._is_dead = False

    async def listen(self) -> None:
        """Heed what the page says until it goes, or is silent for too long."""
        with self._wires.contexts():
            self._post(_opening())
            self._timer = self.loop.call_later(_interval(), self._ping)
            while True:
                message = await self._receive()
                if message["type"] != "websocket.receive":
                    return
                word: Word | None = message.get(frames.WORD) or frames.read(message.get("text"))
                if word is None or word.kind is Kind.CLOSE:
                    return
                try:
                    await self._heed(word)
                except Exception as error:
                    incidents.note(log, "a word over a socket", error)
                    if word.kind is Kind.CONNECT:
                        # Its page tries again by itself.
                        return
                # Not kept until the next one comes.
                del message, word

    def say(self, frame: str) -> None:
        """Send a frame after those that were said before it."""
        if self._held is not None:
            self._held.append(frame)
        else:
            self._post(frame)

    def dismiss(self) -> None:
        """Hear and tell nothing more; whoever is there after all does not come back by itself."""
        self._sid = ""
        self._post(f"41{frames.NAMESPACE},")
        self.loop.call_later(LAST_WORD, self._hang_up)

    def end(self) -> None:
        """Let everything go."""
        self._is_dead = True
        if self._timer is not None:
            self._timer.cancel()
        if self._writer is not None:
            self._writer.cancel()
        self._leave()

    async def _heed(self, word: Word) -> None:
        match word.kind:
            case Kind.PONG:
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = self.loop.call_later(_interval(), self._ping)
            case Kind.EVENT:
                if self._sid:
                    await self._wires.namespace.on_event(self._sid, word.said)
            case Kind.CONNECT:
                await self._connect(word.said)
            case Kind.DISCONNECT:
                self._leave()
            case Kind.ERROR:
                if self._sid:
                    await self._wires.namespace.on_client_error(self._sid)
            case _:
                pass

    async def _connect(self, auth: Any) -> None:
        self._leave()
        sid = self._sid = secrets.token_urlsafe(15)
        self._held = []
        self._wires.link(sid, self)
        await self._wires.namespace.on_connect(sid, self._environ, auth)
        held, self._held = self._held, None
        for frame in (f'40{frames.NAMESPACE},{{"sid":"{sid}"}}', *held):
            self._post(frame)

    def _leave(self) -> None:
        sid, self._sid = self._sid, ""
        if sid:
            self._wires.unlink(sid)

    def _post(self, frame: str) -> None:
        if self._is_dead:
            return
        self._waiting.append(frame)
        if self._writer is None:
            self._writer = self.loop.create_task(self._write())
        elif len(self._waiting) > MOST_WAITING:
            self._hang_up()

    async def _write(self) -> None:
        try:
            while self._waiting:
                frames_, self._waiting = self._waiting, []
                for frame in frames_:
                    await self._send({"type": "websocket.send", "text": frame})
        except Exception:
            # Who has gone is found out by the reading.
            self._waiting = []
        finally:
            self._writer = None

    def _ping(self) -> None:
        self._timer = self.loop.call_later(_patience(), self._hang_up)
        self._post("2")

    def _hang_up(self) -> None:
        if self.reader is not None:
            self.reader.cancel()


def environ_of(scope: Any) -> dict[str, Any]:
    """Return what the framework asks of a handshake, in the words in which it asks."""
    environ: dict[str, Any] = {
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "asgi.scope": scope,
    }
    for name, value in scope["headers"]:
        if name == b"sec-websocket-protocol":
            environ["HTTP_SEC_WEBSOCKET_PROTOCOL"] = value.decode("latin-1")
    return environ


def _opening() -> str:
    said = {
        "sid": secrets.token_urlsafe(15),
        "upgrades": [],
        "pingInterval": int(1000 * _interval()),
        "pingTimeout": int(1000 * _patience()),
        "maxPayload": frames.LONGEST,
    }
    return "0" + msgspec.json.encode(said).decode()


@cache
def _interval() -> float:
    return environment.REFLEX_SOCKET_INTERVAL.get().total_seconds()


@cache
def _patience() -> float:
    return environment.REFLEX_SOCKET_TIMEOUT.get().total_seconds()
