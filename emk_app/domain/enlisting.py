"""A file of staff: which column is which, what is wrong with a line, and what became of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from emk_app.domain.books import BookNumber
from emk_app.domain.employing import DEPARTMENT_LIMIT, TAB_LIMIT, label
from emk_app.domain.errors import (
    Conflict,
    DomainError,
    InvalidValue,
    TransitionNotAllowed,
)
from emk_app.domain.numbers import Snils
from emk_app.domain.occupations import OCCUPATIONS, SEARCH_LIMIT, find_occupations
from emk_app.domain.values import Problems, one_line

SIZE_LIMIT: Final = 2 * 1024 * 1024
ROW_LIMIT: Final = 2_000
CELL_LIMIT: Final = 300
"""Characters of a cell; what is longer is cut, and then refused by its own field."""
COLUMN_LIMIT: Final = 40
DAILY_ROWS: Final = 5_000
"""Lines that one organisation may have checked in a day, so that nobody tries numbers at leisure
or keeps the others waiting."""
WAITS: Final = timedelta(days=1)
"""How long a file that was looked through waits for a word, or a stuck one for its job."""
KEPT: Final = timedelta(days=30)
"""How long what became of each line may be read."""


class Column(StrEnum):
    """What a column says."""

    LABEL = "label"
    NUMBER = "number"
    SNILS = "snils"
    LINK = "link"
    TAB = "tab"
    DEPARTMENT = "department"
    OCCUPATION = "occupation"


HEADINGS: Final[Mapping[Column, Sequence[str]]] = {
    Column.LABEL: (
        *("сотрудник", "фио", "фамилия имя отчество", "фамилия и инициалы", "работник", "имя"),
        "как записать в списке",
    ),
    Column.NUMBER: (
        *("номер книжки", "номер медкнижки", "номер медицинской книжки", "номер эмк"),
        *("медкнижка", "медицинская книжка", "книжка", "эмк", "номер", "номер элмк"),
    ),
    Column.SNILS: ("снилс", "номер снилс", "страховой номер"),
    Column.LINK: ("ссылка", "ссылка на книжку", "ссылка или код", "код", "qr", "qr код"),
    Column.TAB: ("табельный номер", "таб номер", "таб", "табельный", "личный номер"),
    Column.DEPARTMENT: ("подразделение", "отдел", "цех", "участок", "служба", "магазин"),
    Column.OCCUPATION: (
        *("работа на этом месте", "работа", "профессия", "должность", "вид работ"),
    ),
}
"""How personnel departments call them; the first of each is what the sample calls it."""
NEEDED: Final = (Column.LABEL, Column.NUMBER, Column.SNILS)


class UploadState(StrEnum):
    """Where a file of staff is."""

    CHECKED = "checked"
    """Looked through; waits for a word."""
    APPLYING = "applying"
    DONE = "done"
    DROPPED = "dropped"
    """Given up; who was added already stays."""


OPEN: Final = frozenset({UploadState.CHECKED, UploadState.APPLYING})
STEPS: Final = frozenset(
    {
        (UploadState.CHECKED, UploadState.APPLYING),
        (UploadState.APPLYING, UploadState.DONE),
        *((state, UploadState.DROPPED) for state in OPEN),
    }
)


class Outcome(StrEnum):
    """What became of a line."""

    ADDED = "added"
    KNOWN = "known"
    """Stood on the list already; what is said of the person is new."""
    NOT_FOUND = "not_found"
    NOT_A_LINK = "not_a_link"
    LINK_OVER = "link_over"
    CLOSED = "closed"
    """The holder has closed the access."""
    TOO_OFTEN = "too_often"
    """This book was tried with wrong numbers too often lately."""
    FULL = "full"
    OFF = "off"
    """Nobody may check by number for now."""


GOOD: Final = frozenset({Outcome.ADDED, Outcome.KNOWN})


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file as it was written."""

    line: int
    """As the spreadsheet counts: the headings are the first."""
    label: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    snils: str = field(default="", repr=False)
    link: str = field(default="", repr=False)
    tab: str = field(default="", repr=False)
    department: str = ""
    occupation: str = ""

    @property
    def key(self) -> str:
        """By which two lines are about the same book: its number, or the link."""
        return self.link or self.number


@dataclass(frozen=True, slots=True)
class Checked:
    """A line with what is wrong with it; empty where it can be looked up."""

    row: Row
    occupation: str
    """The code; empty where the file says none that is known."""
    problems: Mapping[str, InvalidValue]


