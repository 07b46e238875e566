"""Letting others read the record: a physician for a while, another system once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Final

from emk_app.domain.errors import Conflict, DomainError, InvalidValue, NotAChoice

CODE_DIGITS: Final = 8
CODE_LIFE: Final = timedelta(minutes=10)
"""How long a code may be entered, and how long who entered it may take to open the record."""
MINUTES: Final = (15, 60, 24 * 60)
"""For how long a physician may read, from the opening."""
GRANTS_AT_ONCE: Final = 5
HANDOVER_DAYS: Final = (1, 3, 7)
HANDOVERS_AT_ONCE: Final = 20
RECEIVER_LIMIT: Final = 120


class RecordScope(StrEnum):
    """How much of the record a physician reads."""

    WHOLE = "whole"
    WITHOUT_PAPERS = "without_papers"


class RecordPart(StrEnum):
    """What of the record is read at once."""

    CONCLUSION = "conclusion"
    STUDIES = "studies"
    VACCINATIONS = "vaccinations"
    PAPERS = "papers"
    """The list of papers of examinations."""
    PAPER = "paper"
    """One of them, page by page."""


class GrantState(StrEnum):
    """How far a physician has come; the last three are ends."""

    WAITING = "waiting"
    """For somebody who enters the code."""
    CLAIMED = "claimed"
    """The code was entered; whose record it is has to be confirmed."""
    OPEN = "open"
    ENDED = "ended"
    """By the holder, by the physician, by a newer code or with the consent."""
    LAPSED = "lapsed"
    """Nobody opened the record in time."""
    EXPIRED = "expired"


LIVE: Final = frozenset({GrantState.WAITING, GrantState.CLAIMED, GrantState.OPEN})


@dataclass(frozen=True, slots=True)
class Grant:
    """The moments that decide the state of a grant."""

    code_expires_at: datetime
    claimed_at: datetime | None
    opened_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None


def grant_state(grant: Grant, now: datetime) -> GrantState:
    """Judge a grant at ``now``; at the moment of its end itself it is over."""
    if grant.ended_at is not None:
        return GrantState.ENDED
    if grant.opened_at is not None and grant.expires_at is not None:
        return GrantState.OPEN if now < grant.expires_at else GrantState.EXPIRED
    if now >= grant.code_expires_at:
        return GrantState.LAPSED
    return GrantState.WAITING if grant.claimed_at is None else GrantState.CLAIMED


def minutes_of(minutes: int) -> timedelta:
    """Return how long a physician may read; raise ``NotAChoice`` for what is not offered."""
    if minutes not in MINUTES:
        raise NotAChoice
    return timedelta(minutes=minutes)


def read_code(text: str) -> str:
    """Return the digits of a code as said, typed or scanned; raise ``CodeUnreadable``.

    A scanner types the address that the picture holds: its digits are what follows ``code=``.
    """
    said = text[:400].rpartition("code=")[2]
    digits = "".join(each for each in said if each not in " -\u00a0\u202f\u2009\t\r\n")
    if not (len(digits) == CODE_DIGITS and digits.isascii() and digits.isdigit()):
        raise CodeUnreadable
    return digits


class CodeUnreadable(InvalidValue):
    """Not the digits of a code."""


class CodeRefused(DomainError):
    """No code like this may be entered now: wrong, entered before, or too old; which is not told.

    Whoever guesses learns nothing of the codes there are.
    """


class AccessOver(Conflict):
    """The physician may not read this record any more, or not yet."""

    def __init__(self, state: GrantState) -> None:
        super().__init__(f"the access is {state}")
        self.state = state


class ClinicNotServing(Conflict):
    """The clinic has no licence in force or has left the register: its staff read no records."""


class TooManyGrants(Conflict):
    """The holder has let ``limit`` physicians read already."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} open records")
        self.limit = limit


class HandoverScope(StrEnum):
    """What another system gets."""

    VERDICT = "verdict"
    EXTRACT = "extract"
    """The signed document with its signature."""
    FHIR = "fhir"


class Purpose(StrEnum):
    """What for."""

    INSURANCE = "insurance"
    CLAIM = "claim"
    EMPLOYMENT = "employment"
    TREATMENT = "treatment"
    OTHER = "other"


class HandoverState(StrEnum):
    """Whether a handover can still be fetched."""

    WAITING = "waiting"
    FETCHED = "fetched"
    REVOKED = "revoked"
    EXPIRED = "expired"


def handover_state(
    expires_at: datetime, fetched_at: datetime | None, revoked_at: datetime | None, now: datetime
) -> HandoverState:
    """Judge a handover at ``now``; at ``expires_at`` itself it is over."""
    if fetched_at is not None:
        return HandoverState.FETCHED
    if revoked_at is not None:
        return HandoverState.REVOKED
    return HandoverState.WAITING if now < expires_at else HandoverState.EXPIRED


class Network(StrEnum):
    """Where a handover was fetched from, as coarse as it gets; never the address."""

    INTERNAL = "internal"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    UNKNOWN = "unknown"


def network_of(address: str) -> Network:
    """Return the class of an address."""
    try:
        found = ip_address(address)
    except ValueError:
        return Network.UNKNOWN
    if found.is_private or found.is_loopback:
        return Network.INTERNAL
    return Network.IPV4 if found.version == 4 else Network.IPV6


def handover_days(days: int) -> timedelta:
    """Return how long a handover waits; raise ``NotAChoice`` for what is not offered."""
    if days not in HANDOVER_DAYS:
        raise NotAChoice
    return timedelta(days=days)


class HandoverOver(Conflict):
    """The link has been used, was closed, or is too old.

    Told only to who holds the link: its 128 bits are not guessed.
    """

    def __init__(self, state: HandoverState, fetched_at: datetime | None = None) -> None:
        super().__init__(f"the handover is {state}")
        self.state = state
        self.fetched_at = fetched_at


class TooManyHandovers(Conflict):
    """``limit`` links wait to be fetched."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} handovers wait")
        self.limit = limit


HANDOVER_CONSENT: Final = "2026-11-26"
"""The version of the words a holder agrees to; changed words are a new version."""

HANDOVER_TEXTS: Final = {
    HANDOVER_CONSENT: (
        "Я разрешаю оператору сервиса «ЭМК Онлайн» один раз передать названному получателю "
        "выбранные сведения из моей медицинской книжки, в том числе сведения о здоровье и "
        "составляющие врачебную тайну, для указанной цели. Разрешение действует до передачи, но "
        "не дольше выбранного срока; до передачи его можно отозвать в личном кабинете. После "
        "передачи за сведения отвечает получатель. Основание: статьи 9 и 10 Федерального закона "
        "№ 152-ФЗ и статья 13 Федерального закона № 323-ФЗ."
    )
}
"""Every version there has been; each handover names the one that was agreed to."""
