"""How long each class of data is kept, and what becomes of it then (D54, 152-ФЗ, ст. 5, ч. 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

_YEAR: Final = timedelta(days=365)


class DataClass(StrEnum):
    """Data that are kept alike."""

    SESSIONS = "sessions"
    RECOVERY_CODES = "recovery_codes"
    NOTICES = "notices"
    LETTERS = "letters"
    LOOKS = "looks"
    FORMS = "forms"
    SCANS = "scans"
    GRANTS = "grants"
    HANDOVERS = "handovers"
    CONSENTS = "consents"
    COPIES = "copies"
    ACTS = "acts"
    TICKETS = "tickets"


@dataclass(frozen=True, slots=True)
class Retention:
    """One line of the table."""

    term: timedelta
    since: str
    """From when the term counts."""
    then: str
    """What happens to it."""


TABLE: Final = {
    DataClass.SESSIONS: Retention(timedelta(days=90), "the session's end", "deleted"),
    DataClass.RECOVERY_CODES: Retention(timedelta(days=90), "its use", "deleted"),
    DataClass.NOTICES: Retention(2 * _YEAR, "its day", "deleted"),
    DataClass.LETTERS: Retention(timedelta(days=90), "it left or was given up", "deleted"),
    DataClass.LOOKS: Retention(3 * _YEAR, "the look", "deleted"),
    DataClass.FORMS: Retention(
        _YEAR, "an application ended without an examination", "form, notes and signature emptied"
    ),
    DataClass.SCANS: Retention(3 * _YEAR, "the application was decided", "files deleted"),
    DataClass.GRANTS: Retention(3 * _YEAR, "the access ended", "deleted with its readings"),
    DataClass.HANDOVERS: Retention(3 * _YEAR, "fetched, closed or run out", "deleted"),
    DataClass.CONSENTS: Retention(3 * _YEAR, "taken back", "deleted"),
    DataClass.COPIES: Retention(timedelta(days=30), "the copy was destroyed", "deleted"),
    DataClass.ACTS: Retention(3 * _YEAR, "the destruction", "the act emptied, its date stays"),
    DataClass.TICKETS: Retention(
        3 * _YEAR, "the ticket was closed", "deleted with its messages and files"
    ),
}
"""Medical records stand with their person's wish (``domain.erasure``), the audit for good; what
lives for hours or days (doorsteps, throttles, jobs, imports) is swept by its own service.
"""
