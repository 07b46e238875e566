"""The internal passport: series, number, day and unit of issue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from emk_app.domain.errors import InvalidValue
from emk_app.domain.people import birthday, parse_past_date
from emk_app.domain.values import Personal, Problems, read_digits

PASSPORT_AGE: Final = 14
REPLACED_AT: Final = (20, 45)
GRACE: Final = timedelta(days=90)


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
        unit_code: str,
        born_on: date,
        today: date,
    ) -> Passport:
        """Read the four fields; raise ``Invalid`` with the names of the arguments."""
        problems = Problems()
        passport = cls(
            problems.take("series", read_digits, series, 4),
            problems.take("number", read_digits, number, 6),
            problems.take("issued_on", _issue_date, issued_on, born_on, today),
            problems.take("unit_code", read_digits, unit_code, 6),
        )
        problems.raise_any()
        return passport

    def is_outlived(self, born_on: date, today: date) -> bool:
        """Whether it had to be replaced at 20 or 45 and the 90 days for doing so have passed."""
        due = (birthday(born_on, age) for age in REPLACED_AT)
        return any(self.issued_on < day and day + GRACE < today for day in due)

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


def _issue_date(text: str, born_on: date, today: date) -> date:
    issued_on = parse_past_date(text, today)
    earliest = birthday(born_on, PASSPORT_AGE)
    if issued_on < earliest:
        raise IssuedTooEarly(earliest)
    return issued_on
