"""Orders about books: every SELECT and INSERT; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from emk_app.db.tables.books import BookOrder, MedicalBook
from emk_app.db.vault import Vault
from emk_app.domain.orders import OrderKind

NOTE: Final = ("book_orders", "note")


def open_of(db: Session, book_id: int) -> BookOrder | None:
    """Return the order that nobody has answered."""
    return db.exec(
        select(BookOrder).where(BookOrder.book_id == book_id, col(BookOrder.answer).is_(None))
    ).first()


def of_book(db: Session, book_id: int) -> Sequence[BookOrder]:
    """Return all orders about a book, newest first."""
    return db.exec(
        select(BookOrder).where(BookOrder.book_id == book_id).order_by(col(BookOrder.id).desc())
    ).all()


def waiting(db: Session, limit: int) -> Sequence[tuple[BookOrder, MedicalBook]]:
    """Return the orders nobody has answered with their books, oldest first."""
    return db.exec(
        select(BookOrder, MedicalBook)
        .join(MedicalBook, col(MedicalBook.id) == BookOrder.book_id)
        .where(col(BookOrder.answer).is_(None))
        .order_by(col(BookOrder.id))
        .limit(limit)
    ).all()


def lapsed(db: Session, now: datetime) -> Sequence[int]:
    """Return the books whose open order has not been confirmed in time."""
    return db.exec(
        select(BookOrder.book_id)
        .where(col(BookOrder.answer).is_(None), col(BookOrder.lapses_at) <= now)
        .order_by(col(BookOrder.id))
    ).all()


def add(
    db: Session,
    book: MedicalBook,
    kind: OrderKind,
    ground: str,
    note: str,
    holder: Vault,
    *,
    by: int,
    lapses_at: datetime | None,
    now: datetime,
) -> BookOrder:
    """Note an order."""
    made = BookOrder(
        book_id=book.id,
        kind=kind,
        ground=ground,
        note_sealed=b"",
        ordered_by=by,
        ordered_at=now,
        lapses_at=lapses_at,
    )
    db.add(made)
    db.flush()
    made.note_sealed = holder.seal(note, *NOTE, made.id)
    return made


def note_of(order: BookOrder, holder: Vault) -> str:
    """Return the note."""
    return holder.open(order.note_sealed, *NOTE, order.id)