def read(table: Sequence[Sequence[str]]) -> list[Row]:
    """Return the lines of a table whose first line that is not blank has the headings.

    Raises ``NoColumns`` where what is needed has no column, ``NoRows`` and ``TooManyRows``.
    """
    head = next((place for place, line in enumerate(table) if any(map(str.strip, line))), None)
    if head is None:
        raise NoRows
    places: dict[Column, int] = {}
    for place, heading in enumerate(table[head]):
        known = _headings().get(_plain(heading))
        if known is not None:
            places.setdefault(known, place)
    missing = [each for each in NEEDED if each not in places]
    if Column.LINK in places and Column.LABEL in places:
        missing = []
    if missing:
        raise NoColumns(missing)
    rows = [
        Row(
            number,
            **{
                column.value: line[place].strip()[:CELL_LIMIT]
                for column, place in places.items()
                if place < len(line)
            },
        )
        for number, line in enumerate(table[head + 1 :], head + 2)
        if any(map(str.strip, line))
    ]
    if not rows:
        raise NoRows
    if len(rows) > ROW_LIMIT:
        raise TooManyRows(ROW_LIMIT)
    return [_padded(row) for row in rows]


def check(rows: Iterable[Row]) -> list[Checked]:
    """Say of each line what is wrong with it; of two about the same book the second is."""
    first: dict[str, int] = {}
    checked: list[Checked] = []
    for row in rows:
        problems = Problems()
        problems.take("label", label, row.label)
        problems.take("tab", one_line, row.tab, TAB_LIMIT)
        problems.take("department", one_line, row.department, DEPARTMENT_LIMIT)
        if not row.link:
            problems.take("number", BookNumber.parse, row.number)
            problems.take("snils", Snils.parse, row.snils)
        key = "".join(each for each in row.key if each.isalnum()).casefold()
        if key and first.setdefault(key, row.line) != row.line:
            problems.fields["number"] = Repeated(first[key])
        checked.append(Checked(row, occupation_in(row.occupation), problems.fields))
    return checked


def occupation_in(text: str) -> str:
    """Return the code of the occupation that is called so; empty where none is, or several are."""
    said = _plain(text)
    if not said or said in _occupations():
        return _occupations().get(said, "")
    found = find_occupations(said[:SEARCH_LIMIT], 2)
    return found[0].code if len(found) == 1 else ""


def check_step(current: UploadState, target: UploadState) -> None:
    """Raise ``TransitionNotAllowed`` for a step that is not in the table."""
    if (current, target) not in STEPS:
        raise TransitionNotAllowed(current, target)


class NotATable(DomainError):
    """Neither a table of a spreadsheet nor text with columns, or broken."""


class NoColumns(DomainError):
    """The first line names no column for ``missing``."""

    def __init__(self, missing: Sequence[Column]) -> None:
        super().__init__(f"no columns for {', '.join(missing)}")
        self.missing = tuple(missing)


class NoRows(DomainError):
    """Nothing below the headings."""


class TooManyRows(DomainError):
    """More lines than one file may have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} lines")
        self.limit = limit


class DayFull(Conflict):
    """The organisation has had as many lines checked as a day allows; ``left`` are left."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} lines are left")
        self.left = left


class UploadUnderWay(Conflict):
    """Another file of the organisation waits for a word or is being worked on."""


class NothingToAdd(Conflict):
    """Every line has something wrong with it."""


class Repeated(InvalidValue):
    """The same book stands in an earlier ``line``."""

    def __init__(self, line: int) -> None:
        super().__init__(f"as in line {line}")
        self.line = line


def _padded(row: Row) -> Row:
    """Give back the zeros that a spreadsheet has taken from the front of a number."""
    number = row.number.zfill(12) if row.number.isdigit() and len(row.number) > 9 else row.number
    snils = row.snils.zfill(11) if row.snils.isdigit() and len(row.snils) > 7 else row.snils
    return replace(row, number=number, snils=snils)


def _plain(text: str) -> str:
    """Return the words of a heading alone: no signs, no «№», «ё» as «е», small letters."""
    said = text.casefold().replace("ё", "е").replace("№", " номер ")
    return " ".join(re.findall(r"[а-яa-z0-9]+", said.replace("ф.и.о", "фио")))


@cache
def _headings() -> dict[str, Column]:
    return {_plain(text): column for column, texts in HEADINGS.items() for text in texts}


@cache
def _occupations() -> dict[str, str]:
    """Return the codes by the whole names and by the words between their commas."""
    found: dict[str, str] = {}
    # Of two with one word the first in the list counts.
    for each in list(OCCUPATIONS.values())[::-1]:
        for name in (each.name, *each.name.split(","), each.code):
            found[_plain(name)] = each.code
    return found
