"""One world for every test: a data folder of its own, a migrated database, a clock that stands."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from httpx._transports import default as transports
from hypothesis import settings as hypothesis_settings

from tests import scenes
from tests.scenes import Scenes


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
    scenes.put_in_order(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Build scenes for one file at a time."""
    scenes.enter(item.path)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> None:
    """Have the database as the fixture has to find it."""
    scenes.prepare(fixturedef)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    """Have the database as it has to be before the test."""
    scenes.settle()


def pytest_sessionfinish() -> None:
    """Leave nothing behind."""
    shutil.rmtree(WORLD, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated() -> Scenes:
    """Migrate once; return the scenes that begin there."""
    from emk_app.db import engine, migrations
    from emk_app.settings import settings

    if POSTGRES:
        with engine.engine().begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
    else:
        settings().data.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrations.upgrade()
    engine.engine().dispose()
    return scenes.begin(WORLD, is_embedded=not POSTGRES)


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
def world(migrated: Scenes, light_hashes: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the test a fresh database."""
    from emk_app.db.engine import engine

    monkeypatch.setattr("emk_app.crypto.passwords._CONTEXT", light_hashes)
    migrated.empty()
    yield
    engine().dispose()


def make_new(migrated: Scenes) -> None:
    """Empty the database; a module that only reads may build its world once upon it."""
    migrated.empty()
    migrated.settle()


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
