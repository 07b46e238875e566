"""The operators' desk: taking an application, judging its papers, asking the holder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, desks, examinations
from emk_app.db.tables.applications import Application
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.people import User
from emk_app.domain import corrections, deadlines, decisions, papers
from emk_app.domain.actors import SYSTEM, Actor, Role, permit
from emk_app.domain.applications import (
    ApplicationStatus,
    ExaminationTrack,
    Milestone,
    PapersTrack,
    TrackingNumber,
    advance,
    advance_papers,
)
from emk_app.domain.checks import CheckOutcome, Finding
from emk_app.domain.clearance import admits
from emk_app.domain.corrections import Asked
from emk_app.domain.deadlines import Wait
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import (
    ChangedMeanwhile,
    InvalidValue,
    NotAChoice,
    NotFound,
    NotPermitted,
    Required,
)
from emk_app.domain.examinations import ExaminationKind, ProgrammeChanged, completeness
from emk_app.domain.intake import Applicant
from emk_app.domain.notices import News, Notice
from emk_app.domain.occupations import OCCUPATIONS, Occupation
from emk_app.domain.values import Problems
from emk_app.services import auditing, cases, checking, esigning, issuing, notifying, scans
from emk_app.services.esigning import ESignatureView
from emk_app.services.scans import ScanView

QUEUE_LENGTH: Final = 100
"""Lines shown at once; the oldest come first, so the rest waits its turn."""
FORGOTTEN: Final = timedelta(hours=12)
"""As long as a session lasts at most: whoever took a case and left it then has left the desk."""


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One application whose papers wait for a decision; nothing personal."""

    number: TrackingNumber
    papers: PapersTrack
    occupation: Occupation | None
    submitted_at: datetime
    days_spent: int
    """Working days, without those spent on the holder."""
    is_promise_broken: bool
    """Longer with the operators than promised for the papers."""
    is_late: bool
    """Longer than the guide's ten days for everything."""
    outcomes: Mapping[CheckOutcome, int]
    """How many automatic checks ended how; empty until they have run."""
    reviewer: str
    """Who took it, as far as they have a name."""
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """The first lines, and how many there are."""

    lines: tuple[QueueLine, ...]
    total: int


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One event; ``event`` is a status or a key of the catalogue."""

    event: str
    by: Role
    person: str
    """Name of the member of staff; empty for anybody else."""
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Case:
    """An application as its operator sees it."""

    id: int
    version: int
    """Counts changes: what was read earlier has the lower one."""
    number: TrackingNumber
    status: ApplicationStatus
    papers: PapersTrack
    examination: ExaminationTrack
    applicant: Applicant | None
    """None while the holder is correcting it and it does not read."""
    occupation: Occupation | None
    kind: ExaminationKind | None
    clinic: str
    submitted_at: datetime
    days_spent: int
    is_promise_broken: bool
    is_late: bool
    scans: tuple[ScanView, ...]
    absent: tuple[ScanKind, ...]
    """Papers that the form calls for and that are not there."""
    signature: ESignatureView | None
    findings: tuple[Finding, ...]
    history: tuple[HistoryLine, ...]
    """Oldest first."""
    note: str
    """The reason or the question, as the holder reads it."""
    asked: Asked
    reviewer: str
    is_mine: bool
    may_take: bool
    may_decide: bool


def queue(actor: Actor, *, now: datetime) -> Queue:
    """Return the applications whose papers wait for a decision, oldest first."""
    permit(actor, Role.OPERATOR)
    with reading() as db:
        found, total = desks.papers_to_check(db, QUEUE_LENGTH)
        ids = [application.id for application in found]
        outcomes = desks.outcomes_of(db, ids)
        waits = _waits_of(db, ids)
        names = desks.names_of(db, [application.reviewer_id for application in found])
        lines = tuple(
            _line(
                application,
                actor,
                outcomes.get(application.id, ()),
                waits.get(application.id, ()),
                names,
                now,
            )
            for application in found
        )
    return Queue(lines, total)


def identity(actor: Actor, number: str) -> int:
    """Return the identity of the application of this number, in any spelling; or ``NotFound``."""
    permit(actor, Role.OPERATOR)
    with reading() as db:
        return _found(db, number).id


def case(actor: Actor, number: str, *, now: datetime) -> Case:
    """Return everything on the page of one application; the look is noted.

    Raises ``NotFound`` for a draft, one that was withdrawn, and what is no number at all.
    """
    permit(actor, Role.OPERATOR)
    with reading() as db:
        application = _found(db, number)
    auditing.look(
        actor,
        _target(application),
        subject_id=application.holder_id,
        fields="form,checks,history",
        now=now,
    )
    with reading() as db:
        return _view(db, _found(db, number), actor, now)


def take(actor: Actor, number: str, *, now: datetime) -> None:
    """Take the papers for oneself; whoever comes second is told who was first.

    Raises ``ChangedMeanwhile``. Taking one's own again changes nothing.
    """
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        application = _locked(db, number)
        if _is_held_by(application, actor):
            return
        if application.papers is not PapersTrack.WAITING:
            raise _beaten(db, application)
        papers = advance_papers(application.papers, PapersTrack.TAKEN, actor.role)
        status = application.status
        if status is not ApplicationStatus.UNDER_REVIEW:
            status = advance(status, ApplicationStatus.UNDER_REVIEW, actor.role)
        begins = status is not application.status
        applications.move(
            db, application, now=now, status=status, papers=papers, reviewer_id=actor.user_id
        )
        if begins:
            _write(db, actor, application, status, now)
        _write(db, actor, application, Milestone.PAPERS_TAKEN, now)
        _audit(db, actor, application, "take", now)


def release(actor: Actor, number: str, *, now: datetime) -> None:
    """Give the papers back to the queue; only who took them may."""
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        application = _locked(db, number)
        if application.papers is PapersTrack.WAITING:
            return
        _permit_decision(db, application, actor)
        papers = advance_papers(application.papers, PapersTrack.WAITING, actor.role)
        applications.move(db, application, now=now, papers=papers, reviewer_id=None)
        _write(db, actor, application, Milestone.PAPERS_RELEASED, now)
        _audit(db, actor, application, "release", now)


def approve(actor: Actor, number: str, *, now: datetime) -> None:
    """Approve the papers; with the examination passed as well, the book is formed.

    Raises ``NotPermitted`` for papers nobody has taken, ``ChangedMeanwhile`` for another's, and
    ``ProgrammeChanged``.
    """
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        application = _locked(db, number)
        if _is_decided_by(application, actor, PapersTrack.APPROVED):
            return
        _permit_decision(db, application, actor)
        _check_programme(db, application, now)
        papers = advance_papers(application.papers, PapersTrack.APPROVED, actor.role)
        applications.move(db, application, now=now, papers=papers)
        _write(db, actor, application, Milestone.PAPERS_APPROVED, now)
        _audit(db, actor, application, "approve", now)
        issuing.form_if_green(db, application, now=now)


def reject(actor: Actor, number: str, ground: str, note: str, *, now: datetime) -> None:
    """Refuse the application on a ground of the list, with the operator's own words beside it.

    Raises ``Invalid`` with ``ground`` and ``note``, and what ``approve`` raises.
    """
    permit(actor, Role.OPERATOR)
    said = _refusal(ground, note)
    with unit_of_work() as db:
        application = _locked(db, number)
        if _is_decided_by(application, actor, PapersTrack.REJECTED):
            return
        _permit_decision(db, application, actor)
        papers = advance_papers(application.papers, PapersTrack.REJECTED, actor.role)
        status = advance(application.status, ApplicationStatus.REJECTED, actor.role)
        applications.move(
            db,
            application,
            now=now,
            status=status,
            papers=papers,
            decided_at=now,
            note_sealed=applications.seal_note(db, application, said),
        )
        _write(db, actor, application, status, now, said)
        _audit(db, actor, application, "reject", now)
        _tell(db, application, News.APPLICATION_REJECTED, now)


def ask_clarification(
    actor: Actor, number: str, controls: Collection[str], question: str, *, now: datetime
) -> None:
    """Return the application to its holder to correct the named controls, and only those.

    Raises ``Invalid`` with ``controls`` and ``question``, and what ``approve`` raises.
    """
    permit(actor, Role.OPERATOR)
    problems = Problems()
    asked = problems.take("controls", _asked, controls)
    said = problems.take("question", decisions.question, question)
    problems.raise_any()
    with unit_of_work() as db:
        application = _locked(db, number)
        if _is_decided_by(application, actor, PapersTrack.RETURNED):
            return
        _permit_decision(db, application, actor)
        papers = advance_papers(application.papers, PapersTrack.RETURNED, actor.role)
        status = advance(application.status, ApplicationStatus.CLARIFICATION_REQUESTED, actor.role)
        applications.move(
            db,
            application,
            now=now,
            status=status,
            papers=papers,
            note_sealed=applications.seal_note(db, application, said),
            clarify_fields=corrections.write(asked),
        )
        _write(db, actor, application, status, now, said)
        _audit(db, actor, application, "ask", now, fields=corrections.write(asked))
        _tell(db, application, News.CLARIFICATION_ASKED, now)


def release_forgotten(*, now: datetime) -> int:
    """Return to the queue what an operator has taken and left; tell how many those were."""
    with reading() as db:
        forgotten = desks.taken_before(db, now - FORGOTTEN)
    released = 0
    for application_id in forgotten:
        with unit_of_work() as db:
            application = applications.locked(db, application_id)
            still = application.changed_at <= now - FORGOTTEN
            if not still or application.papers is not PapersTrack.TAKEN:
                continue
            papers = advance_papers(application.papers, PapersTrack.WAITING, SYSTEM.role)
            applications.move(db, application, now=now, papers=papers, reviewer_id=None)
            _write(db, SYSTEM, application, Milestone.PAPERS_RELEASED, now)
            _audit(db, SYSTEM, application, "release", now)
            released += 1
    return released


def _found(db: Session, number: str) -> Application:
    try:
        slug = TrackingNumber.parse(number).slug
    except InvalidValue:
        raise NotFound from None
    return desks.reviewable(db, slug)


def _locked(db: Session, number: str) -> Application:
    return applications.locked(db, _found(db, number).id)


def _is_held_by(application: Application, actor: Actor) -> bool:
    return application.papers is PapersTrack.TAKEN and application.reviewer_id == actor.user_id


def _is_decided_by(application: Application, actor: Actor, papers: PapersTrack) -> bool:
    """Whether this is the same operator's same decision once more: a double click."""
    return application.papers is papers and application.reviewer_id == actor.user_id


