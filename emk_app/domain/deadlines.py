"""What the service promises: working days to a decision, which stand still while the holder is
asked (design.md section 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from emk_app.domain.applications import ApplicationStatus, Milestone
from emk_app.domain.calendars import (
    add_working_days,
    last_working_day,
    working_days_between,
)

SHORTEST_DAYS: Final = 3
LONGEST_DAYS: Final = 7
"""The promise: 3-7 working days in all."""
PAPERS_DAYS: Final = 2
"""Of these, an operator has one or two for the papers."""
CONCLUSION_DAYS: Final = 3
"""And the clinic one to three for the conclusion, once the examination is over."""
LATE_DAYS: Final = 10
"""More than this many, and the holder is offered support, the operator's queue turns red."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Days on which the holder was asked and, unless the question still stands, answered."""

    asked_on: date
    answered_on: date | None


HALTS: Final = {
    ApplicationStatus.CLARIFICATION_REQUESTED.value: Milestone.CORRECTED.value,
    Milestone.FURTHER_ORDERED.value: Milestone.FURTHER_DONE.value,
}
"""What stops the clock, and what sets it going again."""
EVENTS: Final = frozenset({*HALTS, *HALTS.values()})


def waits_of(events: Iterable[tuple[str, date]]) -> Iterator[Wait]:
    """Yield the waits of a history, oldest first; two at once are one wait."""
    awaited: set[str] = set()
    since: date | None = None
    for event, day in events:
        if event in HALTS:
            since = since or day
            awaited.add(HALTS[event])
        elif event in awaited:
            awaited.remove(event)
            if since is not None and not awaited:
                yield Wait(since, day)
                since = None
    if since is not None:
        yield Wait(since, None)


def waited(waits: Iterable[Wait], today: date) -> int:
    """Return how many working days went by while the holder was asked."""
    return sum(working_days_between(wait.asked_on, wait.answered_on or today) for wait in waits)


def spent(submitted_on: date, waits: Iterable[Wait], today: date) -> int:
    """Return how many working days the service has had the application in its hands."""
    return max(working_days_between(submitted_on, today) - waited(waits, today), 0)


def promised_by(submitted_on: date, waits: Iterable[Wait], today: date) -> date:
    """Return the last day of the promise."""
    return add_working_days(submitted_on, LONGEST_DAYS + waited(waits, today))


def remaining(submitted_on: date, waits: Iterable[Wait], today: date) -> int:
    """Return how many working days of the promise are left; below zero once it is broken."""
    return LONGEST_DAYS - spent(submitted_on, waits, today)


def papers_due_on(submitted_on: date, waits: Iterable[Wait], today: date) -> date:
    """Return the last day for the papers; later by as long as the holder was asked."""
    return add_working_days(submitted_on, PAPERS_DAYS + waited(waits, today))


def is_overdue(due_on: date, today: date) -> bool:
    """Whether a working day has passed since the last one for the papers."""
    return due_on < overdue_before(today)


def overdue_before(today: date) -> date:
    """Return the day before which terms must have ended to be overdue: days off don't count."""
    return last_working_day(today)


def days_left(due_on: date, today: date) -> int:
    """Return the working days left after today; negative once they are over."""
    if today <= due_on:
        return working_days_between(today, due_on)
    return -working_days_between(due_on, today)


def is_late_by(due_on: date, today: date) -> bool:
    """Whether papers due on that day make the application late, as ``is_late`` says."""
    return -days_left(due_on, today) > LATE_DAYS - PAPERS_DAYS


def is_late(submitted_on: date, waits: Iterable[Wait], today: date) -> bool:
    """Whether the application is in our hands for more than the ten days of the guide."""
    return spent(submitted_on, tuple(waits), today) > LATE_DAYS
