"""Applications that wait for their holder, and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db.tables.applications import Application, StatusChange
from emk_app.domain.applications import ApplicationStatus, ExaminationTrack, Milestone

_TURNS: Final = (ApplicationStatus.CLARIFICATION_REQUESTED.value, Milestone.CORRECTED.value)
"""Events with which the waiting for the holder begins anew."""


def since_of(db: Session, application: Application) -> datetime:
    """Return since when the application waits, for ``domain.applications.kept_until``."""
    return db.exec(select(_SINCE).where(Application.id == application.id)).one()


def waiting(
    db: Session, before: Mapping[ApplicationStatus, datetime], *, after: int, limit: int
) -> Sequence[int]:
    """Return identities above ``after``, rising, of what waits since ``before`` its status says."""
    return db.exec(
        select(Application.id)
        .where(
            col(Application.id) > after,
            sa.or_(
                *(
                    sa.and_(col(Application.status) == status, moment > _SINCE)
                    for status, moment in before.items()
                )
            ),
            sa.or_(
                col(Application.status) == ApplicationStatus.CLARIFICATION_REQUESTED,
                col(Application.examination) == ExaminationTrack.WAITING,
            ),
        )
        .order_by(col(Application.id))
        .limit(limit)
    ).all()


_TURNED: Final = (
    select(sa.func.max(StatusChange.at))
    .where(
        col(StatusChange.application_id) == col(Application.id),
        col(StatusChange.event).in_(_TURNS),
    )
    .correlate(Application)
    .scalar_subquery()
)

_SINCE: Final[Any] = sa.case(
    (col(Application.status) == ApplicationStatus.DRAFT, col(Application.changed_at)),
    else_=sa.func.coalesce(_TURNED, Application.submitted_at),
)
