"""Letters about terms that end: each mark once, one a day, to those who want them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.clock import MOSCOW
from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.tables.journal import OutboxMessage
from emk_app.domain.actors import Actor
from emk_app.domain.notices import Channel, News, Notice
from emk_app.presenting.notices import message
from emk_app.services import employing, forewarning, membering, sharing
from emk_app.services.employing import Said
from tests.factories import make_book, make_employer, make_ending_book, make_holder

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)


def put_ending(owner: Actor, left: int, now: datetime, name: str = "Анна") -> tuple[Actor, int]:
    holder = make_holder(now)
    book_id = make_ending_book(holder, now, left)
    link = sharing.make(holder, book_id, days=365, now=now)
    employing.add_by_link(owner, link.url, Said(name), now=now)
    return holder, book_id


def letters() -> list[Notice]:
    with reading() as db:
        rows = db.exec(select(OutboxMessage).order_by(col(OutboxMessage.id))).all()
    read = [
        Notice.read(vault.service_open(row.notice_sealed, "outbox", "notice", row.dedupe))
        for row in rows
    ]
    return [notice for notice in read if notice.news is News.STAFF_ENDS]


def warn(owner: Actor, now: datetime) -> int:
    assert owner.organisation_id is not None
    return forewarning.warn(owner.organisation_id, now=now)


def test_each_mark_is_told_once_and_all_of_a_day_together(now: datetime):
    owner = make_employer(now)
    for left in (0, 7, 30, 31):
        put_ending(owner, left, now)
    assert warn(owner, now) == 3
    assert warn(owner, now) == 0
    assert [notice.counts for notice in letters()] == [(1, 1, 1)]
    # The last of them falls under its mark the next day, the others say nothing new.
    assert warn(owner, now + DAY) == 1
    assert letters()[-1].counts == (0, 0, 1)
    assert warn(owner, now + 2 * DAY) == 0
    assert warn(owner, now + 7 * DAY) == 1
    assert letters()[-1].counts == (1, 0, 0)


def test_letter_has_counts_and_no_names(now: datetime):
    text = message(Notice(News.STAFF_ENDS, counts=(1, 0, 5)), Channel.EMAIL).text
    text = text.replace("\u00a0", " ")
    assert "Сегодня последний день: 1 сотрудник; в ближайшие 30 дней: 5 сотрудников." in text
    assert "/employer" in text


def test_who_switched_letters_off_gets_none_and_loses_nothing(now: datetime):
    owner = make_employer(now)
    put_ending(owner, 7, now)
    membering.set_warned(owner, False, now=now)
    assert warn(owner, now) == 0
    assert letters() == []
    membering.set_warned(owner, True, now=now)
    assert warn(owner, now) == 1


def test_nobody_is_warned_of_what_is_renewed_closed_or_removed(now: datetime):
    owner = make_employer(now)
    renewed, _ = put_ending(owner, 7, now)
    make_book(renewed, now)
    closed, _ = put_ending(owner, 7, now)
    for link in sharing.links(closed, now=now):
        sharing.revoke(closed, link.id, now=now)
    put_ending(owner, 7, now, "Ушла")
    for row in employing.roster(owner, now=now).rows:
        if row.said.label == "Ушла":
            employing.remove(owner, row.id, now=now)
    assert warn(owner, now) == 0


def test_nights_are_quiet(now: datetime):
    owner = make_employer(now)
    put_ending(owner, 7, now)
    night = now.astimezone(MOSCOW).replace(hour=23)
    forewarning.run(0, night)
    assert letters() == []
    forewarning.run(0, night + timedelta(hours=10))
    assert len(letters()) == 1