def _permit_decision(db: Session, application: Application, actor: Actor) -> None:
    """Only who took the papers decides, while the application is under review."""
    if application.papers is PapersTrack.WAITING:
        raise NotPermitted("nobody has taken the papers")
    if not _is_held_by(application, actor):
        raise _beaten(db, application)
    if application.status is not ApplicationStatus.UNDER_REVIEW:
        raise ChangedMeanwhile(at=application.decided_at or application.changed_at)


def _check_programme(db: Session, application: Application, now: datetime) -> None:
    """Refuse papers whose correction asks for studies that the signed examination lacks."""
    examination = examinations.of_application(db, application.id)
    if examination is None or examination.fitness is None or not admits(examination.fitness):
        return
    studies = cases.studies_of(db, application, examination, now=now)
    holder = examinations.vault_of(db, application)
    if missing := completeness(studies, examinations.results_of(db, examination, holder)):
        raise ProgrammeChanged(missing)


def _beaten(db: Session, application: Application) -> ChangedMeanwhile:
    """Say who has the papers, or had them when they were decided, and since when."""
    reviewer_id = application.reviewer_id
    at = max(
        (
            change.at
            for change in applications.changes_of(db, application.id)
            if change.user_id == reviewer_id
        ),
        default=application.changed_at,
    )
    return ChangedMeanwhile(by=desks.names_of(db, [reviewer_id]).get(reviewer_id or 0), at=at)


