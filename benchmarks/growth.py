"""How long the hottest readings take as books grow a thousandfold: ``python -m benchmarks.growth``.

Prints one JSON object: for each number of books, the median milliseconds of each reading, by the
clock and of the processor. Books are
copied from a few real ones by the database itself; only the real ones are read, so that every seal
and signature holds. Runs on the database of the environment.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import sqlalchemy as sa
from sqlmodel import Session

from benchmarks import live
from emk_app import clock
from emk_app.db.engine import engine, unit_of_work
from emk_app.db.tables.books import BookVersion, MedicalBook, ShareLink
from emk_app.db.tables.people import User, UserSession
from emk_app.domain.actors import Actor, Role
from emk_app.services import accounts, applying, issuing, sharing, verifying

SIZES = tuple(map(int, os.environ.get("EMK_BENCH_BOOKS", "1000,10000,100000,1000000").split(",")))
REAL = 200
ROUNDS = 100
# What has to be another one in each copy, besides what points to the copied.
UNIQUE = {
    User: {"uid": "'c' || {n}"},
    UserSession: {"ref": "'c' || {n}"},
    MedicalBook: {"number": "'c' || {n}"},
    BookVersion: {},
    ShareLink: {"digest": "'c' || {n}"},
}
POINTS = {"user_id", "holder_id", "book_id", "id"}


Taken = dict[str, dict[str, float]]


def measure() -> dict[str, Taken]:
    """Return, for each number of books, what each reading takes."""
    known = live.people(REAL)
    found: dict[str, Taken] = {}
    have = REAL
    for size in SIZES:
        _grow(have, size)
        have = size
        found[str(size)] = _read(known)
        print(size, found[str(size)], file=sys.stderr)
    return found


def _grow(have: int, want: int) -> None:
    """Copy the real books until there are so many."""
    with unit_of_work() as db:
        db.exec(sa.text("CREATE TEMP TABLE more (n BIGINT PRIMARY KEY)"))  # pyright: ignore
        db.execute(
            sa.text(
                "WITH RECURSIVE up(n) AS "
                "(SELECT CAST(:first AS BIGINT) UNION ALL SELECT n + 1 FROM up WHERE n < :last) "
                "INSERT INTO more SELECT n FROM up"
            ),
            {"first": have + 1, "last": want},
        )
        for table, unique in UNIQUE.items():
            _copy(db, table, unique)
        db.execute(sa.text("DROP TABLE more"))
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as bare:
        bare.execute(sa.text("ANALYZE"))


def _copy(db: Session, table: type, unique: dict[str, str]) -> None:
    made = sa.inspect(table).local_table
    source = f"((more.n - 1) % {REAL} + 1)"
    own = "book_id" if table is BookVersion else "id"
    columns = {
        column.name: unique[column.name].format(n="more.n")
        if column.name in unique
        else "more.n"
        if column.name in POINTS
        else f"source.{column.name}"
        for column in made.columns
    }
    db.execute(
        sa.text(
            f"INSERT INTO {made.name} ({', '.join(columns)}) SELECT {', '.join(columns.values())} "
            f"FROM more JOIN {made.name} AS source ON source.{own} = {source}"
        )
    )


def _read(known: live.People) -> Taken:
    now = clock.now()
    readings: dict[str, Callable[[int], object]] = {
        "verdict of a link": lambda at: verifying.see(known.codes[at], "Chrome", now=now),
        "look written down": lambda at: verifying.look(known.codes[at], "Chrome", now=now),
        "session": lambda at: accounts.session_of(accounts.ref_of(known.cookies[at]), now=now),
        "book of a holder": lambda at: issuing.card(Actor(at + 1, Role.HOLDER), now=now),
        "links of a holder": lambda at: sharing.links(Actor(at + 1, Role.HOLDER), now=now),
        "dashboard": lambda at: applying.overview(Actor(at + 1, Role.HOLDER), now=now),
    }
    chance = random.Random(5)
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in readings}
    for _ in range(ROUNDS):
        for name, read in readings.items():
            at = chance.randrange(REAL)
            began, busy = time.perf_counter(), time.thread_time()
            read(at)
            spent = time.perf_counter() - began, time.thread_time() - busy
            took[name].append(spent)
    return {
        name: {
            "clock": 1000 * median(clock for clock, _ in times),
            "processor": 1000 * median(busy for _, busy in times),
        }
        for name, times in took.items()
    }


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="emk-bench-") as folder:
        os.environ |= {"EMK_ENV": "test", "EMK_DATA": str(Path(folder) / "data")}
        if url := os.environ.get("EMK_TEST_DATABASE_URL"):
            os.environ["EMK_DATABASE_URL"] = url
        print(json.dumps(measure()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
