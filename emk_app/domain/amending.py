"""Amendments of what ships with the program: in force from a day on, agreed by two administrators.

The past keeps what it had: who reads reference data says of which day (docs/decisions/0036).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from emk_app.domain.errors import Conflict, InvalidValue, NotAChoice, NotPermitted, Required
from emk_app.domain.examinations import (
    AmendedStudy,
    Bounds,
    ListedStudy,
    NumberMalformed,
    NumberPart,
    Numbers,
)
from emk_app.domain.news import NotAMoment
from emk_app.domain.notices import News
from emk_app.domain.occupations import POINTS, Amended, offered, point_of
from emk_app.domain.staff import read_reason
from emk_app.domain.values import Problems, one_line, read_words

NAME_LIMIT: Final = 120
TITLE_LIMIT: Final = 80
TEXT_LIMIT: Final = 600
LONGEST_AHEAD: Final = timedelta(days=730)
BOUNDS: Final = ("low", "high", "norm_low", "norm_high", "rare_low", "rare_high")
MOST_NUMBERS: Final = 3
"""As many has the study that has most."""
ONCE: Final = "once"
LONGEST_PERIOD: Final = 60
NEW: Final = "work_"
"""How codes of added occupations begin."""
_DAY: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_BOUND: Final = re.compile(r"[0-9]{1,3}(?:\.([0-9]+))?")
"""As what is entered, so that no bound is out of its reach."""
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


class AmendmentKind(StrEnum):
    """What is amended."""

    OCCUPATION = "occupation"
    TEMPLATE = "template"
    STUDY = "study"


class DayPassed(InvalidValue):
    """An amendment begins tomorrow at the earliest: what was listed today stays so."""


class DayTooFar(InvalidValue):
    """More than two years ahead."""


class UnknownPlaceholder(InvalidValue):
    """The words have a place for a fact that this message does not carry."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        super().__init__("unknown placeholder")
        self.name, self.known = name, tuple(known)


class PlaceholderMissing(InvalidValue):
    """The words lack the place of a fact without which the message is useless."""

    def __init__(self, name: str) -> None:
        super().__init__("placeholder missing")
        self.name = name


class MessageTooLong(InvalidValue):
    """An SMS of more than ``limit`` letters with its facts filled in."""

    def __init__(self, found: int, limit: int) -> None:
        super().__init__("too long for an SMS")
        self.found, self.limit = found, limit


class NameTaken(InvalidValue):
    """Another occupation is called so."""


class RangeUpsideDown(InvalidValue):
    """The upper bound is below the lower one, or the same where both are of what is possible."""


class OutsidePossible(InvalidValue):
    """A bound of the norm or of what is rare lies outside what is possible at all."""


class NothingAmended(Conflict):
    """It would stand as it does already."""


class AmendmentPending(Conflict):
    """An amendment of the same waits for its answer."""


class AmendmentAnswered(Conflict):
    """Somebody has answered already, or the day has come."""


class SameEditor(NotPermitted):
    """Whoever wrote an amendment does not confirm it."""


@dataclass(frozen=True, slots=True)
class Template:
    """The words of a message: a heading and a sentence for the screen, a line for a telephone."""

    title: str
    text: str
    sms: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message carries, filled in as long as it gets; ``needed`` must stand in the words."""

    sample: Mapping[str, str]
    needed: frozenset[str]


@dataclass(frozen=True, slots=True)
class TypedOccupation:
    """What stands in the form of an occupation; ``code`` is empty for a new one."""

    code: str = ""
    name: str = ""
    group: str = ""
    point: str = ""
    is_closed: bool = False
    valid_from: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TypedTemplate:
    """What stands in the form of a message."""

    news: str = ""
    title: str = ""
    text: str = ""
    sms: str = ""
    valid_from: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TypedStudy:
    """What stands in the form of a study; ``bounds`` by the names of ``bound_name``."""

    key: str = ""
    period: str = ""
    bounds: Mapping[str, str] = field(default_factory=dict[str, str])
    valid_from: str = ""
    reason: str = ""


def bound_name(bound: str, number: int) -> str:
    """Return the name under which a bound of a study's number stands in the form."""
    return f"{bound}_{number}"


def read_study(typed: TypedStudy, listed: ListedStudy, *, today: date) -> tuple[AmendedStudy, str]:
    """Return the amendment and why.

    Raises ``Invalid`` by ``period``, ``valid_from``, ``reason`` and the names of the bounds.
    """
    problems = Problems()
    valid_from = problems.take("valid_from", read_day, typed.valid_from, today)
    reason = problems.take("reason", read_reason, typed.reason)
    period = problems.take("period", _read_period, typed.period, listed.may_be_once)
    form = listed.study.form
    parts = form.parts if isinstance(form, Numbers) else ()
    bounds = tuple(
        _read_bounds(problems, typed.bounds, number, part) for number, part in enumerate(parts)
    )
    problems.raise_any()
    return AmendedStudy(listed.key, valid_from, period, bounds), reason


