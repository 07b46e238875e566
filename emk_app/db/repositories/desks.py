"""What the desks of operators and clinics list; read only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db import vault
from emk_app.db.tables.applications import Application, CheckResult, StatusChange
from emk_app.db.tables.examinations import Examination
from emk_app.db.tables.people import User
from emk_app.domain.applications import ApplicationStatus, PapersTrack
from emk_app.domain.checks import CheckOutcome
from emk_app.domain.errors import NotFound

_HIDDEN = frozenset({ApplicationStatus.DRAFT, ApplicationStatus.WITHDRAWN})
_ASIDE = frozenset({ApplicationStatus.DRAFT, ApplicationStatus.SUBMITTED})
VISITED = (
    ApplicationStatus.RECEIVED,
    ApplicationStatus.UNDER_REVIEW,
    ApplicationStatus.CLARIFICATION_REQUESTED,
)
"""Where an application is when its holder may come to the clinic."""


def papers_to_check(db: Session, limit: int) -> tuple[Sequence[Application], int]:
    """Return the applications whose papers wait for a decision, oldest first, and their number."""
    conditions = (
        col(Application.status).in_((ApplicationStatus.RECEIVED, ApplicationStatus.UNDER_REVIEW)),
        col(Application.papers).in_((PapersTrack.WAITING, PapersTrack.TAKEN)),
    )
    found = db.exec(
        select(Application)
        .where(*conditions)
        .order_by(col(Application.submitted_at), col(Application.id))
        .limit(limit)
    ).all()
    total = db.exec(select(sa.func.count()).select_from(Application).where(*conditions)).one()
    return found, total


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
