"""Papers that tell who somebody is: the internal passport, and what is shown instead of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain.errors import InvalidValue
from emk_app.domain.people import birthday, parse_past_date
from emk_app.domain.values import Personal, Problems, read_code, read_digits

PASSPORT_AGE: Final = 14
REPLACED_AT: Final = (20, 45)
GRACE: Final = timedelta(days=90)
IDENTITY_NUMBER_LIMIT: Final = 30


class IdentityKind(StrEnum):
    """Papers by which a person is identified in Russia."""

    PASSPORT = "passport"
    TEMPORARY = "temporary"
    """The certificate given while a passport is being made (form 2П)."""
    MILITARY = "military"
    FOREIGN_PASSPORT = "foreign_passport"
    RESIDENCE_PERMIT = "residence_permit"
    TEMPORARY_RESIDENCE = "temporary_residence"
    REFUGEE = "refugee"
    ASYLUM = "asylum"


class IssuedTooEarly(InvalidValue):
    """Issued before the owner could have a passport, on ``earliest``."""

    def __init__(self, earliest: date) -> None:
        super().__init__("before the 14th birthday")
        self.earliest = earliest


@dataclass(frozen=True, slots=True, repr=False)
class Passport(Personal):
    """A passport of a citizen of Russia."""

    series: str
    number: str
    issued_on: date
    unit_code: str

    @classmethod
    def parse(
        cls,
        *,
        series: str,
        number: str,
        issued_on: str,
        unit: str,
        born_on: date | None,
        today: date,
    ) -> Passport:
        """Read the four fields; raise ``Invalid`` with the names of the arguments.

        While ``born_on`` is unknown the day of issue is not held against it.
        """
        problems = Problems()
        passport = cls(
            problems.take("series", read_digits, series, 4),
            problems.take("number", read_digits, number, 6),
            problems.take("issued_on", _issue_date, issued_on, born_on, today),
            problems.take("unit", read_digits, unit, 6),
        )
        problems.raise_any()
        return passport

    def outlived_at(self, born_on: date, today: date) -> int | None:
        """Return the age (20, 45) at which it had to be replaced, once the 90 days for doing so
        have passed; the last one, if there were two.
        """
        due = {age: birthday(born_on, age) for age in REPLACED_AT}
        ages = [age for age, day in due.items() if self.issued_on < day and day + GRACE < today]
        return max(ages, default=None)

    def __str__(self) -> str:
        return f"{self.series[:2]} {self.series[2:]} {self.number}"

    @property
    def unit(self) -> str:
        """The unit's code as the passport prints it: «563-584»."""
        return f"{self.unit_code[:3]}-{self.unit_code[3:]}"

    @property
    def masked(self) -> str:
        """The last three digits of the number."""
        return f"** ** ***{self.number[-3:]}"


def _issue_date(text: str, born_on: date | None, today: date) -> date:
    issued_on = parse_past_date(text, today)
    if born_on is not None and issued_on < (earliest := birthday(born_on, PASSPORT_AGE)):
        raise IssuedTooEarly(earliest)
    return issued_on


@dataclass(frozen=True, slots=True, repr=False)
class IdentityPaper(Personal):
    """What somebody shows who has no internal passport; nothing of it can be computed."""

    kind: IdentityKind
    number: str

    @classmethod
    def parse(cls, kind: IdentityKind, number: str) -> IdentityPaper:
        """Read series and number, written as one; raises what ``read_code`` raises."""
        return cls(kind, read_code(number.replace("№", " "), IDENTITY_NUMBER_LIMIT))

    def __str__(self) -> str:
        return self.number

    @property
    def masked(self) -> str:
        """The last three characters of the number."""
        return f"***{self.number[-3:]}"


@dataclass(frozen=True, slots=True)
class PassportOutlived:
    """The passport had to be replaced at ``age``; whether it was is for the holder to say."""

    age: int


def passport_warnings(
    passport: Passport, born_on: date, today: date
) -> tuple[PassportOutlived, ...]:
    """Return what to tell about a passport that is accepted all the same."""
    age = passport.outlived_at(born_on, today)
    return (PassportOutlived(age),) if age is not None else ()
