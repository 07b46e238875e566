"""Who applies for somebody else, and on what ground."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from emk_app.domain.errors import InvalidValue
from emk_app.domain.people import FullName, parse_date, parse_past_date
from emk_app.domain.terms import last_day
from emk_app.domain.values import Personal, Problems, read_code, read_words

FULL_AGE: Final = 18
NUMBER_LIMIT: Final = 40
SHORTEST_NOTARY: Final = 5
LONGEST_NOTARY: Final = 150
TERM_UNSAID: Final = 12
"""Months a power of attorney lasts that names no term (Гражданский кодекс РФ, article 186)."""


class Basis(StrEnum):
    """By what right a representative acts."""

    PARENT = "parent"
    GUARDIAN = "guardian"
    ATTORNEY = "attorney"


class RepresentativeNeeded(InvalidValue):
    """The holder is under age: a parent or guardian applies, or whom they empower."""


class ParentOfAdult(InvalidValue):
    """Parents represent only children under age; adults empower them like anybody else."""


class UntilBeforeIssue(InvalidValue):
    """A term that ends before the document was made, on ``issued_on``."""

    def __init__(self, issued_on: date) -> None:
        super().__init__(f"ends before {issued_on}")
        self.issued_on = issued_on


class AttorneyExpired(InvalidValue):
    """The power of attorney was in force until ``valid_until``, inclusive, and is no more."""

    def __init__(self, valid_until: date) -> None:
        super().__init__(f"in force until {valid_until}")
        self.valid_until = valid_until


@dataclass(frozen=True, slots=True, repr=False)
class PowerOfAttorney(Personal):
    """A notarial power of attorney; ``until`` is None where it names no term."""

    number: str
    notary: str
    issued_on: date
    until: date | None

    @classmethod
    def parse(
        cls, *, number: str, notary: str, issued_on: str, until: str, today: date
    ) -> PowerOfAttorney:
        """Read the four fields, of which ``until`` may be empty.

        Raises ``Invalid`` with the names of the arguments; an expired one is read all the same.
        """
        problems = Problems()
        paper = cls(
            problems.take("number", _number, number),
            problems.take("notary", read_words, notary, SHORTEST_NOTARY, LONGEST_NOTARY),
            problems.take("issued_on", parse_past_date, issued_on, today),
            problems.take("until", _optional_date, until),
        )
        if not problems.fields and paper.until and paper.until < paper.issued_on:
            problems.fields["until"] = UntilBeforeIssue(paper.issued_on)
        problems.raise_any()
        return paper

    @property
    def valid_until(self) -> date:
        """The last day of its force, inclusive."""
        return self.until or last_day(self.issued_on, TERM_UNSAID)

    def check_in_force(self, today: date) -> None:
        """Raise ``AttorneyExpired`` after the last day."""
        if self.valid_until < today:
            raise AttorneyExpired(self.valid_until)

    def __str__(self) -> str:
        return self.number

    @property
    def masked(self) -> str:
        """The last three characters of the number."""
        return f"***{self.number[-3:]}"


@dataclass(frozen=True, slots=True)
class Representative:
    """Somebody who applies for the holder; ``attorney`` only where that is the basis."""

    name: FullName
    basis: Basis
    attorney: PowerOfAttorney | None


def check_basis(basis: Basis, age: int | None) -> Basis:
    """Return the basis if it fits a holder of this ``age``; raise ``ParentOfAdult``."""
    if basis is Basis.PARENT and age is not None and age >= FULL_AGE:
        raise ParentOfAdult
    return basis


def check_acts_alone(age: int | None) -> None:
    """Raise ``RepresentativeNeeded`` for a holder under age."""
    if age is not None and age < FULL_AGE:
        raise RepresentativeNeeded


def _number(text: str) -> str:
    return read_code(text.replace("№", " "), NUMBER_LIMIT)


def _optional_date(text: str) -> date | None:
    return parse_date(text) if text.strip() else None
