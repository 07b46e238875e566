"""Whether a server of the settings answers at all: opened and closed, nothing is said to it."""

from __future__ import annotations

import socket
from typing import Final

PATIENCE: Final = 2.0
"""Seconds it is waited for."""


def reach(host: str, port: int) -> None:
    """Raise ``OSError`` where nothing takes connections."""
    socket.create_connection((host, port), timeout=PATIENCE).close()
