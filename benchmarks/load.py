"""Requests over open connections; raw sockets, because clients cost more than the servers they
measure. Without a rate each connection asks again as soon as it is answered.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time


async def _client(
    port: int, codes: list[str], until: float, pause: float, took: list[float]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    chance = random.Random()
    due = time.perf_counter() + pause * chance.random()
    while (now := time.perf_counter()) < until:
        if pause:
            await asyncio.sleep(due - now)
            due += pause
        # Each request from an address of its own: limits per address are checked, not reached.
        address = f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"
        began = time.perf_counter()
        writer.write(
            f"GET /api/verify/{chance.choice(codes)} HTTP/1.1\r\nHost: localhost:{port}\r\n"
            f"X-Forwarded-For: {address}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        took.append(time.perf_counter() - began)
    writer.close()


async def _run(
    port: int, connections: int, seconds: float, codes: list[str], rate: float
) -> list[float]:
    took: list[float] = []
    until = time.perf_counter() + seconds
    pause = connections / rate if rate else 0.0
    await asyncio.gather(*(_client(port, codes, until, pause, took) for _ in range(connections)))
    return took


def main() -> None:
    """Print requests a second and the 50th and 99th percentile in milliseconds, as JSON."""
    import uvloop

    port, connections, seconds, path, rate = sys.argv[1:]
    with open(path, encoding="ascii") as file:
        codes = json.load(file)
    took = uvloop.run(_run(int(port), int(connections), float(seconds), codes, float(rate)))
    took.sort()
    print(
        json.dumps(
            {
                "rate": len(took) / float(seconds),
                "p50": 1000 * took[len(took) // 2],
                "p99": 1000 * took[len(took) * 99 // 100],
            }
        )
    )


if __name__ == "__main__":
    main()
