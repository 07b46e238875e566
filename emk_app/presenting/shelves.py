"""Reference data as a screen folds them by group and seeks in them while somebody types."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from emk_app.domain.searching import Query, words_of
from emk_app.presenting.formats import counted, plural
from emk_app.presenting.reference import AmendmentRow, OccupationRow, StudyRow, TemplateRow

QUERY_LIMIT: Final = 80
_OCCUPATIONS: Final = ("профессия", "профессии", "профессий")
_STUDIES: Final = ("исследование", "исследования", "исследований")
_TEMPLATES: Final = ("сообщение", "сообщения", "сообщений")
_AMENDMENTS: Final = ("изменение", "изменения", "изменений")

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Lists:
    """All that is listed, as it stands."""

    occupations: tuple[OccupationRow, ...] = ()
    studies: tuple[StudyRow, ...] = ()
    templates: tuple[TemplateRow, ...] = ()
    past: tuple[AmendmentRow, ...] = ()
    """Amendments that wait for nobody."""


@dataclass(frozen=True)
class OccupationShelf:
    """Occupations of one group."""

    title: str
    count: str
    rows: list[OccupationRow]


@dataclass(frozen=True)
class StudyShelf:
    """Studies of everybody, or of one point of the order."""

    title: str
    count: str
    rows: list[StudyRow]


@dataclass(frozen=True)
class TemplateShelf:
    """Messages about one thing."""

    title: str
    count: str
    rows: list[TemplateRow]


@dataclass(frozen=True)
class PastShelf:
    """Amendments that were answered."""

    title: str
    count: str
    rows: list[AmendmentRow]


@dataclass(frozen=True, slots=True)
class Found:
    """What holds every word that is sought, or all of it; a group with nothing is left out."""

    occupations: list[OccupationShelf]
    studies: list[StudyShelf]
    templates: list[TemplateShelf]
    past: list[PastShelf]
    summary: str
    """How much that is; nothing where nothing is found."""


def found(lists: Lists, text: str) -> Found:
    """Return what fits the words as far as they are typed; without words everything."""
    query = Query.parse(text)
    occupations = _fitting(query, lists.occupations, _of_occupation)
    studies = _fitting(query, lists.studies, _of_study)
    templates = _fitting(query, lists.templates, _of_template)
    past = _fitting(query, lists.past, _of_amendment)
    if not query.words:
        # The words of a message are many, and shown to tell why it was found.
        templates = [replace(row, said="") for row in templates]
    return Found(
        [
            OccupationShelf(title, counted(len(rows), *_OCCUPATIONS), rows)
            for title, rows in _grouped(occupations, lambda row: row.group)
        ],
        [
            StudyShelf(title, counted(len(rows), *_STUDIES), rows)
            for title, rows in _grouped(studies, lambda row: row.shelf)
        ],
        [
            TemplateShelf(title, counted(len(rows), *_TEMPLATES), rows)
            for title, rows in _grouped(templates, lambda row: row.kind)
        ],
        [PastShelf("Прошлые изменения", counted(len(past), *_AMENDMENTS), past)] if past else [],
        _summary(
            (len(occupations), _OCCUPATIONS),
            (len(studies), _STUDIES),
            (len(templates), _TEMPLATES),
            (len(past), _AMENDMENTS),
            is_search=bool(query.words),
        ),
    )


def _summary(*counts: tuple[int, tuple[str, str, str]], is_search: bool) -> str:
    said = ", ".join(counted(many, *forms) for many, forms in counts if many)
    if not said or not is_search:
        return said and f"{said}."
    return f"{plural(sum(many for many, _ in counts), 'Нашлась', 'Нашлись', 'Нашлось')}: {said}."


def _grouped(rows: Iterable[Row], group: Callable[[Row], str]) -> Iterable[tuple[str, list[Row]]]:
    """Return groups in the order in which they first come."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(group(row), []).append(row)
    return groups.items()


def _fitting(
    query: Query, rows: Iterable[Row], texts_of: Callable[[Row], tuple[str, ...]]
) -> list[Row]:
    return [row for row in rows if _holds(query, texts_of(row))]


def _holds(query: Query, texts: tuple[str, ...]) -> bool:
    """Whether every word is there, or at least begins one: people are still typing."""
    unmet = query.missing(texts)
    known = [word for text in texts for word in words_of(text)] if unmet else []
    return all(any(word.startswith(sought) for word in known) for sought in unmet)


def _of_occupation(row: OccupationRow) -> tuple[str, ...]:
    return row.name, row.group, f"пункт {row.point}", row.state, row.later


def _of_study(row: StudyRow) -> tuple[str, ...]:
    return row.name, row.shelf, row.whose, row.period, row.norm, row.later


def _of_template(row: TemplateRow) -> tuple[str, ...]:
    return row.title, row.kind, row.said, row.later


def _of_amendment(row: AmendmentRow) -> tuple[str, ...]:
    return row.what, row.said, row.since, row.by, row.reason, row.state
