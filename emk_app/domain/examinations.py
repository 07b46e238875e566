"""What an examination consists of for this work, age and sex, and how one entry is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal

from emk_app.domain.errors import Conflict, InvalidValue, NotAChoice, Required
from emk_app.domain.occupations import POINTS
from emk_app.domain.people import Sex, parse_past_date
from emk_app.domain.refdata import Span, load, span
from emk_app.domain.terms import last_day
from emk_app.domain.values import Personal, Problems, one_line

GUIDE_MONTHS: Final = 12
HYGIENE: Final = "hygiene"
CONTRAINDICATIONS: Final = "contraindications"
ENTRY_LIMIT: Final = 60
DETAIL_LIMIT: Final = 120
FURTHER_LIMIT: Final = 20


class ExaminationKind(StrEnum):
    """Before hiring, or a later one."""

    PRE_PLACEMENT = "pre_placement"
    PERIODIC = "periodic"


class ItemKind(StrEnum):
    """By which the results entry groups its lines."""

    MEASUREMENT = "measurement"
    LAB = "lab"
    INSTRUMENTAL = "instrumental"
    PHYSICIAN = "physician"
    ATTESTATION = "attestation"
    FURTHER = "further"


class NumberMalformed(InvalidValue):
    """Not ``parts`` numbers with at most ``decimals`` digits after the point."""

    def __init__(self, parts: int, decimals: int) -> None:
        super().__init__(f"not {parts} numbers with {decimals} decimals")
        self.parts = parts
        self.decimals = decimals


class Implausible(InvalidValue):
    """A number no living person has: a slip of the keyboard. Both bounds are inclusive."""

    def __init__(self, name: str, value: Decimal, low: Decimal, high: Decimal, unit: str) -> None:
        super().__init__(f"outside {low}..{high}")
        self.name = name
        self.value = value
        self.low = low
        self.high = high
        self.unit = unit


class Unlikely(InvalidValue):
    """A possible number, and yet a slip of the keyboard is likelier: it has to be confirmed."""

    def __init__(self, name: str, value: Decimal, unit: str) -> None:
        super().__init__("rare")
        self.name = name
        self.value = value
        self.unit = unit


class NumbersOutOfOrder(InvalidValue):
    """The first number has to be the greater, as systolic pressure is."""


class AttestationOutdated(InvalidValue):
    """Passed so long ago that its last day, ``valid_until``, is over."""

    def __init__(self, passed_on: date, valid_until: date) -> None:
        super().__init__(f"attestation ended {valid_until}")
        self.passed_on = passed_on
        self.valid_until = valid_until


class ResultOutdated(InvalidValue):
    """Made so long ago that its last day, ``valid_until``, is over."""

    def __init__(self, valid_until: date) -> None:
        super().__init__(f"result ended {valid_until}")
        self.valid_until = valid_until


class MadeBeforeBirth(InvalidValue):
    """Nobody is examined before being born."""


class IdentityNotChecked(Conflict):
    """Nobody has compared the person with their papers yet: nothing may be entered or signed."""


class ExaminationSigned(Conflict):
    """The conclusion is signed: ``by`` whom and when, and nothing changes any more."""

    def __init__(self, by: str | None = None, at: datetime | None = None) -> None:
        super().__init__("signed")
        self.by = by
        self.at = at


class CaseClosed(Conflict):
    """The application has ended: the examination goes no further."""


class BeingCorrected(Conflict):
    """The holder is just correcting what the programme is computed from."""


class ProgrammeChanged(Conflict):
    """A correction asks for studies, of these ``codes``, that the signed examination lacks."""

    def __init__(self, codes: tuple[str, ...]) -> None:
        super().__init__(f"no result of {', '.join(codes)}")
        self.codes = codes


class SignerUnnamed(Conflict):
    """A signature says who signs; this account has no name."""


class FurtherStudyDone(Conflict):
    """It has a result already: the order can't be taken back."""


