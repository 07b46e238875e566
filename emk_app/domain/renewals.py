"""Renewing a book: when it may be done, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from emk_app.domain.books import Judgement, renewed_term
from emk_app.domain.clearance import SOON_DAYS, ItemState, Light
from emk_app.domain.errors import Conflict


class Hindrance(StrEnum):
    """Why a book is not renewed; the first that holds is told."""

    NOT_GENUINE = "not_genuine"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    NOT_RECEIVED = "not_received"
    NO_CONSENT = "no_consent"
    STUDIES = "studies"
    TOO_EARLY = "too_early"


class NotRenewable(Conflict):
    """The book is not renewed now."""

    def __init__(self, hindrance: Hindrance) -> None:
        super().__init__(f"not renewable: {hindrance}")
        self.hindrance = hindrance


@dataclass(frozen=True, slots=True)
class Prospect:
    """Whether the book can be renewed today.

    ``opens_on`` is the first day of its last month; ``new_until`` the last day, inclusive, that
    renewing today would give; ``wanting`` are the studies over or ending within a month.
    """

    hindrance: Hindrance | None
    opens_on: date
    new_until: date
    wanting: tuple[ItemState, ...]


def prospect(
    judgement: Judgement,
    term: tuple[date, date],
    born_on: date | None,
    today: date,
    *,
    consents: bool,
) -> Prospect:
    """Return what may be done about the term of a book: «Продлить» takes green studies throughout.

    A renewal brings no new examination, so one is not given on studies that end within its first
    month. ``born_on`` is None where the book's words are not genuine.
    """
    wanting = tuple(each for each in judgement.readiness.items if each.light is not Light.GREEN)
    opens_on = term[1] - timedelta(days=SOON_DAYS)
    failing = {
        Hindrance.NOT_GENUINE: not judgement.signature_genuine or born_on is None,
        Hindrance.REVOKED: judgement.revoked,
        Hindrance.SUSPENDED: judgement.suspended,
        Hindrance.NOT_RECEIVED: not judgement.received,
        Hindrance.NO_CONSENT: not consents,
        Hindrance.STUDIES: judgement.readiness.light is not Light.GREEN,
        Hindrance.TOO_EARLY: today < opens_on,
    }
    return Prospect(
        hindrance=next((each for each, fails in failing.items() if fails), None),
        opens_on=opens_on,
        new_until=renewed_term(term, born_on, today)[1] if born_on else term[1],
        wanting=wanting,
    )
