"""What one version of a book says otherwise than another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from emk_app.domain.books import BookContent, BookLine, BookVaccination, Standing
from emk_app.domain.clearance import Fitness
from emk_app.domain.examinations import ExaminationKind


class Part(StrEnum):
    """What of a book differs."""

    STANDING = "standing"
    NAME = "name"
    BORN_ON = "born_on"
    OCCUPATION = "occupation"
    WORK = "work"
    VALID_UNTIL = "valid_until"
    ISSUED_ON = "issued_on"
    FITNESS = "fitness"
    RESTRICTIONS = "restrictions"
    NOTE = "note"
    KIND = "kind"
    CONCLUDED_ON = "concluded_on"
    CLINIC = "clinic"
    CHAIR = "chair"
    STUDY = "study"
    VACCINATION = "vaccination"


Fact = str | date | Standing | Fitness | ExaminationKind | BookLine | BookVaccination


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """One difference: ``was`` is None for what was added, ``became`` for what was removed."""

    part: Part
    was: Fact | None
    became: Fact | None


def differences(old: BookContent, new: BookContent) -> tuple[Difference, ...]:
    """Return everything that ``new`` says otherwise than ``old``, the weightiest first.

    Version, cause, salt and the hash of the one before always differ and are left out.
    """
    return (*_facts(old, new), *_studies(old, new), *_vaccinations(old, new))


def _facts(old: BookContent, new: BookContent) -> Iterator[Difference]:
    pairs: tuple[tuple[Part, Fact | None, Fact | None], ...] = (
        (Part.STANDING, old.standing, new.standing),
        (Part.NAME, str(old.holder), str(new.holder)),
        (Part.BORN_ON, old.born_on, new.born_on),
        (Part.OCCUPATION, old.occupation.name, new.occupation.name),
        (Part.WORK, old.work, new.work),
        (Part.VALID_UNTIL, old.valid_until, new.valid_until),
        (Part.ISSUED_ON, old.issued_on, new.issued_on),
        (Part.FITNESS, old.conclusion.fitness, new.conclusion.fitness),
        (Part.RESTRICTIONS, old.conclusion.restrictions, new.conclusion.restrictions),
        (Part.NOTE, old.conclusion.note, new.conclusion.note),
        (Part.KIND, old.examination, new.examination),
        (Part.CONCLUDED_ON, old.concluded_on, new.concluded_on),
        (Part.CLINIC, old.clinic_name, new.clinic_name),
        (Part.CHAIR, old.chair_name, new.chair_name),
    )
    for part, was, became in pairs:
        if was != became:
            yield Difference(part, was or None, became or None)


def _studies(old: BookContent, new: BookContent) -> Iterator[Difference]:
    before = {line.code: line for line in old.lines}
    after = {line.code: line for line in new.lines}
    for code in _codes(before, after):
        was, became = before.get(code), after.get(code)
        if was != became:
            yield Difference(Part.STUDY, was, became)


def _vaccinations(old: BookContent, new: BookContent) -> Iterator[Difference]:
    # A record is never changed: one that is gone was taken back, one that is new was added.
    for each in old.vaccinations:
        if each not in new.vaccinations:
            yield Difference(Part.VACCINATION, each, None)
    for each in new.vaccinations:
        if each not in old.vaccinations:
            yield Difference(Part.VACCINATION, None, each)


def _codes(before: Iterable[str], after: Iterable[str]) -> Iterable[str]:
    """Return the codes of both, in the order of the first, then what is new."""
    return dict.fromkeys([*before, *after])