class TooMany(InvalidValue):
    """More than ``limit`` of them."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit}")
        self.limit = limit


class Incomplete(Conflict):
    """The studies of these ``codes`` have no result that is in date."""

    def __init__(self, codes: tuple[str, ...]) -> None:
        super().__init__(f"no result of {', '.join(codes)}")
        self.codes = codes


@dataclass(frozen=True, slots=True)
class NumberPart:
    """One number of an entry: what is possible, normal, and not too rare; bounds inclusive."""

    name: str
    low: Decimal
    high: Decimal
    norm_low: Decimal | None
    norm_high: Decimal | None
    decimals: int
    rare_low: Decimal | None = None
    rare_high: Decimal | None = None

    def is_rare(self, value: Decimal) -> bool:
        """Whether the number is possible and yet so rare that a slip is likelier."""
        return (self.rare_low is not None and value < self.rare_low) or (
            self.rare_high is not None and value > self.rare_high
        )

    def deviates(self, value: Decimal) -> bool:
        """Whether the number lies outside the norm."""
        return (self.norm_low is not None and value < self.norm_low) or (
            self.norm_high is not None and value > self.norm_high
        )


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is possible, normal and not too rare of one number; all inclusive."""

    low: Decimal
    high: Decimal
    norm_low: Decimal | None = None
    norm_high: Decimal | None = None
    rare_low: Decimal | None = None
    rare_high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Numbers:
    """An entry of one or more numbers: «120/80»."""

    parts: tuple[NumberPart, ...]
    unit: str
    descending: bool

    def unit_of(self, part: NumberPart) -> str:
        """Return the unit of one number: «см/кг/см» has one for each, «мм рт. ст.» one for all."""
        units = self.unit.split("/")
        if len(self.parts) == 1 or len(units) != len(self.parts):
            return self.unit
        return units[self.parts.index(part)]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers an entry can have."""

    code: str
    name: str
    deviation: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """An entry of one answer out of a few."""

    options: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class PassedOn:
    """An entry of the date on which the attestation was passed."""


Form = Numbers | Choices | PassedOn


@dataclass(frozen=True, slots=True)
class ProgrammeItem:
    """One study of a programme; ``period_months`` is ``None`` for those made once, on hiring."""

    code: str
    name: str
    kind: ItemKind
    form: Form
    hint: str
    period_months: int | None
    required: bool
    specialty: str = ""
    """Whose study it is; empty for a further study, which any physician of the case enters."""

    @property
    def unit(self) -> str:
        """Unit of the numbers, empty where there is none."""
        return self.form.unit if isinstance(self.form, Numbers) else ""

    def words(self, value: str) -> str:
        """Return a result's canonical value as people read it, without the unit."""
        match self.form:
            case Numbers():
                return value.replace(".", ",")
            case Choices(options):
                return next(each.name for each in options if each.code == value)
            case PassedOn():
                return f"{date.fromisoformat(value):%d.%m.%Y}"


@dataclass(frozen=True, slots=True)
class ListedStudy:
    """One study as it is listed for everybody or, under ``point``, for its workers."""

    key: str
    point: str
    study: ProgrammeItem
    may_be_once: bool
    """Whether it may be one that is made once, on hiring."""


@dataclass(frozen=True, slots=True)
class AmendedStudy:
    """How often a study is made, and what its numbers may be, from a day on."""

    key: str
    valid_from: date
    period_months: int | None
    bounds: tuple[Bounds, ...] = ()
    """Of each number, in the order of the study; none where it has no numbers."""


class Source(StrEnum):
    """Where a result comes from that was not made in this examination."""

    BOOK = "book"
    """Taken over from the holder's book, which is signed."""
    CERTIFICATE = "certificate"
    """Taken over from a certificate the holder has brought."""
    EXCHANGE = "exchange"
    """Taken over from a conclusion that another system has sent."""


class CorrectionReason(StrEnum):
    """Why an entry was put in the place of another."""

    TYPO = "typo"
    REPEATED = "repeated"
    REFINED = "refined"
    MIXED_UP = "mixed_up"


