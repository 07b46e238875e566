"""The service speaks to others from few places, which ``docs/protection.md`` names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SPEAKING = {
    *("aiohttp", "ftplib", "http.client", "httpx", "requests", "smtplib", "socket", "telnetlib"),
    *("urllib.request", "urllib3", "xmlrpc.client", "pyhanko.sign.timestamps"),
}
PLACES = {
    "outbound/anchors.py": "httpx",
    "outbound/answers.py": "httpx",
    "outbound/exchange.py": "httpx",
    "outbound/identity_provider.py": "httpx",
    "outbound/reaching.py": "socket",
    "outbound/sms.py": "httpx",
    "outbound/smtp.py": "smtplib",
    # The scanner of viruses, a server of time-stamps: where they are set.
    "storage/antivirus.py": "socket",
    "crypto/pades.py": "pyhanko.sign.timestamps",
    # Sockets of the same machine: the port to serve on, the processes beside.
    "frontend.py": "socket",
    "db/bus.py": "socket",
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_connections_leave_from_the_places_that_are_written_down():
    root = Path("emk_app")
    found = {
        (path.relative_to(root).as_posix(), name)
        for path in root.rglob("*.py")
        for name in imported(path)
        if name in SPEAKING
    }
    assert found == set(PLACES.items())
