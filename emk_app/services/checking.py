"""The automatic checks of an application that was handed in: jobs, safe to repeat.

What can be told from the form is told at once; each scan is then read by a job of its own, and what
it says is committed as soon as it is known. Once nothing is pending the application is received.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application, CheckResult, Scan
from emk_app.db.tables.people import User
from emk_app.domain import checks, decisions, intake
from emk_app.domain.actors import SYSTEM
from emk_app.domain.applications import FINAL, ApplicationStatus, advance
from emk_app.domain.checks import (
    READ_FROM,
    STAFF_ONLY,
    Check,
    CheckOutcome,
    Finding,
    Other,
    Reason,
    ScanFacts,
    ScanText,
)
from emk_app.domain.documents import ScanKind
from emk_app.domain.intake import Applicant
from emk_app.domain.notices import News, Notice
from emk_app.services import auditing, esigning, jobs, notifying, scans
from emk_app.settings import settings
from emk_app.storage.blobs import BlobMissing
from emk_app.storage.reader import Want
from emk_app.storage.recognition import Recogniser, Unread

JOB: Final = "check_application"
EVIDENCE: Final = ("check_results", "evidence")
PATIENCE: Final = timedelta(minutes=10)
"""How long an application waits to be read before people go on without."""

_CHECKED: Final = frozenset(
    {ApplicationStatus.SUBMITTED, ApplicationStatus.RECEIVED, ApplicationStatus.UNDER_REVIEW}
)
_WANTS: Final = {ScanKind.PASSPORT: Want.ZONE, ScanKind.POLICY: Want.POLICY}
_UNREAD: Final = {Unread.NO_READER: Reason.NO_READER, Unread.FAILED: Reason.NOT_READ}


def run(application_id: int, now: datetime) -> None:
    """Check what the form tells, and put a job for each scan that is to be read.

    A second run finds the same again and moves nothing.
    """
    proof = esigning.proof_of(application_id, now=now)
    with unit_of_work() as db:
        application = applications.locked(db, application_id)
        if application.status not in _CHECKED:
            return
        applicant = _applicant(db, application)
        application.snils_blind = vault.blind("applications-snils", applicant.snils.digits)
        db.add(application)
        db.flush()
        found = checks.findings(
            applicant,
            _scans(db, application),
            _others(db, application),
            _form_day(application),
        )
        if proof is not None:
            esigning.note(db, application, proof, now)
            found += (checks.signature(proof.check, is_current=proof.is_current),)
        _write(db, application, found, now)
        ground = checks.decisive(found)
        if ground is not None and application.status is ApplicationStatus.SUBMITTED:
            _refuse(db, application, ground, now)
            return
        pending = {each.check for each in found if each.outcome is CheckOutcome.PENDING}
        for kind, waiting in READ_FROM.items():
            if pending.intersection(waiting):
                # Each run asks for a reading of its own: the form may have changed since.
                jobs.enqueue(
                    db, job_of(kind), application.id, occasion=secrets.token_hex(8), now=now
                )
        _go_on(db, application, now)


def read(application_id: int, kind: ScanKind, now: datetime) -> None:
    """Read the scan of this kind and check the form against it, as far as that is still pending.

    The form is read after the scan, and a scan replaced meanwhile says nothing: whoever changed
    either has put a job of their own.
    """
    with reading() as db:
        application = applications.get(db, application_id)
        if application.status not in _CHECKED or not _pending(db, application, kind):
            return
        scan = _scan(db, application, kind)
        key = vault.vault_for(db, application.holder_id).key
    text = _text(scan, key) if scan is not None else ScanText(unread=Reason.ABSENT)
    with unit_of_work() as db:
        application = applications.locked(db, application_id)
        pending = _pending(db, application, kind)
        standing = _scan(db, application, kind)
        if application.status not in _CHECKED or _ref(standing) != _ref(scan):
            return
        found = checks.read_findings(_applicant(db, application), kind, text)
        _write(db, application, [each for each in found if each.check in pending], now)
        _go_on(db, application, now)


def finish(application_id: int, now: datetime) -> None:
    """Do all the checks at once, the reading included, for who has nothing else to wait for."""
    run(application_id, now)
    for kind in READ_FROM:
        read(application_id, kind, now)


def go_on_without(*, now: datetime) -> None:
    """Leave to the operators what no machine has read in ten minutes."""
    with reading() as db:
        waiting = applications.unread_since(db, now - PATIENCE)
    for application_id in waiting:
        with unit_of_work() as db:
            application = applications.locked(db, application_id)
            found = [
                Finding(check, CheckOutcome.UNKNOWN, Reason.NOT_READ)
                for kind in READ_FROM
                for check in _pending(db, application, kind)
            ]
            _write(db, application, found, now)
            _go_on(db, application, now)


def job_of(kind: ScanKind) -> str:
    """Return the kind of the job that reads such a scan."""
    return f"read_{kind}"


READINGS: Final[dict[str, jobs.Work]] = {
    job_of(ScanKind.PASSPORT): lambda target, now: read(target, ScanKind.PASSPORT, now),
    job_of(ScanKind.POLICY): lambda target, now: read(target, ScanKind.POLICY, now),
}
"""The jobs that take seconds of a processor; not to stand in the way of the others."""


def findings_of(db: Session, application: Application) -> tuple[Finding, ...]:
    """Return what the checks found, in their order; empty until they have begun.

    What is pending is left out once nobody is going to find it.
    """
    holder = vault.vault_for(db, application.holder_id)
    order = list(Check)
    found = [
        _read(row, holder)
        for row in applications.checks_of(db, application.id)
        if row.code in Check._value2member_map_
        and (row.outcome is not CheckOutcome.PENDING or application.status in _CHECKED)
    ]
    return tuple(sorted(found, key=lambda finding: order.index(finding.check)))


def holders_findings(db: Session, application: Application) -> tuple[Finding, ...]:
    """Return those of the findings that are for the holder's eyes."""
    return tuple(each for each in findings_of(db, application) if each.check not in STAFF_ONLY)


