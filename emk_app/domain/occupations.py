"""Occupations that need a medical book, and the points of order 29н that rule them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
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


def occupation(code: str) -> Occupation:
    """Return the occupation of the list; raise ``NotAChoice`` for any other code."""
    if (found := OCCUPATIONS.get(code)) is None:
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


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold().replace("ё", "е"))


_WORDS: Final = {each.code: _words(f"{each.name} {each.group}") for each in OCCUPATIONS.values()}
