"""Support: what is asked, where a ticket stands, by when it is answered (guide, the questions)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain.actors import Role
from emk_app.domain.calendars import add_working_days
from emk_app.domain.documents import LIMITS, ScanKind
from emk_app.domain.errors import (
    ChangedMeanwhile,
    Conflict,
    Invalid,
    InvalidValue,
    NotAChoice,
    NotPermitted,
    Required,
    TransitionNotAllowed,
)
from emk_app.domain.fieldpolicy import HolderField, Viewer, name_for
from emk_app.domain.news import read_text
from emk_app.domain.people import FullName
from emk_app.domain.values import TooShort, one_line, read_digits

PEOPLE: Final = (Role.HOLDER, Role.CLINIC, Role.EMPLOYER)
"""Who asks."""
STAFF: Final = (Role.SUPPORT, Role.OPERATOR)
"""Who answers; operators what was handed over to them."""

TEXT_LIMIT: Final = 4000
REASON_LIMIT: Final = 300
SHORTEST_REASON: Final = 10
COMMENT_LIMIT: Final = 500
FILES_LIMIT: Final = 10
"""Screenshots of one ticket."""
AS: Final = ScanKind.CLARIFICATION
"""The holder's paper by whose bounds a screenshot is taken."""
SIZE_LIMIT: Final = LIMITS[AS]
ANSWER_DAYS: Final = 1
"""Working days within which an answer is promised."""
REOPEN_DAYS: Final = 30
"""How long a closed ticket can be gone on with."""
CODE_DIGITS: Final = 8
CODE_LIFE: Final = timedelta(minutes=30)
ASK_LIFE: Final = timedelta(hours=1)
"""How long a wish to see more waits for the second person."""
GLASS_LIFE: Final = timedelta(minutes=15)
"""For how long more is seen (D25)."""
GLASS_FIELDS: Final = (
    *(HolderField.NAME, HolderField.BIRTH_DATE, HolderField.PHONE, HolderField.EMAIL),
    *(HolderField.OCCUPATION, HolderField.APPLICATION, HolderField.BOOK_NUMBER, HolderField.TERM),
)
"""What is then seen, as far as ``fieldpolicy`` shows it."""

_INCIDENT: Final = re.compile(r"[0-9A-Za-z-]{3,16}")


class TicketStatus(StrEnum):
    """Where a ticket stands."""

    NEW = "new"
    ANSWERED = "answered"
    WAITING = "waiting"
    """The person has written again."""
    CLOSED = "closed"


class Subject(StrEnum):
    """What a ticket is about."""

    SIGN_IN = "sign_in"
    APPLICATION = "application"
    VISIT = "visit"
    BOOK = "book"
    SIGNATURE = "signature"
    ERROR = "error"
    DATA = "data"
    OTHER = "other"


class Desk(StrEnum):
    """Who has to answer."""

    SUPPORT = "support"
    OPERATOR = "operator"


class Act(StrEnum):
    """What moves a ticket."""

    WRITE = "write"
    ANSWER = "answer"
    CLOSE = "close"
    SETTLE = "settle"
    """Closed by those who have answered."""


class Said(StrEnum):
    """What one line of a ticket is."""

    TEXT = "text"
    NOTE = "note"
    """For the staff alone."""
    HANDED = "handed"
    RETURNED = "returned"
    CLOSED = "closed"
    REOPENED = "reopened"


class Part(StrEnum):
    """A part of the desk's queue."""

    DUE = "due"
    MINE = "mine"
    ANSWERED = "answered"
    CLOSED = "closed"


