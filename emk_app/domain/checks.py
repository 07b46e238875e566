"""Automatic checks of an application: what each found, and on what evidence.

Format is settled before (``intake``); here the values are held against each other and against the
scans. A check that can't tell says so, and an operator looks. What a machine reads off a scan
counts only where check digits prove that it was read right: then it may contradict the form, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from emk_app.domain import mrz, policies
from emk_app.domain.applications import REQUIRED_SCANS
from emk_app.domain.documents import ScanKind
from emk_app.domain.esignature import ESignatureCheck
from emk_app.domain.intake import Applicant
from emk_app.domain.likeness import THRESHOLD, likeness
from emk_app.domain.policies import (
    BirthDiffers,
    BirthUnreadable,
    PolicyWarning,
    SexDiffers,
    policy_warnings,
)


class Check(StrEnum):
    """What is checked, in the order in which it is shown."""

    SNILS = "snils"
    POLICY_NUMBER = "policy_number"
    POLICY_BIRTH = "policy_birth"
    POLICY_SEX = "policy_sex"
    PASSPORT_TERM = "passport_term"
    PASSPORT_SCAN = "passport_scan"
    PASSPORT_NAME = "passport_name"
    PASSPORT_NUMBER = "passport_number"
    PASSPORT_BIRTH = "passport_birth"
    PASSPORT_SEX = "passport_sex"
    PASSPORT_ISSUE = "passport_issue"
    POLICY_SCAN = "policy_scan"
    POLICY_ON_SCAN = "policy_on_scan"
    NO_DUPLICATE = "no_duplicate"
    ONE_ACCOUNT = "one_account"
    SIGNATURE = "signature"
    """Of those who gave one: an electronic signature is the holder's to give or not."""


class CheckOutcome(StrEnum):
    """An automatic check answers yes, no, or leaves it to the operator; until then it is going on.

    «Не удалось прочитать» is never a no.
    """

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a check failed or could not tell."""

    OTHER_DOCUMENT = "other_document"
    """Not an ЕНП: nothing is encoded in the number."""
    OTHER_PAPER = "other_paper"
    """Not the internal passport: no zone to read."""
    UNREADABLE = "unreadable"
    DIFFERS = "differs"
    """From what is encoded in the policy's number."""
    OUTLIVED = "outlived"
    """A passport that had to be replaced; the new one may not be there yet."""
    DIFFERS_ON_SCAN = "differs_on_scan"
    NEARLY = "nearly"
    """Alike enough to be a misreading, too different to be sure."""
    ABSENT = "absent"
    SMALL = "small"
    GRAY = "gray"
    NO_READER = "no_reader"
    NOT_READ = "not_read"
    """The machine could not make it out."""
    BEFORE_ZONES = "before_zones"
    """Issued before passports had a zone."""
    SEVERAL = "several"
    """More than one passport on the scan."""
    BY_EYE = "by_eye"
    """Only a person can tell."""
    ALREADY_APPLIED = "already_applied"
    """The same person has asked for the same before."""
    APPLIED_FOR_OTHER_WORK = "applied_for_other_work"
    OTHER_ACCOUNT = "other_account"
    SIGNATURE = "signature"
    """The facts are those of ``ESignatureCheck``, whose headline tells the rest."""
    EARLIER_TEXT = "earlier_text"
    """Signed before the form was corrected; the facts are those of ``ESignatureCheck``."""


READ_FROM: Final[Mapping[ScanKind, tuple[Check, ...]]] = MappingProxyType(
    {
        ScanKind.PASSPORT: (
            Check.PASSPORT_NAME,
            Check.PASSPORT_NUMBER,
            Check.PASSPORT_BIRTH,
            Check.PASSPORT_SEX,
            Check.PASSPORT_ISSUE,
        ),
        ScanKind.POLICY: (Check.POLICY_ON_SCAN,),
    }
)
"""Which checks wait for the text of which scan."""

