"""Servers in processes of their own: ours as in production, peers under the same granian."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emk_app import frontend

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60.0


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True)
class Served:
    """A server that runs: where, and what it uses."""

    port: int
    pid: int

    def busy(self) -> float:
        """Return the seconds of the processor that its processes have used so far."""
        ticks = sum(sum(map(int, _stat(pid)[11:13])) for pid in self._processes())
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Return the bytes that its processes hold and share with nobody."""
        text = "".join(
            Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            for pid in self._processes()
        )
        return 1024 * sum(int(size) for size in re.findall(r"^Private_\w+:\s+(\d+)", text, re.M))

    def _processes(self) -> list[int]:
        return [self.pid, *_below(self.pid)]


@contextmanager
def ours(data: Path, **more: str) -> Iterator[Served]:
    """Serve the built application; one hop is trusted, so that a load comes from many addresses."""
    if not frontend.is_fresh():
        # Pages of another build are told every state anew.
        raise SystemExit("the frontend is older than the sources: run `make build`")
    with _process([sys.executable, "-m", "emk_app.frontend", "serve"], data, more) as served:
        yield served


@contextmanager
def peer(factory: str, data: Path) -> Iterator[Served]:
    """Serve one of ``benchmarks.peers``."""
    with _process([sys.executable, "-m", "benchmarks.servers", factory], data, {}) as served:
        yield served


@contextmanager
def _process(command: list[str], data: Path, more: Mapping[str, str]) -> Iterator[Served]:
    port = free_port()
    environment = os.environ | {
        "EMK_ENV": "test",
        "EMK_DATA": str(data),
        "EMK_PORT": str(port),
        "EMK_TRUSTED_PROXY_HOPS": "1",
        **more,
    }
    with (data / f"server-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, port)
            yield Served(port, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _below(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [each for child in map(int, children) for each in (child, *_below(child))]


def _stat(pid: int) -> list[str]:
    """Return what the kernel counts of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


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
        backpressure=frontend.CONNECTIONS,
    ).serve()


if __name__ == "__main__":
    _serve(sys.argv[1])
