"""Redis goes away and comes back: screens are told, plain pages go on, nobody is let through."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis as client

from deploy.cluster import find
from tests.e2e.screens import MEASURED
from tests.faults.test_away import AWAY, PERSON, is_ready, message, until
from tests.faults.test_kills import BACKSTAGE, Applicant
from tests.running import OTHER_HOLDER, Server, free_port, is_taken


class Redis:
    """A throw-away server that keeps nothing, and may be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, empty."""
        self._process = subprocess.Popen(
            (
                *(find("redis-server"), "--port", str(self._port), "--bind", "127.0.0.1"),
                *("--save", "", "--dir", str(self._folder)),
            ),
            stdout=subprocess.DEVNULL,
        )
        until(lambda: is_taken(self._port), "Redis listens")

    def listeners(self) -> object:
        """Return how many patterns are listened to, and which channels."""
        with client.Redis(port=self._port) as asked:
            return asked.pubsub_numpat(), asked.pubsub_channels()

    def stop(self) -> None:
        """Stop it as a machine does that loses its current."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    started = Redis(tmp_path)
    yield started
    started.stop()


def check_pages(server: Server, cookie: str, code: str) -> None:
    """What is no open screen goes on, and asks who is there as ever."""
    scan = f"/api/scans/{'a' * 32}/file"
    with httpx.Client(base_url=server.origin, cookies={"emk_sid": cookie}, timeout=20) as known:
        assert known.get("/healthz").status_code == 200
        assert known.get("/cabinet", headers=PERSON).status_code == 200
        assert known.get(f"/api/verify/{code}").json()["verdict"] == "valid"
        assert known.get(scan).status_code == 404
    assert httpx.get(server.origin + scan, cookies={"emk_sid": "x" * 43}).status_code == 401


def test_redis_goes_away_and_comes_back(prepared: Path, tmp_path: Path, redis: Redis):
    server = Server(tmp_path, prepared)
    server.is_anew = True
    server.more = {"EMK_REDIS_URL": redis.url}
    server.start()
    try:
        (user_id,) = server.ask(f"{BACKSTAGE}:settle_people", 1)
        (number,) = server.ask(f"{BACKSTAGE}:drafts", [user_id], None)
        ((_, code),) = server.ask(f"{BACKSTAGE}:links_to_a_book", 1)
        server.settle()
        before = set(server.ask(f"{BACKSTAGE}:submitted"))
        # Of the book that is made up here the road to it is not.
        known = server.ask(f"{BACKSTAGE}:what_is_wrong")
        cookie = server.cookie_of(OTHER_HOLDER)
        browser = Applicant(server, user_id, number)
        heard = redis.listeners()
        redis.stop()
        until(lambda: not is_ready(server), "it is not ready")
        # A state is kept for a second by who works with it; then the framework gives up listening.
        until(lambda: "exceeded exception limit" in server.log(), "the framework gives up")
        browser.act()
        browser.wire.wait(lambda: AWAY in message(browser.wire))
        assert not browser.is_told
        check_pages(server, cookie, code)
        redis.start()
        took = until(lambda: is_ready(server), "it is ready again")
        MEASURED.append(f"Redis is back: ready after {took:.1f} s")
        # The state of a tab is gone with Redis: its page begins anew, on the same socket.
        browser.load()
        browser.act()
        browser.wire.wait(lambda: browser.is_told)
        until(lambda: redis.listeners() == heard, "all is listened to as before")
        browser.wire.close()
        assert set(server.ask(f"{BACKSTAGE}:submitted")) - before == {number}
        until(lambda: server.ask(f"{BACKSTAGE}:what_is_wrong") == known, "all is done")
        server.check_alive()
        assert "Traceback" not in server.log()
        assert re.search(r"not ready: (\w+, )*redis", server.log())
    finally:
        server.close()
