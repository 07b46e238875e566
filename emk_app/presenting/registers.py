"""The register of clinics in words: reports of imports, and what surrounds a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emk_app.domain.regions import REGIONS
from emk_app.presenting.applications import CLINIC_KINDS
from emk_app.presenting.field_texts import word
from emk_app.presenting.formats import NBSP
from emk_app.services.directory import Counts, Found
from emk_app.services.importing import BadRow

REPORT_HEADER: Final = ("Строка", "OID", "Поле", "Что не так")

_RELAXED: Final = {
    "region": "Искать во всех регионах",
    "kind": "Искать среди всех типов",
    "with_electronic_policy": "Не требовать «Электронный полис»",
    "in_force": "Показать и без действующей лицензии",
    "point": "Искать для любой профессии",
}


def bad_lines(row: BadRow) -> list[tuple[str, str, str, str]]:
    """Return a line of the report for each field of a row that was left out."""
    return [(str(row.line), row.oid, name, word(problem)) for name, problem in row.problems.items()]


def region_options(counts: Counts) -> list[list[str]]:
    """Return code and name of every region by name, with how many it would leave."""
    named = sorted(REGIONS.items(), key=lambda pair: pair[1])
    return [[code, _counted(name, counts.regions, code)] for code, name in named]


def kind_options(counts: Counts) -> list[list[str]]:
    """Return the types of clinics, with how many each would leave."""
    return [
        [kind.value, _counted(name, counts.kinds, kind.value)]
        for kind, name in CLINIC_KINDS.items()
    ]


def flag_count(number: int | None) -> str:
    """Return the number that stands behind a condition; nothing where it was not counted."""
    return "" if number is None else f"{NBSP}· {number}"


def corrected_text(found: Found, query: str) -> str:
    """Say that another word was looked for than was typed."""
    if not (found.corrected and found.clinics):
        return ""
    return f"По запросу «{query}» ничего нет. Показано найденное по «{found.corrected}»."


def relaxations(totals: Mapping[str, int]) -> list[list[str]]:
    """Return the conditions that could be dropped, with a text for the button of each."""
    return [[name, f"{_RELAXED[name]}{NBSP}· {total}"] for name, total in totals.items()]


def _counted(name: str, counts: Mapping[str, int] | None, value: str) -> str:
    return name if counts is None else f"{name}{NBSP}· {counts.get(value, 0)}"
