"""The report on an organisation's staff: counts alone, by occupation group and department."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.repositories import staff_reports as cells_of
from emk_app.domain import staff_reports as rules
from emk_app.domain.actors import Actor, Post, permit_post
from emk_app.domain.staff_reports import Tally
from emk_app.services import gap_counting
from emk_app.services.gap_counting import GapReport


@dataclass(frozen=True, slots=True)
class Report:
    """What the staff is like at one moment; ``None`` stands for every department or group."""

    counted_at: datetime
    total: Tally
    groups: dict[str, Tally]
    departments: dict[str, Tally]
    months: tuple[date, ...]
    """First days of the months that ``due`` tells of."""
    due: tuple[int, ...]
    waiting: int
    """How many books have changed and are to be looked at again."""
    gaps: GapReport | None
    """Vaccinations of the whole staff, whatever is chosen; None where nothing may be told."""
    every_group: tuple[str, ...]
    every_department: tuple[str, ...]


def report(
    actor: Actor, department: str | None = None, group: str | None = None, *, now: datetime
) -> Report:
    """Return the report, on one department or group where they are given.

    Made of what the rows keep: the terms are judged by today, the books are not looked at.
    """
    organisation_id = permit_post(actor, *Post)
    today = clock.day_of(now)
    starts = rules.month_starts(today)
    with reading() as db:
        every = cells_of.cells(db, organisation_id, now, today, starts)
        gaps = gap_counting.newest(db, organisation_id)
    chosen = [
        cell
        for cell in every
        if department in (None, cell.department) and group in (None, cell.group)
    ]
    total = Tally()
    for cell in chosen:
        total.add(cell)
    return Report(
        counted_at=now,
        total=total,
        groups=rules.tallied(chosen, lambda cell: cell.group),
        departments=rules.tallied(chosen, lambda cell: cell.department),
        months=starts[:-1],
        due=tuple(rules.due_by_month(chosen)),
        waiting=sum(cell.stale for cell in chosen),
        gaps=gaps,
        every_group=tuple(sorted({cell.group for cell in every if cell.group})),
        every_department=tuple(sorted({cell.department for cell in every if cell.department})),
    )
