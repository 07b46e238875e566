"""A revoke that was acknowledged is seen by every scan that begins later, whoever answers it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emk_app import clock
from emk_app.db.engine import engine
from emk_app.services import issuing, sharing
from tests.factories import make_book, make_holder, make_officer

pytestmark = pytest.mark.usefixtures("world")

ROUNDS = 5
SERVER = """
import sys
from emk_app import clock
from emk_app.services import verifying
print("ready", flush=True)
for code in sys.stdin:
    print(verifying.look(code.strip(), "", now=clock.now()).verdict.value, flush=True)
"""


class Server:
    """A process of its own that looks at books as an answer to a scan does."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )

    def hear(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def scan(self, code: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(code + "\n")
        self._process.stdin.flush()
        return self.hear()

    def end(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    """Give two processes on one database."""
    engine().dispose()
    pair = [Server(), Server()]
    yield pair
    for server in pair:
        server.end()


def test_revoke_acknowledged_is_seen_by_each_later_scan(servers: list[Server]):
    assert [server.hear() for server in servers] == ["ready", "ready"]
    now = clock.now()
    holder = make_holder(now)
    book_id = make_book(holder, now)
    for _ in range(ROUNDS):
        link = sharing.make(holder, book_id, now=clock.now())
        code = link.url[-26:]
        assert [server.scan(code) for server in servers] == ["valid", "valid"]
        sharing.revoke(holder, link.id, now=clock.now())
        assert [server.scan(code) for server in servers] == ["link_revoked", "link_revoked"]
    code = sharing.make(holder, book_id, now=clock.now()).url[-26:]
    assert [server.scan(code) for server in servers] == ["valid", "valid"]
    issuing.revoke(make_officer(now), book_id, "Ошибка", now=clock.now())
    assert [server.scan(code) for server in servers] == ["revoked", "revoked"]
