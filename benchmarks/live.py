"""Screens that follow what is committed, events, and what a session costs, beside plain peers.

``python -m benchmarks.live`` prints one JSON object.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, select

from benchmarks import servers, shelf
from benchmarks.servers import Served
from emk_app import clock
from emk_app.db.engine import unit_of_work
from emk_app.db.tables.books import ShareLink
from emk_app.db.tables.people import User, UserSession
from emk_app.services import accounts

WATCHERS = tuple(map(int, os.environ.get("EMK_BENCH_WATCHERS", "100,500,1000,2000").split(",")))
RATE = 50
SECONDS = 8
PAGE = "/cabinet/book/access"
READY, WANTED = '"has_book_rx_state_":true', 'looks_rx_state_":[{'
CROWD = int(os.environ.get("EMK_BENCH_CROWD", "1000"))
"""Clients that watch one and the same thing."""
COMMITS = 5
CLIENTS = 50
EVENTS = 110
"""Of each client in a round: a tab may send 120 at once and then forty a second."""
ROUNDS = 5
SIMPLE = "reflex___state____state.emk_app___states___session____message_state.alert"


@dataclass(frozen=True)
class People:
    """Holders who are signed in, and a link to the book of each."""

    cookies: list[str]
    codes: list[str]


def people(count: int) -> People:
    """Make so many holders with books, links and sessions."""
    codes = shelf.fill(count)
    with unit_of_work() as db:
        # A look is told by post once in a while; what is measured is what it costs each time.
        db.execute(sa.update(ShareLink).values(told_at=clock.now()))
        cookies = sign_in(db, sorted(db.exec(select(User.id)).all())[-count:])
    return People(cookies, codes)


def sign_in(db: Session, users: list[int]) -> list[str]:
    now = clock.now()
    cookies = [secrets.token_urlsafe(32) for _ in users]
    db.add_all(
        UserSession(
            ref=accounts.ref_of(cookie),
            user_id=user,
            factor_at=now,
            device="benchmark",
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(hours=12),
        )
        for user, cookie in zip(users, cookies, strict=True)
    )
    return cookies


def crowd(known: People, count: int) -> People:
    """Give the first of the holders so many sessions more."""
    with unit_of_work() as db:
        first = accounts.ref_of(known.cookies[0])
        holder = db.exec(select(UserSession.user_id).where(UserSession.ref == first)).one()
        cookies = sign_in(db, [holder] * count)
    return People(cookies, known.codes)


def watched(
    server: Served, known: People | None, clients: int, commits_at: int = 0
) -> dict[str, Any]:
    """Let so many watch one thing each at fifty commits a second; ours, or the peer.

    Commits may come at the port of another process.
    """
    asked = _asked(known, list(range(clients)))
    asked |= {"work": "watch", "rate": RATE, "commits": RATE * SECONDS}
    asked["commits_at"] = commits_at or server.port
    return _measured(server, asked, clients)


def told(server: Served, known: People | None) -> dict[str, Any]:
    """Let a crowd watch one thing, and change it a few times."""
    asked = _asked(known, [0] * CROWD) | {"work": "watch", "one": True, "commits": COMMITS}
    return _measured(server, asked, CROWD)


def _asked(known: People | None, topics: list[int]) -> dict[str, Any]:
    if known is None:
        return {
            "kind": "stream",
            "watch": [f"/watch/{number}" for number in topics],
            "commit": [f"/commit/{number}" for number in topics],
            "wanted": "looks",
            "ready": "looks",
        }
    return {
        "kind": "socket",
        "cookies": known.cookies,
        "page": PAGE,
        "hashes": hashes(),
        "commit": [f"/api/verify/{code}" for code in known.codes],
        "wanted": WANTED,
        "ready": READY,
    }


@cache
def hashes() -> list[str]:
    """Return how a page of the build names the defaults that it was built with."""
    found = re.search(
        r"initialStateHashes\s*=\s*(\[[^\]]*\])",
        (servers.ROOT / ".web" / "utils" / "context.jsx").read_text(encoding="utf-8"),
    )
    assert found is not None, "build the frontend first"
    return json.loads(found[1])


def acted(server: Served) -> dict[str, float]:
    """Let strangers send simple events, each as soon as the last is answered."""
    asked = {
        "work": "events",
        "cookies": [secrets.token_urlsafe(32) for _ in range(CLIENTS)],
        "clients": CLIENTS,
        "events": EVENTS,
        "name": SIMPLE,
        "port": server.port,
    }
    with _clients(asked) as process:
        return json.loads(_line(process))


def _measured(server: Served, asked: dict[str, Any], clients: int) -> dict[str, Any]:
    before = server.memory()
    with _clients(asked | {"clients": clients, "port": server.port}) as process:
        opened = json.loads(_line(process))
        memory = (server.memory() - before) / clients
        busy = server.busy()
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        found = json.loads(_line(process))
        busy = server.busy() - busy
    return found | {
        "opened": opened["opened"],
        "memory": memory / 1024,
        "cost": 1000 * busy / asked["commits"],
    }


@contextmanager
def _clients(asked: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.clients"],
        cwd=servers.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the clients have failed; what they said is above")
    return line


def measure() -> dict[str, Any]:
    """Return everything, ours and the peer's in turns; the folder for the data is named already."""
    data = Path(os.environ["EMK_DATA"])
    known = people(max(WATCHERS))
    watching: dict[int, dict[str, Any]] = {}
    for clients in WATCHERS:
        with servers.ours(data) as our, servers.peer("stream_app", data) as peer:
            watching[clients] = {
                "ours": watched(our, known, clients),
                "peer": watched(peer, None, clients),
            }
        print(clients, watching[clients], file=sys.stderr)
    many = crowd(known, CROWD)
    with servers.ours(data) as our, servers.peer("stream_app", data) as peer:
        at_once = {"ours": told(our, many), "peer": told(peer, None)}
    print("one", at_once, file=sys.stderr)
    with servers.ours(data) as our, servers.peer("socket_app", data) as peer:
        acting = [{"ours": acted(our), "peer": acted(peer)} for _ in range(ROUNDS)]
    return {"watching": watching, "at once": at_once, "acting": acting}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="emk-bench-") as folder:
        data = Path(folder) / "data"
        os.environ |= {"EMK_ENV": "test", "EMK_DATA": str(data)}
        print(json.dumps(measure()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
