"""Support: tickets of people, the desk, the code by telephone, what goes when and to whom."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlmodel import select

from emk_app import clock
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import belongings
from emk_app.db.repositories import support as tickets
from emk_app.db.tables.applications import Application
from emk_app.db.tables.journal import AuditEntry, OutboxMessage
from emk_app.db.tables.support import Message, SupportFile, Ticket
from emk_app.domain.actors import SYSTEM, Actor, Role
from emk_app.domain.calendars import add_working_days
from emk_app.domain.documents import ScanKindNotAllowed
from emk_app.domain.erasure import PHRASE, WAITING
from emk_app.domain.errors import (
    ChangedMeanwhile,
    Conflict,
    Invalid,
    NotFound,
    NotPermitted,
    Required,
    TooManyAttempts,
    TransitionNotAllowed,
)
from emk_app.domain.retention import TABLE, DataClass
from emk_app.domain.support import (
    Desk,
    NotAnIncident,
    NotYourApplication,
    Part,
    RatedAlready,
    Said,
    Subject,
    TicketOver,
    TicketStatus,
    TicketTaken,
    masked_name,
)
from emk_app.services import answering, erasing, notifying, retaining, scans, supporting
from emk_app.services.supporting import Typed
from emk_app.settings import settings
from emk_app.storage.blobs import BlobMissing
from tests.factories import make_employer, make_holder, make_operator, make_received, make_support

pytestmark = pytest.mark.usefixtures("world")

QUESTION = Typed("other", "Где посмотреть срок книжки?")


def asked(person: Actor, now: datetime, typed: Typed = QUESTION, content: bytes = b"") -> str:
    return supporting.begin(person, typed, content, "экран.png", now=now)


def screenshot() -> bytes:
    file = io.BytesIO()
    picture = Image.new("RGBA", (1200, 800), (255, 255, 255, 255))
    picture.paste((200, 30, 30, 255), (100, 100, 400, 300))
    picture.save(file, "PNG")
    return file.getvalue()


def row_of(number: str) -> Ticket:
    with reading() as db:
        return tickets.by_number(db, number)


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OPERATOR, Role.ADMIN, Role.SYSTEM])
def test_only_people_ask(role: Role, now: datetime):
    actor = Actor(1, role)
    for act in (
        lambda: supporting.mine(actor),
        lambda: asked(actor, now),
        lambda: supporting.permit_sending(actor, now=now),
        lambda: supporting.write(actor, "1", "Да", "", b"", "", now=now),
        lambda: supporting.close(actor, "1", "", "", now=now),
        lambda: supporting.rate(actor, "1", "5", "", now=now),
        lambda: supporting.code(actor, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


@pytest.mark.parametrize("role", [Role.HOLDER, Role.CLINIC, Role.EMPLOYER, Role.ADMIN])
def test_only_the_desks_answer(role: Role, now: datetime):
    actor = Actor(1, role)
    for act in (
        lambda: answering.board(actor, Part.DUE, 1, now=now),
        lambda: answering.thread(actor, "1", now=now),
        lambda: answering.take(actor, "1", now=now),
        lambda: answering.give(actor, "1", 0, now=now),
        lambda: answering.answer(actor, "1", "Да", "", now=now),
        lambda: answering.note(actor, "1", "Да", now=now),
        lambda: answering.hand_over(actor, "1", "Да", now=now),
        lambda: answering.settle(actor, "1", now=now),
        lambda: answering.find(actor, "1"),
        lambda: answering.hand_late(actor, "1", now=now),
        lambda: answering.caller(actor, "12345678", now=now),
        lambda: answering.colleagues(actor),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_ticket_goes_from_question_to_rating(now: datetime):
    holder, support = make_holder(now), make_support(now)
    draft = make_received(holder, now)
    typed = Typed("error", "Страница не открылась", draft.number.shown, "3f7a91c0")
    number = asked(holder, now, typed)
    view = supporting.mine(holder)[0]
    assert (view.status, view.subject, view.incident) == (
        TicketStatus.NEW,
        Subject.ERROR,
        "3f7a91c0",
    )
    assert view.application == draft.number
    answering.answer(support, number, "Обновите страницу.", "", now=now)
    view = supporting.mine(holder)[0]
    assert (view.status, view.due_on, view.unread) == (TicketStatus.ANSWERED, None, 1)
    assert supporting.unread(holder) == 1
    supporting.note_seen(holder, number)
    assert supporting.unread(holder) == 0
    supporting.write(holder, number, "Не помогло", "", b"", "", now=now)
    assert supporting.mine(holder)[0].status is TicketStatus.WAITING
    with pytest.raises(TransitionNotAllowed):
        answering.settle(support, number, now=now)
    answering.answer(support, number, "Исправили.", "", now=now)
    answering.settle(support, number, now=now)
    supporting.rate(holder, number, "5", "Быстро", now=now)
    with pytest.raises(RatedAlready):
        supporting.rate(holder, number, "1", "", now=now)
    found = supporting.thread(holder, number, now=now)
    assert (found.ticket.rating, found.comment) == (5, "Быстро")
    assert [line.said for line in found.lines] == [Said.TEXT] * 4 + [Said.CLOSED]
    assert [line.text for line in found.lines][:2] == [
        "Страница не открылась",
        "Обновите страницу.",
    ]
    with pytest.raises(TransitionNotAllowed):
        answering.answer(support, number, "Ещё", "", now=now)


@pytest.mark.parametrize(
    ("day", "due"),
    [
        # Wednesday; Friday; the eve of the New Year's holidays, which end on 11 January 2027.
        (date(2026, 11, 25), date(2026, 11, 26)),
        (date(2026, 11, 27), date(2026, 11, 30)),
        (date(2026, 12, 30), date(2027, 1, 11)),
    ],
)
def test_answer_is_due_in_one_working_day(day: date, due: date, now: datetime):
    at = datetime(day.year, day.month, day.day, 15, tzinfo=clock.MOSCOW)
    number = asked(make_holder(now), at)
    assert row_of(number).due_on == due


def test_second_message_does_not_put_the_answer_off(now: datetime):
    holder = make_holder(now)
    number = asked(holder, now)
    due = row_of(number).due_on
    supporting.write(holder, number, "И ещё", "", b"", "", now=now + timedelta(days=3))
    assert row_of(number).due_on == due


def test_form_says_what_is_wrong_with_each_field(now: datetime):
    holder, other = make_holder(now), make_holder(now)
    foreign = make_received(other, now).number.shown
    with pytest.raises(Invalid) as refused:
        asked(holder, now, Typed("", " ", foreign, "не номер!"))
    kinds = {name: type(problem) for name, problem in refused.value.fields.items()}
    assert kinds == {
        "subject": Required,
        "text": Required,
        "number": NotYourApplication,
        "incident": NotAnIncident,
    }
    assert supporting.mine(holder) == []


def test_form_sent_twice_is_one_ticket_and_one_message(now: datetime):
    holder = make_holder(now)
    typed = replace(QUESTION, form_key="k1")
    assert asked(holder, now, typed) == asked(holder, now, typed)
    number = supporting.mine(holder)[0].number
    for _ in range(2):
        supporting.write(holder, number, "И ещё", "k2", b"", "", now=now)
    assert len(supporting.thread(holder, number, now=now).lines) == 2
    # Another's key is another key.
    asked(make_holder(now), now, typed)
    support = make_support(now)
    for _ in range(2):
        answering.answer(support, number, "Вот здесь", "k3", now=now)
    assert len(supporting.thread(holder, number, now=now).lines) == 3


def test_another_s_ticket_does_not_exist(now: datetime):
    number = asked(make_holder(now), now)
    for other in (make_holder(now), make_employer(now)):
        for act in (
            lambda who=other: supporting.thread(who, number, now=now),
            lambda who=other: supporting.permit_sending(who, number, now=now),
            lambda who=other: supporting.write(who, number, "Да", "", b"", "", now=now),
            lambda who=other: supporting.close(who, number, "", "", now=now),
            lambda who=other: supporting.rate(who, number, "5", "", now=now),
            lambda who=other: supporting.note_seen(who, number),
        ):
            with pytest.raises(NotFound):
                act()
    with pytest.raises(NotFound):
        answering.thread(make_operator(now), number, now=now)


def test_screenshot_is_taken_as_png_and_shown_to_person_and_desk_alone(now: datetime):
    holder, support = make_holder(now), make_support(now)
    number = asked(holder, now, content=screenshot())
    [line] = supporting.thread(holder, number, now=now).lines
    [shown] = line.files
    assert shown.name == "экран.jpg"
    for who in (holder, support):
        assert supporting.file(who, shown.ref, now=now).content.startswith(b"\xff\xd8\xff")
        assert supporting.preview(who, shown.ref, now=now).startswith(b"\xff\xd8\xff")
        with pytest.raises(NotFound):
            supporting.preview(who, shown.ref, page=2, now=now)
    for who in (make_holder(now), make_operator(now)):
        with pytest.raises(NotFound):
            supporting.file(who, shown.ref, now=now)
    with reading() as db:
        looks = db.exec(
            select(AuditEntry).where(
                AuditEntry.subject_id == holder.user_id, AuditEntry.fields == "screenshot"
            )
        ).all()
    assert [look.actor_id for look in looks] == [support.user_id]


def test_file_of_another_kind_is_refused_and_nothing_is_kept(now: datetime):
    holder = make_holder(now)
    with pytest.raises(ScanKindNotAllowed):
        asked(holder, now, content=b"GIF89a" + b"\0" * 64)
    assert supporting.mine(holder) == []


def test_person_closes_rates_and_opens_again_for_thirty_days(now: datetime):
    holder = make_holder(now)
    number = asked(holder, now)
    with pytest.raises(Conflict):
        supporting.rate(holder, number, "5", "", now=now)
    supporting.close(holder, number, "4", "", now=now)
    assert supporting.mine(holder)[0].rating == 4
    with pytest.raises(TransitionNotAllowed):
        supporting.close(holder, number, "", "", now=now)
    later = now + timedelta(days=30)
    supporting.write(holder, number, "Снова", "", b"", "", now=later)
    found = supporting.thread(holder, number, now=later)
    assert found.ticket.status is TicketStatus.WAITING
    assert Said.REOPENED in {line.said for line in found.lines}
    supporting.close(holder, number, "", "", now=later)
    with pytest.raises(TicketOver):
        supporting.write(
            holder, number, "Снова", "", b"", "", now=later + timedelta(days=30, seconds=1)
        )


def test_flood_is_stopped(now: datetime):
    holder = make_holder(now)
    for _ in range(supporting.MESSAGES.tries):
        supporting.permit_sending(holder, now=now)
    with pytest.raises(TooManyAttempts):
        supporting.permit_sending(holder, now=now)


def test_queue_is_oldest_due_first_and_counted(now: datetime):
    support = make_support(now)
    late = asked(make_holder(now), now - timedelta(days=9))
    soon = asked(make_holder(now), now)
    board = answering.board(support, Part.DUE, 1, now=now)
    assert [row.number for row in board.rows] == [late, soon]
    assert (board.counts[Part.DUE], answering.waiting(support)) == (2, 2)
    answering.take(support, soon, now=now)
    mine = answering.board(support, Part.MINE, 1, now=now)
    assert [row.number for row in mine.rows] == [soon]


def test_of_two_who_take_one_is_told_of_the_other(now: datetime):
    first, second = make_support(now, "Синицына Дарья Олеговна"), make_support(now)
    number = asked(make_holder(now), now)
    answering.take(first, number, now=now)
    answering.take(first, number, now=now)
    with pytest.raises(TicketTaken) as beaten:
        answering.take(second, number, now=now)
    assert beaten.value.by == "Синицына Дарья Олеговна"
    for act in (
        lambda: answering.answer(second, number, "Да", "", now=now),
        lambda: answering.give(second, number, second.user_id, now=now),
        lambda: answering.hand_over(second, number, "Да", now=now),
    ):
        with pytest.raises(TicketTaken):
            act()
    with pytest.raises(NotFound):
        answering.give(first, number, make_operator(now).user_id, now=now)
    answering.give(first, number, second.user_id, now=now)
    answering.answer(second, number, "Отвечаю", "", now=now)
    answering.give(second, number, 0, now=now)
    assert row_of(number).taken_by is None


def test_change_that_was_read_before_another_one_is_refused(now: datetime):
    number = asked(make_holder(now), now)
    with unit_of_work() as db:
        ticket = tickets.by_number(db, number)
        ticket_version = ticket.version
        tickets.move(db, ticket, now=now, incident="1")
        db.expunge(ticket)
        ticket.version = ticket_version
        with pytest.raises(ChangedMeanwhile):
            tickets.move(db, ticket, now=now, incident="2")


def test_desk_sees_a_masked_name_and_the_person_no_notes(now: datetime):
    holder, support = make_holder(now), make_support(now)
    make_received(holder, now)
    number = asked(holder, now)
    answering.note(support, number, "Проверить журнал", now=now)
    desk = answering.thread(support, number, now=now)
    assert desk.ticket.person in ("", "Иванова М.")
    assert [line.said for line in desk.lines] == [Said.TEXT, Said.NOTE]
    assert [line.said for line in supporting.thread(holder, number, now=now).lines] == [Said.TEXT]
    with reading() as db:
        seen = db.exec(
            select(AuditEntry).where(
                AuditEntry.subject_id == holder.user_id, AuditEntry.actor_id == support.user_id
            )
        ).all()
    assert {entry.action for entry in seen} == {"view", "note_ticket"}


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Иванова Мария Сергеевна", "Иванова М."),
        ("Ёлкин Борис", "Ёлкин Б."),
        ("Кафе", ""),
        ("anna@example.ru", ""),
        ("Cafe Mir", ""),
    ],
)
def test_name_is_masked(name: str, masked: str):
    assert masked_name(name) == masked


def test_ticket_is_handed_to_the_operator_and_back(now: datetime):
    holder, support, operator = make_holder(now), make_support(now), make_operator(now)
    number = asked(holder, now)
    with pytest.raises(Invalid):
        answering.hand_over(support, number, " ", now=now)
    answering.hand_over(support, number, "Просит ускорить", now=now)
    assert row_of(number).desk is Desk.OPERATOR
    assert answering.board(support, Part.DUE, 1, now=now).rows == ()
    [row] = answering.board(operator, Part.DUE, 1, now=now).rows
    assert row.number == number
    with pytest.raises(Conflict):
        answering.hand_over(support, number, "Ещё раз", now=now)
    answering.answer(operator, number, "Проверяем", "", now=now)
    answering.hand_over(operator, number, "Ответили", now=now)
    assert row_of(number).desk is Desk.SUPPORT
    with pytest.raises(NotFound):
        answering.answer(operator, number, "Ещё", "", now=now)
    said = [line.said for line in supporting.thread(holder, number, now=now).lines]
    assert said == [Said.TEXT, Said.HANDED, Said.TEXT, Said.RETURNED]


def test_late_applications_come_up_by_themselves_and_are_handed_over_once(now: datetime):
    holder, support, operator = make_holder(now), make_support(now), make_operator(now)
    number = make_received(holder, now).number.slug
    assert answering.board(support, Part.DUE, 1, now=now).late == ()
    with pytest.raises(NotFound):
        answering.hand_late(support, number, now=now)
    with unit_of_work() as db:
        row = db.exec(select(Application).where(Application.tracking_number == number)).one()
        assert row.due_on is not None
        due = row.due_on
    # Ten working days are no delay yet, the eleventh is (as in the queue of the operators).
    last = datetime.combine(add_working_days(due, 8), now.timetz())
    first_late = datetime.combine(add_working_days(due, 9), now.timetz())
    assert answering.board(support, Part.DUE, 1, now=last).late == ()
    [late] = answering.board(support, Part.DUE, 1, now=first_late).late
    assert (late.number.slug, late.days, late.handed_at) == (number, 11, None)
    assert answering.board(operator, Part.DUE, 1, now=first_late).late == ()
    for _ in range(2):
        answering.hand_late(support, number, now=first_late)
    [handed] = answering.board(operator, Part.DUE, 1, now=first_late).late
    assert handed.handed_at == first_late


def test_code_finds_the_person_for_half_an_hour_and_tells_nothing(now: datetime):
    holder, support = make_holder(now), make_support(now)
    number = make_received(holder, now).number
    ticket = asked(holder, now)
    code = supporting.code(holder, now=now)
    assert len(code.digits) == 8 and supporting.code(holder, now=now) == code
    found = answering.caller(support, f"{code.digits[:4]}-{code.digits[4:]}", now=now)
    assert [each.number for each in found.tickets] == [ticket]
    assert [each[0] for each in found.applications] == [number]
    later = code.expires_at
    assert supporting.code(holder, now=later).digits != code.digits
    with pytest.raises(NotFound):
        answering.caller(support, code.digits, now=later)
    with pytest.raises(Invalid):
        answering.caller(support, "1234", now=now)
    with pytest.raises(NotPermitted):
        answering.caller(make_operator(now), code.digits, now=now)


def test_codes_are_not_guessed(now: datetime):
    support = make_support(now)
    for _ in range(answering.CODES.tries):
        with pytest.raises(NotFound):
            answering.caller(support, "00000000", now=now)
    with pytest.raises(TooManyAttempts):
        answering.caller(support, "00000000", now=now)


def test_answer_is_told_by_mail_and_on_the_screen(now: datetime):
    holder, support = make_holder(now), make_support(now)
    number = asked(holder, now)
    before = notifying.unread(holder)
    with reading() as db:
        letters = len(db.exec(select(OutboxMessage)).all())
    answering.answer(support, number, "Вот здесь", "", now=now)
    assert notifying.unread(holder) == before + 1
    with reading() as db:
        assert len(db.exec(select(OutboxMessage)).all()) == letters + 1


def test_ticket_is_in_the_copy_of_data_opened(now: datetime):
    holder, support = make_holder(now), make_support(now)
    number = asked(holder, now, content=screenshot())
    answering.answer(support, number, "Вот здесь", "", now=now)
    answering.settle(support, number, now=now)
    supporting.rate(holder, number, "5", "Спасибо", now=now)
    supporting.code(holder, now=now)
    with reading() as db:
        said = belongings.of(db, holder.user_id, vault.vault_for(db, holder.user_id))
    assert said["support_tickets"][0]["comment"] == "Спасибо"
    assert [row["text"] for row in said["support_messages"]][:2] == [QUESTION.text, "Вот здесь"]
    assert said["support_files"][0]["name"] == "экран.jpg"
    assert "code" not in said["support_codes"][0] and "code_blind" not in said["support_codes"][0]
    assert "written_by" not in said["support_messages"][0]


def test_ticket_goes_with_its_person(
    now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    named = replace(settings(), erased_list=tmp_path / "erased.jsonl")
    monkeypatch.setattr(erasing, "settings", lambda: named)
    holder, support = make_holder(now), make_support(now)
    number = asked(holder, now, content=screenshot())
    answering.answer(support, number, "Вот здесь", "", now=now)
    with reading() as db:
        blob = db.exec(select(SupportFile.blob)).one()
        key = vault.vault_for(db, holder.user_id).key
    erasing.ask(replace(holder, session_id=1, factor_at=now), PHRASE, now=now)
    erasing.run(0, now + WAITING)
    with reading() as db:
        for table in (Ticket, Message, SupportFile):
            assert db.exec(select(table)).all() == []
    with pytest.raises(BlobMissing):
        scans.blobs().open(blob, key)


def test_closed_tickets_go_after_three_years(now: datetime):
    holder = make_holder(now)
    closed, stands = asked(holder, now, content=screenshot()), asked(holder, now)
    supporting.close(holder, closed, "", "", now=now)
    due = now + TABLE[DataClass.TICKETS].term
    assert retaining.due(SYSTEM, now=due)[DataClass.TICKETS] == 0
    retaining.run(0, due + timedelta(seconds=1))
    assert [row.number for row in supporting.mine(holder)] == [stands]
    with reading() as db:
        assert db.exec(select(SupportFile)).all() == []


def test_sweep_keeps_the_files_of_tickets(now: datetime):
    holder = make_holder(now)
    number = asked(holder, now, content=screenshot())
    scans.sweep(now=now + timedelta(days=400))
    [line] = supporting.thread(holder, number, now=now).lines
    assert supporting.file(holder, line.files[0].ref, now=now).content
