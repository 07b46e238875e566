"""Writes down where a process of the product connects to, and which names it asks for."""

from __future__ import annotations

import os
import sys
from typing import Any

WATCHED = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")
_file = os.open(
    os.environ["EMK_WATCHED_CONNECTIONS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event in WATCHED:
        where = arguments[0] if event.startswith("socket.get") else arguments[1]
        host = where[0] if isinstance(where, tuple) else where
        os.write(_file, f"{event} {host!r}\n".encode())


sys.addaudithook(_note)