STAFF_ONLY: Final = frozenset({Check.ONE_ACCOUNT})
"""What it finds is about somebody else's account: its holder, and nobody by guessing a СНИЛС, is
told so."""

DECISIVE: Final[Mapping[tuple[Check, Reason], str]] = MappingProxyType(
    {(Check.NO_DUPLICATE, Reason.ALREADY_APPLIED): "already_applied"}
)
"""Findings that prove that the application can't be right, with the ground of the refusal.

One only: a second application of the same account for the same work and the same kind of
examination, while the first is under way. All else, a scan of another person's passport included,
may be a mistake that its holder can mend under the same number, so a person decides.
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; ``facts`` are plain values for the operator, dates in ISO form."""

    check: Check
    outcome: CheckOutcome
    reason: Reason | None = None
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """What the checks know of a scan."""

    kind: ScanKind
    pages: int
    is_colour: bool
    is_legible: bool


@dataclass(frozen=True, slots=True)
class Other:
    """Another application that is under way."""

    number: str
    is_same_account: bool
    is_same_work: bool
    """For the same occupation and the same kind of examination."""
    is_earlier: bool


@dataclass(frozen=True, slots=True)
class ScanText:
    """What was read off a scan, row by row, or why nothing was."""

    rows: tuple[str, ...] = ()
    is_layer: bool = False
    """The rows are the text inside a PDF, which need not be what the page shows."""
    unread: Reason | None = None


_SCAN_CHECKS: Final = {ScanKind.PASSPORT: Check.PASSPORT_SCAN, ScanKind.POLICY: Check.POLICY_SCAN}
assert set(_SCAN_CHECKS) == set(REQUIRED_SCANS) == set(READ_FROM)


def findings(
    applicant: Applicant, scans: Iterable[ScanFacts], others: Sequence[Other], day: date
) -> tuple[Finding, ...]:
    """Return what can be found at once; ``others`` are other applications of the same person,
    ``day`` is that of handing in.

    What is to be read off a scan is pending, or answered already where there is nothing to read.
    """
    by_kind = {scan.kind: scan for scan in scans}
    return (
        # The control number was right when the form was read, and is so for ever.
        Finding(Check.SNILS, CheckOutcome.PASSED),
        *_policy(applicant),
        _term(applicant, day),
        *(_scan(check, by_kind.get(kind)) for kind, check in _SCAN_CHECKS.items()),
        *(each for kind in READ_FROM for each in _to_read(applicant, kind, kind in by_kind)),
        _duplicate(others),
        _other_account(others),
    )


def signature(check: ESignatureCheck, *, is_current: bool) -> Finding:
    """Return what the check of an electronic signature comes to.

    ``is_current`` says whether it is under the form as it stands, not under one of before.
    """
    facts = check.as_facts()
    if not check.is_accepted:
        return Finding(Check.SIGNATURE, CheckOutcome.FAILED, Reason.SIGNATURE, facts)
    if not is_current:
        return Finding(Check.SIGNATURE, CheckOutcome.UNKNOWN, Reason.EARLIER_TEXT, facts)
    outcome = CheckOutcome.PASSED if check.is_valid else CheckOutcome.UNKNOWN
    return Finding(Check.SIGNATURE, outcome, Reason.SIGNATURE, facts)


def read_findings(applicant: Applicant, kind: ScanKind, text: ScanText) -> tuple[Finding, ...]:
    """Return what the text of a scan says about the form."""
    if text.unread is not None:
        return _all(kind, text.unread)
    match kind:
        case ScanKind.PASSPORT:
            return _on_passport(applicant, text)
        case ScanKind.POLICY:
            return (_on_policy(applicant, text),)
        case _:
            return ()


def decisive(found: Iterable[Finding]) -> str | None:
    """Return the ground on which these findings alone refuse the application, if any does."""
    grounds = (
        DECISIVE.get((each.check, each.reason))
        for each in found
        if each.outcome is CheckOutcome.FAILED and each.reason is not None
    )
    return next((ground for ground in grounds if ground is not None), None)


