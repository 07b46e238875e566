"""What has been kept long enough goes, class by class (D54)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col

from emk_app import incidents
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, consents, erasures
from emk_app.db.tables.applications import Application, Scan
from emk_app.db.tables.books import Look
from emk_app.db.tables.consents import Consent
from emk_app.db.tables.disclosures import Handover, RecordGrant
from emk_app.db.tables.journal import OutboxMessage
from emk_app.db.tables.notices import StoredNotice
from emk_app.db.tables.people import RecoveryCode, UserSession
from emk_app.db.tables.rights import DataExport, Erasure
from emk_app.db.tables.support import Ticket
from emk_app.domain.actors import SYSTEM, Actor, Role, permit
from emk_app.domain.applications import ApplicationStatus, ExaminationTrack
from emk_app.domain.retention import TABLE, DataClass
from emk_app.services import auditing, esigning, scans

log = logging.getLogger("emk.retaining")

JOB: Final = "retain"
BATCH: Final = 200

_Which = Callable[[datetime], sa.ColumnElement[bool]]
_ENDED: Final = (
    ApplicationStatus.WITHDRAWN,
    ApplicationStatus.EXPIRED,
    ApplicationStatus.REJECTED,
)


def run(_target_id: int, now: datetime) -> None:
    """Do what is due, a batch a transaction; what fails does not keep the other classes waiting."""
    for each in DataClass:
        try:
            done = _run_class(each, now)
        except Exception as error:
            incidents.note(log, f"retention of {each}", error)
            continue
        if done:
            with unit_of_work() as db:
                auditing.record(db, SYSTEM, "retain", each.value, fields=str(done), now=now)


def due(actor: Actor, *, now: datetime) -> dict[DataClass, int]:
    """Return how many rows of each class would go now; nothing is changed."""
    permit(actor, Role.SYSTEM)
    with reading() as db:
        return {
            each: db.connection()
            .execute(sa.select(sa.func.count()).select_from(_TABLES[each]).where(_which(each, now)))
            .scalar_one()
            for each in DataClass
        }


def _run_class(each: DataClass, now: datetime) -> int:
    done = 0
    while True:
        with unit_of_work() as db:
            table = _TABLES[each]
            ids = (
                db.connection()
                .execute(
                    sa.select(table.c.id)
                    .where(_which(each, now))
                    .order_by(table.c.id)
                    .limit(BATCH)
                    .with_for_update()
                )
                .scalars()
                .all()
            )
            files = _ACTS.get(each, _delete)(db, table, ids, now)
        scans.forget(files)
        done += len(ids)
        if len(ids) < BATCH:
            return done


def _which(each: DataClass, now: datetime) -> sa.ColumnElement[bool]:
    return _CONDITIONS[each](now - TABLE[each].term)


def _delete(db: Session, table: sa.Table, ids: Sequence[int], _now: datetime) -> list[str]:
    gone = erasures.Gone()
    if ids:
        erasures.purge(db, table, table.c.id.in_(ids), gone)
    return gone.blobs


def _empty_forms(db: Session, _table: sa.Table, ids: Sequence[int], now: datetime) -> list[str]:
    """Take the words away as a consent that is taken back does (docs/decisions/0013)."""
    files: list[str] = []
    for application_id in ids:
        application = applications.locked(db, application_id)
        files += scans.remove_all(db, application, now)
        consents.erase_words(db, application.id)
        esigning.forget(db, application)
        applications.move(
            db, application, now=now, form_sealed=None, note_sealed=None, clarify_fields=None
        )
    return files


def _remove_scans(db: Session, table: sa.Table, ids: Sequence[int], now: datetime) -> list[str]:
    rows = db.connection().execute(
        sa.select(table.c.blob, table.c.preview_blob).where(table.c.id.in_(ids))
    )
    files = [name for row in rows for name in row]
    db.connection().execute(sa.update(table).where(table.c.id.in_(ids)).values(removed_at=now))
    return files


def _empty_acts(db: Session, table: sa.Table, ids: Sequence[int], _now: datetime) -> list[str]:
    db.connection().execute(sa.update(table).where(table.c.id.in_(ids)).values(act=None))
    return []


_ACTS: Final = {
    DataClass.FORMS: _empty_forms,
    DataClass.SCANS: _remove_scans,
    DataClass.ACTS: _empty_acts,
}
"""What is done to a class, where it is not just deleted."""

_NAMES: Final = {
    DataClass.SESSIONS: "sessions",
    DataClass.RECOVERY_CODES: "recovery_codes",
    DataClass.NOTICES: "notices",
    DataClass.LETTERS: "outbox",
    DataClass.LOOKS: "looks",
    DataClass.FORMS: "applications",
    DataClass.SCANS: "scans",
    DataClass.GRANTS: "record_grants",
    DataClass.HANDOVERS: "handovers",
    DataClass.CONSENTS: "consents",
    DataClass.COPIES: "data_exports",
    DataClass.ACTS: "erasures",
    DataClass.TICKETS: "support_tickets",
}
_TABLES: Final = {each: SQLModel.metadata.tables[name] for each, name in _NAMES.items()}


def _first(*columns: Any) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(*columns)


_CONDITIONS: Final[dict[DataClass, _Which]] = {
    DataClass.SESSIONS: lambda before: (
        _first(col(UserSession.revoked_at), col(UserSession.expires_at)) < before
    ),
    DataClass.RECOVERY_CODES: lambda before: col(RecoveryCode.used_at) < before,
    DataClass.NOTICES: lambda before: col(StoredNotice.created_at) < before,
    DataClass.LETTERS: lambda before: (
        _first(
            col(OutboxMessage.sent_at), col(OutboxMessage.dropped_at), col(OutboxMessage.dead_at)
        )
        < before
    ),
    DataClass.LOOKS: lambda before: col(Look.at) < before,
    DataClass.FORMS: lambda before: sa.and_(
        col(Application.decided_at) < before,
        col(Application.status).in_(_ENDED),
        col(Application.examination) == ExaminationTrack.WAITING,
        col(Application.form_sealed).is_not(None),
    ),
    DataClass.SCANS: lambda before: sa.and_(
        col(Scan.removed_at).is_(None),
        col(Scan.application_id).in_(
            sa.select(col(Application.id)).where(col(Application.decided_at) < before)
        ),
    ),
    DataClass.GRANTS: lambda before: (
        _first(
            col(RecordGrant.ended_at),
            col(RecordGrant.expires_at),
            col(RecordGrant.code_expires_at),
        )
        < before
    ),
    DataClass.HANDOVERS: lambda before: (
        _first(col(Handover.fetched_at), col(Handover.revoked_at), col(Handover.expires_at))
        < before
    ),
    DataClass.CONSENTS: lambda before: col(Consent.withdrawn_at) < before,
    DataClass.COPIES: lambda before: col(DataExport.ended_at) < before,
    DataClass.ACTS: lambda before: sa.and_(
        col(Erasure.done_at) < before, col(Erasure.act).is_not(None)
    ),
    DataClass.TICKETS: lambda before: col(Ticket.closed_at) < before,
}
"""What has been kept long enough, by the moment before which its term began."""
