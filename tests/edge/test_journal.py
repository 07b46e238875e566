"""When a look is shown, and when it is on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlmodel import select

from emk_app import clock
from emk_app.api import verdict
from emk_app.api.verdict import Journal
from emk_app.db import engine as db_engine
from emk_app.db.engine import Busy, engine, kept_connection, reading, settle
from emk_app.db.tables.books import Look
from emk_app.domain.books import Verdict
from emk_app.domain.errors import NotFound
from emk_app.services import sharing, verifying
from emk_app.services.verifying import LookResult, Sight
from tests.factories import make_book, make_holder

pytestmark = pytest.mark.usefixtures("world")


class Disk:
    """Counts how often the disk was waited for, and can be broken."""

    def __init__(self) -> None:
        self.times = 0
        self.is_broken = False

    def settle(self) -> None:
        if self.is_broken:
            raise OSError(5, "Input/output error")
        settle()
        self.times += 1


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(verdict, "settle", made.settle)
    monkeypatch.setattr(verdict, "SETTLED_WITHIN", 0.01)
    # A busy machine is no reason to leave the writing to a thread.
    monkeypatch.setattr(verdict, "SLOW", 60)
    return made


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


def sight(*, looks: int | None = None) -> Sight:
    now = clock.now()
    holder = make_holder(now)
    code = sharing.make(holder, make_book(holder, now), looks=looks, now=now).url[-26:]
    return verifying.see(code, "", now=now)


def test_look_is_shown_at_once_and_brought_to_the_disk_soon(disk: Disk):
    seen = sight()

    async def look() -> None:
        journal = Journal()
        first = await journal.enter(lambda: seen)
        assert (first.verdict, disk.times) == (Verdict.VALID, 0)
        await until(lambda: disk.times == 1)
        # Rest is rest: nobody waits for the disk where nothing was written.
        await asyncio.sleep(0.1)
        assert disk.times == 1

    asyncio.run(look())


def test_look_that_comes_while_the_disk_is_waited_for_is_not_forgotten(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
):
    seen, journal = sight(), Journal()

    async def look() -> None:
        loop = asyncio.get_running_loop()
        begun, goes_on = asyncio.Event(), asyncio.Event()

        def slow() -> None:
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result(10)
            disk.settle()

        monkeypatch.setattr(verdict, "settle", slow)
        await journal.enter(lambda: seen)
        await begun.wait()
        await journal.enter(lambda: seen)
        goes_on.set()
        await until(lambda: disk.times == 2)

    asyncio.run(look())


def test_look_that_counts_is_on_the_disk_before_it_is_shown(disk: Disk):
    seen = sight(looks=1)

    async def look() -> None:
        journal = Journal()
        assert (await journal.enter(lambda: seen)).verdict is Verdict.VALID
        assert disk.times == 1
        assert (await journal.enter(lambda: seen)).verdict is Verdict.LINK_EXHAUSTED
        assert disk.times == 2

    asyncio.run(look())


def test_disk_that_fails_refuses_the_look_that_counts(disk: Disk):
    seen = sight(looks=1)
    disk.is_broken = True
    with pytest.raises(OSError, match="Input/output error"):
        asyncio.run(Journal().enter(lambda: seen))


def test_disk_that_fails_is_noted_and_waited_for_from_then_on(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    seen = sight()
    asked: list[bool] = []
    record = verifying.record

    def noted(sights: list[Sight], *, quickly: bool = False):
        asked.append(quickly)
        return record(sights, quickly=quickly)

    monkeypatch.setattr(verifying, "record", noted)
    disk.is_broken = True

    async def look() -> None:
        journal = Journal()
        await journal.enter(lambda: seen)
        await until(lambda: "looks on their way to the disk" in caplog.text)
        await journal.enter(lambda: seen)

    asyncio.run(look())
    assert asked == [True, False]


@pytest.mark.parametrize("is_news", [True, False])
def test_log_is_taken_into_the_database_now_and_then(
    monkeypatch: pytest.MonkeyPatch, is_news: bool
):
    # Looks that nobody is told of are written past the session.
    seen = msgspec.structs.replace(sight(), is_news=is_news)
    monkeypatch.setattr(db_engine, "UNSETTLED", 1)
    settle()
    verifying.record([seen], quickly=True)
    database = Path(engine().url.database or "")
    settle()
    # The file alone, without the log beside it.
    alone = database.with_name("alone.db")
    alone.write_bytes(database.read_bytes())
    with sqlite3.connect(alone) as connection:
        assert connection.execute("SELECT count(*) FROM looks").fetchone() == (1,)


@pytest.mark.parametrize("is_news", [True, False])
def test_another_process_that_writes_is_not_waited_for(is_news: bool):
    seen = msgspec.structs.replace(sight(), is_news=is_news)
    other = sqlite3.connect(engine().url.database or "", isolation_level=None)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            verifying.record([seen], quickly=True)
        other.execute("ROLLBACK")
    verifying.record([seen], quickly=True)
    driver: Any = kept_connection().connection.dbapi_connection
    assert driver.execute("PRAGMA busy_timeout").fetchone() == (10_000,)
    assert driver.execute("SELECT count(*) FROM looks").fetchone() == (1,)


@pytest.mark.parametrize(("patience", "asked"), [(60.0, [True]), (0.0, [False])])
def test_others_who_write_are_asked_again_for_a_while(
    monkeypatch: pytest.MonkeyPatch, patience: float, asked: list[bool]
):
    seen, journal = sight(), Journal()
    monkeypatch.setattr(verdict, "BUSY_FOR", patience)
    record, written = verifying.record, list[bool]()
    others = sqlite3.connect(engine().url.database or "", isolation_level=None)

    def noted(sights: list[Sight], *, quickly: bool = False):
        try:
            found = record(sights, quickly=quickly)
        except Busy:
            # They end while the loop pauses, or while a thread waits for them.
            asyncio.get_running_loop().call_later(0.001, others.execute, "ROLLBACK")
            raise
        written.append(quickly)
        return found

    monkeypatch.setattr(verifying, "record", noted)
    with contextlib.closing(others):
        others.execute("BEGIN IMMEDIATE")
        assert asyncio.run(journal.enter(lambda: seen)).verdict is Verdict.VALID
    assert written == asked


def noted_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list that each commit adds its number of looks to."""
    record, sizes = verifying.record, list[int]()

    def noted(sights: list[Sight], *, quickly: bool = False):
        sizes.append(len(sights))
        return record(sights, quickly=quickly)

    monkeypatch.setattr(verifying, "record", noted)
    return sizes


