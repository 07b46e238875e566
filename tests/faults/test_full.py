"""The embedded database is held by somebody else, the disk is full, the clock jumps: what was
acknowledged stands, nothing is done by halves, and all goes on by itself.
"""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.e2e.screens import MEASURED
from tests.faults.test_away import AWAY, PERSON, is_ready, message, until
from tests.faults.test_kills import BACKSTAGE, Applicant, upload
from tests.faults.test_process import processes
from tests.running import Server

LONGER = 40.0
"""Seconds in which who waits for the writer has been refused."""
BYTES = 2048
"""How long a file may become where there is no room: shorter than a page of the database."""


@pytest.fixture(scope="module")
def server(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("server"), prepared)
    started.start()
    yield started
    started.check_alive()
    started.close()


@pytest.fixture
def browser(server: Server) -> Iterator[Applicant]:
    """Open a screen before the button «Отправить заявку»."""
    (opened,) = applicants(server, 1)
    yield opened
    opened.wire.close()


def applicants(server: Server, count: int) -> list[Applicant]:
    people = server.ask(f"{BACKSTAGE}:settle_people", count)
    numbers = server.ask(f"{BACKSTAGE}:drafts", people, None)
    return [Applicant(server, *each) for each in zip(people, numbers, strict=True)]


def hand_in(server: Server, browser: Applicant) -> None:
    """Hand in on the screen as it stands; all that follows from it comes to its end."""
    browser.act()
    browser.wire.wait(lambda: browser.is_told)
    assert browser.number in server.ask(f"{BACKSTAGE}:submitted")
    until(lambda: server.ask(f"{BACKSTAGE}:what_is_wrong") == [], "all is done")
    assert "holds" in server.command("audit", "verify")


def enter(server: Server) -> httpx.Response:
    """Try to come in, which is written down."""
    return httpx.post(
        f"{server.origin}/session/enter",
        headers={"origin": server.origin, "cookie": f"emk_sid={'z' * 43}"},
        content=b"ticket=x",
        timeout=LONGER,
    )


def test_somebody_else_writes_for_longer_than_anybody_waits(server: Server, browser: Applicant):
    before = server.ask(f"{BACKSTAGE}:submitted")
    file = server.data / "emk.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        browser.act()
        with ThreadPoolExecutor() as threads:
            tried = threads.submit(enter, server)
            # Who only reads waits for nobody.
            cookie = {"emk_sid": browser.cookie}
            page = httpx.get(f"{server.origin}/cabinet", headers=PERSON, cookies=cookie)
            assert page.status_code == 200
            browser.wire.wait(lambda: AWAY in message(browser.wire), LONGER)
            answer = tried.result()
        assert not browser.is_told
        assert (answer.status_code, answer.json()["code"]) == (503, "out_of_order")
        assert int(answer.headers["retry-after"]) >= 1
        assert "set-cookie" not in answer.headers
        assert server.ask(f"{BACKSTAGE}:submitted") == before
        other.execute("ROLLBACK")
    hand_in(server, browser)


@contextmanager
def no_room(server: Server) -> Iterator[None]:
    """Let no file of the server grow; what it reads and overwrites in place is left to it."""
    os.truncate(server.log_file, 0)
    for process in processes(server):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (BYTES, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for process in processes(server):
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(process, resource.RLIMIT_FSIZE, unlimited)


def test_no_room_on_the_disk(server: Server, browser: Applicant):
    done = set(server.ask(f"{BACKSTAGE}:submitted"))
    cookie = browser.cookie
    files = kept(server)
    with no_room(server):
        until(lambda: not is_ready(server), "it is not ready")
        assert "not ready: disk" in server.log()
        browser.act()
        browser.wire.wait(lambda: AWAY in message(browser.wire), LONGER)
        assert not browser.is_told
        assert upload(server, cookie, browser.number) == 503
        page = httpx.get(
            f"{server.origin}/cabinet", headers=PERSON, cookies={"emk_sid": cookie}, timeout=LONGER
        )
        assert page.status_code == 200
        assert set(server.ask(f"{BACKSTAGE}:submitted")) == done
        assert kept(server) == files
    took = until(lambda: is_ready(server), "it is ready again")
    MEASURED.append(f"there is room again: ready after {took:.1f} s")
    assert upload(server, cookie, browser.number) == 201
    hand_in(server, browser)
    assert set(server.ask(f"{BACKSTAGE}:submitted")) == done | {browser.number}


def test_clock_goes_forward_by_an_hour_and_comes_back(server: Server, browser: Applicant):
    server.move_clock(timedelta(hours=1))
    try:
        (later,) = applicants(server, 1)
        hand_in(server, later)
        later.wire.close()
    finally:
        server.move_clock(-timedelta(hours=1))
    # Who was there before the jump is there after it, and what follows is done at once.
    hand_in(server, browser)
    server.settle()
    assert is_ready(server)


def kept(server: Server) -> set[Path]:
    """Return the files that people have handed in."""
    return {path for path in (server.data / "blobs").rglob("*") if path.is_file()}
