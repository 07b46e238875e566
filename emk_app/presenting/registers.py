"""The register of clinics in words: reports of imports, and the counts of the search."""

from __future__ import annotations

from emk_app.presenting.field_texts import word
from emk_app.services.importing import BadRow

REPORT_HEADER = ("Строка", "OID", "Поле", "Что не так")


def bad_lines(row: BadRow) -> list[tuple[str, str, str, str]]:
    """Return a line of the report for each field of a row that was left out."""
    return [(str(row.line), row.oid, name, word(problem)) for name, problem in row.problems.items()]
