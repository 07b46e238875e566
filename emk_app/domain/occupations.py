"""Occupations that need a medical book, and the points of order 29н that rule them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from emk_app.domain.errors import NotAChoice
from emk_app.domain.refdata import load
from emk_app.domain.values import one_line

SEARCH_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class Requirement:
    """One study a point asks for; ``period_months`` is ``None`` for those made once, on hiring.

    ``valid_from`` and ``valid_to`` are ISO dates, inclusive; empty for the order's own days.
    """

    code: str
    period_months: int | None
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True, slots=True)
class WorkPoint:
    """One point of order 29н, section VI: the works it names and what it asks beyond the rest.

    ``hygiene_months`` is the period of the hygiene attestation (order 229 of 2000). Not every
    point's workers are in the federal register of books (``in_elmk_registry``).
    """

    point: str
    name: str
    short_name: str
    in_elmk_registry: bool
    hygiene_months: int
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Occupation:
    """One line of the list to choose from; ``group`` is what the public verdict may show."""

    code: str
    name: str
    point: str
    group: str

    @property
    def work_point(self) -> WorkPoint:
        """The point of order 29н that rules this occupation."""
        return POINTS[self.point]


def _read_point(row: dict[str, Any]) -> WorkPoint:
    asked = tuple(Requirement(**each) for each in row["requirements"])
    fields: dict[str, Any] = row | {"requirements": asked}
    return WorkPoint(**fields)


POINTS: Final[Mapping[str, WorkPoint]] = MappingProxyType(
    {row["point"]: _read_point(row) for row in load("work_points")["points"]}
)
OCCUPATIONS: Final[Mapping[str, Occupation]] = MappingProxyType(
    {row["code"]: Occupation(**row) for row in load("occupations")["occupations"]}
)


@dataclass(frozen=True, slots=True)
class Amended:
    """How an occupation is listed from a day on, in the place of what was listed before.

    Its point never changes: work under another point is another occupation.
    """

    code: str
    valid_from: date
    name: str
    group: str
    point: str
    is_closed: bool = False
    """Whether it is chosen no more; whoever has chosen it keeps it."""


_amendments: Mapping[str, tuple[Amended, ...]] = MappingProxyType({})
"""By code, oldest first."""


def amend(amended: Iterable[Amended]) -> None:
    """Go by these amendments of the shipped list from now on, in this process."""
    global _amendments
    by_code: dict[str, tuple[Amended, ...]] = {}
    for each in sorted(amended, key=lambda each: each.valid_from):
        by_code[each.code] = (*by_code.get(each.code, ()), each)
    _amendments = MappingProxyType(by_code)


def amendments() -> tuple[Amended, ...]:
    """Return what this process goes by beside the shipped list."""
    return tuple(each for held in _amendments.values() for each in held)


def listed_on(code: str, on: date) -> Occupation | None:
    """Return an occupation as it was listed on a day, also one that is chosen no more."""
    held = _standing(code, on)
    if held is None:
        return OCCUPATIONS.get(code)
    return Occupation(held.code, held.name, held.point, held.group)


def offered(on: date) -> tuple[Occupation, ...]:
    """Return what can be chosen on a day, each group together, in the order of the list."""
    codes = dict.fromkeys((*OCCUPATIONS, *_amendments))
    found = [
        each
        for code in codes
        if (each := listed_on(code, on)) is not None and not _is_closed(code, on)
    ]
    groups = list(dict.fromkeys(each.group for each in found))
    return tuple(sorted(found, key=lambda each: groups.index(each.group)))


def point_of(code: str) -> str | None:
    """Return the point of order 29н that rules an occupation, on any day."""
    if code in OCCUPATIONS:
        return OCCUPATIONS[code].point
    held = _amendments.get(code)
    return held[0].point if held else None


def occupation(code: str, on: date) -> Occupation:
    """Return the occupation of the list of that day; raise ``NotAChoice`` for any other code."""
    found = listed_on(code, on)
    if found is None or _is_closed(code, on):
        raise NotAChoice
    return found


def find_occupations(text: str, limit: int = 50) -> tuple[Occupation, ...]:
    """Return the occupations in which every word of ``text`` begins some word, in list order."""
    asked = _words(one_line(text, SEARCH_LIMIT))
    found = (
        each
        for each in OCCUPATIONS.values()
        if all(any(word.startswith(start) for word in _WORDS[each.code]) for start in asked)
    )
    return tuple(found)[:limit]


def _standing(code: str, on: date) -> Amended | None:
    begun = [each for each in _amendments.get(code, ()) if each.valid_from <= on]
    return begun[-1] if begun else None


def _is_closed(code: str, on: date) -> bool:
    held = _standing(code, on)
    return held is not None and held.is_closed


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold().replace("ё", "е"))


_WORDS: Final = {each.code: _words(f"{each.name} {each.group}") for each in OCCUPATIONS.values()}
