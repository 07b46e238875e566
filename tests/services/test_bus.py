"""What one process commits is heard by the watchers of the others, and nothing else is."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from emk_app import clock
from emk_app.db import bus, changes
from emk_app.db.engine import is_embedded, reading, unit_of_work
from emk_app.db.tables.people import UserSession
from emk_app.domain.actors import Role
from emk_app.services import accounts
from emk_app.settings import settings
from tests.factories import PASSWORD, SECRET

pytestmark = pytest.mark.usefixtures("world")

OTHER = """
import sys
from emk_app import clock
from emk_app.db import changes
from emk_app.db.engine import engine, unit_of_work
from emk_app.services import accounts
for line in sys.stdin:
    try:
        exec(line)
    except ZeroDivisionError:
        pass
    print("done", flush=True)
"""
COMMITS = "with unit_of_work() as db: changes.announce(db, {})"
ROLLS_BACK = "with unit_of_work() as db: changes.announce(db, 'queue'); 1 / 0"
LONG_ENOUGH = 20.0
SHORT = 0.3
"""Seconds in which a word that was sent would have come."""

Do = Callable[[str], Awaitable[None]]


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    """Start another process."""
    started = subprocess.Popen(
        [sys.executable, "-c", OTHER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert started.stdin
    assert started.stdout
    yield started
    started.stdin.close()
    started.wait()
    started.stdout.close()


@pytest.fixture
async def other(process: subprocess.Popen[str]) -> AsyncIterator[Do]:
    """Let the other process do a line of Python on the same data."""

    async def do(line: str) -> None:
        assert process.stdin
        assert process.stdout
        process.stdin.write(line + "\n")
        process.stdin.flush()
        assert await asyncio.to_thread(process.stdout.readline) == "done\n"

    await do("engine().dispose()")
    yield do
    await do("engine().dispose()")


@asynccontextmanager
async def listening() -> AsyncIterator[None]:
    """Listen as a server does."""
    task = asyncio.create_task(bus.listen())
    assert await asyncio.to_thread(bus._listening.wait, LONG_ENOUGH)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert not bus.is_listening()


@asynccontextmanager
async def watching(*topics: str) -> AsyncIterator[changes.Watch]:
    watch = changes.subscribe(topics)
    # What the beginning of listening has told.
    with suppress(TimeoutError):
        await asyncio.wait_for(watch.wait(), SHORT)
    try:
        yield watch
    finally:
        changes.unsubscribe(watch)


async def heard(watch: changes.Watch) -> bool:
    try:
        await asyncio.wait_for(watch.wait(), SHORT)
    except TimeoutError:
        return False
    return True


async def test_commit_elsewhere_wakes_those_who_watch_it_and_no_others(other: Do):
    async with listening(), watching("queue", "clinic:1") as mine, watching("clinic:2") as foreign:
        await other(COMMITS.format("'application:5', 'clinic:1'"))
        await asyncio.wait_for(mine.wait(), LONG_ENOUGH)
        assert not await heard(foreign)


async def test_rollback_elsewhere_wakes_nobody(other: Do):
    async with listening(), watching("queue") as watch:
        await other(ROLLS_BACK)
        assert not await heard(watch)


async def test_more_topics_than_one_word_holds_all_arrive(other: Do):
    async with listening(), watching("application:899") as watch:
        await other(COMMITS.format("*(f'application:{each}' for each in range(900))"))
        await asyncio.wait_for(watch.wait(), LONG_ENOUGH)


async def test_change_of_everything_wakes_all(other: Do):
    async with listening(), watching("queue") as watch:
        await other(COMMITS.format("*(f'application:{each}' for each in range(2000))"))
        await asyncio.wait_for(watch.wait(), LONG_ENOUGH)


async def test_own_commit_is_told_once():
    async with listening(), watching("queue") as watch:
        with unit_of_work() as db:
            changes.announce(db, "queue")
        await asyncio.wait_for(watch.wait(), LONG_ENOUGH)
        assert not await heard(watch)


async def test_session_ended_elsewhere_is_heard_here(other: Do):
    now = clock.now()
    user_id = accounts.create_user(
        Role.HOLDER, "+79161234567", PASSWORD, totp_secret=SECRET, now=now
    )
    ref = accounts.ref_of("cookie")
    with unit_of_work() as db:
        db.add(
            UserSession(
                ref=ref,
                user_id=user_id,
                factor_at=now,
                device="Chrome, Windows",
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(hours=1),
            )
        )
    async with listening(), watching(f"session:{ref}") as watch:
        await other(f"accounts.leave({ref!r}, now=clock.now())")
        await asyncio.wait_for(watch.wait(), LONG_ENOUGH)


async def lose_connection(other: Do) -> None:
    async with listening(), watching("queue") as watch:
        with reading() as db:
            ended = db.connection().execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'emk listening' AND datname = current_database()"
                )
            )
            assert ended.scalars().all() == [True]
        # What was committed meanwhile is not known: all look.
        await asyncio.wait_for(watch.wait(), LONG_ENOUGH)
        assert bus.is_listening()
        await other(COMMITS.format("'queue'"))
        await asyncio.wait_for(watch.wait(), LONG_ENOUGH)


async def find_dead_socket(_: Do) -> None:
    folder = settings().data / "bus"
    folder.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(folder / "1"))
    async with listening(), watching("queue") as watch:
        assert sorted(os.listdir(folder)) == sorted(["1", str(os.getpid())])
        with unit_of_work() as db:
            changes.announce(db, "queue")
        await asyncio.wait_for(watch.wait(), LONG_ENOUGH)
        assert os.listdir(folder) == [str(os.getpid())]
    assert os.listdir(folder) == []


async def test_what_was_lost_on_the_way_is_mended(other: Do):
    """A connection to PostgreSQL that breaks; a socket that a killed process has left behind."""
    await (find_dead_socket if is_embedded() else lose_connection)(other)


def test_words_are_short_enough_for_postgresql_and_say_all():
    topics = {f"session:{number:064}" for number in range(500)}
    said = bus.words(topics)
    assert all(len(word.encode()) < 8000 for word in said)
    assert {topic for word in said for topic in word.split()[1:]} == topics
    assert len({word.split()[0] for word in said}) == 1
    assert len(bus.words(["queue"])) == 1
    assert bus.words([]) == []
    assert bus.words(f"book:{number}" for number in range(bus.MOST + 1))[0].endswith(" *")


async def test_word_that_is_not_ours_breaks_nothing():
    async with watching("queue") as watch:
        bus.hear("")
        bus.hear("somebody")
        assert not await heard(watch)
        bus.hear("somebody queue")
        assert await heard(watch)
