"""What the desks of operators and clinics list; read only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db import vault
from emk_app.db.tables.applications import Application, CheckResult, Reversal, StatusChange
from emk_app.db.tables.examinations import Examination
from emk_app.db.tables.people import User
from emk_app.domain.applications import ApplicationStatus, PapersTrack
from emk_app.domain.checks import CheckOutcome
from emk_app.domain.errors import NotFound
from emk_app.domain.queue import QueuePart
from emk_app.domain.reversals import REVERSIBLE

_HIDDEN = frozenset({ApplicationStatus.DRAFT, ApplicationStatus.WITHDRAWN})
_ASIDE = frozenset({ApplicationStatus.DRAFT, ApplicationStatus.SUBMITTED})
VISITED = (
    ApplicationStatus.RECEIVED,
    ApplicationStatus.UNDER_REVIEW,
    ApplicationStatus.CLARIFICATION_REQUESTED,
)
"""Where an application is when its holder may come to the clinic."""
_OPEN = (ApplicationStatus.RECEIVED, ApplicationStatus.UNDER_REVIEW)
_UNDECIDED = (PapersTrack.WAITING, PapersTrack.TAKEN)
_OLDEST = (col(Application.submitted_at), col(Application.id))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many applications each part of the operators' queue has."""

    all: int
    free: int
    mine: int
    overdue: int
    asked: int
    reversals: int


def queue_page(
    db: Session,
    part: QueuePart,
    *,
    reviewer_id: int,
    overdue_before: date,
    limit: int,
    offset: int,
) -> Sequence[Application]:
    """Return some lines of a part of the queue, oldest first."""
    found = _in_part(part, reviewer_id, overdue_before)
    return _oldest_first(db, found, limit, offset)


def numbered(db: Session, text: str, limit: int) -> Sequence[Application]:
    """Return what an operator may see whose number (the slug form) has ``text`` in it."""
    shown = col(Application.status).not_in(_HIDDEN | {ApplicationStatus.SUBMITTED})
    return _oldest_first(
        db, (shown, col(Application.tracking_number).contains(text, autoescape=True)), limit, 0
    )


def queue_counts(db: Session, *, reviewer_id: int, overdue_before: date) -> Counts:
    """Count every part of the queue, each in its own stretch of the index."""
    counts = [
        sa.select(sa.func.count())
        .select_from(Application)
        .where(*_in_part(part, reviewer_id, overdue_before))
        .scalar_subquery()
        for part in QueuePart
    ]
    numbers = db.execute(sa.select(*counts)).one()
    return Counts(**{part.value: n for part, n in zip(QueuePart, numbers, strict=True)})


