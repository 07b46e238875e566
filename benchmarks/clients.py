"""Clients that watch and clients that act, in a process of their own.

``python -m benchmarks.clients`` reads one JSON object, what it is to do, and prints what it saw.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import aiohttp

ROOT: Final = "reflex___state____state"
LOAD: Final = f"{ROOT}.hydrate_and_load"
PATIENCE: Final = 20.0
PAUSE: Final = 0.05
OPENING: Final = 20
"""Clients that connect at one time."""

Heard = Callable[[str], None]


class Socket:
    """A tab of ours: socket.io as the page's own script speaks it."""

    def __init__(self, session: aiohttp.ClientSession, port: int, number: int, cookie: str) -> None:
        self._session, self._port, self._cookie = session, port, cookie
        self._address = f"10.1.{number // 250}.{number % 250 + 1}"
        self._tab = str(uuid.uuid4())

    async def open(self, path: str | None, hashes: Sequence[str] = ()) -> None:
        """Connect and, where a page is named, load it; ``hashes`` say what it was built with."""
        origin = f"http://localhost:{self._port}"
        self._socket = await self._session.ws_connect(
            f"{origin}/_event/?EIO=4&transport=websocket&token={self._tab}",
            headers={
                "Cookie": f"emk_sid={self._cookie}",
                "Origin": origin,
                "X-Forwarded-For": self._address,
            },
            max_msg_size=0,
        )
        boot = "" if path is None else json.dumps({"event": event(LOAD, {"hashes": hashes}, path)})
        await self._socket.send_str(f"40/_event,{boot}")

    async def send(self, name: str, payload: dict[str, Any], path: str = "/") -> None:
        said = json.dumps(["event", event(name, payload, path)])
        await self._socket.send_str(f"42/_event,{said}")

    async def hear(self) -> str:
        """Return the next message; a ping is answered on the way."""
        while True:
            message = await self._socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise RuntimeError(f"hung up: {message.type} {message.data}")
            if message.data == "2":
                await self._socket.send_str("3")
            elif message.data.startswith("42/_event,"):
                return message.data

    async def close(self) -> None:
        await self._socket.close()


class Stream:
    """A tab of the peer: Server-Sent Events."""

    def __init__(self, port: int, path: str) -> None:
        self._port, self._path = port, path

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await self._reader.readuntil(b"\r\n\r\n")

    async def hear(self) -> str:
        while True:
            line = await self._reader.readline()
            if not line:
                raise RuntimeError("hung up")
            if line.startswith(b"data:"):
                return line.decode()

    async def close(self) -> None:
        self._writer.close()


