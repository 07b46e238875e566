"""Work that follows a commit: taken under a lease, repeated until done, never lost (D36)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from emk_app import incidents
from emk_app.db import changes, leases
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.leases import LEASE
from emk_app.db.tables.journal import Job

log = logging.getLogger("emk.jobs")

TRIES: Final = 8
KEPT: Final = timedelta(days=30)
"""How long what is done is remembered, so that the same occasion is not put again."""
LONGEST_PAUSE: Final = timedelta(seconds=2**TRIES)
TOPIC: Final = "jobs"

Work = Callable[[int, datetime], object]
"""Does the job of one target at a moment; safe to repeat."""


def enqueue(db: Session, kind: str, target_id: int, *, occasion: str, now: datetime) -> None:
    """Put a job beside the change that needs it; the same occasion is put once."""
    key = f"{kind}:{target_id}:{occasion}"
    if db.exec(select(Job.id).where(Job.key == key)).first() is None:
        db.add(Job(kind=kind, key=key, target_id=target_id, created_at=now, due_at=now))
        changes.announce(db, TOPIC)


def hold(db: Session, kind: str, target_id: int, *, now: datetime) -> None:
    """Lengthen the lease of a job that is being done and takes long."""
    db.exec(
        sa.update(Job)
        .where(
            col(Job.kind) == kind,
            col(Job.target_id) == target_id,
            col(Job.leased_until).is_not(None),
            col(Job.done_at).is_(None),
        )
        .values(leased_until=now + LEASE)
    )


def plan(kind: str, period: timedelta, *, now: datetime) -> None:
    """Put a job that returns every ``period``; whichever process asks first puts it, once."""
    occasion = str(int(now.timestamp() // period.total_seconds()))
    try:
        with unit_of_work() as db:
            enqueue(db, kind, 0, occasion=occasion, now=now)
    except IntegrityError:
        # Another process was faster.
        return


def sweep(*, now: datetime) -> None:
    """Forget what was done long ago."""
    with unit_of_work() as db:
        db.exec(
            delete(Job).where(
                sa.or_(col(Job.done_at) <= now - KEPT, col(Job.dropped_at) <= now - KEPT)
            )
        )


def run_due(
    works: dict[str, Work], *, now: datetime, stops: Callable[[], bool] = lambda: False
) -> int:
    """Do what is due, one job a transaction of its own; return how many were tried.

    Takes no further job once ``stops`` says so.
    """
    tried = 0
    while not stops() and (job := _take(set(works), now)) is not None:
        if job.attempts > TRIES:
            # No try has come back to say so: it takes the process down each time.
            _give_up(job, now, failure="fatal", incident="")
            continue
        tried += 1
        try:
            works[job.kind](job.target_id, now)
        except Exception as error:
            said = f"job {job.id} of kind {job.kind}, try {job.attempts}"
            incident = incidents.note(log, said, error)
            _put_back(job, now, failure=type(error).__name__[:40], incident=incident)
        else:
            _note(job, done_at=now)
    return tried


def waiting(*, now: datetime) -> int:
    """Return how many jobs are due and not done."""
    with reading() as db:
        return db.exec(select(sa.func.count()).select_from(Job).where(*_due(now))).one()


def _take(kinds: set[str], now: datetime) -> Job | None:
    with unit_of_work() as db:
        job = db.exec(
            select(Job)
            .where(*_due(now), col(Job.kind).in_(kinds))
            .order_by(col(Job.due_at), col(Job.id))
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if job is not None:
            job.leased_until = now + LEASE
            job.attempts += 1
            db.add(job)
        return job


def _due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        col(Job.done_at).is_(None),
        col(Job.failed_at).is_(None),
        # A job waits for minutes at most: what is due later was put off by a clock that was ahead.
        sa.or_(col(Job.due_at) <= now, col(Job.due_at) > now + 2 * LONGEST_PAUSE),
        leases.is_free(col(Job.leased_until), now),
    )


def _put_back(job: Job, now: datetime, *, failure: str, incident: str) -> None:
    """Try again later, each time twice as late; give up after eight tries."""
    if job.attempts >= TRIES:
        _give_up(job, now, failure=failure, incident=incident)
    else:
        due_at = now + timedelta(seconds=2**job.attempts)
        _note(job, leased_until=None, due_at=due_at, failure=failure, incident=incident)


def _give_up(job: Job, now: datetime, *, failure: str, incident: str) -> None:
    """Leave the job for people to look at."""
    _note(job, failed_at=now, failure=failure, incident=incident)


def _note(job: Job, **values: datetime | str | None) -> None:
    with unit_of_work() as db:
        db.exec(sa.update(Job).where(col(Job.id) == job.id).values(**values))
