"""What others feel while one client floods: ``python -m benchmarks.flood`` prints it as JSON.

The flooder has one session and one address. It opens as many sockets as it gets and sends events
that cost a whole page, asks for pages over plain HTTP, and comes back whenever it is hung up on.
Another person, on a socket of their own, sends one event after the other and waits for each answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, Final

import aiohttp

LOAD: Final = "reflex___state____state.hydrate_and_load"
ALERT: Final = "reflex___state____state.emk_app___states___session____message_state.alert"
"""An event that anybody may send and that shows its own text."""
SOCKETS: Final = 40
"""What the flooder tries to hold; it gets fewer."""
ASKERS: Final = 16
"""Its connections over plain HTTP."""
SECONDS: Final = 8.0


def _event(name: str, **payload: str) -> str:
    place = {"pathname": "/login", "asPath": "/login", "query": {}}
    said = {"name": name, "payload": payload, "router_data": place}
    return "42/_event," + json.dumps(["event", said])


class Client:
    """A browser's session, from an address of its own."""

    def __init__(self, port: int, address: str) -> None:
        self._port = port
        self._origin = f"http://localhost:{port}"
        self._headers = {
            "Origin": self._origin,
            "Cookie": f"emk_sid={secrets.token_urlsafe(32)}",
            "X-Forwarded-For": address,
        }
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self.told: Counter[str] = Counter()

    async def socket(self) -> aiohttp.ClientWebSocketResponse:
        """Open a socket, ready for events."""
        asked = {"EIO": "4", "transport": "websocket", "token": str(uuid.uuid4())}
        socket = await self.session.ws_connect(
            f"http://127.0.0.1:{self._port}/_event/",
            params=asked,
            headers=self._headers | {"Host": f"localhost:{self._port}"},
            max_msg_size=0,
        )
        await socket.receive()
        await socket.send_str("40/_event,")
        await socket.receive()
        return socket

    async def flood_socket(self, until: float) -> None:
        """Send events as fast as they go, and come back whenever hung up on."""
        while time.perf_counter() < until:
            try:
                socket = await self.socket()
            except (aiohttp.ClientError, TypeError):
                self.told["refused"] += 1
                await asyncio.sleep(0.05)
                continue
            reader = asyncio.create_task(self._swallow(socket))
            with suppress(ConnectionError, aiohttp.ClientError):
                while time.perf_counter() < until and not socket.closed:
                    await socket.send_str(_event(LOAD))
                    self.told["events"] += 1
                    await asyncio.sleep(0)
            self.told["hung up on"] += socket.closed
            await socket.close()
            await reader

    async def flood_pages(self, until: float) -> None:
        """Ask for a page as fast as answers come."""
        headers = self._headers | {"Host": f"localhost:{self._port}"}
        while time.perf_counter() < until:
            try:
                async with self.session.get(
                    f"http://127.0.0.1:{self._port}/check", headers=headers
                ) as answer:
                    await answer.read()
                    self.told[f"status {answer.status}"] += 1
            except aiohttp.ClientError:
                self.told["cut off"] += 1

    async def measure(self, until: float) -> list[float]:
        """Send one event after the other; return the seconds until each was answered."""
        socket = await self.socket()
        took: list[float] = []
        while time.perf_counter() < until:
            mark = secrets.token_hex(8)
            began = time.perf_counter()
            await socket.send_str(_event(ALERT, text=mark))
            while mark not in (message := await socket.receive()).data:
                if message.data == "2":
                    await socket.send_str("3")
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)
        await socket.close()
        return took

    async def _swallow(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with suppress(ConnectionError, aiohttp.ClientError):
            async for message in socket:
                if message.data == "2":
                    await socket.send_str("3")


async def _measure(port: int) -> list[float]:
    victim = Client(port, "10.1.1.1")
    took = await victim.measure(time.perf_counter() + SECONDS)
    await victim.session.close()
    return took


async def _flood(port: int) -> dict[str, int]:
    flooder = Client(port, "10.66.6.6")
    until = time.perf_counter() + SECONDS + 3
    await asyncio.gather(
        *(flooder.flood_socket(until) for _ in range(SOCKETS)),
        *(flooder.flood_pages(until) for _ in range(ASKERS)),
    )
    await flooder.session.close()
    return dict(flooder.told)


def _figures(took: list[float]) -> dict[str, float]:
    took = sorted(took)
    return {
        "events": len(took),
        "median ms": round(1000 * median(took), 1),
        "p95 ms": round(1000 * took[len(took) * 95 // 100], 1),
        "slowest ms": round(1000 * took[-1], 1),
    }


async def _run(port: int) -> dict[str, Any]:
    calm = await _measure(port)
    # The flood comes from a process of its own, as it does in life.
    flood = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.flood", str(port), stdout=asyncio.subprocess.PIPE
    )
    await asyncio.sleep(1.5)
    under = await _measure(port)
    said, _ = await flood.communicate()
    return {"calm": _figures(calm), "under a flood": _figures(under), "flooder": json.loads(said)}


def main(arguments: list[str]) -> int:
    """Print what another person's events take, calm and under a flood."""
    if arguments:
        print(json.dumps(asyncio.run(_flood(int(arguments[0])))))
        return 0
    with tempfile.TemporaryDirectory(prefix="emk-flood-") as folder:
        data = Path(folder) / "data"
        os.environ |= {"EMK_ENV": "test", "EMK_DATA": str(data)}
        from benchmarks import servers
        from emk_app import cli

        for command in (("db", "upgrade"), ("keys",)):
            if cli.main(command):
                return 1
        with servers.ours(data) as served:
            print(json.dumps(asyncio.run(_run(served.port)), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
