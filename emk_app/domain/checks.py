"""Automatic checks of an application: what each found, and on what evidence.

Format is settled before (``intake``); here the values are held against each other and against the
scans. A check that can't tell says so, and an operator looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from emk_app.domain.applications import REQUIRED_SCANS
from emk_app.domain.documents import ScanKind
from emk_app.domain.esignature import ESignatureCheck
from emk_app.domain.intake import Applicant
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
    PASSPORT_SCAN = "passport_scan"
    POLICY_SCAN = "policy_scan"
    PASSPORT_NAME = "passport_name"
    NO_DUPLICATE = "no_duplicate"
    SIGNATURE = "signature"
    """Of those who gave one: an electronic signature is the holder's to give or not."""


class CheckOutcome(StrEnum):
    """An automatic check answers yes, no, or leaves it to the operator."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a check failed or could not tell."""

    OTHER_DOCUMENT = "other_document"
    """Not an ЕНП: nothing is encoded in the number."""
    UNREADABLE = "unreadable"
    DIFFERS = "differs"
    ABSENT = "absent"
    SMALL = "small"
    GRAY = "gray"
    BY_EYE = "by_eye"
    """Only a person can tell so far."""
    ALREADY_APPLIED = "already_applied"
    SIGNATURE = "signature"
    """The facts are those of ``ESignatureCheck``, whose headline tells the rest."""
    EARLIER_TEXT = "earlier_text"
    """Signed before the form was corrected; the facts are those of ``ESignatureCheck``."""


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


_SCAN_CHECKS: Final = {ScanKind.PASSPORT: Check.PASSPORT_SCAN, ScanKind.POLICY: Check.POLICY_SCAN}
assert set(_SCAN_CHECKS) == set(REQUIRED_SCANS)


def findings(
    applicant: Applicant, scans: Iterable[ScanFacts], others: Sequence[str]
) -> tuple[Finding, ...]:
    """Return what every check finds.

    ``others`` are the numbers of the holder's other applications that are still under way.
    """
    by_kind = {scan.kind: scan for scan in scans}
    return (
        # The control number was right when the form was read, and is so for ever.
        Finding(Check.SNILS, CheckOutcome.PASSED),
        *_policy(applicant),
        *(_scan(check, by_kind.get(kind)) for kind, check in _SCAN_CHECKS.items()),
        Finding(Check.PASSPORT_NAME, CheckOutcome.UNKNOWN, Reason.BY_EYE),
        _duplicate(others),
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


def _scan(check: Check, scan: ScanFacts | None) -> Finding:
    if scan is None:
        return Finding(check, CheckOutcome.FAILED, Reason.ABSENT)
    facts = {"pages": str(scan.pages)}
    if not scan.is_legible:
        return Finding(check, CheckOutcome.UNKNOWN, Reason.SMALL, facts)
    if not scan.is_colour:
        return Finding(check, CheckOutcome.UNKNOWN, Reason.GRAY, facts)
    return Finding(check, CheckOutcome.PASSED, facts=facts)


def _duplicate(others: Sequence[str]) -> Finding:
    if not others:
        return Finding(Check.NO_DUPLICATE, CheckOutcome.PASSED)
    facts = {"numbers": ", ".join(others)}
    return Finding(Check.NO_DUPLICATE, CheckOutcome.FAILED, Reason.ALREADY_APPLIED, facts)
