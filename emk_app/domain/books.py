"""The medical book: its term, its number, everything it says, and whether it holds today."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, cast

from emk_app.domain.actors import Role
from emk_app.domain.clearance import (
    SOON_DAYS,
    Conclusion,
    DatedItem,
    Fitness,
    Readiness,
    newest,
    readiness,
)
from emk_app.domain.clearance import valid_until as result_valid_until
from emk_app.domain.errors import Conflict, InvalidValue
from emk_app.domain.examinations import HYGIENE, ExaminationKind, ProgrammeItem, TestResult
from emk_app.domain.occupations import Occupation
from emk_app.domain.people import FullName, age_on
from emk_app.domain.sharing import LinkState, ShareLink, link_state
from emk_app.domain.steps import Step, take_step
from emk_app.domain.terms import last_day
from emk_app.domain.vaccinations import INFECTIONS, Vaccination
from emk_app.domain.values import Personal, read_digits

FORMAT: Final = "emk-book/2"
FIRST_FORMAT: Final = "emk-book/1"
"""Without vaccinations, cause, day and standing; what was signed so is read for ever."""
FORMATS: Final = frozenset({FIRST_FORMAT, FORMAT})


def years_of_validity(age: int) -> int:
    """Return the years a book lasts by age at issue: five, under 14 three, 66 and older four.

    The guide, «Срок действия»: «для лиц старше 65 лет», so 65 itself has five.
    """
    if age < 14:
        return 3
    return 5 if age <= 65 else 4


def valid_until(issued_on: date, born_on: date) -> date:
    """Return the last day, inclusive, of a book issued on ``issued_on``.

    «Пять лет со дня выдачи» of the guide, counted as ``terms.last_day`` does.
    """
    return last_day(issued_on, 12 * years_of_validity(age_on(born_on, issued_on)))


def renewed_term(term: tuple[date, date], born_on: date, today: date) -> tuple[date, date]:
    """Return day of issue and last day of a book that gets its next version ``today``.

    ``term`` is the same pair of the version before. It stands while more than ``SOON_DAYS`` are
    left, and starts anew after that: «новая дата записывается в реестр» of the guide.
    """
    if (term[1] - today).days > SOON_DAYS:
        return term
    return today, valid_until(today, born_on)


@dataclass(frozen=True, slots=True)
class BookNumber:
    """Twelve digits shown as ``RR-FF-NNNNNN-YY``: region, branch, serial, two digits of the year.

    The form of the federal register; it has no check digit.
    """

    region: int
    branch: int
    serial: int
    year: int

    def __post_init__(self) -> None:
        limits = ((self.region, 99), (self.branch, 99), (self.serial, 999_999), (self.year, 99))
        if not all(0 <= part <= limit for part, limit in limits):
            raise ValueError(f"no such book number: {self.shown}")

    @property
    def shown(self) -> str:
        """The form for people."""
        return f"{self.region:02}-{self.branch:02}-{self.serial:06}-{self.year:02}"

    @property
    def digits(self) -> str:
        """The form for storage and exchange."""
        return self.shown.replace("-", "")

    def __str__(self) -> str:
        return self.shown

    @classmethod
    def parse(cls, text: str) -> BookNumber:
        """Read twelve digits with any blanks and dashes; raises as ``values.read_digits``."""
        digits = read_digits(text, 12)
        return cls(int(digits[:2]), int(digits[2:4]), int(digits[4:10]), int(digits[10:]))


class BookStatus(StrEnum):
    """What may be done with a book; ``FORMED`` waits for the holder to confirm receipt."""

    FORMED = "formed"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


_B = BookStatus
IN_FORCE: Final = frozenset({_B.FORMED, _B.ACTIVE})

BOOK_STEPS: Final[frozenset[Step[BookStatus]]] = frozenset(
    {
        Step(_B.FORMED, _B.ACTIVE, Role.HOLDER),
        *(
            Step(source, target, by)
            for source, target in (
                (_B.ACTIVE, _B.SUSPENDED),
                (_B.SUSPENDED, _B.ACTIVE),
                (_B.FORMED, _B.REVOKED),
                (_B.ACTIVE, _B.REVOKED),
                (_B.SUSPENDED, _B.REVOKED),
            )
            for by in (Role.OPERATOR, Role.SYSTEM)
        ),
    }
)


def advance_book(current: BookStatus, target: BookStatus, role: Role) -> BookStatus:
    """Return ``target`` when ``role`` may move a book there from ``current``.

    Raises ``TransitionNotAllowed`` or ``NotPermitted``.
    """
    return take_step(BOOK_STEPS, current, target, role)


class BookUnreadable(InvalidValue):
    """Not a document of ``FORMATS``."""


class Cause(StrEnum):
    """Why a version was made."""

    FORMED = "formed"
    EXAMINATION = "examination"
    CORRECTION = "correction"
    VACCINATION = "vaccination"
    IDENTITY = "identity"
    RENEWAL = "renewal"
    SUSPENSION = "suspension"
    RESUMPTION = "resumption"
    REVOCATION = "revocation"
    REISSUE = "reissue"


CARRYING: Final = frozenset(
    {Cause.VACCINATION, Cause.SUSPENSION, Cause.RESUMPTION, Cause.REVOCATION, Cause.REISSUE}
)
"""Causes that change nothing of what a link shows of a version: its links go on with the next."""


class Standing(StrEnum):
    """What a version says of the book's force; whether it holds today is judged apart."""

    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


