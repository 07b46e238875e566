"""Taking a book out of force and putting it back, by two operators (docs/decisions/0022)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from emk_app import incidents
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books, desks, orders
from emk_app.db.tables.books import BookOrder, MedicalBook
from emk_app.domain import orders as rules
from emk_app.domain.actors import SYSTEM, Actor, Role, permit, permit_fresh
from emk_app.domain.books import BookNumber, BookStatus
from emk_app.domain.errors import InvalidValue, NotFound
from emk_app.domain.fieldpolicy import HolderField, name_for, sees, viewer_of
from emk_app.domain.orders import (
    CONFIRM_WITHIN,
    ORDER_GROUNDS,
    NothingOrdered,
    OrderAnswer,
    OrderKind,
    OrderPending,
)
from emk_app.domain.values import Problems
from emk_app.services import auditing, issuing
from emk_app.services.verifying import witness_of

log = logging.getLogger("emk.stopping")

JOB: Final = "lapse_book_orders"
TOPIC: Final = "book_orders"
LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order; ``note`` and ``ground`` are for operators."""

    kind: OrderKind
    ground: str
    note: str
    by: str
    at: datetime
    lapses_at: datetime | None
    answer: OrderAnswer | None
    answered_by: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class BookDesk:
    """A book as operators see it: whose it is and how it stands, and nothing medical."""

    id: int
    number: BookNumber
    status: BookStatus
    holder: str
    """Empty where the version is not genuine."""
    born_on: date | None
    issued_on: date
    valid_until: date
    version: int
    is_genuine: bool
    by_commission: bool
    """Whether a medical conclusion has suspended it."""
    may: tuple[OrderKind, ...]
    """What can be ordered now."""
    open: OrderView | None
    may_confirm: bool
    is_own: bool
    """Whether the open order is the actor's own."""
    history: tuple[OrderView, ...]
    """Answered orders, newest first."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line of the list of orders that wait."""

    number: BookNumber
    kind: OrderKind
    ground: str
    by: str
    at: datetime
    lapses_at: datetime | None
    is_own: bool


def find(actor: Actor, text: str) -> BookNumber:
    """Return the number of a book typed in any spelling; raise ``Invalid`` with ``number``."""
    permit(actor, Role.OPERATOR)
    problems = Problems()
    number = problems.take("number", BookNumber.parse, text)
    problems.raise_any()
    with reading() as db:
        books.by_number(db, number)
    return number


def waiting(actor: Actor) -> tuple[Waiting, ...]:
    """Return the orders that wait for a second operator, oldest first."""
    permit(actor, Role.OPERATOR)
    with reading() as db:
        rows = orders.waiting(db, LISTED)
        names = desks.names_of(db, [order.ordered_by for order, _ in rows])
        return tuple(
            Waiting(
                BookNumber.parse(book.number),
                order.kind,
                order.ground,
                names.get(order.ordered_by, ""),
                order.ordered_at,
                order.lapses_at,
                order.ordered_by == actor.user_id,
            )
            for order, book in rows
        )


def desk(actor: Actor, number: str, *, now: datetime) -> BookDesk:
    """Return one book for an operator; the look is noted. Raises ``NotFound``."""
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        book = books.by_number(db, _number(number))
        auditing.record(
            db, actor, "view_book", f"book:{book.id}", subject_id=book.holder_id, now=now
        )
        return _desk(db, actor, book)


def peek(actor: Actor, number: str) -> BookDesk:
    """Return the same for a screen that is open already, whose look was noted."""
    permit(actor, Role.OPERATOR)
    with reading() as db:
        return _desk(db, actor, books.by_number(db, _number(number)))


def order(
    actor: Actor, number: str, kind: str, ground: str, note: str, *, now: datetime
) -> OrderKind:
    """Order something about a book; a suspension acts at once, the rest waits for a colleague.

    Raises ``Invalid`` with ``kind``, ``ground`` and ``note``, ``FreshFactorNeeded``, ``NotFound``,
    ``NotOrderable``, ``CommissionsMatter``, ``OrderPending``.
    """
    permit(actor, Role.OPERATOR)
    permit_fresh(actor, now)
    problems = Problems()
    wanted = problems.take("kind", rules.read_kind, kind)
    reason = problems.take("ground", rules.read_ground, ground, wanted) if wanted else None
    said = problems.take("note", rules.read_note, note, reason)
    problems.raise_any()
    assert reason is not None
    with unit_of_work() as db:
        book = books.locked(db, books.by_number(db, _number(number)).id)
        if orders.open_of(db, book.id) is not None:
            raise OrderPending
        rules.permit_order(wanted, book.status, book.suspended_by)
        acts = wanted is OrderKind.SUSPEND
        orders.add(
            db,
            book,
            wanted,
            reason.code,
            said,
            vault.vault_for(db, book.holder_id),
            by=actor.user_id,
            lapses_at=now + CONFIRM_WITHIN if acts else None,
            now=now,
        )
        if acts:
            issuing.stop(
                db, actor, book, BookStatus.SUSPENDED, rules.words_of(reason, said), now=now
            )
        _note(db, actor, book, f"order_{wanted}", now, fields=reason.code)
    return wanted