def _policy(applicant: Applicant) -> tuple[Finding, ...]:
    enp = applicant.policy.enp
    if enp is None:
        return tuple(
            Finding(check, CheckOutcome.UNKNOWN, Reason.OTHER_DOCUMENT)
            for check in (Check.POLICY_NUMBER, Check.POLICY_BIRTH, Check.POLICY_SEX)
        )
    warnings = policy_warnings(enp, applicant.born_on, applicant.sex)
    return (
        Finding(Check.POLICY_NUMBER, CheckOutcome.PASSED),
        _encoded(Check.POLICY_BIRTH, warnings, BirthDiffers),
        _encoded(Check.POLICY_SEX, warnings, SexDiffers),
    )


def _encoded(
    check: Check,
    warnings: Iterable[PolicyWarning],
    difference: type[BirthDiffers] | type[SexDiffers],
) -> Finding:
    for warning in warnings:
        if isinstance(warning, BirthUnreadable):
            return Finding(check, CheckOutcome.UNKNOWN, Reason.UNREADABLE)
        if isinstance(warning, difference):
            facts = {"encoded": str(warning.encoded), "stated": str(warning.stated)}
            return Finding(check, CheckOutcome.FAILED, Reason.DIFFERS, facts)
    return Finding(check, CheckOutcome.PASSED)


def _term(applicant: Applicant, day: date) -> Finding:
    passport = applicant.passport
    if passport is None:
        return Finding(Check.PASSPORT_TERM, CheckOutcome.UNKNOWN, Reason.OTHER_PAPER)
    age = passport.outlived_at(applicant.born_on, day)
    if age is None:
        return Finding(Check.PASSPORT_TERM, CheckOutcome.PASSED)
    facts = {"age": str(age), "issued_on": str(passport.issued_on)}
    return Finding(Check.PASSPORT_TERM, CheckOutcome.UNKNOWN, Reason.OUTLIVED, facts)


def _scan(check: Check, scan: ScanFacts | None) -> Finding:
    if scan is None:
        return Finding(check, CheckOutcome.FAILED, Reason.ABSENT)
    facts = {"pages": str(scan.pages)}
    if not scan.is_legible:
        return Finding(check, CheckOutcome.UNKNOWN, Reason.SMALL, facts)
    if not scan.is_colour:
        return Finding(check, CheckOutcome.UNKNOWN, Reason.GRAY, facts)
    return Finding(check, CheckOutcome.PASSED, facts=facts)


def _to_read(applicant: Applicant, kind: ScanKind, is_there: bool) -> tuple[Finding, ...]:
    if not is_there:
        return _all(kind, Reason.ABSENT)
    if kind is ScanKind.PASSPORT and applicant.passport is None:
        return _all(kind, Reason.OTHER_PAPER)
    if kind is ScanKind.POLICY and applicant.policy.enp is None:
        return _all(kind, Reason.OTHER_DOCUMENT)
    return tuple(Finding(check, CheckOutcome.PENDING) for check in READ_FROM[kind])


def _all(kind: ScanKind, reason: Reason) -> tuple[Finding, ...]:
    return tuple(Finding(check, CheckOutcome.UNKNOWN, reason) for check in READ_FROM[kind])


def _on_passport(applicant: Applicant, text: ScanText) -> tuple[Finding, ...]:
    passport = applicant.passport
    if passport is None:
        return _all(ScanKind.PASSPORT, Reason.OTHER_PAPER)
    zones = mrz.find(text.rows)
    if len(zones) > 1:
        return _all(ScanKind.PASSPORT, Reason.SEVERAL)
    if not zones:
        is_old = passport.issued_on < mrz.ZONES_SINCE
        return _all(ScanKind.PASSPORT, Reason.BEFORE_ZONES if is_old else Reason.NOT_READ)
    zone = zones[0]
    return (
        _name(applicant, zone, text),
        _compared(
            Check.PASSPORT_NUMBER,
            text,
            f"{passport.series} {passport.number}",
            f"{zone.series} {zone.number}",
            line=zone.lines[1],
        ),
        _compared(Check.PASSPORT_BIRTH, text, str(applicant.born_on), str(zone.born_on)),
        _compared(Check.PASSPORT_SEX, text, str(applicant.sex), str(zone.sex or "")),
        _compared(
            Check.PASSPORT_ISSUE,
            text,
            _issue(passport.issued_on, passport.unit_code),
            _issue(zone.issued_on, zone.unit_code),
        ),
    )


