"""Screens that follow what another process commits, with PostgreSQL and Redis between the two.

``.ci/postgres python -m benchmarks.pair`` prints one JSON object. Needs ``redis-server``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from benchmarks import live, servers

WATCHERS = int(os.environ.get("EMK_BENCH_PAIR", "200"))
ROUNDS = 3


@contextmanager
def _redis(folder: Path) -> Iterator[redis.Redis]:
    path = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(unix_socket_path=str(path))
        until = time.monotonic() + servers.PATIENCE
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.05)
        client.ping()
        yield client
    finally:
        process.terminate()
        process.wait(30)


def _kept(client: redis.Redis) -> int:
    return client.info("memory")["used_memory"]  # pyright: ignore[reportIndexIssue]


def measure(folder: Path, data: Path) -> dict[str, Any]:
    """Return what watchers waited for, in turns with the peer, and what Redis keeps of each."""
    known = live.people(WATCHERS)
    with _redis(folder) as client:
        shared = {"EMK_REDIS_URL": f"unix://{folder / 'redis.sock'}"}
        rounds: list[dict[str, Any]] = []
        kept = 0.0
        for _ in range(ROUNDS):
            with (
                servers.ours(data, **shared) as one,
                servers.ours(data, **shared) as other,
                servers.peer("stream_app", data) as peer,
            ):
                before = _kept(client)
                mine = live.watched(one, known, WATCHERS, other.port)
                kept = (_kept(client) - before) / WATCHERS / 1024
                rounds.append({"ours": mine, "peer": live.watched(peer, None, WATCHERS)})
                print(rounds[-1], kept, file=sys.stderr)
            client.flushall()
    return {"watchers": WATCHERS, "rounds": rounds, "kept": kept}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="emk-bench-") as name:
        folder = Path(name)
        data = folder / "data"
        os.environ |= {
            "EMK_ENV": "test",
            "EMK_DATA": str(data),
            "EMK_DATABASE_URL": os.environ["EMK_TEST_DATABASE_URL"],
        }
        print(json.dumps(measure(folder, data)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