def oldest_free(db: Session) -> Application | None:
    """Return the oldest application nobody has taken, held until the commit.

    One that a colleague is just taking is passed over.
    """
    return db.exec(
        select(Application)
        .where(*_in_part(QueuePart.FREE, 0, date.min))
        .order_by(*_OLDEST)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()


def oldest_of(db: Session, reviewer_id: int) -> Application | None:
    """Return the oldest application this operator has taken."""
    return db.exec(
        select(Application)
        .where(*_in_part(QueuePart.MINE, reviewer_id, date.min))
        .order_by(*_OLDEST)
        .limit(1)
    ).first()


def reviewable(db: Session, tracking_number: str) -> Application:
    """Return the application an operator may see (D21); raise ``NotFound``."""
    found = db.exec(
        select(Application).where(
            Application.tracking_number == tracking_number,
            col(Application.status).not_in(_HIDDEN),
        )
    ).first()
    if found is None:
        raise NotFound
    return found


def visiting(db: Session, clinic_id: int, limit: int) -> tuple[Sequence[Application], int]:
    """Return the applications that chose the clinic and may be examined, oldest first."""
    conditions = (
        col(Application.clinic_id) == clinic_id,
        col(Application.status).in_(VISITED),
    )
    found = db.exec(
        select(Application)
        .where(*conditions)
        .order_by(col(Application.submitted_at), col(Application.id))
        .limit(limit)
    ).all()
    total = db.exec(select(sa.func.count()).select_from(Application).where(*conditions)).one()
    return found, total


def at_clinic(db: Session, clinic_id: int, tracking_number: str) -> Application:
    """Return the clinic's own application: one to be examined, or one it has examined (D21).

    Raises ``NotFound`` for any other.
    """
    found = db.exec(
        select(Application)
        .outerjoin(Examination, col(Examination.application_id) == Application.id)
        .where(
            Application.tracking_number == tracking_number,
            col(Application.status).not_in(_ASIDE),
            sa.or_(
                sa.and_(
                    col(Application.clinic_id) == clinic_id,
                    col(Application.status).in_(VISITED),
                ),
                col(Examination.clinic_id) == clinic_id,
            ),
        )
    ).first()
    if found is None:
        raise NotFound
    return found


def examinations_of(db: Session, application_ids: Collection[int]) -> dict[int, Examination]:
    """Return the examinations that were opened, by application."""
    found = db.exec(
        select(Examination).where(col(Examination.application_id).in_(application_ids))
    ).all()
    return {each.application_id: each for each in found}


def outcomes_of(
    db: Session, application_ids: Collection[int]
) -> dict[int, list[tuple[str, CheckOutcome]]]:
    """Return which checks found what, by application."""
    found = db.exec(
        select(CheckResult.application_id, CheckResult.code, CheckResult.outcome)
        .where(col(CheckResult.application_id).in_(application_ids))
        .order_by(col(CheckResult.id))
    ).all()
    outcomes: defaultdict[int, list[tuple[str, CheckOutcome]]] = defaultdict(list)
    for application_id, code, outcome in found:
        outcomes[application_id].append((code, CheckOutcome(outcome)))
    return dict(outcomes)


def events_of(
    db: Session, application_ids: Collection[int], events: Collection[str]
) -> dict[int, list[tuple[str, datetime]]]:
    """Return when those events happened, by application, oldest first."""
    found = db.exec(
        select(StatusChange.application_id, StatusChange.event, StatusChange.at)
        .where(
            col(StatusChange.application_id).in_(application_ids),
            col(StatusChange.event).in_(events),
        )
        .order_by(col(StatusChange.id))
    ).all()
    happened: defaultdict[int, list[tuple[str, datetime]]] = defaultdict(list)
    for application_id, event, at in found:
        happened[application_id].append((event, at))
    return dict(happened)


def taken_before(db: Session, moment: datetime) -> Sequence[int]:
    """Return the applications an operator has taken and nobody has touched since ``moment``."""
    return db.exec(
        select(Application.id)
        .where(
            col(Application.papers) == PapersTrack.TAKEN,
            col(Application.status) == ApplicationStatus.UNDER_REVIEW,
            col(Application.changed_at) <= moment,
        )
        .order_by(col(Application.id))
    ).all()


def names_of(db: Session, user_ids: Collection[int | None]) -> dict[int, str]:
    """Return the names of staff; who has not given one is left out."""
    known = {user_id for user_id in user_ids if user_id is not None}
    if not known:
        return {}
    people = db.exec(select(User).where(col(User.id).in_(known))).all()
    return {
        person.id: vault.vault_of(person).open(person.name_sealed, "users", "name", person.uid)
        for person in people
        if person.name_sealed is not None
    }


def _in_part(
    part: QueuePart, reviewer_id: int, overdue_before: date
) -> tuple[sa.ColumnElement[bool], ...]:
    status, papers = col(Application.status), col(Application.papers)
    match part:
        case QueuePart.ALL:
            return status.in_(_OPEN), papers.in_(_UNDECIDED)
        case QueuePart.FREE:
            return status.in_(_OPEN), papers == PapersTrack.WAITING
        case QueuePart.MINE:
            mine = col(Application.reviewer_id) == reviewer_id
            return status.in_(_OPEN), papers == PapersTrack.TAKEN, mine
        case QueuePart.OVERDUE:
            over = col(Application.due_on) < overdue_before
            return status.in_(_OPEN), papers.in_(_UNDECIDED), over
        case QueuePart.ASKED:
            asked = ApplicationStatus.CLARIFICATION_REQUESTED
            return status == asked, papers == PapersTrack.RETURNED
        case QueuePart.REVERSALS:
            wished = sa.select(col(Reversal.application_id)).where(col(Reversal.answer).is_(None))
            reversible = sa.or_(*(sa.and_(status == s, papers == p) for s, p in sorted(REVERSIBLE)))
            return col(Application.id).in_(wished), reversible


def _oldest_first(
    db: Session, conditions: tuple[sa.ColumnElement[bool], ...], limit: int, offset: int
) -> Sequence[Application]:
    """Order by the index alone, then read the rows of the page."""
    found = sa.select(col(Application.id)).where(*conditions).order_by(*_OLDEST)
    page = found.limit(limit).offset(offset)
    return db.exec(
        select(Application).where(col(Application.id).in_(page)).order_by(*_OLDEST)
    ).all()
