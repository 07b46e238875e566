"""Whether somebody may work: the commission's conclusion, and what of it is still in date."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from emk_app.domain.errors import InvalidValue, NotAChoice, Required
from emk_app.domain.examinations import CONTRAINDICATIONS, ProgrammeItem, TestResult
from emk_app.domain.refdata import load
from emk_app.domain.terms import last_day
from emk_app.domain.values import Personal, Problems, one_line

SOON_DAYS: Final = 30
WORDS_LIMIT: Final = 500


class Fitness(StrEnum):
    """The commission's outcome."""

    FIT = "fit"
    FIT_WITH_RESTRICTIONS = "fit_with_restrictions"
    TEMPORARILY_UNFIT = "temporarily_unfit"
    UNFIT = "unfit"


ADMITTING: Final = frozenset({Fitness.FIT, Fitness.FIT_WITH_RESTRICTIONS})


def admits(fitness: Fitness) -> bool:
    """Whether a book may be formed on this outcome."""
    return fitness in ADMITTING


_CATALOGUES: Final = load("restrictions")
RESTRICTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {row["code"]: row["name"] for row in _CATALOGUES["restrictions"]}
)
CONTRAINDICATION_GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {row["code"]: row["name"] for row in _CATALOGUES["contraindications"]}
)


class UntilNotInFuture(InvalidValue):
    """Temporary unfitness has to last beyond ``today``."""

    def __init__(self, today: date) -> None:
        super().__init__(f"not after {today}")
        self.today = today


class ContraindicationsFound(InvalidValue):
    """Fit without restrictions, though the studies of these ``codes`` found contraindications."""

    def __init__(self, codes: tuple[str, ...]) -> None:
        super().__init__(f"contraindications in {', '.join(codes)}")
        self.codes = codes


@dataclass(frozen=True, slots=True, repr=False)
class Conclusion(Personal):
    """What the commission's chair signs; ``until`` is the last day of temporary unfitness."""

    fitness: Fitness
    restrictions: str = ""
    until: date | None = None
    note: str = ""
    contraindications: str = ""
    """Only where the outcome does not admit; a book never says them."""

    @property
    def masked(self) -> str:
        """Nothing: findings stay out of logs."""
        return "***"


def conclude(
    fitness: Fitness,
    *,
    restrictions: str = "",
    restriction_codes: Collection[str] = (),
    contraindications: str = "",
    contraindication_codes: Collection[str] = (),
    until: date | None = None,
    note: str = "",
    results: Iterable[TestResult],
    today: date,
) -> Conclusion:
    """Return the conclusion, without what its ``fitness`` leaves no room for.

    Codes are those of the catalogues; the words typed follow theirs. Raises ``Invalid`` with
    ``fitness``, ``restrictions``, ``contraindications``, ``until`` and ``note``: restrictions and
    contraindications are needed where there are some, ``until`` for temporary unfitness, and
    whoever has a contraindication on record is not fit without restrictions.
    """
    problems = Problems()
    if fitness is Fitness.FIT:
        problems.take("fitness", _check_contraindications, results)
    restricted = fitness is Fitness.FIT_WITH_RESTRICTIONS
    temporary = fitness is Fitness.TEMPORARILY_UNFIT
    conclusion = Conclusion(
        fitness,
        problems.take("restrictions", _read_words, RESTRICTIONS, restriction_codes, restrictions)
        if restricted
        else "",
        problems.take("until", _read_until, until, today) if temporary else None,
        problems.take("note", one_line, note, WORDS_LIMIT),
        ""
        if admits(fitness)
        else problems.take(
            "contraindications",
            _read_words,
            CONTRAINDICATION_GROUPS,
            contraindication_codes,
            contraindications,
        ),
    )
    problems.raise_any()
    return conclusion


def _check_contraindications(results: Iterable[TestResult]) -> None:
    codes = tuple(
        result.code for result in newest(results).values() if result.value == CONTRAINDICATIONS
    )
    if codes:
        raise ContraindicationsFound(codes)


def _read_words(catalogue: Mapping[str, str], codes: Collection[str], text: str) -> str:
    if any(code not in catalogue for code in codes):
        raise NotAChoice
    line = one_line(text, WORDS_LIMIT)
    words = [name for code, name in catalogue.items() if code in codes]
    if not (said := "; ".join([*words, *([line] if line else [])])):
        raise Required
    return said


def _read_until(until: date | None, today: date) -> date:
    if until is None:
        raise Required
    if until <= today:
        raise UntilNotInFuture(today)
    return until


@dataclass(frozen=True, slots=True)
class DatedItem:
    """A study by its dates: ``performed_on`` is ``None`` when it was never made.

    ``valid_until`` is inclusive, and ``None`` for a study that is made once and has no term.
    """

    code: str
    performed_on: date | None
    valid_until: date | None


class Light(StrEnum):
    """In date, in date for thirty days or less, or not."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class ItemState:
    """One study today; ``days_left`` counts the days after today, negative when it is over."""

    code: str
    light: Light
    valid_until: date | None
    days_left: int | None

    @property
    def overdue_since(self) -> date | None:
        """The first day without it, or ``None`` when in date or never made."""
        if self.light is not Light.RED or self.valid_until is None:
            return None
        return self.valid_until + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Readiness:
    """All studies today; ``items_valid_until`` is the earliest of their last days."""

    items: tuple[ItemState, ...]
    items_valid_until: date | None

    @property
    def light(self) -> Light:
        """The worst of all; red when there is nothing to judge."""
        lights = {state.light for state in self.items}
        for worst in (Light.RED, Light.YELLOW, Light.GREEN):
            if worst in lights:
                return worst
        return Light.RED

    @property
    def in_date(self) -> bool:
        """Whether nothing is missing or over."""
        return self.light is not Light.RED

    @property
    def overdue(self) -> tuple[ItemState, ...]:
        """What is missing or over."""
        return tuple(state for state in self.items if state.light is Light.RED)


def newest(results: Iterable[TestResult]) -> dict[str, TestResult]:
    """Return the last made result of each code; of one day, the one that comes later."""
    return {result.code: result for result in sorted(results, key=lambda each: each.performed_on)}


def dated(studies: Iterable[ProgrammeItem], results: Iterable[TestResult]) -> tuple[DatedItem, ...]:
    """Return the studies with their dates, without the optional ones nobody made."""
    made = newest(results)
    return tuple(
        DatedItem(
            study.code,
            made[study.code].performed_on if study.code in made else None,
            valid_until(study, made.get(study.code)),
        )
        for study in studies
        if study.required or study.code in made
    )


def valid_until(study: ProgrammeItem, result: TestResult | None) -> date | None:
    """Return the last day on which ``result`` counts, ``None`` without result or term."""
    if result is None or study.period_months is None:
        return None
    return last_day(result.performed_on, study.period_months)


def readiness(items: Iterable[DatedItem], today: date) -> Readiness:
    """Judge each study: yellow from thirty days before its last day, red after it."""
    states = tuple(_state(each, today) for each in items)
    ends = [state.valid_until for state in states if state.valid_until is not None]
    return Readiness(states, min(ends, default=None))


def _state(dates: DatedItem, today: date) -> ItemState:
    if dates.performed_on is None:
        return ItemState(dates.code, Light.RED, None, None)
    if dates.valid_until is None:
        return ItemState(dates.code, Light.GREEN, None, None)
    left = (dates.valid_until - today).days
    light = Light.RED if left < 0 else Light.YELLOW if left <= SOON_DAYS else Light.GREEN
    return ItemState(dates.code, light, dates.valid_until, left)
