"""Policies of compulsory medical insurance (ОМС) and what the unified number tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, TypeAlias

from stdnum import luhn

from emk_app.domain.numbers import WrongCheckDigit
from emk_app.domain.people import YEARS, Sex
from emk_app.domain.values import Personal, Problems, read_code, read_digits

SERIES_LIMIT: Final = 10
NUMBER_LIMIT: Final = 20
ROW_LIMIT: Final = 200
"""Characters of a row read off a scan that are looked at."""


class PolicyKind(StrEnum):
    """How the policy is numbered."""

    UNIFIED = "unified"
    OLD = "old"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True, repr=False)
class Enp(Personal):
    """Unified policy number: region, birth date and sex, serial, Luhn digit.

    The Luhn digit detects every single-digit error. The region is that of the first issue, not
    where the person lives.
    """

    digits: str

    @classmethod
    def parse(cls, text: str) -> Enp:
        """Read 16 digits; raise ``WrongLength`` or ``WrongCheckDigit``."""
        digits = read_digits(text, 16)
        if not luhn.is_valid(digits) or not digits.strip("0"):
            raise WrongCheckDigit
        return cls(digits)

    @classmethod
    def issue(cls, region: int, born_on: date, sex: Sex, serial: int) -> Enp:
        """Return the number by the rules of issue; ``region`` has 2 digits, ``serial`` 5."""
        month = born_on.month + _century(born_on.year)
        day = born_on.day + _MALE * (sex is Sex.MALE)
        birth = f"{month:02}{f'{born_on.year:04}'[::-1]}{day:02}".translate(_NINES)
        body = f"{region:02}{birth}{serial:05}"
        return cls(body + luhn.calc_check_digit(body))

    @property
    def born_on(self) -> date | None:
        """The birth date in the number; ``None`` if there is none to read."""
        birth = self._birth
        return birth and birth[0]

    @property
    def sex(self) -> Sex | None:
        """The sex in the number; ``None`` if there is no birth date to read."""
        birth = self._birth
        return birth and birth[1]

    @property
    def _birth(self) -> tuple[date, Sex] | None:
        digits = self.digits[2:10].translate(_NINES)
        month, year, day = int(digits[:2]), int(digits[5:1:-1]), int(digits[6:])
        sex = Sex.MALE if day > _MALE else Sex.FEMALE
        if year not in YEARS:
            return None
        try:
            return date(year, month - _century(year), day - _MALE * (sex is Sex.MALE)), sex
        except ValueError:
            return None

    def __str__(self) -> str:
        return " ".join(self.digits[start : start + 4] for start in range(0, 16, 4))

    @property
    def masked(self) -> str:
        """The last four digits, since the others tell the birth date."""
        return f"**** **** **** {self.digits[-4:]}"


def found_in(rows: Iterable[str]) -> tuple[Enp, ...]:
    """Return the unified numbers among rows of text, each once: right in their check digit and
    with a birth date in them, since one number of sixteen digits in ten passes the first alone.
    """
    found: dict[str, Enp] = {}
    for row in rows:
        for match in _SIXTEEN.finditer(row[:ROW_LIMIT]):
            digits = _BLANKS.sub("", match[0])
            if luhn.is_valid(digits) and Enp(digits).born_on is not None:
                found[digits] = Enp(digits)
    return tuple(found.values())


_SIXTEEN: Final = re.compile(r"(?<![0-9])[0-9](?:[ \u00a0]?[0-9]){15}(?![0-9])")
_BLANKS: Final = re.compile(r"[ \u00a0]")
_NINES: Final = str.maketrans("0123456789", "9876543210")
_MALE: Final = 50
"""Added to the day of a man's birth."""


def _century(year: int) -> int:
    """Return what is added to the month of birth so that it tells the century."""
    return 20 if year <= 1950 else 40 if year <= 2000 else 0


@dataclass(frozen=True, slots=True, repr=False)
class OmsPolicy(Personal):
    """A policy of any kind: only an old one has a series."""

    kind: PolicyKind
    number: str
    series: str = ""

    @classmethod
    def parse(cls, kind: PolicyKind, *, number: str, series: str = "") -> OmsPolicy:
        """Read the fields of this kind; raise ``Invalid`` with ``number`` and ``series``.

        What stands in the series field of a kind that has no series is ignored.
        """
        problems = Problems()
        match kind:
            case PolicyKind.UNIFIED:
                policy = cls(kind, problems.take("number", _unified, number))
            case PolicyKind.TEMPORARY:
                policy = cls(kind, problems.take("number", read_digits, number, 9))
            case PolicyKind.OLD:
                policy = cls(
                    kind,
                    problems.take("number", read_code, number, NUMBER_LIMIT),
                    problems.take("series", read_code, series, SERIES_LIMIT),
                )
        problems.raise_any()
        return policy

    @property
    def enp(self) -> Enp | None:
        """The unified number, where the policy has one."""
        return Enp(self.number) if self.kind is PolicyKind.UNIFIED else None

    def __str__(self) -> str:
        return str(self.enp or f"{self.series} {self.number}".strip())

    @property
    def masked(self) -> str:
        """The last four characters of the number."""
        return self.enp.masked if self.enp else f"***{self.number[-4:]}"


def _unified(text: str) -> str:
    return Enp.parse(text).digits


@dataclass(frozen=True, slots=True)
class BirthUnreadable:
    """The number encodes no birth date to compare with."""


@dataclass(frozen=True, slots=True)
class BirthDiffers:
    """The number encodes another birth date than the form states."""

    encoded: date
    stated: date


@dataclass(frozen=True, slots=True)
class SexDiffers:
    """The number encodes another sex than the form states."""

    encoded: Sex
    stated: Sex


PolicyWarning: TypeAlias = BirthUnreadable | BirthDiffers | SexDiffers


def policy_warnings(enp: Enp, born_on: date, sex: Sex | None) -> tuple[PolicyWarning, ...]:
    """Compare the number with the form; an unknown ``sex`` is not compared.

    These are hints for the operator and refuse nothing: mistakes made at issue are never
    renumbered.
    """
    if enp.born_on is None or enp.sex is None:
        return (BirthUnreadable(),)
    found: list[PolicyWarning] = []
    if enp.born_on != born_on:
        found.append(BirthDiffers(enp.born_on, born_on))
    if sex is not None and enp.sex is not sex:
        found.append(SexDiffers(enp.sex, sex))
    return tuple(found)
