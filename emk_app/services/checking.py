"""The automatic checks of an application that was handed in; a job, safe to repeat."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db import changes, vault
from emk_app.db.engine import unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application, CheckResult
from emk_app.domain import checks, intake
from emk_app.domain.actors import SYSTEM
from emk_app.domain.applications import FINAL, ApplicationStatus, advance
from emk_app.domain.checks import Check, Finding, Reason, ScanFacts
from emk_app.services import auditing, esigning

JOB: Final = "check_application"
EVIDENCE: Final = ("check_results", "evidence")
_CHECKED: Final = frozenset(
    {ApplicationStatus.SUBMITTED, ApplicationStatus.RECEIVED, ApplicationStatus.UNDER_REVIEW}
)


def run(application_id: int, now: datetime) -> None:
    """Check the application; one that was just handed in is then received.

    A second run writes the same findings again and moves nothing.
    """
    proof = esigning.proof_of(application_id, now=now)
    with unit_of_work() as db:
        application = applications.locked(db, application_id)
        if application.status not in _CHECKED:
            return
        applicant = intake.read_again(applications.form_of(db, application), clock.day_of(now))
        found = checks.findings(applicant, _scans(db, application), _others(db, application))
        if proof is not None:
            esigning.note(db, application, proof, now)
            found += (checks.signature(proof.check, is_current=proof.is_current),)
        _write(db, application, found, now)
        if application.status is ApplicationStatus.SUBMITTED:
            _receive(db, application, now)
        else:
            changes.announce(db, f"application:{application.id}", "queue")


def findings_of(db: Session, application: Application) -> tuple[Finding, ...]:
    """Return what the checks found, in their order; empty until they have run."""
    holder = vault.vault_for(db, application.holder_id)
    order = list(Check)
    found = [
        _read(row, holder)
        for row in applications.checks_of(db, application.id)
        if row.code in Check._value2member_map_
    ]
    return tuple(sorted(found, key=lambda finding: order.index(finding.check)))


def _receive(db: Session, application: Application, now: datetime) -> None:
    status = advance(application.status, ApplicationStatus.RECEIVED, SYSTEM.role)
    applications.move(db, application, now=now, status=status)
    applications.write_history(db, application, status.value, by=SYSTEM.role, user_id=None, now=now)
    auditing.record(
        db,
        SYSTEM,
        "check",
        f"application:{application.id}",
        subject_id=application.holder_id,
        now=now,
    )


def _scans(db: Session, application: Application) -> list[ScanFacts]:
    return [
        ScanFacts(scan.kind, scan.pages, scan.is_colour, scan.is_legible)
        for scan in applications.scans_of(db, application.id)
    ]


def _others(db: Session, application: Application) -> list[str]:
    return [
        other.tracking_number
        for other in applications.of_holder(db, application.holder_id)
        if other.id != application.id
        and other.status is not ApplicationStatus.DRAFT
        and other.status not in FINAL
    ]


def _write(db: Session, application: Application, found: Iterable[Finding], now: datetime) -> None:
    holder = vault.vault_for(db, application.holder_id)
    known = {row.code: row for row in applications.checks_of(db, application.id)}
    for finding in found:
        row = known.get(finding.check) or CheckResult(
            application_id=application.id,
            code=finding.check.value,
            outcome=finding.outcome,
            checked_at=now,
        )
        row.outcome, row.checked_at = finding.outcome, now
        db.add(row)
        db.flush()
        evidence = {"reason": finding.reason, "facts": dict(finding.facts)}
        row.evidence_sealed = holder.seal_json(evidence, *EVIDENCE, row.id)


def _read(row: CheckResult, holder: vault.Vault) -> Finding:
    evidence: dict[str, Any] = (
        holder.open_json(row.evidence_sealed, *EVIDENCE, row.id) if row.evidence_sealed else {}
    )
    reason = evidence.get("reason")
    return Finding(
        Check(row.code),
        row.outcome,
        Reason(reason) if reason else None,
        evidence.get("facts", {}),
    )