@dataclass(frozen=True, slots=True, repr=False)
class Details(Personal):
    """How a result came about: who made the analysis, on what, under which number."""

    performer: str = ""
    device: str = ""
    number: str = ""

    @property
    def masked(self) -> str:
        """Nothing: a performer can tell what was looked for."""
        return "***"


def read_details(performer: str, device: str, number: str) -> Details:
    """Read what was typed; raises ``Invalid`` by the names of the arguments."""
    problems = Problems()
    made = Details(
        problems.take("performer", one_line, performer, DETAIL_LIMIT),
        problems.take("device", one_line, device, DETAIL_LIMIT),
        problems.take("number", one_line, number, ENTRY_LIMIT),
    )
    problems.raise_any()
    return made


FURTHER: Final = "further_"
"""How the codes of further studies begin."""


def further_study(serial: int, name: str) -> ProgrammeItem:
    """Return a study that the commission has ordered beyond the programme; made once."""
    return ProgrammeItem(
        code=f"{FURTHER}{serial}",
        name=name,
        kind=ItemKind.FURTHER,
        form=_FURTHER_FORM,
        hint="",
        period_months=None,
        required=True,
    )


def study_name(text: str) -> str:
    """Read the name of a further study; raises ``Required`` and what ``one_line`` raises."""
    if not (line := one_line(text, DETAIL_LIMIT)):
        raise Required
    return line


@dataclass(frozen=True, slots=True, repr=False)
class TestResult(Personal):
    """What was found; ``value`` is canonical: «120/80», «0.8/1.0», a choice's code, an ISO date."""

    __test__ = False  # the name is the domain's, not pytest's

    code: str
    value: str
    deviation: bool
    performed_on: date

    @property
    def masked(self) -> str:
        """The code alone: findings stay out of logs."""
        return self.code


def programme(
    point: str, age: int, sex: Sex, kind: ExaminationKind, on: date
) -> tuple[ProgrammeItem, ...]:
    """Return what a person of this ``age`` and ``sex`` undergoes for work of this ``point``, by the
    rows in force ``on`` the day on which the case is opened.

    The guide's four come first, whatever the day, and the hygiene attestation last. What is made
    once, on hiring, is offered but not required in a periodic examination. The occupational
    physician is not among the studies: the conclusion is his. Before the order's first day and
    after its last the nearest wording counts: nobody's examination waits for a table. What was
    amended counts from its own day on, so that a case keeps what it began with.
    """
    work = POINTS[point]
    day = ORDER.nearest(on)

    def study(row: _Row, months: int | None, at: str = "") -> ProgrammeItem:
        return _study(row, months, kind, _standing(_key(row, at), on))

    def studies() -> Iterator[ProgrammeItem]:
        for row in _TABLE["guide"]:
            yield study(row, GUIDE_MONTHS)
        for row in _TABLE["general"]:
            if (
                row.get("min_age", 0) <= age <= row.get("max_age", age)
                and row.get("sex", sex) == sex
                and span(row, ORDER).holds(day)
            ):
                yield study(row, row["period_months"])
        for requirement in work.requirements:
            if not span(asdict(requirement), ORDER).holds(day):
                continue
            yield study(_OWN[requirement.code], requirement.period_months, point)
        yield study(_TABLE["hygiene"][0], work.hygiene_months, point)

    return tuple(studies())


def amend(amended: Iterable[AmendedStudy]) -> None:
    """Go by these amendments of the shipped studies from now on, in this process."""
    global _amendments
    by_key: dict[str, tuple[AmendedStudy, ...]] = {}
    for each in sorted(amended, key=lambda each: each.valid_from):
        by_key[each.key] = (*by_key.get(each.key, ()), each)
    _amendments = MappingProxyType(by_key)


def amendments() -> tuple[AmendedStudy, ...]:
    """Return what this process goes by beside the shipped studies."""
    return tuple(each for held in _amendments.values() for each in held)


