"""Papers of examinations: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from emk_app.db.tables.examinations import Attachment
from emk_app.domain.errors import NotFound


def of_examination(db: Session, examination_id: int) -> Sequence[Attachment]:
    """Return the papers that were not removed, oldest first."""
    return db.exec(
        select(Attachment)
        .where(
            Attachment.examination_id == examination_id,
            col(Attachment.removed_at).is_(None),
        )
        .order_by(col(Attachment.id))
    ).all()


def by_ref(db: Session, ref: str) -> Attachment:
    """Return a paper that was not removed by its public name; raise ``NotFound``."""
    found = db.exec(
        select(Attachment).where(Attachment.ref == ref, col(Attachment.removed_at).is_(None))
    ).first()
    if found is None:
        raise NotFound
    return found


def blobs_in_use(db: Session) -> frozenset[str]:
    """Return the names of all files that a standing paper needs."""
    rows = db.exec(
        select(Attachment.blob, Attachment.preview_blob).where(col(Attachment.removed_at).is_(None))
    ).all()
    return frozenset(name for pair in rows for name in pair)