def standing_of(status: BookStatus) -> Standing:
    """Return what a version signed in this status says."""
    return Standing.IN_FORCE if status in IN_FORCE else Standing(status.value)


@dataclass(frozen=True, slots=True, repr=False)
class BookLine(Personal):
    """One study as the book states it, in words; ``valid_until`` is ``None`` without a term."""

    code: str
    name: str
    value: str
    unit: str
    deviation: bool
    performed_on: date
    valid_until: date | None

    @property
    def masked(self) -> str:
        """The code alone: findings stay out of logs."""
        return self.code


def book_lines(
    studies: Iterable[ProgrammeItem], results: Iterable[TestResult]
) -> tuple[BookLine, ...]:
    """Return the programme's studies that have a result, each with the last made one."""
    made = newest(results)
    return tuple(
        BookLine(
            code=study.code,
            name=study.name,
            value=study.words(result.value),
            unit=study.unit,
            deviation=result.deviation,
            performed_on=result.performed_on,
            valid_until=result_valid_until(study, result),
        )
        for study in studies
        if (result := made.get(study.code)) is not None
    )


@dataclass(frozen=True, slots=True, repr=False)
class BookVaccination(Personal):
    """One record of the vaccinations as the book states it; as ``vaccinations.Vaccination``."""

    code: str
    name: str
    kind: str
    on: date
    dose: str
    vaccine: str
    series: str
    until: date | None

    @property
    def masked(self) -> str:
        """The infection alone: what happened stays out of logs."""
        return self.code


def book_vaccinations(records: Iterable[Vaccination]) -> tuple[BookVaccination, ...]:
    """Return all that is recorded of vaccinations, in the order it is given in."""
    return tuple(
        BookVaccination(
            code=each.code,
            name=INFECTIONS[each.code].name if each.code in INFECTIONS else each.code,
            kind=each.kind.value,
            on=each.on,
            dose=each.dose.value if each.dose else "",
            vaccine=each.vaccine,
            series=each.series,
            until=each.until,
        )
        for each in records
    )


@dataclass(frozen=True, slots=True, repr=False)
class BookContent(Personal):
    """Everything one version of a book says; ``work`` is the legal name of the point.

    ``previous_hash`` is empty in the first version. ``salt`` is 16 random bytes in hex, without
    which the published hash would let results be guessed. ``cause`` and ``made_on`` are ``None``
    in ``FIRST_FORMAT``.
    """

    number: BookNumber
    version: int
    previous_hash: str
    salt: str
    holder: FullName
    born_on: date
    snils: str
    occupation: Occupation
    work: str
    examination: ExaminationKind
    lines: tuple[BookLine, ...]
    conclusion: Conclusion
    concluded_on: date
    clinic_name: str
    clinic_oid: str
    clinic_okpo: str
    chair_name: str
    issued_on: date
    valid_until: date
    vaccinations: tuple[BookVaccination, ...] = ()
    cause: Cause | None = None
    made_on: date | None = None
    standing: Standing = Standing.IN_FORCE
    format: str = FORMAT

    @property
    def masked(self) -> str:
        """Number and version."""
        return f"{self.number} v{self.version}"

    @property
    def attestation(self) -> BookLine | None:
        """The line of the hygiene attestation."""
        return next((line for line in self.lines if line.code == HYGIENE), None)


