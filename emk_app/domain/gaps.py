"""Vaccinations that a staff lacks, told so that nobody can be singled out.

Nothing medical about a person is an employer's matter (D22). What is told are numbers of those who
have agreed to be counted, and of these only such as single nobody out, also by subtraction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from emk_app.domain.books import BookContent
from emk_app.domain.people import Sex, age_on
from emk_app.domain.vaccinations import (
    INFECTIONS,
    Dose,
    Protection,
    RecordKind,
    Vaccination,
    recommended,
    standing,
)

FEWEST: Final = 5
"""People on either side of a number that is told: who lack the vaccination, and who do not."""
LACKING: Final = frozenset({Protection.NONE, Protection.OVERDUE, Protection.REFUSED})
COUNTED: Final = tuple(
    each for each in INFECTIONS.values() if each.sex is None and not each.by_order
)
"""What is asked of everybody of an age everywhere: a book does not tell the sex, and what some
regions add is theirs to count."""

Draw = Callable[[], float]
"""Gives random numbers from 0 up to 1."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Of so many people whom the calendar asks, so many lack the vaccination."""

    people: int = 0
    lacking: int = 0

    def __add__(self, other: Gap) -> Gap:
        return Gap(self.people + other.people, self.lacking + other.lacking)

    @property
    def is_safe(self) -> bool:
        """Whether the number tells nothing of one person."""
        return self.lacking >= FEWEST and self.people - self.lacking >= FEWEST


@dataclass(frozen=True, slots=True)
class Told:
    """One vaccination as it is told: for all, and by group; ``None`` is not told."""

    total: Gap | None
    groups: dict[str, Gap | None]


def gaps_of(content: BookContent, today: date) -> dict[str, Gap]:
    """Return, by infection, whether the holder of a book is asked and lacks the vaccination."""
    asked = recommended(content.occupation.point, age_on(content.born_on, today), Sex.MALE, today)
    records = [
        Vaccination(
            code=each.code,
            kind=RecordKind(each.kind),
            on=each.on,
            dose=Dose(each.dose) if each.dose else None,
            until=each.until,
        )
        for each in content.vaccinations
    ]
    return {
        infection.code: Gap(1, standing(infection, records, today).protection in LACKING)
        for infection in asked
        if infection in COUNTED
    }


def told(gaps: Mapping[str, Gap], draw: Draw) -> Told:
    """Return what may be told of one vaccination, of ``gaps`` by group.

    A group is hidden where its own numbers are not safe; and so many of the smallest others with
    it, until what is hidden is safe as a whole: that much is learnt by subtraction from the total.
    What is told is a multiple of ``FEWEST``, drawn from the two around it, so that two reports do
    not tell what one person has changed.
    """
    whole = _sum(gaps.values())
    if not whole.is_safe:
        return Told(None, dict.fromkeys(gaps))
    hidden = {name for name, gap in gaps.items() if not gap.is_safe}
    others = sorted(gaps.keys() - hidden, key=lambda name: (gaps[name].people, name))
    while hidden and not _sum(gaps[name] for name in hidden).is_safe:
        hidden.add(others.pop(0))
    return Told(
        _rounded(whole, draw),
        {name: None if name in hidden else _rounded(gap, draw) for name, gap in gaps.items()},
    )


def _sum(gaps: Iterable[Gap]) -> Gap:
    return sum(gaps, Gap())


def _rounded(gap: Gap, draw: Draw) -> Gap:
    return Gap(_drawn(gap.people, draw), _drawn(gap.lacking, draw))


def _drawn(number: int, draw: Draw) -> int:
    """Return one of the multiples around ``number``, the nearer one more often."""
    over = number % FEWEST
    return number - over + (FEWEST if draw() * FEWEST < over else 0)
