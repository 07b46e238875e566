"""One world for every test: a data folder of its own, a migrated database, a clock that stands."""

from __future__ import annotations

import functools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import sqlalchemy as sa
from httpx._transports import default as transports
from hypothesis import settings as hypothesis_settings

T = TypeVar("T")


def database_of(worker: str, url: str) -> str:
    """Give a worker that shares the tests with others a database of its own; return its address."""
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    name = f"emk_{worker}"
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    server.dispose()
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


# In memory, where there is room: each commit waits for the disk, and disks are not what is tested.
MEMORY = Path("/dev/shm")
HAS_ROOM = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2 * 1024**3
WORLD = Path(tempfile.mkdtemp(prefix="emk-test-", dir=MEMORY if HAS_ROOM else None))
os.environ["EMK_ENV"] = "test"
os.environ["EMK_DATA"] = str(WORLD / "data")
os.environ["EMK_TEST_CLOCK"] = str(WORLD / "clock")
os.environ["EMK_ORIGIN"] = "http://localhost:8000"
# Reading a picture takes a second; what is about that says so.
os.environ["EMK_OCR"] = "off"
os.environ.pop("EMK_REDIS_URL", None)
POSTGRES = os.environ.get("EMK_TEST_DATABASE_URL")
if POSTGRES and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
    POSTGRES = database_of(worker, POSTGRES)
if POSTGRES:
    os.environ["EMK_DATABASE_URL"] = POSTGRES
else:
    os.environ.pop("EMK_DATABASE_URL", None)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""Monday noon in Moscow."""

# For each call that is not a client's httpx reads the roots of the whole web, 80 ms of a processor.
transports.__dict__["create_ssl_context"] = functools.cache(httpx.create_ssl_context)

hypothesis_settings.register_profile("emk", deadline=None)  # no test measures time
hypothesis_settings.load_profile("emk")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, or one worker waits for the other at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    browsers = Path(__file__).parent / "e2e"
    items.sort(key=lambda item: (item.path not in slow, browsers not in item.path.parents))


def pytest_sessionfinish() -> None:
    """Leave nothing behind."""
    shutil.rmtree(WORLD, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated() -> Path | None:
    """Migrate once; return the template file of the embedded database."""
    from emk_app.db import engine, migrations

    if POSTGRES:
        with engine.engine().begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
        migrations.upgrade()
        _keep_shipped()
        return None
    from emk_app.settings import settings

    settings().data.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrations.upgrade()
    engine.engine().dispose()
    template = WORLD / "template.db"
    shutil.copyfile(settings().data / "emk.db", template)
    return template


@pytest.fixture(scope="session")
def light_hashes() -> Any:
    """Return argon2id at the least it can cost: its real cost is looked at by tests of its own."""
    from passlib.context import CryptContext

    return CryptContext(
        schemes=["argon2"],
        argon2__type="ID",
        argon2__memory_cost=8,
        argon2__time_cost=1,
        argon2__parallelism=1,
    )


@pytest.fixture
def world(
    migrated: Path | None, light_hashes: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Give the test a fresh database."""
    from emk_app.db.engine import engine

    monkeypatch.setattr("emk_app.crypto.passwords._CONTEXT", light_hashes)
    make_new(migrated)
    yield
    engine().dispose()


_shipped: dict[str, list[dict[str, Any]]] = {}
"""What the migrations put into a new database, by table, without the identities."""


def _keep_shipped() -> None:
    from sqlmodel import SQLModel

    from emk_app.db.engine import engine

    with engine().connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            keys = set(table.primary_key.columns.keys())
            found = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            if rows := [
                {name: value for name, value in row._mapping.items() if name not in keys}
                for row in found
            ]:
                _shipped[table.name] = rows


def make_new(migrated: Path | None) -> None:
    """Empty the database; a module that only reads may build its world once upon it."""
    from emk_app.db.engine import engine

    if migrated is None:
        from sqlmodel import SQLModel

        # Not rows struck out one by one: tests find what they made in the order they made it.
        names = ", ".join(f'"{table.name}"' for table in SQLModel.metadata.sorted_tables)
        with engine().begin() as connection:
            # What is only added refuses to be emptied, but to who owns the whole cluster.
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
            for name, rows in _shipped.items():
                connection.execute(sa.insert(SQLModel.metadata.tables[name]), rows)
    else:
        from emk_app.settings import settings

        engine().dispose()
        for suffix in ("-wal", "-shm"):
            (settings().data / f"emk.db{suffix}").unlink(missing_ok=True)
        shutil.copyfile(migrated, settings().data / "emk.db")


def kept(build: Callable[[], T]) -> Callable[[], T]:
    """Let what ``build`` makes in a new database be made once, and copied from then on.

    It gives the same plain values each time. On PostgreSQL it is made anew.
    """
    if POSTGRES:
        return build
    before: list[tuple[Path, T]] = []

    def copied() -> T:
        if before:
            make_new(before[0][0])
            return before[0][1]
        from emk_app.settings import settings

        made = build()
        copy = WORLD / f"kept-{id(before)}.db"
        with closing(sqlite3.connect(settings().data / "emk.db")) as source:
            source.execute("VACUUM INTO ?", (str(copy),))
        before.append((copy, made))
        return made

    return copied


@pytest.fixture
def now() -> datetime:
    """Return the moment at which the test's story stands."""
    return NOW


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site and make the data folder that every real server starts from."""
    from emk_app import frontend
    from tests import running

    frontend.build()
    return running.prepare(tmp_path_factory.mktemp("prepared"))
