"""Reminders of ends: at 30, 7 and 0 days, once each, of what holds, as the person wishes."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from emk_app import working
from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.tables.journal import OutboxMessage
from emk_app.db.tables.notices import StoredNotice
from emk_app.domain.actors import Actor
from emk_app.domain.notices import Channel, News, Notice, NoticeKind
from emk_app.domain.reminders import due_mark
from emk_app.services import issuing, notifying, reminding, renewing
from tests.factories import make_book, make_holder, make_officer, spoil_versions
from tests.services.test_renewing import aged

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)


def told(holder: Actor, *kinds: News) -> list[tuple[News, date | None]]:
    """Return what the holder was reminded of, oldest first."""
    with reading() as db:
        own = vault.vault_for(db, holder.user_id)
        rows = db.exec(
            select(StoredNotice)
            .where(StoredNotice.user_id == holder.user_id)
            .order_by(col(StoredNotice.id))
        ).all()
        notices = [
            Notice.read(own.open(r.notice_sealed, "notices", "notice", r.dedupe)) for r in rows
        ]
    return [(each.news, each.on) for each in notices if each.news in kinds]


def run_through(days: int, start: datetime) -> None:
    """Make the round several times on each of so many days."""
    for passed in range(days):
        for hour in (0, 5):
            reminding.run(0, start + passed * DAY + timedelta(hours=hour))


@pytest.mark.parametrize(
    ("days_left", "mark"),
    [(31, None), (30, 30), (8, 30), (7, 7), (1, 7), (0, 0), (-1, None)],
)
def test_mark_is_the_last_one_reached(days_left: int, mark: int | None):
    assert due_mark(days_left) == mark


def test_end_of_the_book_is_told_three_times(now: datetime):
    holder = make_holder(now)
    aged(holder, now, 30)
    run_through(33, now)
    ends = (now + 30 * DAY).date()
    assert told(holder, News.BOOK_ENDS) == [(News.BOOK_ENDS, ends)] * 3


def test_each_end_of_a_study_is_told_three_times(now: datetime):
    holder = make_holder(now)
    make_book(holder, now)
    until = date(2027, 11, 23)
    start = now + timedelta(days=(until - now.date()).days - 32)
    run_through(36, start)
    assert told(holder, News.ITEM_ENDS) == [(News.ITEM_ENDS, until)] * 3
    assert told(holder, News.BOOK_ENDS) == []


def test_missed_rounds_are_made_up_for_once(now: datetime):
    holder = make_holder(now)
    aged(holder, now, 5)
    run_through(1, now)
    assert len(told(holder, News.BOOK_ENDS)) == 1


def test_renewed_term_is_not_reminded_of_again(now: datetime):
    holder = make_holder(now)
    book_id, _ = aged(holder, now, 10)
    run_through(1, now)
    renewing.renew(holder, book_id, now=now)
    run_through(12, now + DAY)
    assert len(told(holder, News.BOOK_ENDS)) == 1


def _suspend(book_id: int, now: datetime) -> None:
    issuing.suspend(make_officer(now), book_id, "Проверяем", now=now)


def _revoke(book_id: int, now: datetime) -> None:
    issuing.revoke(make_officer(now), book_id, "Ошибка", now=now)


def _spoil(book_id: int, _now: datetime) -> None:
    spoil_versions(book_id, signature=b"{}")


@pytest.mark.parametrize("stop", [_suspend, _revoke, _spoil])
def test_book_out_of_force_reminds_nobody(stop: Callable[[int, datetime], None], now: datetime):
    holder = make_holder(now)
    book_id, _ = aged(holder, now, 7)
    stop(book_id, now)
    run_through(8, now)
    assert told(holder, News.BOOK_ENDS, News.ITEM_ENDS) == []


def test_wishes_are_respected_and_the_screen_always_tells(now: datetime):
    holder = make_holder(now)
    aged(holder, now, 7)
    notifying.choose(holder, NoticeKind.TERMS, Channel.EMAIL, is_on=False, now=now)
    with reading() as db:
        before = len(db.exec(select(OutboxMessage)).all())
    run_through(1, now)
    assert len(told(holder, News.BOOK_ENDS)) == 1
    with reading() as db:
        assert len(db.exec(select(OutboxMessage)).all()) == before


def test_one_that_fails_does_not_keep_the_others(now: datetime, monkeypatch: pytest.MonkeyPatch):
    first, second = make_holder(now), make_holder(now)
    broken, _ = aged(first, now, 7)
    aged(second, now, 7)
    real = reminding.remind

    def remind(book_id: int, *, now: datetime) -> int:
        if book_id == broken:
            raise RuntimeError
        return real(book_id, now=now)

    monkeypatch.setattr(reminding, "remind", remind)
    run_through(1, now)
    assert (len(told(first, News.BOOK_ENDS)), len(told(second, News.BOOK_ENDS))) == (0, 1)


async def test_every_round_is_started_and_every_returning_job_is_known(
    monkeypatch: pytest.MonkeyPatch,
):
    started: list[str] = []

    def rounds(_name: str, _topic: str, work: Callable[[int], Any]) -> Any:
        started.append(work.__name__)
        return asyncio.sleep(0)

    monkeypatch.setattr(working, "_rounds", rounds)
    async with working.lifespan():
        pass
    works = {
        name
        for name, found in inspect.getmembers(working, inspect.isfunction)
        if found.__module__ == working.__name__
        and [*inspect.signature(found).parameters][:1] in (["count"], ["_count"])
    }
    assert {"_work", "_read", "_import", "_exchange"} <= works
    assert sorted(started) == sorted([*works, *["deliver"] * len(Channel)])
    assert working.PERIODS.keys() <= working.WORKS.keys() | working.SLOW.keys()
    assert working.PERIODS[reminding.JOB] <= timedelta(hours=1)
