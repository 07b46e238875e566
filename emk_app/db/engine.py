"""The engine and the unit of work: the only place that knows the database's address."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlmodel import Session

from emk_app.db import bus, changes
from emk_app.settings import settings

READ_ONLY = "emk_read_only"
PATIENCE = 10.0
"""Seconds to wait for another writer."""

TRUSTED: Final = 1.0
"""Seconds for which a connection that was just used counts as there."""

UNSETTLED: Final = 4000
"""Quick units of work after which the write-ahead log is taken into the database."""

_writers = threading.Lock()


class Busy(RuntimeError):
    """Somebody else is writing to the database."""


class _Kept(threading.local):
    pool: sa.Pool | None = None
    connection: sa.Connection | None = None
    driver: Any = None


class _Quick:
    units = 0
    """Quick units of work since the log was last taken into the database."""


_kept = _Kept()
_quick = _Quick()


@cache
def engine() -> sa.Engine:
    """Return the engine of this process."""
    return connect(settings().database_url)


def connect(url: str) -> sa.Engine:
    """Make an engine that behaves as D35 asks, on SQLite and on PostgreSQL."""
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url)
    return _postgres(make_url(url), _PLANNED_ANEW, pool_size=10, max_overflow=5)


def hot_engine() -> sa.Engine:
    """Return PostgreSQL's connections for what is hot: statements that never change, each for
    itself, which find a few rows by an index. Their plans are kept.
    """
    return _hot_beside(engine())


@cache
def _hot_beside(main: sa.Engine) -> sa.Engine:
    hot = _postgres(
        main.url,
        "",
        pool_size=5,
        max_overflow=5,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
    )
    event.listen(main, "engine_disposed", lambda _: hot.dispose())
    return hot


_PLANNED_ANEW: Final = " -c plan_cache_mode=force_custom_plan"
"""A plan made for any values knows neither these nor the settings of the transaction."""


def _postgres(url: sa.URL, planning: str, **pool: Any) -> sa.Engine:
    made = sa.create_engine(
        url,
        hide_parameters=True,
        connect_args={
            # Seconds: a machine that is off does not even refuse.
            "connect_timeout": 5,
            # Starting parallel workers or a compiler takes longer than our queries.
            "options": "-c statement_timeout=15000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=15000"
            " -c max_parallel_workers_per_gather=0 -c jit=off"
            # A scan that begins where another one is finds the first rows last.
            f" -c synchronize_seqscans=off{planning}",
        },
        **pool,
    )
    _ask_idle(made)
    return made


def _ask_idle(made: sa.Engine) -> None:
    """Let a connection that has lain about be asked whether it is still there.

    The pool's own ``pre_ping`` asks before every use, as long as most of our readings take.
    """

    @event.listens_for(made, "checkin")
    def _note(connection: Any, record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        is_there = connection is not None and not connection.closed
        record.info["at"] = time.monotonic() if is_there else -math.inf

    @event.listens_for(made, "checkout")
    def _ask(connection: Any, record: Any, _: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        # One that is new has not been given back yet.
        if time.monotonic() - record.info.get("at", math.inf) > TRUSTED:
            try:
                made.dialect.do_ping(connection)
            except made.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """One use case, one transaction: all of it or none; topics are told after the commit.

    Raises ``Busy`` where others have been writing for ten seconds.
    """
    with Session(engine(), expire_on_commit=False) as session:
        with _turn(waits=True), session.begin():
            yield session
            bus.tell_within(session)
        bus.tell_after(session)


@contextmanager
def quick_unit_of_work() -> Iterator[Session]:
    """The same on the thread's kept connection, for what is written by the thousand.

    It does not wait for the disk: what is committed outlives the process at once, and a loss of
    power from the next ``settle`` on. For the embedded database only. Raises ``Busy`` at once where
    somebody else is writing.
    """
    with Session(kept_connection(), expire_on_commit=False) as session:
        with _quick_turn(), session.begin():
            yield session
        bus.tell_after(session)


def settle() -> None:
    """Wait until all that is committed to the embedded database is on the disk.

    For a thread: the disk takes its milliseconds, and now and then many.
    """
    # A plain file to the operating system; SQLite's locks are kept on another one.
    log = os.open(f"{engine().url.database}-wal", os.O_RDONLY)
    try:
        os.fdatasync(log)
    finally:
        os.close(log)
    if _quick.units >= UNSETTLED:
        _quick.units = 0
        with engine().connect().execution_options(**{READ_ONLY: True}) as connection:
            driver: Any = connection.connection.dbapi_connection
            driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


@contextmanager
def bare_unit_of_work() -> Iterator[tuple[Any, set[str]]]:
    """The same on the bare driver, of either database: give what runs a statement, and the set of
    topics to tell of.

    To open and close a session takes SQLAlchemy ten times what a small commit takes SQLite, and
    PostgreSQL is sent in one piece what nobody waits for.
    """
    topics: set[str] = set()
    if not is_embedded():
        connection = hot_engine().raw_connection()
        driver: Any = connection.driver_connection
        try:
            with driver.pipeline(), driver.transaction():
                yield driver.execute, topics
                bus.tell_by(driver.execute, topics)
        finally:
            connection.close()
        changes.publish(topics)
        return
    driver = kept_driver()
    with _quick_turn():
        driver.execute("BEGIN IMMEDIATE")
        try:
            yield driver.execute, topics
            driver.execute("COMMIT")
        except BaseException:
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            raise
    bus.tell_here(topics)


@contextmanager
def reading() -> Iterator[Session]:
    """Read without taking the writer's lock.

    At PostgreSQL each statement reads what is committed when it begins, with a transaction around
    them or without; to begin and to end one would take as long as to read.
    """
    options: dict[str, Any] = {} if is_embedded() else {"isolation_level": "AUTOCOMMIT"}
    with (
        engine().connect().execution_options(**{READ_ONLY: True}, **options) as connection,
        Session(connection, expire_on_commit=False) as session,
    ):
        yield session


def is_embedded() -> bool:
    """Whether the database is a file of this process: reads take microseconds, writers turns."""
    return engine().dialect.name == "sqlite"


def kept_connection() -> sa.Connection:
    """Return this thread's own connection to the embedded database, for the paths that are hot.

    The pool's bookkeeping would double a read by index, and SQLite forgets the pages it has read
    whenever another connection commits, but not at its own commits.
    """
    pool = engine().pool
    if _kept.pool is not pool:
        connection = engine().connect()
        connection.detach()
        driver: Any = connection.connection.dbapi_connection
        driver.execute("PRAGMA synchronous=NORMAL")
        # To take the log into the database is for ``settle``, whose thread has the time.
        driver.execute("PRAGMA wal_autocheckpoint=0")
        _kept.pool, _kept.connection, _kept.driver = pool, connection, driver
        event.listen(engine(), "engine_disposed", lambda _: connection.close(), once=True)
    assert _kept.connection is not None
    return _kept.connection


def kept_driver() -> Any:
    """Return the same connection, as the driver has it."""
    if _kept.pool is not engine().pool:
        kept_connection()
    return _kept.driver


@contextmanager
def _turn(*, waits: bool) -> Iterator[None]:
    """Let the writers of this process follow each other at SQLite, which takes one at a time.

    Left to itself it makes the others ask again after ever longer sleeps, the unlucky for ever.
    """
    if not is_embedded():
        yield
        return
    if not (_writers.acquire(timeout=PATIENCE) if waits else _writers.acquire(blocking=False)):
        raise Busy
    try:
        yield
    finally:
        _writers.release()


@contextmanager
def _quick_turn() -> Iterator[None]:
    """Write on the kept connection, whose commits ``settle`` has to look after.

    Another process that writes, a command say, is not waited for either: nothing else would move.
    """
    with _turn(waits=False):
        driver = kept_driver()
        driver.execute("PRAGMA busy_timeout=0")
        try:
            yield
        except (sqlite3.OperationalError, OperationalError) as error:
            cause = error.orig if isinstance(error, OperationalError) else error
            if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise Busy from error
            raise
        finally:
            driver.execute(f"PRAGMA busy_timeout={1000 * PATIENCE:.0f}")
    _quick.units += 1


def _sqlite(url: str) -> sa.Engine:
    made = sa.create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": PATIENCE, "check_same_thread": False},
    )

    @event.listens_for(made, "connect")
    def _prepare(connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        # The driver's own transaction control begins too late and deferred; ours is below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={1000 * PATIENCE:.0f}")
        cursor.close()

    @event.listens_for(made, "begin")
    def _begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        # A deferred transaction that reads and then writes fails at once under contention
        # (security.md 6), so a writer takes the lock first.
        reads = connection.get_execution_options().get(READ_ONLY)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return made