def listed_studies(on: date) -> tuple[ListedStudy, ...]:
    """Return every study as it stands on a day: those of everybody, then those of each point."""

    def listed(row: _Row, months: int | None, point: str, *, once: bool) -> ListedStudy:
        key = _key(row, point)
        study = _study(row, months, ExaminationKind.PRE_PLACEMENT, _standing(key, on))
        return ListedStudy(key, point, study, once)

    def studies() -> Iterator[ListedStudy]:
        for row in _TABLE["guide"]:
            yield listed(row, GUIDE_MONTHS, "", once=False)
        for row in _TABLE["general"]:
            yield listed(row, row["period_months"], "", once=False)
        for point, work in POINTS.items():
            for asked in work.requirements:
                yield listed(_OWN[asked.code], asked.period_months, point, once=True)
            yield listed(_TABLE["hygiene"][0], work.hygiene_months, point, once=False)

    return tuple(studies())


def listed_study(key: str, on: date) -> ListedStudy | None:
    """Return a study as it stands on a day."""
    return next((each for each in listed_studies(on) if each.key == key), None)


def standing_as(study: ProgrammeItem) -> tuple[int | None, tuple[Bounds, ...]]:
    """Return of a study what can be amended."""
    if not isinstance(study.form, Numbers):
        return study.period_months, ()
    names = [each.name for each in fields(Bounds)]
    bounds = (Bounds(**{name: getattr(part, name) for name in names}) for part in study.form.parts)
    return study.period_months, tuple(bounds)


def parse_entry(
    study: ProgrammeItem, text: str, performed_on: date, *, confirmed: bool = True
) -> TestResult:
    """Read what was typed for ``study``, made on ``performed_on``.

    Without ``confirmed`` a rare number raises ``Unlikely``. Raises ``Required``, ``NotAChoice``,
    ``NumberMalformed``, ``Implausible``, ``NumbersOutOfOrder``, or for the attestation, whose date
    counts instead of ``performed_on`` and may not be later, what ``parse_past_date`` raises and
    ``AttestationOutdated``.
    """
    line = one_line(text, ENTRY_LIMIT)
    if not line:
        raise Required
    match study.form:
        case Numbers() as form:
            value, deviation = _read_numbers(form, line, confirmed=confirmed)
        case Choices(options):
            value, deviation = _read_choice(options, line)
        case PassedOn():
            performed_on = _read_attestation(study, line, performed_on)
            value, deviation = performed_on.isoformat(), False
    return TestResult(study.code, value, deviation, performed_on)


def check_made_on(study: ProgrammeItem, made_on: date, born_on: date, today: date) -> date:
    """Return the day on which ``study`` was made if its result still counts ``today``.

    Raises ``MadeBeforeBirth`` or ``ResultOutdated``.
    """
    if made_on < born_on:
        raise MadeBeforeBirth
    if study.period_months is not None:
        valid_until = last_day(made_on, study.period_months)
        if valid_until < today:
            raise ResultOutdated(valid_until)
    return made_on


def completeness(
    studies: Iterable[ProgrammeItem], results: Iterable[TestResult]
) -> tuple[str, ...]:
    """Return the codes of the required studies that have no result, in the programme's order."""
    entered = {result.code for result in results}
    return tuple(each.code for each in studies if each.required and each.code not in entered)


_SEPARATOR: Final = re.compile(r" ?[/\\;] ?| на | ")
_NUMBER: Final = re.compile(r"[0-9]{1,3}(?:\.([0-9]+))?")


def _read_numbers(form: Numbers, line: str, *, confirmed: bool) -> tuple[str, bool]:
    typed = _SEPARATOR.split(line.replace(",", "."))
    if len(typed) != len(form.parts):
        raise _malformed(form)
    values = [_read_number(form, part, each) for part, each in zip(form.parts, typed, strict=True)]
    if form.descending and values != sorted(set(values), reverse=True):
        raise NumbersOutOfOrder
    for part, value in zip(form.parts, values, strict=True):
        if part.is_rare(value) and not confirmed:
            raise Unlikely(part.name, value, form.unit_of(part))
    deviation = any(part.deviates(each) for part, each in zip(form.parts, values, strict=True))
    return "/".join(f"{each:f}" for each in values), deviation


