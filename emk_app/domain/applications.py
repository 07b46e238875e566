"""The application's road: statuses, tracks, who moves it, and what makes it complete."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from stdnum import damm

from emk_app.domain.actors import Role
from emk_app.domain.clearance import Fitness, admits
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import (
    ChangedMeanwhile,
    Conflict,
    InvalidValue,
    NotPermitted,
    TransitionNotAllowed,
)
from emk_app.domain.steps import Step, take_step
from emk_app.domain.values import DASHES, one_line

DRAFT_DAYS: Final = 30
VISIT_DAYS: Final = 60
ANSWER_DAYS: Final = 60
NOTICE_DAYS: Final = 3
"""Nothing ends sooner than this after a reminder, whatever the clock or the server has missed."""


class ApplicationStatus(StrEnum):
    """Where an application is; the holder sees the guide's words for them."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RECEIVED = "received"
    UNDER_REVIEW = "under_review"
    CLARIFICATION_REQUESTED = "clarification_requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class PapersTrack(StrEnum):
    """Where the papers are: in the queue, with an operator, with the holder again, decided."""

    WAITING = "waiting"
    TAKEN = "taken"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"


class ExaminationTrack(StrEnum):
    """Where the examination is: awaited, opened by the clinic, concluded and signed."""

    WAITING = "waiting"
    OPEN = "open"
    CONCLUDED = "concluded"


class Milestone(StrEnum):
    """What happens on one of the tracks; the history tells it beside the changes of status."""

    CORRECTED = "corrected"
    CLINIC_CHANGED = "clinic_changed"
    PAPERS_TAKEN = "papers_taken"
    PAPERS_RELEASED = "papers_released"
    PAPERS_APPROVED = "papers_approved"
    DECISION_UNDONE = "decision_undone"
    EXAMINATION_OPENED = "examination_opened"
    EXAMINATION_CONCLUDED = "examination_concluded"
    EXAMINATION_REOPENED = "examination_reopened"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    FURTHER_ORDERED = "further_ordered"
    FURTHER_DONE = "further_done"
    CONCLUSION_WITHDRAWN = "conclusion_withdrawn"
    APPEAL_FILED = "appeal_filed"
    APPEAL_TAKEN = "appeal_taken"
    APPEAL_DECIDED = "appeal_decided"
    VISIT_BOOKED = "visit_booked"
    VISIT_MOVED = "visit_moved"
    VISIT_CANCELLED = "visit_cancelled"
    VISIT_BEGUN = "visit_begun"
    VISIT_MISSED = "visit_missed"


class PapersTaken(ChangedMeanwhile):
    """Another operator has the papers."""


class CaseAlreadyOpen(Conflict):
    """The clinic has opened the case: no more withdrawal or change of clinic."""


_A = ApplicationStatus
_P = PapersTrack
_E = ExaminationTrack

STEPS: Final[frozenset[Step[ApplicationStatus]]] = frozenset(
    {
        Step(_A.DRAFT, _A.SUBMITTED, Role.HOLDER),
        Step(_A.DRAFT, _A.WITHDRAWN, Role.HOLDER),
        Step(_A.DRAFT, _A.EXPIRED, Role.SYSTEM),
        Step(_A.SUBMITTED, _A.RECEIVED, Role.SYSTEM),
        Step(_A.SUBMITTED, _A.REJECTED, Role.SYSTEM),
        Step(_A.SUBMITTED, _A.WITHDRAWN, Role.HOLDER),
        Step(_A.RECEIVED, _A.UNDER_REVIEW, Role.OPERATOR),
        Step(_A.RECEIVED, _A.UNDER_REVIEW, Role.CLINIC),
        Step(_A.RECEIVED, _A.WITHDRAWN, Role.HOLDER),
        Step(_A.RECEIVED, _A.EXPIRED, Role.SYSTEM),
        Step(_A.UNDER_REVIEW, _A.CLARIFICATION_REQUESTED, Role.OPERATOR),
        Step(_A.UNDER_REVIEW, _A.REJECTED, Role.OPERATOR),
        Step(_A.UNDER_REVIEW, _A.REJECTED, Role.SYSTEM),
        Step(_A.UNDER_REVIEW, _A.APPROVED, Role.SYSTEM),
        Step(_A.UNDER_REVIEW, _A.WITHDRAWN, Role.HOLDER),
        Step(_A.UNDER_REVIEW, _A.EXPIRED, Role.SYSTEM),
        Step(_A.CLARIFICATION_REQUESTED, _A.UNDER_REVIEW, Role.HOLDER),
        Step(_A.CLARIFICATION_REQUESTED, _A.WITHDRAWN, Role.HOLDER),
        Step(_A.CLARIFICATION_REQUESTED, _A.REJECTED, Role.SYSTEM),  # found unfit meanwhile
        Step(_A.CLARIFICATION_REQUESTED, _A.EXPIRED, Role.SYSTEM),
    }
)

