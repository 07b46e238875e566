"""Many books checked at once for an employer's own system, and nobody added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from emk_app.domain.actors import Actor, Post, permit_post
from emk_app.domain.books import Verdict
from emk_app.domain.errors import Invalid, NotFound, TooManyAttempts
from emk_app.services import lookup, verifying
from emk_app.services.verifying import LookResult

AT_ONCE: Final = 100
VIEWER: Final = "Проверка работодателя"


class Outcome(StrEnum):
    """What became of one question."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Asked:
    """One book, by its link or by its number with the СНИЛС."""

    link: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    snils: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What may be told of one book: the verdict, the term, and what the holder shows."""

    outcome: Outcome
    verdict: Verdict | None = None
    ends_on: date | None = None
    name: str = field(default="", repr=False)
    group: str = ""


def source_of(organisation_id: int) -> str:
    """Return what stands in the place of the caller's address where tries are counted."""
    return f"organisation:{organisation_id}"


def check(actor: Actor, asked: Sequence[Asked], *, now: datetime) -> list[Found]:
    """Return what was found, in the order of the question; each look is told to its holder."""
    organisation_id = permit_post(actor, *Post)
    return [_checked(each, organisation_id, now) for each in asked[:AT_ONCE]]


def _checked(asked: Asked, organisation_id: int, now: datetime) -> Found:
    try:
        if asked.link:
            return _found(verifying.look(lookup.share_in(asked.link), VIEWER, now=now))
        return _found(
            lookup.by_number(asked.number, asked.snils, source_of(organisation_id), now=now)
        )
    except (Invalid, lookup.NotACode):
        return Found(Outcome.INVALID)
    except NotFound:
        return Found(Outcome.NOT_FOUND)
    except TooManyAttempts:
        return Found(Outcome.TOO_MANY)


def _found(result: LookResult) -> Found:
    ends = [each for each in (result.valid_until, result.items_valid_until) if each]
    return Found(
        Outcome.FOUND,
        verdict=result.verdict,
        ends_on=min(ends, default=None),
        name=result.name or "",
        group=result.occupation_group or "",
    )
