"""«Мои заявки»: which of the holder's applications are shown, and in what order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from emk_app.domain.applications import FINAL, ApplicationStatus
from emk_app.presenting.applications import STATUSES
from emk_app.presenting.formats import counted
from emk_app.services.applying import CaseView

PAGE_LENGTH: Final = 10
QUERY_LIMIT: Final = 80


class Group(StrEnum):
    """Applications of one kind of status."""

    ALL = "all"
    OPEN = "open"
    ASKED = "asked"
    ENDED = "ended"


class Order(StrEnum):
    """What comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    DUE = "due"


GROUPS: Final = {
    Group.ALL: "Все",
    Group.OPEN: "В работе",
    Group.ASKED: "Требуют ответа",
    Group.ENDED: "Завершённые",
}
ORDERS: Final = {
    Order.NEWEST: "Сначала новые",
    Order.OLDEST: "Сначала старые",
    Order.DUE: "Сначала с ближайшим сроком",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of what was sought."""

    cases: tuple[CaseView, ...]
    total: int
    page: int
    """From 1; the nearest there is to the one asked for."""
    pages: int


def listing(
    cases: Iterable[CaseView], group: Group, query: str, order: Order, page: int
) -> Listing:
    """Return the page of those that are in the group and hold every word of the query.

    Words are sought in the number, however it is written, the clinic, the occupation and the
    status.
    """
    words = _plain(query).split()
    found = [
        case
        for case in cases
        if _is_in(case, group) and all(word in _plain(_said(case)) for word in words)
    ]
    found.sort(key=lambda case: case.submitted_at, reverse=order is not Order.OLDEST)
    if order is Order.DUE:
        found.sort(key=_due)
    pages = max(-(-len(found) // PAGE_LENGTH), 1)
    shown = min(max(page, 1), pages)
    start = (shown - 1) * PAGE_LENGTH
    return Listing(tuple(found[start : start + PAGE_LENGTH]), len(found), shown, pages)


def group_options(cases: Sequence[CaseView]) -> list[list[str]]:
    """Return value and words of every group, with how many are in it."""
    return [
        [group.value, f"{name}: {sum(_is_in(case, group) for case in cases)}"]
        for group, name in GROUPS.items()
    ]


def found_text(total: int) -> str:
    """Say how many applications are shown."""
    return counted(total, "заявка", "заявки", "заявок")


def _is_in(case: CaseView, group: Group) -> bool:
    match group:
        case Group.ALL:
            return True
        case Group.OPEN:
            return case.status not in FINAL
        case Group.ASKED:
            return case.status is ApplicationStatus.CLARIFICATION_REQUESTED
        case Group.ENDED:
            return case.status in FINAL


def _due(case: CaseView) -> tuple[bool, date]:
    """Return what sorts the nearest term first, whose ever it is, and what has ended last."""
    return case.status in FINAL, min(case.promised_by, case.act_by or case.promised_by)


def _said(case: CaseView) -> str:
    parts = [
        case.number.shown,
        case.number.slug,
        re.sub("[^0-9]", "", case.number.slug),
        STATUSES[case.status].text,
        case.occupation.name if case.occupation else "",
        f"{case.clinic.short_name} {case.clinic.name}" if case.clinic else "",
    ]
    return " ".join(parts)


_SPELLINGS: Final[Mapping[int, str]] = str.maketrans({"ё": "е", "–": "-", "—": "-", "№": " "})


def _plain(text: str) -> str:
    return text.casefold().translate(_SPELLINGS)