def _refusal(ground: str, note: str) -> str:
    problems = Problems()
    chosen = problems.take("ground", decisions.ground, ground)
    if "ground" not in problems.fields:
        note = problems.take("note", decisions.note_for, chosen, note)
    problems.raise_any()
    return decisions.words(chosen, note)


def _asked(controls: Collection[str]) -> Asked:
    """Read the names of controls, each of which the form has."""
    asked = corrections.read(",".join(controls))
    if not asked:
        raise Required
    if len(asked.fields) + len(asked.scans) != len(set(controls)):
        raise NotAChoice
    return asked


def _waits_of(db: Session, ids: Collection[int]) -> dict[int, tuple[Wait, ...]]:
    """Return when the holders were asked, and when they answered."""
    happened = desks.events_of(db, ids, deadlines.EVENTS)
    return {
        application_id: tuple(deadlines.waits_of((event, clock.day_of(at)) for event, at in events))
        for application_id, events in happened.items()
    }


def _line(
    application: Application,
    actor: Actor,
    outcomes: Iterable[tuple[str, CheckOutcome]],
    waits: tuple[Wait, ...],
    names: Mapping[int, str],
    now: datetime,
) -> QueueLine:
    found = [outcome for _, outcome in outcomes]
    spent = _spent(application, waits, now)
    return QueueLine(
        number=TrackingNumber.parse(application.tracking_number),
        papers=application.papers,
        occupation=OCCUPATIONS.get(application.occupation or ""),
        submitted_at=application.submitted_at or application.created_at,
        days_spent=spent,
        is_promise_broken=spent > deadlines.PAPERS_DAYS,
        is_late=spent > deadlines.LATE_DAYS,
        outcomes={outcome: found.count(outcome) for outcome in CheckOutcome if outcome in found},
        reviewer=_reviewer(application, names),
        is_mine=_is_held_by(application, actor),
    )


