"""Asking for a second commission: when the holder may, and who may not sit on it."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain.clearance import Fitness
from emk_app.domain.errors import Conflict, Required
from emk_app.domain.values import one_line

DAYS: Final = 30
"""The last day of an appeal is the thirtieth after that of the signature."""
REASON_LIMIT: Final = 500
CONTESTABLE: Final = frozenset({Fitness.TEMPORARILY_UNFIT, Fitness.UNFIT})


class AppealStatus(StrEnum):
    """Where an appeal is: with the clinic, before the second commission, decided."""

    FILED = "filed"
    TAKEN = "taken"
    DECIDED = "decided"


class NothingToContest(Conflict):
    """No signed conclusion that keeps the holder from work."""


class AppealTooLate(Conflict):
    """``last_day`` is over."""

    def __init__(self, last_day: date) -> None:
        super().__init__(f"until {last_day}")
        self.last_day = last_day


class AlreadyAppealed(Conflict):
    """A conclusion is contested once."""


class AppealPending(Conflict):
    """A second commission is to decide: the first does no more."""


class NoSecondCommission(Conflict):
    """The clinic has no other chair than the one whose conclusion is contested."""


class SameSigner(Conflict):
    """Who signed the contested conclusion does not decide about it."""


def last_day(signed_on: date) -> date:
    """Return the last day, inclusive, on which a conclusion may be contested."""
    return signed_on + timedelta(days=DAYS)


def check(fitness: Fitness | None, signed_on: date, today: date, *, appealed: bool) -> None:
    """Raise ``NothingToContest``, ``AlreadyAppealed`` or ``AppealTooLate``."""
    if fitness not in CONTESTABLE:
        raise NothingToContest
    if appealed:
        raise AlreadyAppealed
    if today > last_day(signed_on):
        raise AppealTooLate(last_day(signed_on))


def check_signer(signer: int, contested_signer: int) -> None:
    """Raise ``SameSigner`` where the second commission would be the first."""
    if signer == contested_signer:
        raise SameSigner


def read_reason(text: str) -> str:
    """Read why the holder does not agree; raises ``Required`` and what ``one_line`` raises."""
    if not (line := one_line(text, REASON_LIMIT)):
        raise Required
    return line
