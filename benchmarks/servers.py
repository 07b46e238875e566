"""Servers in processes of their own: ours as in production, peers under the same granian."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60.0


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def ours(data: Path) -> Iterator[int]:
    """Serve the built application; one hop is trusted, so that a load comes from many addresses."""
    with _process([sys.executable, "-m", "emk_app.frontend", "serve"], data) as port:
        yield port


@contextmanager
def peer(factory: str, data: Path) -> Iterator[int]:
    """Serve one of ``benchmarks.peers``."""
    with _process([sys.executable, "-m", "benchmarks.servers", factory], data) as port:
        yield port


@contextmanager
def _process(command: list[str], data: Path) -> Iterator[int]:
    port = free_port()
    environment = os.environ | {
        "EMK_ENV": "test",
        "EMK_DATA": str(data),
        "EMK_PORT": str(port),
        "EMK_TRUSTED_PROXY_HOPS": "1",
    }
    with (data / f"server-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, port)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server on port {port} has ended by itself")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nobody listens on port {port}")


def _serve(factory: str) -> None:
    from granian.constants import Interfaces, Loops
    from granian.server import Server

    Server(
        f"benchmarks.peers:{factory}",
        address="127.0.0.1",
        port=int(os.environ["EMK_PORT"]),
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        loop=Loops.uvloop,
    ).serve()


if __name__ == "__main__":
    _serve(sys.argv[1])