class Answer(StrEnum):
    """What the second person says to a wish to see more."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"


_S = TicketStatus
STEPS: Final[Mapping[Act, Mapping[TicketStatus, TicketStatus]]] = {
    Act.WRITE: {
        _S.NEW: _S.NEW,
        _S.WAITING: _S.WAITING,
        _S.ANSWERED: _S.WAITING,
        _S.CLOSED: _S.WAITING,
    },
    Act.ANSWER: dict.fromkeys((_S.NEW, _S.WAITING, _S.ANSWERED), _S.ANSWERED),
    Act.CLOSE: dict.fromkeys((_S.NEW, _S.WAITING, _S.ANSWERED), _S.CLOSED),
    Act.SETTLE: {_S.ANSWERED: _S.CLOSED},
}
"""Where each act leads from which status; what is not here is refused (D34)."""
OPEN: Final = frozenset({_S.NEW, _S.WAITING, _S.ANSWERED})
UNANSWERED: Final = frozenset({_S.NEW, _S.WAITING})


class TicketTaken(ChangedMeanwhile):
    """A colleague answers this ticket."""


class TicketOver(Conflict):
    """It was closed so long ago that a new one is needed."""


class RatedAlready(Conflict):
    """The person has said how good the help was."""


class TooManyFiles(Conflict):
    """The ticket has ``limit`` files already."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit}")
        self.limit = limit


class NotAnIncident(InvalidValue):
    """Not the number of an error."""


class NotYourApplication(InvalidValue):
    """The person has no application of this number."""


class GlassPending(Conflict):
    """A wish to see more waits already, or more is seen."""


class NoGlass(Conflict):
    """There is nothing to answer, or the time is over."""


class SameHands(NotPermitted):
    """Whoever asks to see more does not agree to it."""


def step(status: TicketStatus, act: Act) -> TicketStatus:
    """Return where the act leads; raise ``TransitionNotAllowed``."""
    found = STEPS[act].get(status)
    if found is None:
        raise TransitionNotAllowed(status, act)
    return found


def due_on(day: date) -> date:
    """Return the last day for an answer to what was written on ``day``."""
    return add_working_days(day, ANSWER_DAYS)


def permit_reopening(closed_at: datetime | None, now: datetime) -> None:
    """Raise ``TicketOver`` where too much time has passed since a ticket was closed."""
    if closed_at is not None and now - closed_at > timedelta(days=REOPEN_DAYS):
        raise TicketOver


def subject_of(text: str) -> Subject:
    """Read a choice; raise ``Required`` or ``NotAChoice``."""
    if not text:
        raise Required
    try:
        return Subject(text)
    except ValueError:
        raise NotAChoice from None


def message_of(text: str) -> str:
    """Return what was written; raise as ``read_text``."""
    return read_text(text, TEXT_LIMIT)


def incident_of(text: str) -> str:
    """Return the number of an error, or nothing where none was typed; raise ``NotAnIncident``."""
    line = one_line(text, 40).removeprefix("№").strip()
    if line and not _INCIDENT.fullmatch(line):
        raise NotAnIncident
    return line


def reason_of(text: str) -> str:
    """Return why more has to be seen, in so many words that another can judge it."""
    line = one_line(text, REASON_LIMIT)
    if not line:
        raise Required
    if len(line) < SHORTEST_REASON:
        raise TooShort(SHORTEST_REASON)
    return line


def rating_of(text: str) -> int:
    """Return how good the help was, from 1 to 5; raise ``Required`` or ``NotAChoice``."""
    if not text:
        raise Required
    if text not in {"1", "2", "3", "4", "5"}:
        raise NotAChoice
    return int(text)


def comment_of(text: str) -> str:
    """Return what was added to a rating, or nothing."""
    return read_text(text, COMMENT_LIMIT) if text.strip() else ""


def code_of(text: str) -> str:
    """Return the digits of the code by which support finds a person; raise as ``read_digits``."""
    return read_digits(text, CODE_DIGITS)


def masked_name(name: str) -> str:
    """Return «Иванова М.» of a person's name; nothing of what is no such name."""
    words = name.split()
    if len(words) < 2:
        return ""
    try:
        known = FullName.parse(last=words[0], first=words[1])
    except Invalid:
        return ""
    return name_for(Viewer.SUPPORT, known)


def permit_second(asked_by: int, answered_by: int) -> None:
    """Raise ``SameHands`` unless these are two people."""
    if asked_by == answered_by:
        raise SameHands("who asked does not agree")
