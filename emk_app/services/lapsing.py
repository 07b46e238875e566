"""What waits for its holder too long: reminded of in time, and ended (design.md section 3)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlmodel import Session

from emk_app import clock, incidents
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, lapsing
from emk_app.db.tables.applications import Application
from emk_app.db.tables.people import User
from emk_app.domain.actors import SYSTEM
from emk_app.domain.applications import (
    KEEPING,
    ApplicationStatus,
    ExaminationTrack,
    advance,
    is_lapsed,
    is_reminder_due,
    kept_until,
)
from emk_app.domain.notices import News, Notice
from emk_app.services import auditing, esigning, notifying, scans

log = logging.getLogger("emk.lapsing")

JOB: Final = "lapse"
BATCH: Final = 200

_Act = Callable[[int, datetime], bool]


def run(_target_id: int, now: datetime) -> None:
    """Remind of all that waits, and end what has waited too long; safe to repeat."""
    remind(now=now)
    expire(now=now)


def remind(*, now: datetime) -> int:
    """Tell the holders whose applications end soon, each reminder once; return how many."""
    return sum(_attempt(_remind, "reminder", each, now) for each in _candidates(now))


def expire(*, now: datetime) -> int:
    """End what its holder has left; return how many."""
    return sum(_attempt(_expire, "end", each, now) for each in _candidates(now))


def last_day(db: Session, application: Application) -> date | None:
    """Return the last day on which the holder may still act, or None where nothing ends."""
    if application.status not in KEEPING:
        return None
    since = clock.day_of(lapsing.since_of(db, application))
    return kept_until(
        application.status, since, application.reminded_on, visited=_is_visited(application)
    )


def _candidates(now: datetime) -> Iterator[int]:
    """Yield what may be due for a reminder or its end, a batch at a time."""
    before = {
        status: _start_of(clock.day_of(now) - timedelta(days=each.days - max(each.reminders) - 1))
        for status, each in KEEPING.items()
    }
    newest = 0
    while True:
        with reading() as db:
            batch = lapsing.waiting(db, before, after=newest, limit=BATCH)
        yield from batch
        if len(batch) < BATCH:
            return
        newest = batch[-1]


def _attempt(act: _Act, what: str, application_id: int, now: datetime) -> bool:
    """Do it to one application; what fails is noted and does not keep the others waiting."""
    try:
        return act(application_id, now)
    except Exception as error:
        incidents.note(log, f"{what} of application {application_id}", error)
        return False


def _remind(application_id: int, now: datetime) -> bool:
    today = clock.day_of(now)
    with unit_of_work() as db:
        application = applications.locked(db, application_id)
        since = clock.day_of(lapsing.since_of(db, application))
        if not is_reminder_due(
            application.status,
            since,
            today,
            application.reminded_on,
            visited=_is_visited(application),
        ):
            return False
        application.reminded_on = today
        db.add(application)
        db.flush()
        until = last_day(db, application)
        assert until is not None
        changes.announce(db, f"application:{application.id}", f"holder:{application.holder_id}")
        notifying.tell(
            db,
            _holder(db, application),
            Notice(_REMINDERS[application.status], number=application.tracking_number, on=until),
            dedupe=f"remind:{application.id}:{today}",
            now=now,
        )
    return True


def _expire(application_id: int, now: datetime) -> bool:
    gone: tuple[str, ...] = ()
    with unit_of_work() as db:
        application = applications.locked(db, application_id)
        since = clock.day_of(lapsing.since_of(db, application))
        if not is_lapsed(
            application.status,
            since,
            clock.day_of(now),
            application.reminded_on,
            visited=_is_visited(application),
        ):
            return False
        left = application.status
        status = advance(left, ApplicationStatus.EXPIRED, SYSTEM.role)
        if left is ApplicationStatus.DRAFT:
            gone = scans.remove_all(db, application, now)
            esigning.forget(db, application)
            applications.move(
                db,
                application,
                now=now,
                status=status,
                decided_at=now,
                form_sealed=None,
                clinic_id=None,
                consent_version=None,
                consented_at=None,
            )
        else:
            applications.move(db, application, now=now, status=status, decided_at=now)
        applications.write_history(
            db, application, status.value, by=SYSTEM.role, user_id=None, now=now
        )
        # The chain of the audit grows under a lock, so every other row is locked before.
        auditing.record(
            db,
            SYSTEM,
            "expire",
            f"application:{application.id}",
            subject_id=application.holder_id,
            now=now,
        )
        notifying.tell(
            db,
            _holder(db, application),
            Notice(_ENDS[left], number=application.tracking_number),
            dedupe=f"expired:{application.id}",
            now=now,
        )
    scans.forget(gone)
    return True


def _is_visited(application: Application) -> bool:
    return application.examination is not ExaminationTrack.WAITING


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, clock.MOSCOW)


def _holder(db: Session, application: Application) -> User:
    holder = db.get(User, application.holder_id)
    assert holder is not None
    return holder


_REMINDERS: Final = {
    ApplicationStatus.DRAFT: News.DRAFT_ENDS,
    ApplicationStatus.RECEIVED: News.VISIT_DUE,
    ApplicationStatus.UNDER_REVIEW: News.VISIT_DUE,
    ApplicationStatus.CLARIFICATION_REQUESTED: News.ANSWER_DUE,
}
_ENDS: Final = {
    ApplicationStatus.DRAFT: News.DRAFT_EXPIRED,
    ApplicationStatus.RECEIVED: News.VISIT_MISSED,
    ApplicationStatus.UNDER_REVIEW: News.VISIT_MISSED,
    ApplicationStatus.CLARIFICATION_REQUESTED: News.ANSWER_MISSED,
}
