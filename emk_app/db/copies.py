"""The whole database as one file, while others write, and a database made of such a file (D55)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

T = TypeVar("T")

NAME: Final = "database"
"""Of the file in a backup, whatever the kind."""


class NotEmpty(Exception):
    """There is something in the place that was to be filled."""


class NoTool(Exception):
    """A program of PostgreSQL is missing; the message names it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not installed: install PostgreSQL's client programs")


class ToolFailed(Exception):
    """A program of PostgreSQL failed; the message is what it said."""


def snapshot(url: str, target: Path, look: Callable[[sa.Connection], T]) -> T:
    """Write a consistent copy to ``target``, and return what ``look`` saw at that very state.

    Writers do not wait. Raises ``NoTool`` and ``ToolFailed`` for PostgreSQL, whose dump is in its
    custom format.
    """
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        with (
            closing(sqlite3.connect(f"file:{made.database}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            # One file is the whole of it, with no journal beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
        target.chmod(0o600)
        with _connected(f"sqlite:///{target}") as connection:
            return look(connection)
    with _connected(url, isolation_level="REPEATABLE READ") as connection:
        name = connection.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one()
        _run(
            "pg_dump",
            made,
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={name}",
            f"--file={target}",
        )
        target.chmod(0o600)
        return look(connection)


def load(source: Path, url: str) -> None:
    """Fill the empty database at ``url``; raises ``NotEmpty``."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        if not is_vacant(url):
            raise NotEmpty(made.database)
        target = Path(made.database or "")
        draft = target.with_name(target.name + ".unfinished")
        shutil.copyfile(source, draft)
        draft.chmod(0o600)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.rename(target)
    else:
        if not is_vacant(url):
            raise NotEmpty(made.database)
        _run(
            "pg_restore",
            made,
            "--no-owner",
            "--no-privileges",
            "--exit-on-error",
            "--single-transaction",
            str(source),
        )


def is_vacant(url: str) -> bool:
    """Whether the database holds no table, or there is none at all yet."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        path = Path(made.database or "")
        return not any(path.with_name(path.name + end).exists() for end in ("", "-wal", "-shm"))
    with _connected(url) as connection:
        return not sa.inspect(connection).get_table_names()


def counts(connection: sa.Connection) -> dict[str, int]:
    """Return the number of rows of each table."""
    names = sorted(sa.inspect(connection).get_table_names())
    return {
        name: connection.execute(
            sa.select(sa.func.count()).select_from(sa.table(name))
        ).scalar_one()
        for name in names
    }


def make_beside(url: str, name: str) -> str:
    """Make an empty database on the same PostgreSQL server; return its address."""
    with _connected(url, isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_beside(url: str, name: str) -> None:
    """Drop the database that ``make_beside`` made."""
    with _connected(url, isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@contextmanager
def _connected(url: str, **options: str) -> Iterator[sa.Connection]:
    """Connect without the limits of time that screens need."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, **options)
    with engine.connect() as connection:
        yield connection


def _run(program: str, url: URL, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise NoTool(program)
    # By the environment: arguments are seen by everybody on the machine.
    host = url.host or url.query.get("host")
    said = {
        "PGHOST": host,
        "PGPORT": str(url.port) if url.port else None,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGSSLMODE": url.query.get("sslmode"),
        "PGDATABASE": url.database,
    }
    environment = os.environ | {name: str(value) for name, value in said.items() if value}
    target = (f"--dbname={url.database}",)
    done = subprocess.run(
        [found, "--no-password", *target, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolFailed(f"{program}: {done.stderr.strip()}")