def _read_number(form: Numbers, part: NumberPart, typed: str) -> Decimal:
    found = _NUMBER.fullmatch(typed)
    if found is None or len(found[1] or "") > part.decimals:
        raise _malformed(form)
    value = Decimal(typed if found[1] or not part.decimals else f"{typed}.0")
    if not part.low <= value <= part.high:
        raise Implausible(part.name, value, part.low, part.high, form.unit_of(part))
    return value


def _malformed(form: Numbers) -> NumberMalformed:
    return NumberMalformed(len(form.parts), max(part.decimals for part in form.parts))


def _read_choice(options: tuple[Choice, ...], line: str) -> tuple[str, bool]:
    for choice in options:
        if line.casefold() in (choice.code, choice.name):
            return choice.code, choice.deviation
    raise NotAChoice


def _read_attestation(study: ProgrammeItem, line: str, latest: date) -> date:
    passed_on = parse_past_date(line, latest)
    if study.period_months is not None:
        valid_until = last_day(passed_on, study.period_months)
        if valid_until < latest:
            raise AttestationOutdated(passed_on, valid_until)
    return passed_on


_Row = dict[str, Any]
_Section = Literal["guide", "general", "own", "hygiene"]


def _read_form(row: _Row, choices: Mapping[str, list[_Row]]) -> Form:
    if "choices" in row:
        return Choices(tuple(Choice(**each) for each in choices[row["choices"]]))
    if "numbers" in row:
        return Numbers(tuple(map(_read_part, row["numbers"])), row["unit"], row["descending"])
    return PassedOn()


def _read_part(row: _Row) -> NumberPart:
    bounds = ("low", "high", "norm_low", "norm_high", "rare_low", "rare_high")
    fields: _Row = row | {key: row[key] and Decimal(row[key]) for key in bounds}
    return NumberPart(**fields)


def _read_table() -> dict[_Section, list[_Row]]:
    """Return the sections of programme.json with each row's form made."""
    table = load("programme")
    sections: tuple[_Section, ...] = ("guide", "general", "own", "hygiene")
    return {
        section: [row | {"form": _read_form(row, table["choices"])} for row in table[section]]
        for section in sections
    }


def _key(row: _Row, point: str) -> str:
    return f"{row['code']}:{point}" if point else row["code"]


_amendments: Mapping[str, tuple[AmendedStudy, ...]] = MappingProxyType({})
"""By key, oldest first."""


def _standing(key: str, on: date) -> AmendedStudy | None:
    begun = [each for each in _amendments.get(key, ()) if each.valid_from <= on]
    return begun[-1] if begun else None


def _bounded(form: Form, bounds: tuple[Bounds, ...]) -> Form:
    """Return the form with other bounds; as it ships where they are of another form."""
    if not isinstance(form, Numbers) or len(bounds) != len(form.parts):
        return form
    parts = (replace(part, **asdict(each)) for part, each in zip(form.parts, bounds, strict=True))
    return replace(form, parts=tuple(parts))


def _study(
    row: _Row, period_months: int | None, kind: ExaminationKind, amended: AmendedStudy | None
) -> ProgrammeItem:
    form: Form = row["form"]
    if amended is not None:
        period_months, form = amended.period_months, _bounded(form, amended.bounds)
    return ProgrammeItem(
        code=row["code"],
        name=row["name"],
        kind=ItemKind(row["kind"]),
        form=form,
        hint=row.get("hint", ""),
        period_months=period_months,
        required=period_months is not None or kind is ExaminationKind.PRE_PLACEMENT,
        specialty=row["specialty"],
    )


ORDER: Final[Span] = span(load("programme"))
"""The days of order 29н itself."""
_TABLE: Final = _read_table()
_FURTHER_FORM: Final = _read_form({"choices": "opinion"}, load("programme")["choices"])
_OWN: Final = {row["code"]: row for row in _TABLE["own"]}