@cache
def recogniser() -> Recogniser:
    """Return the reader of this process."""
    return Recogniser(with_pictures=settings().reads_pictures)


def _text(scan: Scan, key: bytes) -> ScanText:
    try:
        content = scans.blobs().open(scan.blob, key)
    except BlobMissing:
        return ScanText(unread=Reason.ABSENT)
    found = recogniser().read(content, scan.media_type, _WANTS[scan.kind])
    return ScanText(found.rows, found.is_layer, _UNREAD[found.unread] if found.unread else None)


def _applicant(db: Session, application: Application) -> Applicant:
    """Return the form, read as of the day on which it was handed in."""
    return intake.read_again(applications.form_of(db, application), _form_day(application))


def _form_day(application: Application) -> date:
    return clock.day_of(application.changed_at)


def _scan(db: Session, application: Application, kind: ScanKind) -> Scan | None:
    return next(
        (scan for scan in applications.scans_of(db, application.id) if scan.kind is kind), None
    )


def _ref(scan: Scan | None) -> str | None:
    return scan.ref if scan else None


def _pending(db: Session, application: Application, kind: ScanKind) -> frozenset[Check]:
    return frozenset(
        Check(row.code)
        for row in applications.checks_of(db, application.id)
        if row.outcome is CheckOutcome.PENDING and row.code in READ_FROM[kind]
    )


def _go_on(db: Session, application: Application, now: datetime) -> None:
    """Receive the application if nothing is pending; tell who watches either way."""
    is_pending = any(_pending(db, application, kind) for kind in READ_FROM)
    if application.status is ApplicationStatus.SUBMITTED and not is_pending:
        _receive(db, application, now)
    changes.announce(
        db, f"application:{application.id}", f"holder:{application.holder_id}", "queue"
    )


def _receive(db: Session, application: Application, now: datetime) -> None:
    status = advance(application.status, ApplicationStatus.RECEIVED, SYSTEM.role)
    applications.move(db, application, now=now, status=status)
    _note(db, application, "check", now)


def _refuse(db: Session, application: Application, ground: str, now: datetime) -> None:
    said = decisions.words(decisions.ground(ground), "")
    status = advance(application.status, ApplicationStatus.REJECTED, SYSTEM.role)
    applications.move(
        db,
        application,
        now=now,
        status=status,
        decided_at=now,
        note_sealed=applications.seal_note(db, application, said),
    )
    _note(db, application, "reject", now, said)
    holder = db.get(User, application.holder_id)
    assert holder is not None
    notifying.tell(
        db,
        holder,
        Notice(News.APPLICATION_REJECTED, number=application.tracking_number),
        dedupe=f"{application.status}:{application.id}:{application.version}",
        now=now,
    )


def _note(
    db: Session, application: Application, action: str, now: datetime, said: str = ""
) -> None:
    applications.write_history(
        db,
        application,
        application.status.value,
        by=SYSTEM.role,
        user_id=None,
        now=now,
        note=said,
    )
    auditing.record(
        db,
        SYSTEM,
        action,
        f"application:{application.id}",
        subject_id=application.holder_id,
        now=now,
    )


def _scans(db: Session, application: Application) -> list[ScanFacts]:
    return [
        ScanFacts(scan.kind, scan.pages, scan.is_colour, scan.is_legible)
        for scan in applications.scans_of(db, application.id)
    ]


def _others(db: Session, application: Application) -> list[Other]:
    found = {
        each.id: each
        for each in (
            *applications.of_holder(db, application.holder_id),
            *applications.of_snils(db, application.snils_blind or ""),
        )
    }
    return [
        Other(
            other.tracking_number,
            other.holder_id == application.holder_id,
            (other.occupation, other.kind) == (application.occupation, application.kind),
            # Numbers are given in order, but handed in is what counts.
            _handed_in(other) < _handed_in(application),
        )
        for other in sorted(found.values(), key=lambda each: each.id)
        if other.id != application.id
        and other.status is not ApplicationStatus.DRAFT
        and other.status not in FINAL
    ]


def _handed_in(application: Application) -> tuple[datetime, int]:
    assert application.submitted_at is not None
    return application.submitted_at, application.id


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
    db.flush()


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
