"""A crowd of open connections, as a morning of open verdicts and kept browsers leaves them."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import httpx

from tests.running import Server

CROWD = 1_100
"""More than the server's own limit, which let whoever came next wait for ever."""


def test_who_comes_after_a_thousand_open_connections_is_answered(server: Server):
    asked = f"GET /healthz HTTP/1.1\r\nhost: localhost:{server.port}\r\n\r\n".encode()
    with ExitStack() as opened:
        for _ in range(CROWD):
            each = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))
            each.sendall(asked)
            assert each.recv(12) == b"HTTP/1.1 200"
        assert httpx.get(f"{server.origin}/readyz", timeout=10).json() == {"status": "ready"}