def _issue(issued_on: date, unit_code: str) -> str:
    return f"{issued_on} {unit_code[:3]}-{unit_code[3:]}"


def _name(applicant: Applicant, zone: mrz.Zone, text: ScanText) -> Finding:
    """Compare the name, which no check digit proves: only all letters alike are a yes, and only
    a wholly other name, read to its end, is a no.
    """
    if not zone.name:
        return Finding(Check.PASSPORT_NAME, CheckOutcome.UNKNOWN, Reason.NOT_READ)
    percent = likeness(zone.name, applicant.name)
    facts = _facts(
        text,
        str(applicant.name),
        zone.russian_name,
        likeness=str(percent),
        line=zone.lines[0],
    )
    if percent == 100:
        return Finding(Check.PASSPORT_NAME, CheckOutcome.PASSED, facts=facts)
    if percent >= THRESHOLD:
        return Finding(Check.PASSPORT_NAME, CheckOutcome.UNKNOWN, Reason.NEARLY, facts)
    if not zone.is_name_whole:
        return Finding(Check.PASSPORT_NAME, CheckOutcome.UNKNOWN, Reason.NOT_READ, facts)
    return Finding(Check.PASSPORT_NAME, CheckOutcome.FAILED, Reason.DIFFERS_ON_SCAN, facts)


def _on_policy(applicant: Applicant, text: ScanText) -> Finding:
    enp = applicant.policy.enp
    if enp is None:
        return _all(ScanKind.POLICY, Reason.OTHER_DOCUMENT)[0]
    numbers = policies.found_in(text.rows)
    # A policy prints more than one number; the one in the form has to be among them.
    said = enp if enp in numbers else next(iter(numbers), None)
    return _compared(Check.POLICY_ON_SCAN, text, enp.digits, said.digits if said else "")


def _compared(check: Check, text: ScanText, stated: str, read: str, **more: str) -> Finding:
    if not read:
        return Finding(check, CheckOutcome.UNKNOWN, Reason.NOT_READ)
    facts = _facts(text, stated, read, **more)
    if stated == read:
        return Finding(check, CheckOutcome.PASSED, facts=facts)
    return Finding(check, CheckOutcome.FAILED, Reason.DIFFERS_ON_SCAN, facts)


def _facts(text: ScanText, stated: str, read: str, **more: str) -> dict[str, str]:
    source = "layer" if text.is_layer else "picture"
    return {"stated": stated, "read": read, "source": source} | more


def _duplicate(others: Sequence[Other]) -> Finding:
    # The first of two is no duplicate.
    own = [other for other in others if other.is_same_account and other.is_earlier]
    if not own:
        return Finding(Check.NO_DUPLICATE, CheckOutcome.PASSED)
    same = [other for other in own if other.is_same_work]
    facts = {"numbers": ", ".join(other.number for other in same or own)}
    if same:
        return Finding(Check.NO_DUPLICATE, CheckOutcome.FAILED, Reason.ALREADY_APPLIED, facts)
    return Finding(Check.NO_DUPLICATE, CheckOutcome.UNKNOWN, Reason.APPLIED_FOR_OTHER_WORK, facts)


def _other_account(others: Sequence[Other]) -> Finding:
    foreign = [other.number for other in others if not other.is_same_account]
    if not foreign:
        return Finding(Check.ONE_ACCOUNT, CheckOutcome.PASSED)
    facts = {"numbers": ", ".join(foreign)}
    return Finding(Check.ONE_ACCOUNT, CheckOutcome.FAILED, Reason.OTHER_ACCOUNT, facts)
