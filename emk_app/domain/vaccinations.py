"""Vaccinations: which are recommended, how a record of one is read, when the next is due.

The national calendar (order 1122н) and, where a region orders more, its additions. Nothing here
keeps anybody from a book: the law on medical books names no fixed set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from emk_app.domain.errors import InvalidValue, NotAChoice, Required
from emk_app.domain.examinations import MadeBeforeBirth
from emk_app.domain.people import Sex, parse_date, parse_past_date
from emk_app.domain.refdata import Span, load, span
from emk_app.domain.terms import last_day
from emk_app.domain.values import Personal, Problems, one_line

WORDS_LIMIT: Final = 120


class RecordKind(StrEnum):
    """What is recorded of an infection."""

    DONE = "done"
    HAD_DISEASE = "had_disease"
    IMMUNE = "immune_by_serology"
    EXEMPTION = "medical_exemption"
    REFUSAL = "refusal"


class Dose(StrEnum):
    """Which of the course: first to third, or a booster."""

    V1 = "V1"
    V2 = "V2"
    V3 = "V3"
    RV = "RV"


class NotBySerology(InvalidValue):
    """Antibodies against this infection prove nothing to the sanitary service."""


class ExemptionOver(InvalidValue):
    """An exemption has to last beyond ``today``."""

    def __init__(self, today: date) -> None:
        super().__init__(f"not after {today}")
        self.today = today


@dataclass(frozen=True, slots=True)
class Infection:
    """One row of the calendar.

    ``days_after_previous`` are the least days between a dose and the one before it, zero for the
    first; a course without ``booster_months`` protects for life. ``by_order`` marks what only some
    regions ask for.
    """

    code: str
    name: str
    points: tuple[str, ...]
    doses: tuple[Dose, ...]
    days_after_previous: tuple[int, ...]
    booster_months: int | None
    by_serology: bool
    for_life_after_disease: bool
    by_order: bool
    min_age: int
    max_age: int | None
    sex: Sex | None
    days: Span

    @property
    def given(self) -> tuple[Dose, ...]:
        """The doses that exist; where immunity wears off, boosters too."""
        boosted = self.booster_months is not None and Dose.RV not in self.doses
        return (*self.doses, Dose.RV) if boosted and len(self.doses) > 1 else self.doses


@dataclass(frozen=True, slots=True, repr=False)
class Vaccination(Personal):
    """What was recorded; ``on`` is the day of dose, illness, test, exemption or refusal.

    ``until`` is the last day of an exemption, ``vaccine`` and ``series`` are those of a dose.
    """

    code: str
    kind: RecordKind
    on: date
    dose: Dose | None = None
    vaccine: str = ""
    series: str = ""
    until: date | None = None

    @property
    def masked(self) -> str:
        """The infection alone: what happened stays out of logs."""
        return self.code


class Protection(StrEnum):
    """How somebody stands towards one infection."""

    LASTING = "lasting"
    IN_FORCE = "in_force"
    NEXT_DOSE = "next_dose"
    OVERDUE = "overdue"
    EXEMPT = "exempt"
    REFUSED = "refused"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Standing:
    """One infection today; ``due_on`` is the first day of the next dose or what replaces it."""

    infection: Infection
    protection: Protection
    next_dose: Dose | None
    due_on: date | None


def recommended(point: str, age: int, sex: Sex, on: date) -> tuple[Infection, ...]:
    """Return the infections against which a worker of this ``point`` is protected ``on`` a day."""
    day = CALENDAR.nearest(on)
    return tuple(
        each
        for each in INFECTIONS.values()
        if point in each.points
        and each.min_age <= age
        and (each.max_age is None or age <= each.max_age)
        and each.sex in (None, sex)
        and each.days.holds(day)
    )


def read_record(
    code: str,
    kind: str,
    *,
    on: str,
    dose: str = "",
    vaccine: str = "",
    series: str = "",
    until: str = "",
    born_on: date,
    today: date,
) -> Vaccination:
    """Read what was typed; raises ``Invalid`` by the names of the arguments.

    What a kind of record has no room for is dropped.
    """
    problems = Problems()
    infection = problems.take("code", _infection, code)
    chosen = problems.take("kind", _kind, kind, infection)
    performed = problems.take("on", _on, on, born_on, today)
    done = chosen is RecordKind.DONE
    made = Vaccination(
        code=code,
        kind=chosen,
        on=performed,
        dose=problems.take("dose", _dose, dose, infection) if done else None,
        vaccine=problems.take("vaccine", _said, vaccine) if done else "",
        series=problems.take("series", _said, series) if done else "",
        until=(
            problems.take("until", _until, until, today) if chosen is RecordKind.EXEMPTION else None
        ),
    )
    problems.raise_any()
    return made


def standing(infection: Infection, records: Iterable[Vaccination], today: date) -> Standing:
    """Return how somebody stands towards one infection by all that is recorded of it.

    The course goes on from the last dose; an illness or antibodies count where the calendar says
    so; an exemption counts until its last day, a refusal until the next dose.
    """
    own = sorted((each for each in records if each.code == infection.code), key=_by_day)
    if any(
        infection.for_life_after_disease
        and each.kind in (RecordKind.HAD_DISEASE, RecordKind.IMMUNE)
        for each in own
    ):
        return Standing(infection, Protection.LASTING, None, None)
    last = own[-1] if own else None
    if last is not None and last.kind is RecordKind.EXEMPTION:
        assert last.until is not None
        if last.until >= today:
            return Standing(infection, Protection.EXEMPT, None, last.until + timedelta(days=1))
    doses = [each for each in own if each.kind is RecordKind.DONE]
    immune = [each for each in own if each.kind is RecordKind.IMMUNE]
    next_dose, due_on = _next(infection, doses, immune)
    if next_dose is None:
        return Standing(infection, Protection.LASTING, None, None)
    if last is not None and last.kind is RecordKind.REFUSAL:
        return Standing(infection, Protection.REFUSED, next_dose, due_on)
    if due_on is None:
        return Standing(infection, Protection.NONE, next_dose, None)
    if due_on <= today:
        return Standing(infection, Protection.OVERDUE, next_dose, due_on)
    is_course_over = next_dose is Dose.RV or len(infection.doses) == 1
    protection = Protection.IN_FORCE if is_course_over else Protection.NEXT_DOSE
    return Standing(infection, protection, next_dose, due_on)


def _by_day(record: Vaccination) -> date:
    return record.on


def _next(
    infection: Infection, doses: list[Vaccination], immune: list[Vaccination]
) -> tuple[Dose | None, date | None]:
    """Return the next dose and its first day; no dose when the course protects for life."""
    latest = doses[-1] if doses else None
    tested = immune[-1] if immune else None
    if tested is not None and (latest is None or tested.on >= latest.on):
        assert infection.booster_months is not None
        return Dose.RV, last_day(tested.on, infection.booster_months)
    if latest is None or latest.dose is None:
        return infection.doses[0], None
    if latest.dose in infection.doses:
        following = infection.doses.index(latest.dose) + 1
        if following < len(infection.doses):
            wait = timedelta(days=infection.days_after_previous[following])
            return infection.doses[following], latest.on + wait
    if infection.booster_months is None:
        return None, None
    is_course = len(infection.doses) > 1
    booster = Dose.RV if is_course else infection.doses[0]
    return booster, last_day(latest.on, infection.booster_months)


def _infection(code: str) -> Infection:
    if (found := INFECTIONS.get(code)) is None:
        raise NotAChoice
    return found


def _kind(text: str, infection: Infection | None) -> RecordKind:
    if not text:
        raise Required
    try:
        kind = RecordKind(text)
    except ValueError:
        raise NotAChoice from None
    if kind is RecordKind.IMMUNE and infection is not None and not infection.by_serology:
        raise NotBySerology
    return kind


def _dose(text: str, infection: Infection | None) -> Dose:
    if not text:
        raise Required
    try:
        dose = Dose(text)
    except ValueError:
        raise NotAChoice from None
    if infection is not None and dose not in infection.given:
        raise NotAChoice
    return dose


def _on(text: str, born_on: date, today: date) -> date:
    on = parse_past_date(text, today)
    if on < born_on:
        raise MadeBeforeBirth
    return on


def _until(text: str, today: date) -> date:
    until = parse_date(text)
    if until <= today:
        raise ExemptionOver(today)
    return until


def _said(text: str) -> str:
    if not (line := one_line(text, WORDS_LIMIT)):
        raise Required
    return line


def _read(row: dict[str, Any], calendar: Span) -> Infection:
    return Infection(
        code=row["code"],
        name=row["name"],
        points=tuple(row["points"]),
        doses=tuple(Dose(each) for each in row["doses"]),
        days_after_previous=tuple(row["days_after_previous"]),
        booster_months=row["booster_months"],
        by_serology=row["by_serology"],
        for_life_after_disease=row["for_life_after_disease"],
        by_order=row.get("by_order", False),
        min_age=row["min_age"],
        max_age=row.get("max_age"),
        sex=Sex(row["sex"]) if "sex" in row else None,
        days=span(row, calendar),
    )


_TABLE: Final = load("vaccinations")
CALENDAR: Final = span(_TABLE)
"""The days of order 1122н."""
INFECTIONS: Final[Mapping[str, Infection]] = MappingProxyType(
    {row["code"]: _read(row, CALENDAR) for row in _TABLE["rules"]}
)
