"""Letters leave once the change that caused them is committed."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.leases import LEASE
from emk_app.db.tables.journal import OutboxMessage
from emk_app.domain.accounts import CODE_LIFE
from emk_app.domain.errors import NotFound
from emk_app.domain.notices import (
    LONGEST_PAUSE,
    LONGEST_TRYING,
    TRIES,
    Channel,
    Message,
    News,
    Notice,
)
from emk_app.outbound.transports import (
    JsonLines,
    Letter,
    NotSent,
    Postponed,
    Refused,
    Unavailable,
)
from emk_app.presenting import notices
from emk_app.services import delivering, notifying
from emk_app.services.delivering import LetterState
from emk_app.settings import Environment, Settings, settings

pytestmark = pytest.mark.usefixtures("world")

PHONE = "+79125550102"
OTHER = "+79125550103"
MAIL = "anna@example.ru"


class Gateway:
    """Takes letters, or refuses as long as it is told to."""

    def __init__(self, *refusals: Exception) -> None:
        self.taken: list[Letter] = []
        self.tried = 0
        self.refusals = list(refusals)

    def send(self, letter: Letter, at: datetime) -> None:
        self.tried += 1
        if self.refusals:
            raise self.refusals.pop(0)
        self.taken.append(letter)

    @property
    def news(self) -> list[str]:
        return [letter.text for letter in self.taken]


def in_production() -> Settings:
    return dataclasses.replace(settings(), environment=Environment.PRODUCTION)


def words(notice: Notice, channel: Channel) -> Message:
    return Message("тема", f"{notice.news} {notice.number}{notice.code}".strip())


def write(
    now: datetime,
    number: str = "1",
    contact: str = PHONE,
    news: News = News.BOOK_FORMED,
    code: str = "",
) -> None:
    with unit_of_work() as db:
        notice = Notice(news, number=number, code=code)
        notifying.send(db, contact, notice, dedupe=f"occasion:{number}", now=now)


def deliver(
    gateway: Gateway, now: datetime, channel: Channel = Channel.SMS, jitter: float = 0.5
) -> int:
    return delivering.deliver_due(channel, gateway, words, clock=lambda: now, jitter=lambda: jitter)


def stored(number: str = "1") -> OutboxMessage:
    with reading() as db:
        return db.exec(
            select(OutboxMessage).where(OutboxMessage.dedupe == f"occasion:{number}")
        ).one()


def test_letter_of_a_rolled_back_change_never_leaves(now: datetime):
    with pytest.raises(RuntimeError), unit_of_work() as db:
        notifying.send(db, PHONE, Notice(News.BOOK_FORMED), dedupe="occasion:1", now=now)
        raise RuntimeError
    gateway = Gateway()
    assert deliver(gateway, now) == 0
    assert gateway.taken == []


def test_one_occasion_is_told_once(now: datetime):
    write(now)
    write(now)
    gateway = Gateway()
    deliver(gateway, now)
    deliver(gateway, now + timedelta(days=1))
    assert gateway.taken == [
        Letter("sms", PHONE, "book_formed 1", "occasion:1", subject="тема", is_optional=True)
    ]
    assert delivering.state_of(stored()) is LetterState.SENT


def test_each_channel_takes_its_own(now: datetime):
    write(now, "1", PHONE)
    write(now, "2", MAIL)
    sms, mail = Gateway(), Gateway()
    assert deliver(sms, now, Channel.SMS) == 1
    assert deliver(mail, now, Channel.EMAIL) == 1
    assert [letter.recipient for letter in (*sms.taken, *mail.taken)] == [PHONE, MAIL]


def test_postponed_letter_is_tried_again_ever_later(now: datetime):
    write(now)
    gateway = Gateway(*[Postponed("busy")] * 3)
    pauses = []
    for _ in range(3):
        assert deliver(gateway, now) == 0
        row = stored()
        assert row.failure == "busy"
        assert deliver(gateway, row.due_at - timedelta(seconds=1)) == 0
        pauses.append(row.due_at - now)
        now = row.due_at
    assert pauses == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=40)]
    assert deliver(gateway, now) == 1
    assert stored().failure == ""


def test_jitter_spreads_what_failed_at_once(now: datetime):
    write(now, "1", PHONE)
    write(now, "2", OTHER)
    deliver(Gateway(Unavailable("down")), now, jitter=0.0)
    deliver(Gateway(Unavailable("down")), now, jitter=1.0)
    assert [stored(number).due_at - now for number in "12"] == [
        timedelta(seconds=7.5),
        timedelta(seconds=12.5),
    ]


def test_other_side_may_ask_to_wait_longer_but_not_for_ever(now: datetime):
    write(now)
    deliver(Gateway(Postponed("busy", timedelta(minutes=7))), now)
    assert stored().due_at - now == timedelta(minutes=7)
    later = stored().due_at
    deliver(Gateway(Postponed("busy", timedelta(days=900))), later)
    assert stored().due_at - later == LONGEST_PAUSE


def test_refused_letter_is_not_tried_again(now: datetime):
    write(now)
    gateway = Gateway(Refused("no such number"))
    deliver(gateway, now)
    assert deliver(gateway, now + timedelta(days=1)) == 0
    assert gateway.tried == 1
    row = stored()
    assert (delivering.state_of(row), row.failure) == (LetterState.DEAD, "no such number")


def test_letter_is_given_up_after_the_last_try(now: datetime):
    write(now, contact=MAIL)
    gateway = Gateway(*[Postponed("busy")] * 100)
    for _ in range(TRIES):
        assert stored().dead_at is None
        deliver(gateway, stored().due_at, Channel.EMAIL, jitter=0.0)
    dead_at = stored().dead_at
    assert dead_at is not None and dead_at - now < LONGEST_TRYING
    assert deliver(gateway, dead_at + LONGEST_PAUSE, Channel.EMAIL) == 0
    assert gateway.tried == TRIES


def test_letter_is_given_up_when_it_is_two_days_old(now: datetime):
    write(now)
    gateway = Gateway(*[Postponed("busy")] * 100)
    deliver(gateway, now + LONGEST_TRYING - timedelta(minutes=1))
    assert stored().dead_at is None
    deliver(gateway, now + LONGEST_TRYING)
    assert stored().dead_at is not None
    assert gateway.tried == 2


def test_gateway_that_takes_nothing_is_left_alone_until_the_next_round(now: datetime):
    for number in "123":
        write(now, number, f"+7912555010{number}")
    gateway = Gateway(Unavailable("down"))
    assert deliver(gateway, now) == 0
    assert gateway.tried == 1
    assert deliver(gateway, now) == 2


def test_unknown_fault_of_a_gateway_is_no_reason_to_lose_the_letter(
    now: datetime, caplog: pytest.LogCaptureFixture
):
    write(now, code="314159", news=News.CONTACT_CODE)
    with caplog.at_level(logging.DEBUG):
        deliver(Gateway(RuntimeError(f"to {PHONE}: 314159")), now)
    assert stored().failure == "fault"
    assert deliver(Gateway(), stored().due_at) == 1
    assert PHONE not in caplog.text and "314159" not in caplog.text


def test_letters_to_one_person_leave_in_their_order(now: datetime):
    write(now, "1")
    write(now, "2")
    write(now, "3", OTHER)
    gateway = Gateway(Postponed("busy"))
    deliver(gateway, now)
    assert gateway.news == ["book_formed 3"]
    deliver(gateway, stored().due_at)
    assert gateway.news == ["book_formed 3", "book_formed 1", "book_formed 2"]


def test_letter_that_is_given_up_lets_the_next_one_pass(now: datetime):
    write(now, "1")
    write(now, "2")
    gateway = Gateway(Refused("bad"))
    deliver(gateway, now)
    assert gateway.news == ["book_formed 2"]


def test_code_overtakes_what_can_wait(now: datetime):
    write(now, "1")
    write(now, "2", OTHER)
    write(now, "3", news=News.CONTACT_CODE, code="314159")
    gateway = Gateway()
    deliver(gateway, now)
    assert gateway.news == ["contact_code 3314159", "book_formed 1", "book_formed 2"]


def test_code_that_opens_nothing_any_more_does_not_leave(now: datetime):
    write(now, "1", news=News.CONTACT_CODE, code="314159")
    write(now, "2", news=News.CONTACT_CODE, code="271828")
    gateway = Gateway(Unavailable("down"))
    deliver(gateway, now)
    assert deliver(gateway, now + CODE_LIFE) == 0
    assert gateway.tried == 1
    assert delivering.state_of(stored("1")) is LetterState.DROPPED
    assert stored("1").failure == "stale"


def test_no_telephone_rings_at_night_for_what_can_wait(now: datetime):
    night = now.replace(hour=20)  # 23:00 in Moscow
    morning = now.replace(hour=5) + timedelta(days=1)  # 8:00
    write(night, "1")
    write(night, "2", MAIL)
    write(night, "3", news=News.CONTACT_CODE, code="314159")
    sms, mail = Gateway(), Gateway()
    assert deliver(sms, night) == 1
    assert deliver(mail, night, Channel.EMAIL) == 1
    assert sms.news == ["contact_code 3314159"]
    assert stored("1").due_at == morning
    assert deliver(sms, morning - timedelta(seconds=1)) == 0
    assert deliver(sms, morning) == 1


def test_what_was_due_by_day_is_not_caught_up_with_by_night(now: datetime):
    evening = now.replace(hour=18, minute=59)  # 21:59 in Moscow
    write(evening, "1")
    gateway = Gateway(Unavailable("down"))
    deliver(gateway, evening)
    assert deliver(gateway, evening + timedelta(minutes=30)) == 0
    assert deliver(gateway, evening + timedelta(hours=11)) == 1


def test_without_a_gateway_letters_wait_however_long(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(delivering, "settings", in_production)
    write(now)
    for hour in range(2 * TRIES):
        moment = now + timedelta(hours=hour)
        none = delivering.gateway_of(Channel.SMS)
        assert delivering.deliver_due(Channel.SMS, none, words, clock=lambda: moment) == 0  # noqa: B023
    assert deliver(Gateway(), now + timedelta(days=2)) == 1


def test_letter_that_can_not_be_opened_does_not_hold_up_the_next(now: datetime):
    write(now)
    with unit_of_work() as db:
        db.exec(sa.update(OutboxMessage).values(notice_sealed=b"broken"))
    write(now, "2")
    gateway = Gateway()
    assert deliver(gateway, now) == 1
    assert gateway.news == ["book_formed 2"]
    assert (delivering.state_of(stored()), stored().failure) == (LetterState.DEAD, "unreadable")
    assert [letter.text for letter in delivering.demo_letters(words)] == ["book_formed 2", None]


def test_lease_of_a_dead_worker_runs_out(now: datetime):
    write(now)

    class Killed(BaseException):
        pass

    class Deadly:
        def send(self, letter: Letter, at: datetime) -> None:
            raise Killed

    with pytest.raises(Killed):
        delivering.deliver_due(Channel.SMS, Deadly(), words, clock=lambda: now)
    assert deliver(Gateway(), now + LEASE - timedelta(seconds=1)) == 0
    assert deliver(Gateway(), now + LEASE) == 1


def test_letter_of_a_clock_that_was_ahead_waits_for_nobody(now: datetime):
    ahead = now + timedelta(hours=1)
    write(now)

    class Killed(BaseException):
        pass

    class Deadly:
        def send(self, letter: Letter, at: datetime) -> None:
            raise Killed

    with pytest.raises(Killed):
        delivering.deliver_due(Channel.SMS, Deadly(), words, clock=lambda: ahead)
    write(ahead, "2")
    gateway = Gateway()
    assert deliver(gateway, now) == 2
    assert gateway.news == ["book_formed 1", "book_formed 2"]


def test_letter_that_kills_every_worker_is_given_up(now: datetime):
    write(now)
    with unit_of_work() as db:
        db.exec(sa.update(OutboxMessage).values(attempts=TRIES))
    gateway = Gateway()
    assert deliver(gateway, now) == 0
    assert (gateway.tried, stored().failure) == (0, "fatal")


def test_worker_whose_lease_ran_out_does_not_undo_what_another_did(now: datetime):
    write(now)
    second = Gateway()

    class Slow:
        def send(self, letter: Letter, at: datetime) -> None:
            assert deliver(second, now + LEASE) == 1
            raise Postponed("too late")

    delivering.deliver_due(Channel.SMS, Slow(), words, clock=lambda: now)
    assert delivering.state_of(stored()) is LetterState.SENT
    assert len(second.taken) == 1


def test_several_workers_at_once_send_each_letter_once_and_in_order(now: datetime):
    for number in range(24):
        write(now, f"{number:02}", f"+7912555010{number % 4}")
    taken: list[Letter] = []
    guard = threading.Lock()
    inside: set[str] = set()

    class Shared:
        def send(self, letter: Letter, at: datetime) -> None:
            with guard:
                assert letter.recipient not in inside, "two letters to one person at once"
                inside.add(letter.recipient)
            with guard:
                taken.append(letter)
                inside.remove(letter.recipient)

    def work() -> None:
        while delivering.deliver_due(Channel.SMS, Shared(), words, clock=lambda: now):
            pass

    run_together([work] * 4)
    # A worker that found every lane taken has gone home; whoever comes next takes the rest.
    work()
    assert len(taken) == len({letter.dedupe for letter in taken}) == 24
    for last in range(4):
        mine = [each.dedupe for each in taken if each.recipient.endswith(str(last))]
        assert mine == sorted(mine)


def test_one_occasion_told_by_many_at_once_leaves_one_letter(now: datetime):
    run_together([lambda: write(now)] * 6)
    with reading() as db:
        assert len(db.exec(select(OutboxMessage)).all()) == 1


def run_together(works: list[Callable[[], None]]) -> None:
    """Run all at once, each in a thread of its own; raise what any of them raised."""
    start = threading.Barrier(len(works))
    failed: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        start.wait()
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize("error", [Refused("bad"), Postponed("busy"), Unavailable("down")])
def test_log_names_the_letter_and_the_reason_and_nobody(
    error: NotSent, now: datetime, caplog: pytest.LogCaptureFixture
):
    write(now, "1", MAIL, News.CONTACT_CODE, "314159")
    with caplog.at_level(logging.DEBUG):
        deliver(Gateway(error), now, Channel.EMAIL)
    assert error.reason in caplog.text
    assert MAIL not in caplog.text and "314159" not in caplog.text


def test_demo_writes_letters_to_a_private_file(now: datetime):
    write(now, code="314159", news=News.CONTACT_CODE)
    path = settings().data / "letters.jsonl"
    delivering.deliver_due(Channel.SMS, JsonLines(path), notices.message, clock=lambda: now)
    line = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    assert (line["channel"], line["to"], line["dedupe"]) == ("sms", PHONE, "occasion:1")
    assert "314159" in line["text"]
    assert path.stat().st_mode & 0o077 == 0


def test_outbox_page_exists_in_the_demo_alone(now: datetime, monkeypatch: pytest.MonkeyPatch):
    write(now)
    letters = delivering.demo_letters(words)
    assert [(each.text, each.state) for each in letters] == [("book_formed 1", LetterState.WAITING)]
    monkeypatch.setattr(delivering, "settings", in_production)
    with pytest.raises(NotFound):
        delivering.demo_letters(words)