def _reviewer(application: Application, names: Mapping[int, str]) -> str:
    """Name who has the papers or has decided on them; corrected ones are free for anybody."""
    if application.papers is PapersTrack.WAITING:
        return ""
    return names.get(application.reviewer_id or 0, "")


def _spent(application: Application, waits: tuple[Wait, ...], now: datetime) -> int:
    submitted_on = clock.day_of(application.submitted_at or application.created_at)
    end = application.decided_at or now
    return deadlines.spent(submitted_on, waits, clock.day_of(end))


def _view(db: Session, application: Application, actor: Actor, now: datetime) -> Case:
    history = applications.history(db, application)
    staff = [row.user_id for row, _ in history if row.by is not Role.HOLDER]
    names = desks.names_of(db, [*staff, application.reviewer_id])
    clinic = db.get(Clinic, application.clinic_id) if application.clinic_id else None
    spent = _spent(application, _waits_of(db, [application.id]).get(application.id, ()), now)
    open_for_review = application.status in (
        ApplicationStatus.RECEIVED,
        ApplicationStatus.UNDER_REVIEW,
    )
    shown = scans.views(db, application)
    required = papers.papers(applications.form_of(db, application)).required
    papers_open = application.papers in (PapersTrack.WAITING, PapersTrack.TAKEN)
    return Case(
        id=application.id,
        version=application.version,
        number=TrackingNumber.parse(application.tracking_number),
        status=application.status,
        papers=application.papers,
        examination=application.examination,
        applicant=cases.applicant_of(db, application, now=now),
        occupation=OCCUPATIONS.get(application.occupation or ""),
        kind=application.kind,
        clinic=clinic.short_name if clinic else "",
        submitted_at=application.submitted_at or application.created_at,
        days_spent=spent,
        is_promise_broken=papers_open and open_for_review and spent > deadlines.PAPERS_DAYS,
        is_late=open_for_review and spent > deadlines.LATE_DAYS,
        scans=shown,
        absent=tuple(kind for kind in required if kind not in {scan.kind for scan in shown}),
        signature=esigning.view(db, application, now),
        findings=checking.findings_of(db, application),
        history=tuple(
            HistoryLine(
                row.event,
                row.by,
                names.get(row.user_id or 0, "") if row.by is not Role.HOLDER else "",
                row.at,
                note,
            )
            for row, note in history
        ),
        note=applications.note_of(db, application),
        asked=corrections.read(application.clarify_fields),
        reviewer=_reviewer(application, names),
        is_mine=_is_held_by(application, actor),
        may_take=open_for_review and application.papers is PapersTrack.WAITING,
        may_decide=(
            application.status is ApplicationStatus.UNDER_REVIEW and _is_held_by(application, actor)
        ),
    )


def _target(application: Application) -> str:
    return f"application:{application.id}"


def _write(
    db: Session,
    actor: Actor,
    application: Application,
    event: ApplicationStatus | Milestone,
    now: datetime,
    note: str = "",
) -> None:
    applications.write_history(
        db,
        application,
        event.value,
        by=actor.role,
        user_id=actor.user_id if actor is not SYSTEM else None,
        now=now,
        note=note,
    )


def _audit(
    db: Session,
    actor: Actor,
    application: Application,
    action: str,
    now: datetime,
    *,
    fields: str = "",
) -> None:
    auditing.record(
        db,
        actor,
        action,
        _target(application),
        subject_id=application.holder_id,
        fields=fields,
        now=now,
    )


def _tell(db: Session, application: Application, news: News, now: datetime) -> None:
    holder = db.get(User, application.holder_id)
    assert holder is not None
    notifying.tell(
        db,
        holder,
        Notice(news, number=application.tracking_number),
        dedupe=f"{application.status}:{application.id}:{application.version}",
        now=now,
    )
