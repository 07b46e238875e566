"""What we stand on goes away and comes back: nothing is lost, done by halves or let through, and
nobody restarts anything.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from tests.e2e.screens import MEASURED
from tests.e2e.wire import Refused, Wire
from tests.faults.test_kills import BACKSTAGE, Applicant, value_of
from tests.running import ROOT, Server

PATIENCE = 30.0
PERSON = {"accept": "text/html", "sec-fetch-dest": "document"}
AWAY = "Сервис временно недоступен"


def until(holds: Callable[[], bool], what: str) -> float:
    """Wait; return how many seconds it took."""
    since = time.monotonic()
    while not holds():
        assert time.monotonic() - since < PATIENCE, f"it never came that {what}"
        time.sleep(0.05)
    return time.monotonic() - since


def is_ready(server: Server) -> bool:
    return httpx.get(f"{server.origin}/readyz", timeout=10).status_code == 200


def message(wire: Wire) -> str:
    return str(value_of(wire, "____message_state", "assertive") or "")


def check_refusals(server: Server, cookie: str) -> None:
    """What needs the database is refused in words that fit, and nobody is let in."""
    cookies = {"emk_sid": cookie}
    with httpx.Client(base_url=server.origin, cookies=cookies, timeout=40) as client:
        page = client.get("/cabinet", headers=PERSON)
        assert page.status_code == 503
        assert AWAY in page.text
        assert "Traceback" not in page.text
        assert int(page.headers["retry-after"]) >= 1
        for answer in (
            client.get(f"/api/scans/{'a' * 32}/file"),
            client.post("/session/enter", headers={"origin": server.origin}, content=b"ticket=x"),
        ):
            assert answer.status_code == 503
            assert answer.json()["code"] == "out_of_order"
            assert "set-cookie" not in answer.headers
        # Whoever is alive says so: nothing is to be restarted.
        assert client.get("/healthz").status_code == 200
    with pytest.raises(Refused):
        Wire(server, cookie)


class Postgres:
    """A throw-away cluster that can be stopped and started."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [
                ".ci/postgres",
                "bash",
                "-c",
                'echo "$EMK_TEST_DATABASE_URL"; echo "$EMK_TEST_DATABASE_CONTROL"; cat',
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        self._control = self._process.stdout.readline().strip()
        # Tests need no patience for the disk; here the last commits must be on it.
        with create_engine(self.url, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("ALTER ROLE CURRENT_USER SET synchronous_commit = on"))

    def tell(self, word: str) -> None:
        """``stop`` as a machine does that loses its current, or ``start``."""
        subprocess.run([self._control, word], check=True)

    def close(self) -> None:
        """Throw it away."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    started = Postgres()
    yield started
    started.close()


@pytest.mark.usefixtures("prepared")
def test_database_goes_away_and_comes_back(tmp_path: Path, postgres: Postgres):
    server = Server(tmp_path)
    server.more = {"EMK_DATABASE_URL": postgres.url}
    server.python("from emk_app import cli\nassert cli.main(['db', 'upgrade']) == 0")
    server.python("from emk_app import cli\nassert cli.main(['keys']) == 0")
    server.start()
    try:
        user_id, other_id = server.ask(f"{BACKSTAGE}:settle_people", 2)
        (number,) = server.ask(f"{BACKSTAGE}:drafts", [user_id], None)
        browser = Applicant(server, user_id, number)
        cookie = server.cookie_for(other_id)
        postgres.tell("stop")
        until(lambda: not is_ready(server), "it is not ready")
        check_refusals(server, cookie)
        browser.act()
        browser.wire.wait(lambda: AWAY in message(browser.wire))
        assert not browser.is_told
        postgres.tell("start")
        took = until(lambda: is_ready(server), "it is ready again")
        MEASURED.append(f"PostgreSQL is back: ready after {took:.1f} s")
        # The same screen, not loaded anew, hands in what it could not.
        browser.act()
        browser.wire.wait(lambda: browser.is_told)
        browser.wire.close()
        assert server.ask(f"{BACKSTAGE}:submitted") == [number]
        until(lambda: server.ask(f"{BACKSTAGE}:what_is_wrong") == [], "all is done")
        assert "holds" in server.command("audit", "verify")
        assert "Traceback" not in server.log()
        assert re.search(r"not ready: (\w+, )*database", server.log())
    finally:
        server.close()
