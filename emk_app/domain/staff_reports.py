"""What is told of an employer's staff as a whole: who may work today, and when terms end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from emk_app.domain.employing import Light

MONTHS: Final = 12
IN_DATE: Final = (Light.GREEN, Light.YELLOW)
"""Who may work today."""


@dataclass(frozen=True, slots=True)
class Cell:
    """So many people who are alike in all that the report tells apart."""

    department: str
    group: str
    """Group of occupations; empty where nobody has said it."""
    light: Light
    due: int | None
    """In how many months the term ends, 0 within the present one; None beyond the report."""
    stale: int
    """How many of them have changed since they were looked at."""
    people: int


@dataclass(slots=True)
class Tally:
    """How many people stand under each light."""

    lights: dict[Light, int] = field(default_factory=lambda: dict.fromkeys(Light, 0))

    @property
    def people(self) -> int:
        """How many there are."""
        return sum(self.lights.values())

    @property
    def in_date(self) -> int:
        """How many may work today."""
        return sum(self.lights[each] for each in IN_DATE)

    @property
    def share(self) -> int:
        """Per cent of those who may work today; 100 only where all may."""
        return 100 * self.in_date // self.people if self.people else 0

    def add(self, cell: Cell) -> None:
        """Count a cell."""
        self.lights[cell.light] += cell.people


def month_starts(today: date, months: int = MONTHS) -> tuple[date, ...]:
    """Return the first days of the present month and of the ``months`` after it."""
    first = 12 * today.year + today.month - 1
    return tuple(date(each // 12, each % 12 + 1, 1) for each in range(first, first + months + 1))


def tallied(cells: Iterable[Cell], by: Callable[[Cell], str]) -> dict[str, Tally]:
    """Return the tallies by what ``by`` says of a cell, the greatest first, the unnamed last."""
    found: dict[str, Tally] = {}
    for cell in cells:
        found.setdefault(by(cell), Tally()).add(cell)
    return dict(sorted(found.items(), key=_by_size))


def due_by_month(cells: Iterable[Cell], months: int = MONTHS) -> list[int]:
    """Return how many who may work today have terms that end in each of the months."""
    found = [0] * months
    for cell in cells:
        if cell.due is not None and cell.light in IN_DATE:
            found[cell.due] += cell.people
    return found


def folded(tallies: Mapping[str, Tally], most: int) -> tuple[dict[str, Tally], Sequence[Tally]]:
    """Return the first ``most`` of the tallies, and those that a screen has no room for."""
    kept = dict(list(tallies.items())[:most])
    return kept, [each for name, each in tallies.items() if name not in kept]


def _by_size(named: tuple[str, Tally]) -> tuple[bool, int, str]:
    name, tally = named
    return not name, -tally.people, name
