"""Vaccinations of the book in words."""

from __future__ import annotations

from dataclasses import dataclass

from emk_app.domain.books import BookVaccination
from emk_app.domain.vaccinations import Dose, RecordKind
from emk_app.presenting.formats import day
from emk_app.presenting.vaccinations import DOSES, KINDS
from emk_app.services.issuing import BookCard


@dataclass(frozen=True)
class ShotRow:
    """One record of the book's vaccinations."""

    key: str
    name: str
    kind: str
    on: str
    vaccine: str
    """Vaccine, dose and series, as far as they are known."""
    until: str


def shot_rows(card: BookCard) -> list[ShotRow]:
    """Return the vaccinations the current version states, the newest first."""
    if card.content is None:
        return []
    shots = sorted(card.content.vaccinations, key=lambda each: each.on, reverse=True)
    return [_row(at, each) for at, each in enumerate(shots)]


def _row(at: int, each: BookVaccination) -> ShotRow:
    parts = (
        each.vaccine,
        f"доза {DOSES[Dose(each.dose)]}" if each.dose else "",
        f"серия {each.series}" if each.series else "",
    )
    return ShotRow(
        key=str(at),
        name=each.name,
        kind=KINDS[RecordKind(each.kind)],
        on=day(each.on),
        vaccine=", ".join(part for part in parts if part) or "не указано",
        until=day(each.until) if each.until else "не указано",
    )
