"""Who somebody is: name, sex, birth date."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Literal, overload

from emk_app.domain.errors import InvalidValue, Required
from emk_app.domain.values import (
    DASHES,
    NUMBER_LIMIT,
    Personal,
    Problems,
    UnexpectedCharacter,
    one_line,
)

NAME_LIMIT: Final = 60
YOUNGEST_HOLDER: Final = 14
"""From this age on a person applies for himself: the age of the passport."""
OLDEST: Final = 120
YEARS: Final = range(1900, 2101)
"""The years a date of this service can have: nobody is older, nothing lasts longer."""

_RUSSIAN: Final = re.compile(r"[А-Яа-яЁё]")
_NAME: Final = re.compile(r"[А-Яа-яЁё]+(?:[ '-][А-Яа-яЁё]+)*")
_APOSTROPHES: Final = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u02b9\u2032`\u00b4"), "'")
_LOOK_ALIKE: Final = dict(zip("ABCEHKMOPTXYaceopxyëË", "АВСЕНКМОРТХУасеорхуёЁ", strict=True))
_NO_PATRONYMIC: Final = frozenset({"-", "нет", "отсутствует"})
_CAPITALS: Final = re.compile(r"(?:^|[ -])(?:[а-яё]')?[а-яё]")
_PARTICLES: Final = re.compile(r"(?<=[ -])(?:Оглы|Оглу|Кызы|Гызы|Кизи|Заде|Уулу|Улы)\b")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[./ -](\d{1,2})[./ -](\d{4})|(\d{2})(\d{2})(\d{4})", re.A)
_YEAR_FIRST: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.A)


class Sex(StrEnum):
    """Sex as documents state it; the words are FHIR's."""

    MALE = "male"
    FEMALE = "female"


class ForeignLetter(InvalidValue):
    """A letter that is not Russian; ``russian`` is the one it looks like, if any."""

    def __init__(self, letter: str, russian: str | None) -> None:
        super().__init__(f"foreign letter {letter!a}")
        self.letter = letter
        self.russian = russian


class NotInNames(UnexpectedCharacter):
    """Neither a letter nor a hyphen, blank or apostrophe."""


class NameShape(InvalidValue):
    """A hyphen or apostrophe that does not stand between letters."""


class NotADate(InvalidValue):
    """Not written as day, month and four digits of the year."""


class NoSuchMonth(InvalidValue):
    """A month beyond 1..12."""

    def __init__(self, month: int) -> None:
        super().__init__(f"no month {month}")
        self.month = month


class NoSuchDay(InvalidValue):
    """A day the month does not have; ``last`` is its last."""

    def __init__(self, day: int, month: int, year: int, last: int) -> None:
        super().__init__(f"no day {day} in {month:02}.{year}")
        self.day = day
        self.month = month
        self.year = year
        self.last = last


class YearOutOfRange(InvalidValue):
    """A year outside ``YEARS``."""

    def __init__(self, year: int) -> None:
        super().__init__(f"year {year} is not in {YEARS[0]}..{YEARS[-1]}")
        self.year = year


class InFuture(InvalidValue):
    """A date that had to be past by ``today`` and is not."""

    def __init__(self, today: date) -> None:
        super().__init__(f"after {today}")
        self.today = today


class TooOld(InvalidValue):
    """A birth date that makes the person older than ``oldest``."""

    def __init__(self, age: int, oldest: int) -> None:
        super().__init__(f"age {age} is above {oldest}")
        self.age = age
        self.oldest = oldest


class TooYoung(InvalidValue):
    """A birth date that makes the person younger than ``youngest``."""

    def __init__(self, age: int, youngest: int) -> None:
        super().__init__(f"age {age} is below {youngest}")
        self.age = age
        self.youngest = youngest