def confirm(actor: Actor, number: str, *, now: datetime) -> OrderKind:
    """Agree with a colleague's order: what waited is done, what acts already stands.

    Raises ``SameHand``, ``NothingOrdered``, ``NotOrderable``, ``FreshFactorNeeded``, ``NotFound``.
    """
    permit(actor, Role.OPERATOR)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        book, open_order = _open(db, number)
        rules.permit_confirming(open_order.ordered_by, actor.user_id)
        if open_order.lapses_at is not None and open_order.lapses_at <= now:
            raise NothingOrdered
        own = vault.vault_for(db, book.holder_id)
        match open_order.kind:
            case OrderKind.SUSPEND:
                if book.status is not BookStatus.SUSPENDED:
                    raise rules.NotOrderable
            case OrderKind.RESUME:
                rules.permit_order(OrderKind.RESUME, book.status, book.suspended_by)
                issuing.put_back(db, actor, book, now=now)
            case OrderKind.REVOKE:
                rules.permit_order(OrderKind.REVOKE, book.status, book.suspended_by)
                said = rules.words_of(
                    ORDER_GROUNDS[open_order.ground], orders.note_of(open_order, own)
                )
                issuing.stop(db, actor, book, BookStatus.REVOKED, said, now=now)
        _answer(db, actor, book, open_order, OrderAnswer.CONFIRMED, now)
        return open_order.kind


def decline(actor: Actor, number: str, *, now: datetime) -> OrderKind:
    """Refuse a colleague's order, or take back one's own; a suspension it made is lifted at once.

    Raises ``NothingOrdered``, ``FreshFactorNeeded``, ``NotFound``.
    """
    permit(actor, Role.OPERATOR)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        book, open_order = _open(db, number)
        is_own = open_order.ordered_by == actor.user_id
        _lift(db, actor, book, open_order, now)
        answer = OrderAnswer.TAKEN_BACK if is_own else OrderAnswer.DECLINED
        _answer(db, actor, book, open_order, answer, now)
        return open_order.kind


def run(_target_id: int, now: datetime) -> None:
    """Lift the suspensions that nobody has confirmed in time; safe to repeat."""
    with reading() as db:
        late = orders.lapsed(db, now)
    for book_id in late:
        try:
            _lapse(book_id, now)
        except Exception as error:
            # What fails is noted and does not keep the others waiting.
            incidents.note(log, f"order about book {book_id}", error)


def _lapse(book_id: int, now: datetime) -> None:
    with unit_of_work() as db:
        book = books.locked(db, book_id)
        late = orders.open_of(db, book.id)
        if late is None or late.lapses_at is None or late.lapses_at > now:
            return
        _lift(db, SYSTEM, book, late, now)
        _answer(db, SYSTEM, book, late, OrderAnswer.LAPSED, now)


def _lift(
    db: Session, actor: Actor, book: MedicalBook, open_order: BookOrder, now: datetime
) -> None:
    """Undo what the order has done already."""
    acts = open_order.kind is OrderKind.SUSPEND
    if acts and book.status is BookStatus.SUSPENDED and book.suspended_by is Role.OPERATOR:
        issuing.put_back(db, actor, book, now=now)


def _open(db: Session, number: str) -> tuple[MedicalBook, BookOrder]:
    book = books.locked(db, books.by_number(db, _number(number)).id)
    found = orders.open_of(db, book.id)
    if found is None:
        raise NothingOrdered
    return book, found


def _answer(
    db: Session,
    actor: Actor,
    book: MedicalBook,
    open_order: BookOrder,
    answer: OrderAnswer,
    now: datetime,
) -> None:
    open_order.answer, open_order.answered_at = answer, now
    open_order.answered_by = actor.user_id if actor is not SYSTEM else None
    db.add(open_order)
    _note(db, actor, book, f"order_{answer}", now, fields=open_order.kind.value)


def _note(
    db: Session, actor: Actor, book: MedicalBook, action: str, now: datetime, *, fields: str
) -> None:
    changes.announce(db, TOPIC, f"book:{book.id}")
    auditing.record(
        db, actor, action, f"book:{book.id}", subject_id=book.holder_id, fields=fields, now=now
    )


def _number(text: str) -> BookNumber:
    try:
        return BookNumber.parse(text)
    except InvalidValue:
        raise NotFound from None


def _desk(db: Session, actor: Actor, book: MedicalBook) -> BookDesk:
    viewer = viewer_of(actor)
    own = vault.vault_for(db, book.holder_id)
    version = books.version(db, book.id, book.current_version)
    content = issuing.content_of(witness_of(book, version, own))
    rows = orders.of_book(db, book.id)
    names = desks.names_of(
        db, [each for row in rows for each in (row.ordered_by, row.answered_by) if each]
    )
    views = [
        OrderView(
            kind=row.kind,
            ground=row.ground,
            note=orders.note_of(row, own),
            by=names.get(row.ordered_by, ""),
            at=row.ordered_at,
            lapses_at=row.lapses_at,
            answer=row.answer,
            answered_by=names.get(row.answered_by or 0, ""),
            answered_at=row.answered_at,
        )
        for row in rows
    ]
    standing = next((row for row in rows if row.answer is None), None)
    return BookDesk(
        id=book.id,
        number=BookNumber.parse(book.number),
        status=book.status,
        holder=name_for(viewer, content.holder) if content else "",
        born_on=content.born_on if content and sees(viewer, HolderField.BIRTH_DATE) else None,
        issued_on=book.issued_on,
        valid_until=book.valid_until,
        version=book.current_version,
        is_genuine=content is not None,
        by_commission=(book.status is BookStatus.SUSPENDED and book.suspended_by is Role.SYSTEM),
        may=() if standing else rules.orderable(book.status, book.suspended_by),
        open=next((view for view in views if view.answer is None), None),
        may_confirm=standing is not None and standing.ordered_by != actor.user_id,
        is_own=standing is not None and standing.ordered_by == actor.user_id,
        history=tuple(view for view in views if view.answer is not None),
    )
