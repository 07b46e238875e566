"""Files of staff and what became of their lines; nothing here commits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select

from emk_app.db import vault
from emk_app.db.tables.employers import StaffEntry, StaffUpload, StaffUploadLine
from emk_app.domain.enlisting import Outcome, Row
from emk_app.domain.errors import NotFound

ROWS: Final = ("staff_uploads", "rows")


def topic_of(organisation_id: int) -> str:
    """Return the topic of an organisation's files."""
    return f"staff_uploads:{organisation_id}"


def seal_rows(ref: str, rows: Iterable[Row]) -> bytes:
    """Seal the lines of a file."""
    said = json.dumps([asdict(row) for row in rows], ensure_ascii=False)
    return vault.service_seal(said, *ROWS, ref)


def open_rows(upload: StaffUpload) -> list[Row]:
    """Return the lines of a file; none once they are forgotten."""
    if upload.rows_sealed is None:
        return []
    said = json.loads(vault.service_open(upload.rows_sealed, *ROWS, upload.ref))
    return [Row(**each) for each in said]


def own(db: Session, organisation_id: int, upload_id: int, *, held: bool = False) -> StaffUpload:
    """Return a file of the organisation, ``held`` until the commit; raise ``NotFound``."""
    query = select(StaffUpload).where(
        StaffUpload.id == upload_id, StaffUpload.organisation_id == organisation_id
    )
    found = db.exec(query.with_for_update() if held else query).first()
    if found is None:
        raise NotFound
    return found


def held(db: Session, upload_id: int) -> StaffUpload | None:
    """Return a file, held until the commit."""
    return db.get(StaffUpload, upload_id, with_for_update=True)


def is_any_open(db: Session, organisation_id: int) -> bool:
    """Whether a file waits for a word or is being worked on."""
    query = select(StaffUpload.id).where(
        StaffUpload.organisation_id == organisation_id, col(StaffUpload.is_open)
    )
    return db.exec(query).first() is not None


def newest(db: Session, organisation_id: int, limit: int) -> Sequence[StaffUpload]:
    """Return the last files, the newest first."""
    return db.exec(
        select(StaffUpload)
        .where(StaffUpload.organisation_id == organisation_id)
        .order_by(col(StaffUpload.id).desc())
        .limit(limit)
    ).all()


def rows_confirmed(db: Session, organisation_id: int, since: datetime) -> int:
    """Return how many lines were given to be looked up since then."""
    total = sa.func.coalesce(sa.func.sum(StaffUpload.rows - StaffUpload.bad), 0)
    return db.exec(
        select(total).where(
            StaffUpload.organisation_id == organisation_id,
            col(StaffUpload.confirmed_at) > since,
        )
    ).one()


def outcomes(db: Session, upload_id: int) -> dict[int, StaffUploadLine]:
    """Return what became of the lines, by line."""
    rows = db.exec(select(StaffUploadLine).where(StaffUploadLine.upload_id == upload_id)).all()
    return {row.line: row for row in rows}


def counts(db: Session, upload_ids: Iterable[int]) -> Mapping[int, Mapping[Outcome, int]]:
    """Return how many lines of each file came to which end."""
    found: dict[int, dict[Outcome, int]] = {each: {} for each in upload_ids}
    columns = (col(StaffUploadLine.upload_id), col(StaffUploadLine.outcome))
    rows = db.connection().execute(
        sa.select(*columns, sa.func.count())
        .where(col(StaffUploadLine.upload_id).in_(found))
        .group_by(*columns)
    )
    for upload_id, outcome, count in rows.all():
        found[upload_id][Outcome(outcome)] = count
    return found


def entries(db: Session, ids: Iterable[int]) -> dict[int, StaffEntry]:
    """Return entries that stand on the list, by identity."""
    rows = db.exec(
        select(StaffEntry).where(
            col(StaffEntry.id).in_(list(ids)), col(StaffEntry.removed_at).is_(None)
        )
    ).all()
    return {row.id: row for row in rows}


def forgotten(db: Session, since: datetime) -> Sequence[StaffUpload]:
    """Return the open files that nobody has touched since then."""
    touched: Any = sa.func.coalesce(StaffUpload.confirmed_at, StaffUpload.created_at)
    return db.exec(
        select(StaffUpload).where(col(StaffUpload.is_open), touched <= since).with_for_update()
    ).all()


def delete_ended(db: Session, before: datetime) -> None:
    """Delete files that ended before then, with what became of their lines."""
    old = select(StaffUpload.id).where(col(StaffUpload.ended_at) <= before)
    db.exec(delete(StaffUploadLine).where(col(StaffUploadLine.upload_id).in_(old)))
    db.exec(delete(StaffUpload).where(col(StaffUpload.ended_at) <= before))
