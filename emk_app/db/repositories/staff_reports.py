"""The staff counted in one query, from facts that stand in the rows; nothing is opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db.repositories.employers import light, listed
from emk_app.db.tables.employers import StaffEntry, StaffGaps
from emk_app.domain.employing import AccessState, Light
from emk_app.domain.occupations import OCCUPATIONS
from emk_app.domain.staff_reports import Cell


def cells(
    db: Session, organisation_id: int, now: datetime, today: date, starts: Sequence[date]
) -> list[Cell]:
    """Return the list in cells; ``starts`` as ``month_starts`` gives them."""
    entry = StaffEntry
    shown = light(now, today).label("light")
    due = sa.case(
        (col(entry.ends_on) < today, None),
        *((col(entry.ends_on) < after, month) for month, after in enumerate(starts[1:])),
        else_=None,
    ).label("due")
    apart = (col(entry.department), col(entry.occupation), col(entry.occupation_group), shown, due)
    stale = sa.func.sum(sa.case((col(entry.is_stale), 1), else_=0))
    found = db.connection().execute(
        sa.select(*apart, stale, sa.func.count()).where(*listed(organisation_id)).group_by(*apart)
    )
    # Of a leave that is over nothing is told that was seen by it.
    grey = Light.GREY.value
    return [
        Cell(
            department=department,
            # What the person does at this work place comes before what the book was made for.
            group=OCCUPATIONS[said].group if said in OCCUPATIONS else seen if lit != grey else "",
            light=Light(lit),
            due=month,
            stale=waiting,
            people=people,
        )
        for department, said, seen, lit, month, waiting, people in found.all()
    ]


def to_count(db: Session, first: date) -> list[int]:
    """Return the organisations of which vaccinations were not counted since the day ``first``."""
    agree = sa.select(col(StaffEntry.organisation_id)).where(col(StaffEntry.is_counted))
    known = sa.select(col(StaffGaps.organisation_id))
    done = known.where(col(StaffGaps.counted_on) >= first)
    every = sa.union(agree, known).subquery()
    found = db.connection().execute(
        sa.select(every.c.organisation_id)
        .where(every.c.organisation_id.not_in(done))
        .order_by(every.c.organisation_id)
    )
    return list(found.scalars())


def agreed(
    db: Session, organisation_id: int, now: datetime, after: int, limit: int
) -> Sequence[StaffEntry]:
    """Return who is on the list and has agreed to be counted, in the order of identities."""
    return db.exec(
        select(StaffEntry)
        .where(
            *listed(organisation_id),
            StaffEntry.state == AccessState.GRANTED,
            sa.or_(col(StaffEntry.until).is_(None), col(StaffEntry.until) > now),
            col(StaffEntry.is_counted),
            col(StaffEntry.holder_id).is_not(None),
            col(StaffEntry.id) > after,
        )
        .order_by(col(StaffEntry.id))
        .limit(limit)
    ).all()
