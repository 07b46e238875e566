"""Visits to a clinic: who may book one, until when it may be changed, what to bring."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final

from emk_app.domain import refdata
from emk_app.domain.applications import ApplicationStatus, ExaminationTrack
from emk_app.domain.clearance import Fitness
from emk_app.domain.errors import Conflict
from emk_app.domain.examinations import ExaminationKind

CHANGE_NOTICE: Final = timedelta(hours=2)
"""Nothing is booked, moved or cancelled by the holder later than this before the visit."""
REMIND_BEFORE: Final = timedelta(hours=24)
GRACE: Final = timedelta(hours=12)
"""After so long a visit at which nobody was marked as arrived was missed."""
OFFERED: Final = 6
"""The nearest free times that somebody is told who came too late."""


class VisitStatus(StrEnum):
    """What became of a visit."""

    BOOKED = "booked"
    ARRIVED = "arrived"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Fate(StrEnum):
    """What is done with visits that no longer fit the schedule."""

    MOVE = "move"
    CANCEL = "cancel"


class NoVisitNeeded(Conflict):
    """The application has ended, or its examination is over."""


class ClinicNotChosen(Conflict):
    """There is no clinic to go to yet."""


class AlreadyBooked(Conflict):
    """An application has one visit ahead at a time: the present one may be moved."""


class NotBooked(Conflict):
    """The visit is over, or was cancelled already."""


class NotYetMissed(Conflict):
    """The visit has not begun: nobody has missed it."""


class TooLateToChange(Conflict):
    """The visit is too near: only the clinic can still change it."""


class SlotTaken(Conflict):
    """The time is not free, or not offered at all; ``nearest`` are the next free ones."""

    def __init__(self, nearest: Sequence[datetime] = ()) -> None:
        super().__init__(f"not free, {len(nearest)} others")
        self.nearest = tuple(nearest)


class VisitsAffected(Conflict):
    """A change of the schedule meets booked visits, and it was not said what becomes of them.

    ``visits`` are their identities.
    """

    def __init__(self, visits: Collection[int]) -> None:
        super().__init__(f"{len(visits)} visits")
        self.visits = frozenset(visits)


_BOOKABLE: Final = frozenset(
    {
        ApplicationStatus.SUBMITTED,
        ApplicationStatus.RECEIVED,
        ApplicationStatus.UNDER_REVIEW,
        ApplicationStatus.CLARIFICATION_REQUESTED,
    }
)


def may_book(
    status: ApplicationStatus, examination: ExaminationTrack, fitness: Fitness | None
) -> bool:
    """Whether somebody still has to come, be it for further studies or after temporary unfitness.

    ``fitness`` is None until the chair has signed.
    """
    if status not in _BOOKABLE:
        return False
    return examination is not ExaminationTrack.CONCLUDED or fitness is Fitness.TEMPORARILY_UNFIT


def is_bookable(starts_at: datetime, now: datetime) -> bool:
    """Whether a visit is far enough ahead to be booked, moved or cancelled by the holder."""
    return starts_at - now >= CHANGE_NOTICE


def reminder_at(starts_at: datetime, now: datetime) -> datetime | None:
    """Return when to remind of a visit booked ``now``; None where it is booked so lately that the
    booking itself reminds.
    """
    moment = starts_at - REMIND_BEFORE
    return moment if moment > now else None


@dataclass(frozen=True, slots=True)
class Bring:
    """A thing to take along, or to do before; ``why`` may be empty."""

    what: str
    why: str


def to_bring(studies: Collection[str], kind: ExaminationKind, age: int) -> tuple[Bring, ...]:
    """Return what somebody of this ``age`` takes along; ``studies`` are codes of the programme."""
    return tuple(
        Bring(row["what"], row.get("why", ""))
        for row in _TABLE
        if ("studies" not in row or set(row["studies"]) & set(studies))
        and row.get("kind", kind) == kind
        and age < row.get("under", age + 1)
    )


def everything_to_bring(kind: ExaminationKind) -> tuple[Bring, ...]:
    """Return what anybody may have to take along, whatever the studies and the age."""
    return tuple(
        Bring(row["what"], row.get("why", "")) for row in _TABLE if row.get("kind", kind) == kind
    )


_TABLE: Final[list[dict[str, Any]]] = json.loads(
    files(refdata).joinpath("to_bring.json").read_text(encoding="utf-8")
)