def test_looks_that_come_within_the_pace_share_a_commit(monkeypatch: pytest.MonkeyPatch):
    seen, journal = sight(), Journal()
    monkeypatch.setattr(verdict, "PACE", 0.5)
    monkeypatch.setattr(verdict, "SLOW", 60)
    sizes = noted_sizes(monkeypatch)

    async def look() -> None:
        await journal.enter(lambda: seen)
        second = asyncio.ensure_future(journal.enter(lambda: seen))
        await asyncio.sleep(0.05)
        await asyncio.gather(second, journal.enter(lambda: seen))

    asyncio.run(look())
    assert sizes == [1, 2]


def test_link_that_nobody_made_is_refused_beside_the_looks_it_came_with():
    seen, journal = sight(), Journal()

    def unknown() -> Sight:
        raise NotFound

    async def look() -> None:
        first, second, third = await asyncio.gather(
            journal.enter(lambda: seen),
            journal.enter(unknown),
            journal.enter(lambda: seen),
            return_exceptions=True,
        )
        assert isinstance(second, NotFound)
        assert isinstance(first, LookResult) and isinstance(third, LookResult)
        assert first.verdict is third.verdict is Verdict.VALID
        with pytest.raises(NotFound):
            await journal.enter(unknown)

    asyncio.run(look())
    with reading() as db:
        assert len(db.exec(select(Look)).all()) == 2


def test_who_has_gone_before_the_check_leaves_no_look():
    seen, journal = sight(), Journal()

    async def look() -> None:
        gone = asyncio.ensure_future(journal.enter(lambda: seen))
        await asyncio.sleep(0)
        gone.cancel()
        await journal.enter(lambda: seen)

    asyncio.run(look())
    with reading() as db:
        assert len(db.exec(select(Look)).all()) == 1


def test_crowd_is_checked_in_several_goes(monkeypatch: pytest.MonkeyPatch):
    seen, journal = sight(), Journal()
    monkeypatch.setattr(verdict, "LARGEST_BATCH", 2)
    sizes = noted_sizes(monkeypatch)

    async def look() -> None:
        await asyncio.gather(*(journal.enter(lambda: seen) for _ in range(5)))

    asyncio.run(look())
    assert sum(sizes) == 5
    assert max(sizes) == 2
