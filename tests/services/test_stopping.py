"""Suspending, revoking, resuming: nobody does it alone, nothing hangs on one word for long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from emk_app import working
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books
from emk_app.db.tables.books import BookOrder, MedicalBook
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Role
from emk_app.domain.books import BookNumber, BookStatus, Verdict
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    NotAChoice,
    NotFound,
    NotPermitted,
    Required,
)
from emk_app.domain.orders import (
    CONFIRM_WITHIN,
    ORDER_GROUNDS,
    CommissionsMatter,
    NothingOrdered,
    NotOrderable,
    OrderAnswer,
    OrderKind,
    OrderPending,
    SameHand,
)
from emk_app.services import issuing, sharing, stopping, verifying
from tests.factories import make_book, make_holder, make_officer, spoil_versions
from tests.scenes import kept
from tests.services.test_reviewing import at_once

pytestmark = pytest.mark.usefixtures("world")

NOTE = "Звонили из медорганизации."


@pytest.fixture
@kept
def holder(now: datetime) -> Actor:
    return make_holder(now)


@pytest.fixture
@kept
def first(now: datetime) -> Actor:
    return make_officer(now)


@pytest.fixture
@kept
def second(now: datetime) -> Actor:
    return make_officer(now)


@pytest.fixture
@kept
def number(holder: Actor, now: datetime) -> str:
    return numbered(make_book(holder, now))


def numbered(book_id: int) -> str:
    with reading() as db:
        return books.get(db, book_id).number


def book_of(number: str) -> MedicalBook:
    with reading() as db:
        return books.by_number(db, BookNumber.parse(number))


def stored() -> list[BookOrder]:
    with reading() as db:
        return list(db.exec(select(BookOrder).order_by(col(BookOrder.id))).all())


def suspend(actor: Actor, number: str, now: datetime) -> None:
    stopping.order(actor, number, "suspend", "disavowed", NOTE, now=now)


def revoke(actor: Actor, number: str, now: datetime) -> None:
    stopping.order(actor, number, "revoke", "papers_false", NOTE, now=now)


def resume(actor: Actor, number: str, now: datetime) -> None:
    stopping.order(actor, number, "resume", "cleared_up", "", now=now)


ACTS: dict[str, Callable[[Actor, str, datetime], object]] = {
    "order": suspend,
    "confirm": lambda actor, number, now: stopping.confirm(actor, number, now=now),
    "decline": lambda actor, number, now: stopping.decline(actor, number, now=now),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
def test_only_operators_order_and_answer(
    act: Callable[[Actor, str, datetime], object],
    role: Role,
    number: str,
    first: Actor,
    now: datetime,
):
    with pytest.raises(NotPermitted):
        act(replace(first, role=role), number, now)
    assert stored() == []


@pytest.mark.parametrize("look", [stopping.waiting, lambda actor: stopping.find(actor, "1")])
def test_only_operators_look(look: Callable[[Actor], object], holder: Actor):
    with pytest.raises(NotPermitted):
        look(holder)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("age", [None, timedelta(minutes=5, seconds=1)])
def test_second_factor_is_asked_for_anew(
    act: Callable[[Actor, str, datetime], object],
    age: timedelta | None,
    number: str,
    first: Actor,
    now: datetime,
):
    with pytest.raises(FreshFactorNeeded):
        act(replace(first, factor_at=now - age if age else None), number, now)
    assert stored() == []


@pytest.mark.parametrize(
    ("kind", "ground", "note", "wrong"),
    [
        ("", "disavowed", NOTE, {"kind": Required}),
        ("erase", "disavowed", NOTE, {"kind": NotAChoice}),
        ("suspend", "", NOTE, {"ground": Required}),
        ("suspend", "mistake", NOTE, {"ground": NotAChoice}),
        ("resume", "papers_false", NOTE, {"ground": NotAChoice}),
        ("suspend", "other", " ", {"note": Required}),
    ],
)
def test_order_without_a_reason_is_refused(
    kind: str,
    ground: str,
    note: str,
    wrong: dict[str, type],
    number: str,
    first: Actor,
    now: datetime,
):
    with pytest.raises(Invalid) as error:
        stopping.order(first, number, kind, ground, note, now=now)
    assert {name: type(found) for name, found in error.value.fields.items()} == wrong
    assert stored() == []


@pytest.mark.parametrize("wanted", ["", "1", "770100000999", "x" * 500])
def test_unknown_book_is_not_found(wanted: str, number: str, first: Actor, now: datetime):
    with pytest.raises(NotFound):
        suspend(first, wanted, now)
    with pytest.raises(NotFound):
        stopping.desk(first, wanted, now=now)
    with pytest.raises((Invalid, NotFound)):
        stopping.find(first, wanted)
    assert stopping.find(first, BookNumber.parse(number).shown).digits == number


def test_suspension_acts_at_once_and_is_seen_by_the_next_look(
    number: str, holder: Actor, first: Actor, second: Actor, now: datetime
):
    book_id = book_of(number).id
    code = sharing.make(holder, book_id, now=now).url.rpartition("/")[2]
    suspend(first, number, now)
    assert verifying.look(code, "Chrome", now=now).verdict is Verdict.SUSPENDED
    card = issuing.card(holder, now=now)
    assert card is not None
    assert card.reason == f"{ORDER_GROUNDS['disavowed'].text} {NOTE}"
    stopping.confirm(second, number, now=now)
    stopping.run(0, now + CONFIRM_WITHIN * 2)
    assert book_of(number).status is BookStatus.SUSPENDED
    (order,) = stored()
    assert (order.answer, order.answered_by) == (OrderAnswer.CONFIRMED, second.user_id)


@pytest.mark.parametrize("late", [timedelta(), timedelta(hours=1)])
def test_suspension_nobody_confirms_is_lifted(
    late: timedelta, number: str, first: Actor, second: Actor, now: datetime
):
    suspend(first, number, now)
    stopping.run(0, now + CONFIRM_WITHIN - timedelta(seconds=1))
    assert book_of(number).status is BookStatus.SUSPENDED
    moment = now + CONFIRM_WITHIN + late
    with pytest.raises(NothingOrdered):
        stopping.confirm(replace(second, factor_at=moment), number, now=moment)
    working.once(now=moment)
    stopping.run(0, moment)
    assert book_of(number).status is BookStatus.ACTIVE
    (order,) = stored()
    assert (order.answer, order.answered_by) == (OrderAnswer.LAPSED, None)


@pytest.mark.parametrize("order", [revoke, resume])
def test_nothing_else_happens_before_a_second_operator_agrees(
    order: Callable[[Actor, str, datetime], None],
    number: str,
    first: Actor,
    second: Actor,
    now: datetime,
):
    if order is resume:
        suspend(first, number, now)
        stopping.confirm(second, number, now=now)
    before = book_of(number).status
    order(first, number, now)
    stopping.run(0, now + CONFIRM_WITHIN * 9)
    assert book_of(number).status is before
    with pytest.raises(SameHand):
        stopping.confirm(first, number, now=now)
    assert book_of(number).status is before
    stopping.confirm(second, number, now=now)
    after = BookStatus.REVOKED if order is revoke else BookStatus.ACTIVE
    assert book_of(number).status is after
    with pytest.raises(NothingOrdered):
        stopping.confirm(second, number, now=now)


def test_who_suspended_does_not_confirm_but_takes_back(number: str, first: Actor, now: datetime):
    suspend(first, number, now)
    with pytest.raises(SameHand):
        stopping.confirm(first, number, now=now)
    stopping.decline(first, number, now=now)
    assert book_of(number).status is BookStatus.ACTIVE
    assert stored()[0].answer is OrderAnswer.TAKEN_BACK


def test_declined_suspension_is_lifted_and_declined_revocation_leaves_the_book(
    number: str, first: Actor, second: Actor, now: datetime
):
    suspend(first, number, now)
    stopping.decline(second, number, now=now)
    assert book_of(number).status is BookStatus.ACTIVE
    revoke(first, number, now)
    stopping.decline(second, number, now=now)
    assert book_of(number).status is BookStatus.ACTIVE
    assert [each.answer for each in stored()] == [OrderAnswer.DECLINED] * 2
    with pytest.raises(NothingOrdered):
        stopping.decline(second, number, now=now)


def test_one_order_at_a_time(number: str, first: Actor, second: Actor, now: datetime):
    revoke(first, number, now)
    for actor in (first, second):
        with pytest.raises(OrderPending):
            suspend(actor, number, now)


def test_what_the_book_does_not_allow_is_refused(
    number: str, holder: Actor, first: Actor, second: Actor, now: datetime
):
    with pytest.raises(NotOrderable):
        resume(first, number, now)
    revoke(first, number, now)
    stopping.confirm(second, number, now=now)
    for order in (suspend, revoke, resume):
        with pytest.raises(NotOrderable):
            order(first, number, now)
    unreceived = numbered(make_book(make_holder(now), now, received=False))
    with pytest.raises(NotOrderable):
        suspend(first, unreceived, now)


def test_what_a_commission_has_suspended_no_operator_puts_back(
    number: str, holder: Actor, first: Actor, now: datetime
):
    with unit_of_work() as db:
        issuing.suspend_unfit(db, holder.user_id, now=now)
    with pytest.raises(CommissionsMatter):
        resume(first, number, now)
    seen = stopping.desk(first, number, now=now)
    assert (seen.by_commission, seen.may) == (True, (OrderKind.REVOKE,))


def test_of_answers_at_once_one_counts(number: str, first: Actor, now: datetime):
    revoke(first, number, now)
    colleagues = [make_officer(now) for _ in range(4)]
    found = at_once(
        *(lambda each=each: stopping.confirm(each, number, now=now) for each in colleagues)
    )
    assert found.count(OrderKind.REVOKE) == 1
    assert sum(isinstance(each, NothingOrdered) for each in found) == 3


def test_of_orders_at_once_one_counts(number: str, now: datetime):
    officers = [make_officer(now) for _ in range(4)]
    found = at_once(*(lambda each=each: suspend(each, number, now) for each in officers))
    assert found.count(None) == 1
    assert len(stored()) == 1


def test_operators_see_whose_book_it_is_and_nothing_medical(
    number: str, first: Actor, second: Actor, now: datetime
):
    suspend(first, number, now)
    seen = stopping.desk(second, number, now=now)
    assert (seen.holder, seen.status, seen.may, seen.may_confirm) == (
        "Иванова Мария Сергеевна",
        BookStatus.SUSPENDED,
        (),
        True,
    )
    assert not any(
        name in repr(type(seen).__dataclass_fields__) for name in ("lines", "conclusion", "snils")
    )
    assert stopping.peek(first, number).is_own
    assert [each.number.digits for each in stopping.waiting(second)] == [number]
    with reading() as db:
        actions = [
            row.action for row in db.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
        ]
    assert {"suspend_book", "order_suspend", "view_book"} <= set(actions)
    spoil_versions(signature=b"{}")
    assert stopping.peek(second, number).holder == ""


def test_no_screen_goes_past_the_second_operator():
    root = Path(working.__file__).parent
    for layer in ("states", "api", "pages"):
        for source in (root / layer).rglob("*.py"):
            text = source.read_text(encoding="utf-8")
            for act in ("suspend", "revoke", "resume", "stop", "put_back"):
                assert f"issuing.{act}(" not in text, source
                assert f"issuing.{act}," not in text, source
