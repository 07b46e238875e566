"""What the holder's screens show of other aggregates; read only."""

from __future__ import annotations

from sqlmodel import Session, col, select

from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.db.tables.examinations import Examination


def examination_of(db: Session, application_id: int) -> Examination | None:
    """Return the application's examination, once the clinic has opened it."""
    return db.exec(select(Examination).where(Examination.application_id == application_id)).first()


def newest_book(db: Session, holder_id: int) -> MedicalBook | None:
    """Return the holder's newest book."""
    return db.exec(
        select(MedicalBook)
        .where(MedicalBook.holder_id == holder_id)
        .order_by(col(MedicalBook.id).desc())
        .limit(1)
    ).first()


def current_version(db: Session, book: MedicalBook) -> BookVersion | None:
    """Return the version that stands."""
    return db.exec(
        select(BookVersion).where(
            BookVersion.book_id == book.id, BookVersion.version == book.current_version
        )
    ).first()