class Requests:
    """Open connections over which commits come."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()
        self._chance = random.Random(7)

    async def get(self, path: str) -> None:
        """Ask and wait for the answer."""
        pair = self._free.pop() if self._free else None
        reader, writer = pair or await asyncio.open_connection("127.0.0.1", self._port)
        number = self._chance.randrange
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost:{self._port}\r\n"
            f"X-Forwarded-For: 10.{number(2, 250)}.{number(250)}.{number(250)}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        self._free.append((reader, writer))


def event(name: str, payload: dict[str, Any], path: str) -> dict[str, Any]:
    place = {"pathname": path, "asPath": path, "query": {}}
    return {"name": name, "payload": payload, "router_data": place}


class Watcher:
    """One client that watches; notes when what it waits for has come."""

    def __init__(self, client: Socket | Stream, ready: str, wanted: str) -> None:
        self.client, self._ready, self._wanted = client, ready, wanted
        self.is_ready = asyncio.Event()
        self.due: deque[float] = deque()
        self.took: list[float] = []

    async def listen(self) -> None:
        while True:
            said = await self.client.hear()
            now = time.perf_counter()
            if self._ready in said:
                self.is_ready.set()
            if self._wanted in said and self.due:
                self.took.append(now - self.due.popleft())


async def watch(asked: dict[str, Any]) -> dict[str, Any]:
    """Let clients watch one thing each, while commits come at a steady rate; or all of them one."""
    requests = Requests(asked.get("commits_at", asked["port"]))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        watchers: list[Watcher] = []
        listening: list[asyncio.Task[None]] = []
        gate = asyncio.Semaphore(OPENING)

        async def open_one(number: int) -> None:
            async with gate:
                if asked["kind"] == "socket":
                    cookie = asked["cookies"][number]
                    client = Socket(session, asked["port"], number, cookie)
                    await client.open(asked["page"], asked["hashes"])
                else:
                    client = Stream(asked["port"], asked["watch"][number])
                    await client.open()
                watcher = Watcher(client, asked["ready"], asked["wanted"])
                watchers.append(watcher)
                listening.append(asyncio.create_task(watcher.listen()))
                if asked["kind"] == "socket":
                    await asyncio.wait_for(watcher.is_ready.wait(), PATIENCE)
            by_number[number] = watcher

        by_number: dict[int, Watcher] = {}
        began = time.perf_counter()
        await asyncio.gather(*(open_one(number) for number in range(asked["clients"])))
        opened = time.perf_counter() - began
        await asyncio.sleep(asked.get("rest", 1.0))
        sys.stdout.write(json.dumps({"opened": opened}) + "\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        began = time.perf_counter()
        spread = _commit_to_all if asked.get("one") else _commit
        expected = await spread(asked, requests, by_number)
        seconds = time.perf_counter() - began
        for task in listening:
            if task.done() and task.exception():
                raise RuntimeError("a watcher was hung up on") from task.exception()
            task.cancel()
        took = sorted(each for watcher in watchers for each in watcher.took)
        for watcher in watchers:
            await watcher.client.close()
    return {
        "p50": 1000 * took[len(took) // 2] if took else None,
        "p99": 1000 * took[len(took) * 99 // 100] if took else None,
        "seconds": seconds,
        "lost": expected - len(took),
        "expected": expected,
    }


async def _commit(asked: dict[str, Any], requests: Requests, watchers: dict[int, Watcher]) -> int:
    """Commit at the rate that was asked for; return how many updates have to come of it."""
    chance = random.Random(11)
    doing: set[asyncio.Task[None]] = set()
    expected = 0
    due = time.perf_counter()
    for _ in range(asked["commits"]):
        due += 1 / asked["rate"]
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        # Nobody is told of two changes at one time: each update answers one commit.
        for _ in range(int(PATIENCE / PAUSE)):
            if free := [at for at, each in watchers.items() if not each.due]:
                break
            await asyncio.sleep(PAUSE)
        else:
            raise RuntimeError("no update comes any more")
        number = chance.choice(free)
        watchers[number].due.append(time.perf_counter())
        expected += 1
        task = asyncio.create_task(requests.get(asked["commit"][number]))
        doing.add(task)
        task.add_done_callback(doing.discard)
    if doing:
        await asyncio.wait(set(doing))
    for _ in range(int(PATIENCE / PAUSE)):
        if not any(each.due for each in watchers.values()):
            break
        await asyncio.sleep(PAUSE)
    return expected


async def _commit_to_all(
    asked: dict[str, Any], requests: Requests, watchers: dict[int, Watcher]
) -> int:
    """Commit what everybody watches; the next time when all have been told."""
    for _ in range(asked["commits"]):
        now = time.perf_counter()
        for each in watchers.values():
            each.due.append(now)
        await requests.get(asked["commit"][0])
        for _ in range(int(PATIENCE / PAUSE)):
            if not any(each.due for each in watchers.values()):
                break
            await asyncio.sleep(PAUSE)
        for each in watchers.values():
            each.due.clear()
    return asked["commits"] * len(watchers)


async def events(asked: dict[str, Any]) -> dict[str, Any]:
    """Let clients send events one after another, each as soon as the last is answered."""
    took: list[float] = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        sockets = [
            Socket(session, asked["port"], number, asked["cookies"][number])
            for number in range(asked["clients"])
        ]
        for socket in sockets:
            await socket.open(None)
            await socket.send(asked["name"], {"text": "0"})
            await socket.hear()

        async def act(socket: Socket) -> None:
            for number in range(1, asked["events"] + 1):
                began = time.perf_counter()
                await socket.send(asked["name"], {"text": str(number)})
                while f'"{number}"' not in await socket.hear():
                    pass
                took.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*map(act, sockets))
        seconds = time.perf_counter() - began
        for socket in sockets:
            await socket.close()
    took.sort()
    return {
        "rate": len(took) / seconds,
        "p50": 1000 * took[len(took) // 2],
        "p99": 1000 * took[len(took) * 99 // 100],
    }


def main() -> None:
    import uvloop

    asked = json.loads(sys.stdin.readline())
    work = watch if asked["work"] == "watch" else events
    print(json.dumps(uvloop.run(work(asked))))


if __name__ == "__main__":
    main()