PAPERS_STEPS: Final[frozenset[Step[PapersTrack]]] = frozenset(
    {
        Step(_P.WAITING, _P.TAKEN, Role.OPERATOR),
        Step(_P.TAKEN, _P.WAITING, Role.OPERATOR),  # released
        Step(_P.TAKEN, _P.WAITING, Role.SYSTEM),  # forgotten
        Step(_P.TAKEN, _P.RETURNED, Role.OPERATOR),
        Step(_P.RETURNED, _P.WAITING, Role.HOLDER),
        Step(_P.TAKEN, _P.APPROVED, Role.OPERATOR),
        Step(_P.TAKEN, _P.REJECTED, Role.OPERATOR),
    }
)

EXAMINATION_STEPS: Final[frozenset[Step[ExaminationTrack]]] = frozenset(
    {
        Step(_E.WAITING, _E.OPEN, Role.CLINIC),
        Step(_E.OPEN, _E.CONCLUDED, Role.CLINIC),
    }
)

FINAL: Final = frozenset({_A.APPROVED, _A.REJECTED, _A.WITHDRAWN, _A.EXPIRED})


def advance(current: ApplicationStatus, target: ApplicationStatus, role: Role) -> ApplicationStatus:
    """Return ``target`` when ``role`` may move an application there from ``current``.

    Raises ``TransitionNotAllowed`` when nobody may, ``NotPermitted`` when others may.
    """
    return take_step(STEPS, current, target, role)


def advance_papers(current: PapersTrack, target: PapersTrack, role: Role) -> PapersTrack:
    """Return ``target`` when ``role`` may move the papers there; raises as ``advance``."""
    return take_step(PAPERS_STEPS, current, target, role)


def advance_examination(
    current: ExaminationTrack, target: ExaminationTrack, role: Role
) -> ExaminationTrack:
    """Return ``target`` when ``role`` may move the examination there; raises as ``advance``."""
    return take_step(EXAMINATION_STEPS, current, target, role)


def reopen_for_appeal(
    current: ApplicationStatus, papers: PapersTrack, role: Role
) -> ApplicationStatus:
    """Return where an application stands while a second commission decides.

    No step of the table, which the clinic could walk without an appeal. What an operator has
    refused, or has ended otherwise, stays ended. Raises ``TransitionNotAllowed``, ``NotPermitted``.
    """
    by_commission = current is _A.REJECTED and papers is not _P.REJECTED
    if current in FINAL and not by_commission:
        raise TransitionNotAllowed(current, _A.UNDER_REVIEW)
    if role is not Role.CLINIC:
        raise NotPermitted(f"{role} may not begin a second commission")
    return _A.UNDER_REVIEW if by_commission else current


def withdraw_conclusion(role: Role) -> ExaminationTrack:
    """Return the track of a case whose signed conclusion is to be corrected or looked at anew."""
    if role is not Role.CLINIC:
        raise NotPermitted(f"{role} may not withdraw a conclusion")
    return _E.OPEN


def reopen_examination(fitness: Fitness, role: Role) -> ExaminationTrack:
    """Return the track of a case that goes on after temporary unfitness, and after nothing else."""
    if fitness is not Fitness.TEMPORARILY_UNFIT:
        raise TransitionNotAllowed(_E.CONCLUDED, _E.OPEN)
    if role is not Role.CLINIC:
        raise NotPermitted(f"{role} may not reopen an examination")
    return _E.OPEN


def withdraw(
    current: ApplicationStatus, examination: ExaminationTrack, role: Role
) -> ApplicationStatus:
    """Return the withdrawn status; raise ``CaseAlreadyOpen`` once the clinic has begun."""
    target = advance(current, _A.WITHDRAWN, role)
    if examination is not _E.WAITING:
        raise CaseAlreadyOpen
    return target


def end_without_consent(current: ApplicationStatus, role: Role) -> ApplicationStatus:
    """Return the withdrawn status: without consent nothing goes on, nor what the clinic has begun
    (152-ФЗ, art. 9 p. 2).
    """
    return advance(current, _A.WITHDRAWN, role)


def clinic_may_change(current: ApplicationStatus, examination: ExaminationTrack) -> bool:
    """Whether the holder may still choose another clinic."""
    return current not in FINAL and examination is _E.WAITING


