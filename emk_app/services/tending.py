"""Work after a commit as administrators see it: what comes back, what was given up, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import Job
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.errors import NotFound
from emk_app.domain.staff import read_reason
from emk_app.domain.upkeep import JobEnded
from emk_app.domain.values import Problems
from emk_app.services import auditing, jobs

SHOWN: Final = 100
TOPIC: Final = "jobs_tended"


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that was given up; ``incident`` is its number in the log."""

    id: int
    kind: str
    target_id: int
    failure: str
    incident: str
    attempts: int
    created_at: datetime
    failed_at: datetime
    dropped_at: datetime | None
    dropped_why: str


@dataclass(frozen=True, slots=True)
class Kind:
    """How jobs of one kind do."""

    kind: str
    waiting: int
    trying: int
    """Of those, how many have failed so far."""
    failed: int
    done_at: datetime | None
    """When one was done last."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """What the screen shows."""

    failed: tuple[FailedJob, ...]
    """Given up first, then laid aside; newest first."""
    kinds: tuple[Kind, ...]


def overview(actor: Actor, *, now: datetime) -> Jobs:
    """Return the jobs that were given up, and how each kind does."""
    permit(actor, Role.ADMIN)
    auditing.look(actor, "jobs", fields="failed", now=now)
    with reading() as db:
        rows = db.exec(
            select(Job)
            .where(col(Job.failed_at).is_not(None))
            .order_by(col(Job.dropped_at).is_not(None), col(Job.id).desc())
            .limit(SHOWN)
        ).all()
        waits = sa.and_(col(Job.done_at).is_(None), col(Job.failed_at).is_(None))

        def number(which: sa.ColumnElement[bool]) -> sa.Function[int]:
            return sa.func.coalesce(sa.func.sum(sa.case((which, 1), else_=0)), 0)

        kinds = (
            db.connection()
            .execute(
                sa.select(
                    col(Job.kind),
                    number(waits),
                    number(sa.and_(waits, col(Job.failure) != "")),
                    number(sa.and_(col(Job.failed_at).is_not(None), col(Job.dropped_at).is_(None))),
                    sa.func.max(col(Job.done_at)),
                )
                .group_by(col(Job.kind))
                .order_by(col(Job.kind))
            )
            .all()
        )
    return Jobs(
        tuple(
            FailedJob(
                row.id,
                row.kind,
                row.target_id,
                row.failure,
                row.incident,
                row.attempts,
                row.created_at,
                row.failed_at or row.created_at,
                row.dropped_at,
                row.dropped_why,
            )
            for row in rows
        ),
        tuple(Kind(*row) for row in kinds),
    )


def retry(actor: Actor, job_id: int, *, now: datetime) -> None:
    """Do a job again as if it were new; raise ``JobEnded`` where it is not given up."""
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        row = db.exec(select(Job).where(Job.id == job_id).with_for_update()).first()
        if row is None:
            raise NotFound
        if row.failed_at is None:
            raise JobEnded
        row.failed_at, row.dropped_at, row.dropped_why = None, None, ""
        row.attempts, row.due_at, row.leased_until = 0, now, None
        db.add(row)
        auditing.record(db, actor, "retry_job", f"job:{job_id}", fields=row.kind, now=now)
        changes.announce(db, jobs.TOPIC, TOPIC)


def drop(actor: Actor, job_id: int, why: str, *, now: datetime) -> None:
    """Lay a job aside; raise ``Invalid`` with ``why``, ``JobEnded``."""
    permit(actor, Role.ADMIN)
    problems = Problems()
    said = problems.take("why", read_reason, why)
    problems.raise_any()
    with unit_of_work() as db:
        row = db.exec(select(Job).where(Job.id == job_id).with_for_update()).first()
        if row is None:
            raise NotFound
        if row.failed_at is None or row.dropped_at is not None:
            raise JobEnded
        row.dropped_at, row.dropped_why = now, said[:200]
        db.add(row)
        auditing.record(db, actor, "drop_job", f"job:{job_id}", fields=row.kind, now=now)
        changes.announce(db, TOPIC)
