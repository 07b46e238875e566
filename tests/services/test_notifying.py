"""What a person is told on the screen and elsewhere, and chooses to be told."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import AuditEntry, OutboxMessage
from emk_app.db.tables.notices import StoredNotice
from emk_app.db.tables.people import User
from emk_app.domain.actors import SYSTEM, Actor, Role
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.domain.notices import (
    Channel,
    LetterEnded,
    News,
    NoContact,
    Notice,
    NoticeKind,
    NotOptional,
)
from emk_app.outbound.transports import Letter, Refused
from emk_app.presenting import notices
from emk_app.services import delivering, notifying
from tests.factories import make_clinic, make_holder, make_received

pytestmark = pytest.mark.usefixtures("world")

ADMIN = Actor(99, Role.ADMIN)
PHONE = "+79125550102"


@pytest.fixture
def holder(now: datetime) -> Actor:
    return make_holder(now, PHONE)


def tell(holder: Actor, news: News, now: datetime, dedupe: str = "") -> None:
    with unit_of_work() as db:
        user = db.get(User, holder.user_id)
        assert user is not None
        notice = Notice(news, number="EMK-2026-000001-5")
        notifying.tell(db, user, notice, dedupe=dedupe or news.value, now=now)


def outbox() -> list[OutboxMessage]:
    with reading() as db:
        return list(db.exec(select(OutboxMessage).order_by(sa.text("id"))).all())


def shown(holder: Actor, **more: bool) -> list[News]:
    page = notifying.page_of(holder, 1, **more)
    return [told.notice.news for told in page.notices if told.notice]


def test_news_is_told_on_the_screen_and_by_sms(holder: Actor, now: datetime):
    tell(holder, News.BOOK_FORMED, now)
    assert shown(holder) == [News.BOOK_FORMED]
    assert [row.channel for row in outbox()] == [Channel.SMS]


def test_change_that_is_undone_has_told_nobody(holder: Actor, now: datetime):
    with pytest.raises(RuntimeError), unit_of_work() as db:
        user = db.get(User, holder.user_id)
        assert user is not None
        notifying.tell(db, user, Notice(News.BOOK_FORMED), dedupe="x", now=now)
        raise RuntimeError
    assert (shown(holder), outbox()) == ([], [])


def test_occasion_is_told_once_also_by_two_at_once(holder: Actor, now: datetime):
    threads = [
        threading.Thread(target=tell, args=(holder, News.BOOK_FORMED, now)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (shown(holder), len(outbox())) == ([News.BOOK_FORMED], 1)


def test_what_is_switched_off_stays_on_the_screen(holder: Actor, now: datetime):
    notifying.choose(holder, NoticeKind.APPLICATION, Channel.SMS, is_on=False, now=now)
    tell(holder, News.BOOK_FORMED, now)
    tell(holder, News.CONCLUSION_SIGNED, now)
    assert shown(holder) == [News.CONCLUSION_SIGNED, News.BOOK_FORMED]
    assert [delivering.notice_of(row).news for row in outbox()] == [News.CONCLUSION_SIGNED]
    notifying.choose(holder, NoticeKind.APPLICATION, Channel.SMS, is_on=True, now=now)
    tell(holder, News.BOOK_RENEWED, now)
    assert len(outbox()) == 2


def test_looks_are_told_elsewhere_only_to_who_asks(holder: Actor, now: datetime):
    tell(holder, News.BOOK_LOOKED_AT, now, "first")
    assert outbox() == []
    notifying.choose(holder, NoticeKind.LOOKS, Channel.SMS, is_on=True, now=now)
    tell(holder, News.BOOK_LOOKED_AT, now, "second")
    assert len(outbox()) == 1


def test_security_can_not_be_switched_off(holder: Actor, now: datetime):
    with pytest.raises(NotOptional):
        notifying.choose(holder, NoticeKind.SECURITY, Channel.SMS, is_on=False, now=now)
    tell(holder, News.FACTOR_ENROLLED, now)
    assert len(outbox()) == 1


def test_channel_without_a_contact_can_not_be_chosen(holder: Actor, now: datetime):
    with pytest.raises(NoContact):
        notifying.choose(holder, NoticeKind.RESULTS, Channel.EMAIL, is_on=True, now=now)
    found = notifying.wishes(holder)
    assert found.contacts == {Channel.SMS: "+7 *** ***-01-02"}
    assert not any(found.wanted[kind, Channel.EMAIL] for kind in NoticeKind)


def test_choice_is_audited_and_the_same_twice_at_once_is_one(holder: Actor, now: datetime):
    def choose() -> None:
        notifying.choose(holder, NoticeKind.TERMS, Channel.SMS, is_on=False, now=now)

    threads = [threading.Thread(target=choose) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not notifying.wishes(holder).wanted[NoticeKind.TERMS, Channel.SMS]
    with reading() as db:
        said = db.exec(select(AuditEntry).where(AuditEntry.action == "choose_notices")).all()
    assert {each.fields for each in said} == {"terms:sms:off"}


def test_unread_is_counted_and_read_in_one_or_all(holder: Actor, now: datetime):
    for news in (News.BOOK_FORMED, News.BOOK_RENEWED, News.BOOK_ENDS):
        tell(holder, news, now)
    first = notifying.page_of(holder, 1).notices[0]
    notifying.mark_read(holder, first.id, now=now)
    notifying.mark_read(holder, first.id, now=now + timedelta(hours=1))
    assert notifying.unread(holder) == 2
    assert shown(holder, only_unread=True) == [News.BOOK_RENEWED, News.BOOK_FORMED]
    with reading() as db:
        row = db.get(StoredNotice, first.id)
        assert row is not None and row.read_at == now
    notifying.mark_all_read(holder, now=now)
    assert notifying.unread(holder) == 0
    assert len(shown(holder)) == 3


def test_somebody_elses_notice_can_be_neither_seen_nor_read(holder: Actor, now: datetime):
    tell(holder, News.BOOK_FORMED, now)
    stranger = make_holder(now)
    mine = notifying.page_of(holder, 1).notices[0]
    for known in (mine.id, 0, 10**9):
        with pytest.raises(NotFound):
            notifying.mark_read(stranger, known, now=now)
    notifying.mark_all_read(stranger, now=now)
    assert shown(stranger) == []
    assert notifying.unread(holder) == 1


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.HOLDER}))
def test_other_roles_have_no_notices(role: Role, now: datetime):
    actor = Actor(1, role)
    for act in (
        lambda: notifying.unread(actor),
        lambda: notifying.page_of(actor, 1),
        lambda: notifying.mark_read(actor, 1, now=now),
        lambda: notifying.mark_all_read(actor, now=now),
        lambda: notifying.wishes(actor),
        lambda: notifying.choose(actor, NoticeKind.TERMS, Channel.SMS, is_on=True, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_list_has_pages_and_the_last_one_is_the_nearest(holder: Actor, now: datetime):
    for number in range(notifying.PAGE + 1):
        tell(holder, News.BOOK_LOOKED_AT, now, f"look:{number}")
    first, far = notifying.page_of(holder, -5), notifying.page_of(holder, 10**6)
    assert (len(first.notices), first.page, first.pages) == (notifying.PAGE, 1, 2)
    assert (len(far.notices), far.page) == (1, 2)


def test_notice_of_another_release_is_shown_as_unreadable(holder: Actor, now: datetime):
    tell(holder, News.BOOK_FORMED, now)
    with unit_of_work() as db:
        db.exec(sa.update(StoredNotice).values(notice_sealed=b"broken"))
    (told,) = notifying.page_of(holder, 1).notices
    assert told.notice is None
    assert notices.notice_row(told).title == "Уведомление"


def test_application_tells_its_holder_by_itself(now: datetime):
    holder = make_holder(now, PHONE)
    make_received(holder, now, clinic_id=make_clinic())
    assert shown(holder) == [News.APPLICATION_SUBMITTED]


class Refusing:
    def send(self, letter: Letter, at: datetime) -> None:
        raise Refused("refused")


def make_dead(holder: Actor, now: datetime) -> int:
    tell(holder, News.BOOK_FORMED, now)
    delivering.deliver_due(Channel.SMS, Refusing(), notices.message, clock=lambda: now)
    return outbox()[0].id


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN, Role.SYSTEM}))
def test_stuck_letters_are_for_administrators(role: Role, holder: Actor, now: datetime):
    dead = make_dead(holder, now)
    actor = Actor(1, role)
    for act in (
        lambda: delivering.stuck(actor, now=now),
        lambda: delivering.retry(actor, dead, now=now),
        lambda: delivering.drop(actor, dead, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_administrator_sees_a_dead_letter_but_not_whose(holder: Actor, now: datetime):
    dead = make_dead(holder, now)
    (seen,) = delivering.stuck(ADMIN, now=now)
    assert (seen.id, seen.recipient, seen.failure) == (dead, "+7 *** ***-01-02", "refused")
    assert seen.kind is NoticeKind.APPLICATION
    assert PHONE not in repr(seen)


def test_dead_letter_is_tried_anew(holder: Actor, now: datetime):
    dead = make_dead(holder, now)
    later = now + timedelta(days=5)
    delivering.retry(ADMIN, dead, now=later)
    taken: list[Letter] = []

    class Taking:
        def send(self, letter: Letter, at: datetime) -> None:
            taken.append(letter)

    assert delivering.deliver_due(Channel.SMS, Taking(), notices.message, clock=lambda: later) == 1
    assert delivering.stuck(SYSTEM, now=later) == []
    with pytest.raises(LetterEnded):
        delivering.retry(ADMIN, dead, now=later)
    with reading() as db:
        entry = db.exec(select(AuditEntry).where(AuditEntry.action == "retry_letter")).one()
    assert (entry.target, entry.subject_id) == (f"letter:{dead}", holder.user_id)


def test_dropped_letter_never_leaves(holder: Actor, now: datetime):
    dead = make_dead(holder, now)
    delivering.drop(ADMIN, dead, now=now)
    for act in (delivering.drop, delivering.retry):
        with pytest.raises(LetterEnded):
            act(ADMIN, dead, now=now)
    assert delivering.stuck(ADMIN, now=now) == []
    with pytest.raises(NotFound):
        delivering.drop(ADMIN, dead + 1, now=now)


def test_letter_under_way_can_not_be_decided_about(holder: Actor, now: datetime):
    tell(holder, News.BOOK_FORMED, now)
    seen: list[type[Exception]] = []

    class Slow:
        def send(self, letter: Letter, at: datetime) -> None:
            try:
                delivering.drop(ADMIN, outbox()[0].id, now=now)
            except LetterEnded as error:
                seen.append(type(error))

    delivering.deliver_due(Channel.SMS, Slow(), notices.message, clock=lambda: now)
    assert seen == [LetterEnded]