def both_green(papers: PapersTrack, fitness: Fitness | None) -> bool:
    """Whether the book can be formed; ``fitness`` is ``None`` until the chair has signed."""
    return papers is _P.APPROVED and fitness is not None and admits(fitness)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How many days an application waits for its holder, and how many before the end they are
    reminded.
    """

    days: int
    reminders: tuple[int, ...]


KEEPING: Final = {
    _A.DRAFT: Keeping(DRAFT_DAYS, (NOTICE_DAYS,)),
    _A.RECEIVED: Keeping(VISIT_DAYS, (14, NOTICE_DAYS)),
    _A.UNDER_REVIEW: Keeping(VISIT_DAYS, (14, NOTICE_DAYS)),
    _A.CLARIFICATION_REQUESTED: Keeping(ANSWER_DAYS, (14, NOTICE_DAYS)),
}


def kept_until(
    current: ApplicationStatus, since: date, reminded_on: date | None, *, visited: bool
) -> date | None:
    """Return the last day on which the holder may still act, or None where nothing ends.

    ``since`` is the day of the last save of a draft, of the operator's question where it waits for
    an answer, and of the handing in, or the last correction, of any other. A question ends even
    after the visit; the rest only while the holder has not ``visited`` the clinic.
    """
    keeping = _keeping(current, visited)
    if keeping is None:
        return None
    last = since + timedelta(days=keeping.days)
    if reminded_on is None or reminded_on < _first_reminder(last, keeping):
        return last
    return max(last, reminded_on + timedelta(days=NOTICE_DAYS))


def is_reminder_due(
    current: ApplicationStatus,
    since: date,
    today: date,
    reminded_on: date | None,
    *,
    visited: bool,
) -> bool:
    """Whether the holder is to be reminded today; a reminder that was missed is made up for."""
    keeping = _keeping(current, visited)
    if keeping is None:
        return False
    last = since + timedelta(days=keeping.days)
    due = [day for n in keeping.reminders if (day := last - timedelta(days=n)) <= today]
    return bool(due) and (reminded_on is None or reminded_on < max(due))


def is_lapsed(
    current: ApplicationStatus,
    since: date,
    today: date,
    reminded_on: date | None,
    *,
    visited: bool,
) -> bool:
    """Whether the application is to expire: its last day is over, and a reminder went before."""
    keeping = _keeping(current, visited)
    last = kept_until(current, since, reminded_on, visited=visited)
    if keeping is None or last is None or reminded_on is None:
        return False
    first = _first_reminder(since + timedelta(days=keeping.days), keeping)
    return today > last and reminded_on >= first


def _keeping(current: ApplicationStatus, visited: bool) -> Keeping | None:
    if visited and current is not _A.CLARIFICATION_REQUESTED:
        return None
    return KEEPING.get(current)


def _first_reminder(last: date, keeping: Keeping) -> date:
    return last - timedelta(days=max(keeping.reminders))


class ApplicationField(StrEnum):
    """What the form asks for, in its order."""

    FULL_NAME = "full_name"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    SNILS = "snils"
    OMS_POLICY = "oms_policy"
    PHONE = "phone"
    REGISTERED_ADDRESS = "registered_address"
    OCCUPATION = "occupation"
    CONSENT = "consent"
    CLINIC = "clinic"


REQUIRED_SCANS: Final = (ScanKind.PASSPORT, ScanKind.POLICY)
"""What nobody applies without; ``papers`` knows what else somebody needs."""


def missing(
    filled: Collection[ApplicationField],
    scans: Collection[ScanKind],
    required: Collection[ScanKind],
) -> tuple[ApplicationField | ScanKind, ...]:
    """Return what a complete application still lacks, fields first, in the form's order."""
    fields = (field for field in ApplicationField if field not in filled)
    return (*fields, *(kind for kind in required if kind not in scans))


class TrackingNumberMalformed(InvalidValue):
    """Not a year, a serial number and a check digit."""


class TrackingNumberMistyped(InvalidValue):
    """The check digit does not fit: a digit is wrong, or two neighbours are swapped."""


NUMBER_LIMIT: Final = 40
_NUMBER: Final = re.compile(r"(?:[ЭE][МM][КK])?(20[0-9]{2})([0-9]{6,9})([0-9])")


@dataclass(frozen=True, slots=True)
class TrackingNumber:
    """The number a person keeps, writes down and says on the phone: «ЭМК-2026-000123-7».

    The last digit is Damm's check over year and serial: it finds every single wrong digit and
    every swap of neighbours.
    """

    year: int
    serial: int

    @property
    def _digits(self) -> str:
        return f"{self.year:04}{self.serial:06}"

    @property
    def _numbers(self) -> str:
        return f"{self.year:04}-{self.serial:06}-{damm.calc_check_digit(self._digits)}"

    @property
    def shown(self) -> str:
        """The form for people."""
        return f"ЭМК-{self._numbers}"

    @property
    def slug(self) -> str:
        """The form for addresses, storage and logs: ASCII only."""
        return f"EMK-{self._numbers}"

    def __str__(self) -> str:
        return self.slug

    @classmethod
    def parse(cls, text: str) -> TrackingNumber:
        """Read either form in any case, with any blanks and dashes, with or without the prefix.

        Raises ``TrackingNumberMalformed`` or ``TrackingNumberMistyped``.
        """
        line = one_line(text, NUMBER_LIMIT).translate(DASHES).upper()
        found = _NUMBER.fullmatch(re.sub("[ №#-]", "", line))
        if found is None:
            raise TrackingNumberMalformed
        number = cls(int(found[1]), int(found[2]))
        if found[2] != f"{number.serial:06}":
            raise TrackingNumberMalformed
        if not damm.is_valid("".join(found.groups())):
            raise TrackingNumberMistyped
        return number
