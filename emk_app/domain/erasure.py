"""Destroying what the service knows of a person: when, what the law wants kept, how long (D53).

Sources: 152-ФЗ, ст. 21, ч. 5 (thirty days from the wish) and 5.1; Приказ Роскомнадзора № 179 от
28.10.2022 (what the act says, and that it is kept for three years).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain.errors import Conflict, InvalidValue

WAITING: Final = timedelta(days=7)
"""How long the holder may change their mind; well within the thirty days of the law."""
LEGAL_TERM: Final = timedelta(days=30)
PHRASE: Final = "удалить мои данные"
"""What the holder types, so that nobody does it by mistake."""


class ErasureState(StrEnum):
    """How far a wish has come."""

    ASKED = "asked"
    CANCELLED = "cancelled"
    DONE = "done"


class Ground(StrEnum):
    """Why data are destroyed."""

    WISH = "wish"
    """The holder's, on the page."""
    ORDER = "order"
    """By the command line: a wish on paper, or an order of the supervisor."""
    REPLAY = "replay"
    """Destroyed before, and brought back by a backup."""


class Kept(StrEnum):
    """What outlives the wish."""

    MEDICAL = "medical"
    CONSENTS = "consents"
    ACT = "act"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long something is kept, and by what law; ``years`` is None for as long as the service."""

    years: int | None
    source: str


KEEPINGS: Final = {
    Kept.MEDICAL: Keeping(
        25,
        "323-ФЗ, ст. 79, ч. 1, п. 12; письмо Минздрава России от 07.12.2015 № 13-2/1538",
    ),
    Kept.CONSENTS: Keeping(3, "152-ФЗ, ст. 9, ч. 3; ГК РФ, ст. 196"),
    Kept.ACT: Keeping(3, "Приказ Роскомнадзора от 28.10.2022 № 179, п. 8"),
    Kept.AUDIT: Keeping(None, "152-ФЗ, ст. 19, ч. 2, п. 8: журнал без имён и значений"),
}
"""What is kept by law; the term of medical records is for a lawyer to confirm (docs/operations.md).
"""


class PhraseDiffers(InvalidValue):
    """What was typed is not the phrase that was asked for."""


class NothingToCancel(Conflict):
    """There is no wish that waits: it was cancelled, or it has been done."""


def read_phrase(text: str) -> str:
    """Return the phrase; raise ``PhraseDiffers`` unless it was typed, in whatever case."""
    if " ".join(text.casefold().split()).strip(".«»\"'") != PHRASE:
        raise PhraseDiffers
    return PHRASE


def due_at(asked_at: datetime) -> datetime:
    """Return from when the wish is carried out."""
    return asked_at + WAITING


def kept_until(signed_on: Iterable[date]) -> date | None:
    """Return until when the medical records stand, by their newest day; None where there are none.

    The day itself still belongs to the term.
    """
    days = list(signed_on)
    if not days:
        return None
    years = KEEPINGS[Kept.MEDICAL].years
    assert years is not None
    newest = max(days)
    try:
        return newest.replace(year=newest.year + years)
    except ValueError:
        return newest.replace(year=newest.year + years, month=3, day=1)