@dataclass(frozen=True, slots=True, repr=False)
class FullName(Personal):
    """A person's name as in the passport."""

    last: str
    first: str
    patronymic: str | None = None

    @classmethod
    def parse(cls, *, last: str, first: str, patronymic: str = "") -> FullName:
        """Read the three fields; raise ``Invalid`` with ``last``, ``first``, ``patronymic``."""
        problems = Problems()
        name = cls(
            problems.take("last", parse_name_part, last, required=True),
            problems.take("first", parse_name_part, first, required=True),
            problems.take("patronymic", parse_name_part, patronymic, required=False),
        )
        problems.raise_any()
        return name

    def __str__(self) -> str:
        return " ".join(filter(None, (self.last, self.first, self.patronymic)))

    @property
    def short(self) -> str:
        """Surname and initials: «Иванова М. С.»."""
        initials = (f"{part[0]}." for part in (self.first, self.patronymic) if part)
        return " ".join((self.last, *initials))

    @property
    def brief(self) -> str:
        """Surname and the first initial: «Иванова М.»."""
        return f"{self.last} {self.first[0]}."

    @property
    def masked(self) -> str:
        """First name in full, first letters of the rest: «И*** Мария С***»."""
        patronymic = self.patronymic and f"{self.patronymic[0]}***"
        return " ".join(filter(None, (f"{self.last[0]}***", self.first, patronymic)))


@overload
def parse_name_part(text: str, *, required: Literal[True]) -> str: ...
@overload
def parse_name_part(text: str, *, required: bool) -> str | None: ...
def parse_name_part(text: str, *, required: bool) -> str | None:
    """Read a surname, first name or patronymic: Russian letters, at most 60 characters.

    Text in one case gets its capitals («ИВАНОВА-ПЕТРОВА», «гусейн оглы»); mixed case stays as
    typed («фон Мекк»). Where it is not required, nothing, «-», «нет» and «отсутствует» all give
    ``None``.
    """
    name = one_line(text, NAME_LIMIT).translate(DASHES | _APOSTROPHES)
    name = re.sub(" *- *", "-", name)
    if not required and name.lower() in _NO_PATRONYMIC:
        return None
    if not name:
        if required:
            raise Required
        return None
    for character in name:
        if _RUSSIAN.match(character) or character in " '-":
            continue
        if character.isalpha():
            raise ForeignLetter(character, _LOOK_ALIKE.get(character))
        raise NotInNames(character)
    if not _NAME.fullmatch(name):
        raise NameShape
    return _capitalised(name) if name.islower() or name.isupper() else name


def _capitalised(name: str) -> str:
    capitals = _CAPITALS.sub(lambda found: found[0].upper(), name.lower())
    return _PARTICLES.sub(lambda found: found[0].lower(), capitals)


def parse_date(text: str) -> date:
    """Read ДД.ММ.ГГГГ (also with other separators or none) or ГГГГ-ММ-ДД of a date field.

    Raises ``Required``, ``NotADate``, ``NoSuchMonth``, ``NoSuchDay`` or ``YearOutOfRange``.
    """
    line = one_line(text, NUMBER_LIMIT).translate(DASHES)
    if not line:
        raise Required
    if found := _YEAR_FIRST.fullmatch(line):
        year, month, day = map(int, found.groups())
    elif found := _DAY_FIRST.fullmatch(line):
        day, month, year = (int(group) for group in found.groups() if group)
    else:
        raise NotADate
    if year not in YEARS:
        raise YearOutOfRange(year)
    if not 1 <= month <= 12:
        raise NoSuchMonth(month)
    last = calendar.monthrange(year, month)[1]
    if not 1 <= day <= last:
        raise NoSuchDay(day, month, year, last)
    return date(year, month, day)


def parse_past_date(text: str, today: date) -> date:
    """Read a date not after ``today``; raise ``InFuture`` for a later one."""
    day = parse_date(text)
    if day > today:
        raise InFuture(today)
    return day


def parse_birth_date(text: str, today: date, *, youngest: int = 0) -> date:
    """Read the birth date of somebody aged ``youngest`` to 120 on ``today``, both inclusive.

    Raises ``InFuture``, ``TooYoung`` or ``TooOld`` beside what ``parse_date`` raises. Holders who
    apply for themselves are checked with ``youngest=YOUNGEST_HOLDER``.
    """
    born_on = parse_past_date(text, today)
    age = age_on(born_on, today)
    if age > OLDEST:
        raise TooOld(age, OLDEST)
    if age < youngest:
        raise TooYoung(age, youngest)
    return born_on


def age_on(born_on: date, day: date) -> int:
    """Return the full years lived by ``day``; whoever was born on 29 February ages on 1 March."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def birthday(born_on: date, age: int) -> date:
    """Return the day on which somebody reaches ``age``: 29 February gives 1 March if need be."""
    try:
        return born_on.replace(year=born_on.year + age)
    except ValueError:
        return date(born_on.year + age, 3, 1)