def document(content: BookContent) -> dict[str, Any]:
    """Return ``content`` as what is canonicalised, hashed and signed.

    Only NFC strings, integers, booleans, lists and dicts; dates are ISO, what is absent is "".
    """
    person, work, conclusion = content.holder, content.occupation, content.conclusion
    return _nfc(
        (_added(content) if content.format != FIRST_FORMAT else {})
        | {
            "format": content.format,
            "number": content.number.digits,
            "version": content.version,
            "previous_hash": content.previous_hash,
            "salt": content.salt,
            "holder": {
                "last_name": person.last,
                "first_name": person.first,
                "patronymic": person.patronymic or "",
                "born_on": _iso(content.born_on),
                "snils": content.snils,
            },
            "occupation": {
                "code": work.code,
                "name": work.name,
                "group": work.group,
                "point": work.point,
                "work": content.work,
            },
            "examination": {
                "kind": content.examination.value,
                "lines": [
                    {
                        "code": line.code,
                        "name": line.name,
                        "value": line.value,
                        "unit": line.unit,
                        "deviation": line.deviation,
                        "performed_on": _iso(line.performed_on),
                        "valid_until": _iso(line.valid_until),
                    }
                    for line in content.lines
                ],
            },
            "conclusion": {
                "fitness": conclusion.fitness.value,
                "restrictions": conclusion.restrictions,
                "until": _iso(conclusion.until),
                "note": conclusion.note,
                "concluded_on": _iso(content.concluded_on),
                "clinic_name": content.clinic_name,
                "clinic_oid": content.clinic_oid,
                "clinic_okpo": content.clinic_okpo,
                "chair_name": content.chair_name,
            },
            "issued_on": _iso(content.issued_on),
            "valid_until": _iso(content.valid_until),
        }
    )


def _added(content: BookContent) -> dict[str, Any]:
    """Return what the second format says beside the first."""
    return {
        "cause": content.cause.value if content.cause else "",
        "made_on": _iso(content.made_on),
        "standing": content.standing.value,
        "vaccinations": [
            {
                "code": each.code,
                "name": each.name,
                "kind": each.kind,
                "on": _iso(each.on),
                "dose": each.dose,
                "vaccine": each.vaccine,
                "series": each.series,
                "until": _iso(each.until),
            }
            for each in content.vaccinations
        ],
    }


def read(signed: object) -> BookContent:
    """Return what a parsed document says; raise ``BookUnreadable`` if it says less or more."""
    try:
        content = _read(cast("dict[str, Any]", signed))
        understood = document(content)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidValue) as error:
        raise BookUnreadable from error
    if understood != signed:
        raise BookUnreadable
    return content


def _read(signed: dict[str, Any]) -> BookContent:
    person, work = signed["holder"], signed["occupation"]
    examination, conclusion = signed["examination"], signed["conclusion"]
    if signed["format"] not in FORMATS:
        raise BookUnreadable
    first = signed["format"] == FIRST_FORMAT
    return BookContent(
        number=BookNumber.parse(signed["number"]),
        version=signed["version"],
        previous_hash=signed["previous_hash"],
        salt=signed["salt"],
        holder=FullName(person["last_name"], person["first_name"], person["patronymic"] or None),
        born_on=date.fromisoformat(person["born_on"]),
        snils=person["snils"],
        occupation=Occupation(work["code"], work["name"], work["point"], work["group"]),
        work=work["work"],
        examination=ExaminationKind(examination["kind"]),
        lines=tuple(
            BookLine(
                **each
                | {
                    "performed_on": date.fromisoformat(each["performed_on"]),
                    "valid_until": _date(each["valid_until"]),
                }
            )
            for each in examination["lines"]
        ),
        conclusion=Conclusion(
            Fitness(conclusion["fitness"]),
            conclusion["restrictions"],
            _date(conclusion["until"]),
            conclusion["note"],
        ),
        concluded_on=date.fromisoformat(conclusion["concluded_on"]),
        clinic_name=conclusion["clinic_name"],
        clinic_oid=conclusion["clinic_oid"],
        clinic_okpo=conclusion["clinic_okpo"],
        chair_name=conclusion["chair_name"],
        issued_on=date.fromisoformat(signed["issued_on"]),
        valid_until=date.fromisoformat(signed["valid_until"]),
        vaccinations=()
        if first
        else tuple(
            BookVaccination(
                **each | {"on": date.fromisoformat(each["on"]), "until": _date(each["until"])}
            )
            for each in signed["vaccinations"]
        ),
        cause=None if first or not signed["cause"] else Cause(signed["cause"]),
        made_on=None if first else _date(signed["made_on"]),
        standing=Standing.IN_FORCE if first else Standing(signed["standing"]),
        format=signed["format"],
    )


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _nfc(value: Any) -> Any:
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case list():
            return [_nfc(each) for each in cast("list[Any]", value)]
        case dict():
            return {key: _nfc(each) for key, each in cast("dict[str, Any]", value).items()}
        case _:
            return value


def short_hash(version_hash: str) -> str:
    """Return the first 64 bits of a hash in hex as people compare them: «3F7A-91C0-5BE2-44D1»."""
    head = version_hash[:16].upper()
    return "-".join(head[start : start + 4] for start in range(0, 16, 4))