def read_occupation(typed: TypedOccupation, code: str, *, today: date) -> tuple[Amended, str]:
    """Return the amendment and why; raise ``Invalid`` by the names of ``TypedOccupation``.

    ``code`` is the one listed, or a new one's. Raises ``NothingAmended`` where it is listed so.
    """
    problems = Problems()
    valid_from = problems.take("valid_from", read_day, typed.valid_from, today)
    reason = problems.take("reason", read_reason, typed.reason)
    name = problems.take("name", read_words, typed.name, 3, NAME_LIMIT)
    group = problems.take("group", read_words, typed.group, 3, NAME_LIMIT)
    listed = point_of(code)
    point = listed or problems.take("point", _read_point, typed.point)
    if not problems.fields and not typed.is_closed:
        others = [each for each in offered(valid_from) if each.code != code]
        if name.casefold() in {each.name.casefold() for each in others}:
            problems.fields["name"] = NameTaken()
    problems.raise_any()
    return Amended(code, valid_from, name, group, point, typed.is_closed), reason


def read_template(typed: TypedTemplate, facts: Facts, *, today: date, sms_limit: int) -> Template:
    """Return the words; raise ``Invalid`` by the names of ``TypedTemplate``."""
    problems = Problems()
    problems.take("valid_from", read_day, typed.valid_from, today)
    problems.take("reason", read_reason, typed.reason)
    title = problems.take("title", _read_line, typed.title, TITLE_LIMIT)
    text = problems.take("text", _read_line, typed.text, TEXT_LIMIT)
    sms = problems.take("sms", _read_line, typed.sms, TEXT_LIMIT)
    for name, said in (("title", title), ("text", text), ("sms", sms)):
        if name not in problems.fields:
            needed = facts.needed if name != "title" else frozenset[str]()
            problems.take(name, _check_places, said, facts, needed)
    if "sms" not in problems.fields:
        length = len(filled(sms, facts.sample))
        if length > sms_limit:
            problems.fields["sms"] = MessageTooLong(length, sms_limit)
    problems.raise_any()
    return Template(title, text, sms)


def read_news(text: str) -> News | None:
    """Return which message is meant."""
    return News(text) if text in set(News) else None


def read_day(text: str, today: date) -> date:
    """Return from which day on; raise ``DayPassed``, ``DayTooFar``, ``NotAMoment``."""
    line = one_line(text, 20)
    if not line:
        raise Required
    found = _DAY.fullmatch(line)
    if found is None:
        raise NotAMoment
    try:
        day = date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        raise NotAMoment from None
    if day <= today:
        raise DayPassed
    if day - today > LONGEST_AHEAD:
        raise DayTooFar
    return day


def filled(said: str, facts: Mapping[str, str]) -> str:
    """Return the words with the facts in their places; nothing else in them means anything."""
    return _PLACEHOLDER.sub(lambda found: facts.get(found[1], ""), said)


def places_of(said: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the names of the places in the words; raise ``UnknownPlaceholder``."""
    names = tuple(found[1] for found in _PLACEHOLDER.finditer(said))
    bare = _PLACEHOLDER.sub("", said)
    for name in names:
        if name not in known:
            raise UnknownPlaceholder(name, known)
    if "{" in bare or "}" in bare:
        raise UnknownPlaceholder("{", known)
    return names


def permit_answering(written_by: int, answered_by: int) -> None:
    """Raise ``SameEditor`` unless these are two people."""
    if written_by == answered_by:
        raise SameEditor("who wrote it does not confirm it")


def new_code(number: int) -> str:
    """Return the code of the next occupation that is added."""
    return f"{NEW}{number}"


def _read_point(text: str) -> str:
    if not text:
        raise Required
    if text not in POINTS:
        raise NotAChoice
    return text


def _read_period(text: str, may_be_once: bool) -> int | None:
    if not text:
        raise Required
    if text == ONCE and may_be_once:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 3):
        raise NotAChoice
    if not 1 <= int(text) <= LONGEST_PERIOD:
        raise NotAChoice
    return int(text)


def _read_bounds(
    problems: Problems, typed: Mapping[str, str], number: int, part: NumberPart
) -> Bounds:
    """Return the bounds of one number; the norm and what is rare need not have both."""
    names = {bound: bound_name(bound, number) for bound in BOUNDS}
    found = {
        bound: problems.take(
            name, _read_bound, typed.get(name, ""), part.decimals, bound in ("low", "high")
        )
        for bound, name in names.items()
    }
    low, high = found["low"], found["high"]
    is_read = not problems.fields.keys() & set(names.values())
    if is_read and low is not None and high is not None:
        if low >= high:
            problems.fields[names["high"]] = RangeUpsideDown()
            return Bounds(low, high)
        for bound in BOUNDS[2:]:
            value = found[bound]
            if value is not None and not low <= value <= high:
                problems.fields[names[bound]] = OutsidePossible()
        for lower, upper in (("norm_low", "norm_high"), ("rare_low", "rare_high")):
            first, last = found[lower], found[upper]
            if first is not None and last is not None and first > last:
                problems.fields[names[upper]] = RangeUpsideDown()
    return Bounds(low or Decimal(0), high or Decimal(0), *(found[bound] for bound in BOUNDS[2:]))


def _read_bound(text: str, decimals: int, is_needed: bool) -> Decimal | None:
    line = one_line(text, 12).replace(",", ".")
    if not line:
        if is_needed:
            raise Required
        return None
    found = _BOUND.fullmatch(line)
    if found is None or len(found[1] or "") > decimals:
        raise NumberMalformed(1, decimals)
    return Decimal(line)


def _read_line(text: str, limit: int) -> str:
    line = one_line(text, limit)
    if not line:
        raise Required
    return line


def _check_places(said: str, facts: Facts, needed: Collection[str]) -> None:
    names = places_of(said, facts.sample)
    for name in sorted(needed):
        if name not in names:
            raise PlaceholderMissing(name)
