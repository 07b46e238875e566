"""What goes over the socket of a tab, frame by frame."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from emk_app.edge import frames, wires
from emk_app.edge.wires import Wires

CONNECT = '40/_event,{"event":{"name":"state.boot"}}'
EVENT = '42/_event,["event",{"name":"state.act"}]'


class Desk:
    """Stands behind the wires and notes what comes."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.at_connect: Callable[[str], object] = lambda _: None
        self.fails = False

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        self.heard.append(("connect", sid, auth))
        self.environ = environ
        self.at_connect(sid)

    async def on_event(self, sid: str, data: Any) -> None:
        if self.fails:
            raise RuntimeError("state.act")
        self.heard.append(("event", sid, data))

    async def on_client_error(self, sid: str, data: Any = None) -> None:
        self.heard.append(("error", sid, data))

    def on_disconnect(self, sid: str) -> None:
        self.heard.append(("disconnect", sid))

    def kinds(self) -> list[str]:
        return [kind for kind, *_ in self.heard]


class Tab:
    """The other end of a socket."""

    def __init__(self) -> None:
        self.to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.takes = asyncio.Event()
        self.takes.set()

    async def send(self, message: dict[str, Any]) -> None:
        await self.takes.wait()
        await asyncio.sleep(0)
        self.sent.append(message)

    def say(self, frame: str) -> None:
        self.to_server.put_nowait({"type": "websocket.receive", "text": frame})

    def leave(self) -> None:
        self.to_server.put_nowait({"type": "websocket.disconnect", "code": 1001})

    @property
    def frames(self) -> list[str]:
        return [each["text"] for each in self.sent if each["type"] == "websocket.send"]

    @property
    def is_closed(self) -> bool:
        return self.sent[-1]["type"] == "websocket.close"


@asynccontextmanager
async def opened(desk: Desk, *frames_: str) -> AsyncIterator[tuple[Wires, Tab]]:
    served, tab = Wires(desk, contextlib.nullcontext), Tab()
    tab.to_server.put_nowait({"type": "websocket.connect"})
    scope = {
        "type": "websocket",
        "query_string": b"token=abc",
        "headers": [(b"sec-websocket-protocol", b"0.10.1")],
        "subprotocols": ["0.10.1"],
    }
    task = asyncio.create_task(served(scope, tab.to_server.get, tab.send))
    for frame in frames_:
        tab.say(frame)
    await settled()
    try:
        yield served, tab
    finally:
        tab.leave()
        tab.takes.set()
        await asyncio.wait_for(task, 1)


async def settled() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


async def test_page_is_greeted_and_told_that_it_is_connected():
    desk = Desk()
    async with opened(desk, CONNECT) as (_, tab):
        assert tab.sent[0] == {"type": "websocket.accept", "subprotocol": "0.10.1"}
        greeting, connected = tab.frames
        said = json.loads(greeting.removeprefix("0"))
        assert (said["upgrades"], said["pingInterval"], said["pingTimeout"]) == ([], 25000, 120000)
        [(_, sid, auth)] = desk.heard
        assert connected == f'40/_event,{{"sid":"{sid}"}}'
        assert auth == {"event": {"name": "state.boot"}}
        assert desk.environ["QUERY_STRING"] == "token=abc"
        assert desk.environ["HTTP_SEC_WEBSOCKET_PROTOCOL"] == "0.10.1"
    assert desk.kinds() == ["connect", "disconnect"]


async def test_what_is_said_goes_out_in_order_and_after_the_connection():
    desk = Desk()
    made: list[Wires] = []
    desk.at_connect = lambda sid: made[0].say(sid, "event", {"delta": 0})
    async with opened(desk) as (served, tab):
        made.append(served)
        tab.say(CONNECT)
        await settled()
        sid = desk.heard[0][1]
        for number in range(1, 5):
            served.say(sid, "event", {"delta": number})
        await settled()
        assert tab.frames[1].startswith("40/_event,")
        assert tab.frames[2:] == [
            f'42/_event,["event",{{"delta":{number}}}]' for number in range(5)
        ]


async def test_letters_go_out_as_they_are_and_rows_as_their_fields():
    desk = Desk()
    async with opened(desk, CONNECT) as (served, tab):
        served.say(desk.heard[0][1], "event", {"said": "Книжка «действует»", "at": None})
        await settled()
        assert tab.frames[-1] == '42/_event,["event",{"said":"Книжка «действует»","at":null}]'


async def test_nothing_is_said_to_who_has_gone():
    desk = Desk()
    async with opened(desk, CONNECT, "41/_event,") as (served, tab):
        sid = desk.heard[0][1]
        assert desk.kinds() == ["connect", "disconnect"]
        before = len(tab.frames)
        served.say(sid, "event", {})
        served.say(None, "event", {})
        tab.say(EVENT)
        await settled()
        assert len(tab.frames) == before
    assert desk.kinds() == ["connect", "disconnect"]


async def test_page_that_connects_anew_on_its_socket_is_another():
    desk = Desk()
    async with opened(desk, CONNECT, CONNECT, EVENT) as (_, _tab):
        assert desk.kinds() == ["connect", "disconnect", "connect", "event"]
        first, second = (sid for kind, sid, *_ in desk.heard if kind == "connect")
        assert first != second
        assert desk.heard[-1][1] == second


async def test_failure_over_one_event_leaves_the_socket_open(caplog: pytest.LogCaptureFixture):
    desk = Desk()
    desk.fails = True
    async with opened(desk, CONNECT, EVENT) as (_, tab):
        desk.fails = False
        tab.say(EVENT)
        await settled()
        assert desk.kinds() == ["connect", "event"]
    assert "state.act" not in caplog.text


async def test_socket_closes_where_nobody_could_be_connected():
    desk = Desk()

    def fail(_: str) -> None:
        raise RuntimeError

    desk.at_connect = fail
    async with opened(desk, CONNECT) as (_, tab):
        assert tab.is_closed
        assert desk.kinds() == ["connect", "disconnect"]


@pytest.mark.parametrize("frame", ["1", "42/_event,[", "nonsense"])
async def test_socket_closes_at_a_leave_and_at_what_no_page_sends(frame: str):
    desk = Desk()
    async with opened(desk, CONNECT, frame) as (_, tab):
        assert tab.is_closed
        assert desk.kinds() == ["connect", "disconnect"]


async def test_page_is_asked_whether_it_is_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wires, "_interval", lambda: 0.02)
    monkeypatch.setattr(wires, "_patience", lambda: 0.1)
    desk = Desk()
    async with opened(desk, CONNECT) as (_, tab):
        for _ in range(3):
            await asyncio.sleep(0.03)
            tab.say("3")
        assert tab.frames.count("2") >= 2
        assert not tab.is_closed
        # Silent, it is taken for gone.
        await asyncio.sleep(0.3)
        assert tab.is_closed
    assert desk.kinds() == ["connect", "disconnect"]


async def test_tab_that_takes_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wires, "MOST_WAITING", 5)
    desk = Desk()
    async with opened(desk, CONNECT) as (served, tab):
        tab.takes.clear()
        for _ in range(8):
            served.say(desk.heard[0][1], "event", {})
            await asyncio.sleep(0)
        await settled()
        assert desk.kinds() == ["connect", "disconnect"]


async def test_what_the_guard_has_read_is_not_read_again():
    desk = Desk()
    async with opened(desk, CONNECT) as (_, tab):
        word = frames.read(EVENT)
        tab.to_server.put_nowait(
            {"type": "websocket.receive", "text": "nonsense", frames.WORD: word}
        )
        await settled()
        assert desk.kinds() == ["connect", "event"]