def dated_lines(content: BookContent) -> tuple[DatedItem, ...]:
    """Return the studies with the dates the version was signed with."""
    return tuple(
        DatedItem(line.code, line.performed_on, line.valid_until) for line in content.lines
    )


class Verdict(StrEnum):
    """What a look ends with; of several failings the first in this order is the headline."""

    LINK_REVOKED = "link_revoked"
    LINK_EXPIRED = "link_expired"
    LINK_EXHAUSTED = "link_exhausted"
    NOT_GENUINE = "not_genuine"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    NOT_RECEIVED = "not_received"
    TERM_PASSED = "term_passed"
    ITEMS_OVERDUE = "items_overdue"
    VALID = "valid"


@dataclass(frozen=True, slots=True)
class BookFacts:
    """What a verdict is made from.

    ``signature_genuine`` was found at this very look. ``version``, ``valid_until`` and ``items``
    are of the version looked at. ``link`` is ``None`` for the holder's own look and for the
    look-up by number.
    """

    signature_genuine: bool
    version: int
    current_version: int
    status: BookStatus
    valid_until: date
    items: tuple[DatedItem, ...]
    link: ShareLink | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and each fact apart.

    ``reasons`` are all failings, headline first, and empty exactly when the book is valid.
    ``days_left`` is negative after the last day. Names in ``readiness`` are health matters (D22):
    the public is told ``items_overdue_since`` alone, which is ``None`` also for a study never made.
    """

    verdict: Verdict
    reasons: tuple[Verdict, ...]
    signature_genuine: bool
    superseded_by: int | None
    revoked: bool
    suspended: bool
    received: bool
    valid_until: date
    days_left: int
    term_passed: bool
    readiness: Readiness
    items_overdue_since: date | None
    link: LinkState | None

    @property
    def is_valid(self) -> bool:
        """Whether the holder may work on this book today."""
        return self.verdict is Verdict.VALID

    @property
    def disclosable(self) -> bool:
        """Whether the looker may see more than the verdict: the link lives, the words are ours."""
        return self.signature_genuine and self.link in (None, LinkState.ALIVE)


def judge(facts: BookFacts, now: datetime, today: date) -> Judgement:
    """Return the verdict at ``now``, which is ``today`` in Moscow: valid only if all holds."""
    link = None if facts.link is None else link_state(facts.link, now)
    studies = readiness(facts.items, today)
    days_left = (facts.valid_until - today).days
    revoked = facts.status is BookStatus.REVOKED
    suspended = facts.status is BookStatus.SUSPENDED
    is_superseded = facts.version != facts.current_version
    received = facts.status is not BookStatus.FORMED
    failings = (
        (Verdict.LINK_REVOKED, link is LinkState.LINK_REVOKED),
        (Verdict.LINK_EXPIRED, link is LinkState.LINK_EXPIRED),
        (Verdict.LINK_EXHAUSTED, link is LinkState.LINK_EXHAUSTED),
        (Verdict.NOT_GENUINE, not facts.signature_genuine),
        (Verdict.REVOKED, revoked),
        (Verdict.SUSPENDED, suspended),
        (Verdict.SUPERSEDED, is_superseded),
        (Verdict.NOT_RECEIVED, not received),
        (Verdict.TERM_PASSED, days_left < 0),
        (Verdict.ITEMS_OVERDUE, not studies.in_date),
    )
    reasons = tuple([verdict for verdict, fails in failings if fails])
    overdue_since = [state.overdue_since for state in studies.overdue if state.overdue_since]
    return Judgement(
        verdict=reasons[0] if reasons else Verdict.VALID,
        reasons=reasons,
        signature_genuine=facts.signature_genuine,
        superseded_by=facts.current_version if is_superseded else None,
        revoked=revoked,
        suspended=suspended,
        received=received,
        valid_until=facts.valid_until,
        days_left=days_left,
        term_passed=days_left < 0,
        readiness=studies,
        items_overdue_since=min(overdue_since, default=None),
        link=link,
    )


class BookNotShareable(Conflict):
    """Nobody is to be shown this book; ``verdict`` is what they would read."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"not to be shown: {verdict}")
        self.verdict = verdict


NOT_SHAREABLE: Final = frozenset(
    {
        Verdict.NOT_GENUINE,
        Verdict.REVOKED,
        Verdict.SUSPENDED,
        Verdict.NOT_RECEIVED,
        Verdict.TERM_PASSED,
    }
)


def check_shareable(judgement: Judgement) -> None:
    """Raise ``BookNotShareable`` where a link would show nothing the holder wants to show."""
    hindrance = next((each for each in judgement.reasons if each in NOT_SHAREABLE), None)
    if hindrance is not None:
        raise BookNotShareable(hindrance)
