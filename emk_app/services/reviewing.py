"""The operators' desk: taking an application, judging its papers, asking the holder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, desks, examinations, reversals
from emk_app.db.repositories.desks import Counts
from emk_app.db.tables.applications import Application, Reversal, StatusChange
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.people import User
from emk_app.domain import corrections, deadlines, decisions, papers
from emk_app.domain.actors import SYSTEM, Actor, Role, permit
from emk_app.domain.applications import (
    NUMBER_LIMIT,
    ApplicationStatus,
    ExaminationTrack,
    Milestone,
    PapersTaken,
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
from emk_app.domain.occupations import Occupation
from emk_app.domain.queue import QueuePart
from emk_app.domain.reversals import (
    Answer,
    NotReversible,
    Replaced,
    is_reversible,
    permit_reversal,
)
from emk_app.domain.values import DASHES, Problems
from emk_app.services import (
    auditing,
    cases,
    checking,
    esigning,
    issuing,
    jobs,
    notifying,
    receiving,
    scans,
)
from emk_app.services.esigning import ESignatureView
from emk_app.services.scans import ScanView

PAGE_LENGTH: Final = 50
"""Lines of the queue shown at once."""
SHORTEST_SEARCH: Final = 3
"""Signs of a number; fewer would find half the desk."""
FORGOTTEN: Final = timedelta(hours=12)
"""As long as a session lasts at most: whoever took a case and left it then has left the desk."""
REVERSAL_ASKED: Final = "reversal_asked"
REVERSAL_DECLINED: Final = "reversal_declined"
"""Events that only operators see in the history."""
_OPEN: Final = (ApplicationStatus.RECEIVED, ApplicationStatus.UNDER_REVIEW)
_UNDECIDED: Final = (PapersTrack.WAITING, PapersTrack.TAKEN)


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One application on the operators' desk; nothing personal."""

    number: TrackingNumber
    status: ApplicationStatus
    papers: PapersTrack
    occupation: Occupation | None
    submitted_at: datetime
    due_on: date | None
    """The last day for the papers; None while the clock stands still or nothing is due."""
    days_left: int
    """Working days to ``due_on`` after today; negative once they are over."""
    is_late: bool
    """Longer than the guide's ten days for everything."""
    outcomes: Mapping[CheckOutcome, int]
    """How many automatic checks ended how; empty until they have run."""
    reviewer: str
    """Who took it or decided on it, as far as they have a name."""
    since: datetime | None
    """When it was taken, if it is."""
    is_mine: bool
    is_reversal_asked: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of a part of the queue, and how much there is in every part."""

    lines: tuple[QueueLine, ...]
    counts: Counts
    page: int
    """From 1; the last one where the queue has become shorter meanwhile."""
    pages: int


@dataclass(frozen=True, slots=True)
class ReversalView:
    """A colleague's wish to undo the decision, not yet answered."""

    decision: PapersTrack
    reason: str
    by: str
    at: datetime
    may_answer: bool
    """Not for the one who asked."""


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
    fields: Mapping[str, str]
    """The form as typed, by the names of its controls."""
    occupation: Occupation | None
    kind: ExaminationKind | None
    clinic: str
    submitted_at: datetime
    days_spent: int
    due_on: date | None
    """The last day for the papers, while they are to be decided."""
    days_left: int
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
    since: datetime | None
    """When the papers were taken, if they are."""
    is_mine: bool
    may_take: bool
    may_decide: bool
    reversal: ReversalView | None
    may_ask_reversal: bool


def queue(
    actor: Actor,
    part: QueuePart = QueuePart.ALL,
    *,
    search: str = "",
    page: int = 1,
    now: datetime,
) -> Queue:
    """Return one page of a part of the queue, oldest first, or what ``search`` finds by number.

    A search looks at the whole desk, what is decided included, and returns one page.
    """
    permit(actor, Role.OPERATOR)
    today = clock.day_of(now)
    over = deadlines.overdue_before(today)
    with reading() as db:
        counts = desks.queue_counts(db, reviewer_id=actor.user_id, overdue_before=over)
        pages = max(1, -(-getattr(counts, part.value) // PAGE_LENGTH))
        page = min(max(page, 1), pages)
        if search:
            pages = page = 1
            found = _search(db, search)
        else:
            found = desks.queue_page(
                db,
                part,
                reviewer_id=actor.user_id,
                overdue_before=over,
                limit=PAGE_LENGTH,
                offset=(page - 1) * PAGE_LENGTH,
            )
        return Queue(_lines(db, found, actor, today), counts, page, pages)


def identity(actor: Actor, number: str) -> int:
    """Return the identity of the application of this number, in any spelling; or ``NotFound``."""
    permit(actor, Role.OPERATOR)
    with reading() as db:
        return found(db, number).id


def case(actor: Actor, number: str, *, now: datetime) -> Case:
    """Return everything on the page of one application; the look is noted.

    Raises ``NotFound`` for a draft, one that was withdrawn, and what is no number at all.
    """
    permit(actor, Role.OPERATOR)
    with reading() as db:
        application = found(db, number)
    auditing.look(
        actor,
        target(application),
        subject_id=application.holder_id,
        fields="form,checks,history",
        now=now,
    )
    with reading() as db:
        return _view(db, found(db, number), actor, now)


def take(actor: Actor, number: str, *, now: datetime) -> None:
    """Take the papers for oneself; whoever comes second is told who was first.

    Raises ``PapersTaken`` and ``ChangedMeanwhile``. Taking one's own again changes nothing.
    """
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        application = locked(db, number)
        if _is_held_by(application, actor):
            return
        if application.papers is not PapersTrack.WAITING:
            raise beaten(db, application)
        _take(db, application, actor, now)


def take_next(actor: Actor, *, now: datetime) -> TrackingNumber | None:
    """Take the oldest free papers for oneself and return their number; None if all are taken."""
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        application = desks.oldest_free(db)
        if application is None:
            return None
        _take(db, application, actor, now)
        return TrackingNumber.parse(application.tracking_number)


def go_on(actor: Actor, *, now: datetime) -> TrackingNumber | None:
    """Return what the operator does next: the oldest already taken, else the oldest free."""
    permit(actor, Role.OPERATOR)
    with reading() as db:
        begun = desks.oldest_of(db, actor.user_id)
    if begun is not None:
        return TrackingNumber.parse(begun.tracking_number)
    return take_next(actor, now=now)


def release(actor: Actor, number: str, *, now: datetime) -> None:
    """Give the papers back to the queue; only who took them may."""
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        application = locked(db, number)
        if application.papers is PapersTrack.WAITING:
            return
        _permit_decision(db, application, actor)
        papers = advance_papers(application.papers, PapersTrack.WAITING, actor.role)
        applications.move(db, application, now=now, papers=papers, reviewer_id=None)
        write(db, actor, application, Milestone.PAPERS_RELEASED, now)
        audit(db, actor, application, "release", now)


def approve(actor: Actor, number: str, *, now: datetime) -> None:
    """Approve the papers; with the examination passed as well, the book is formed.

    Raises ``NotPermitted`` for papers nobody has taken, ``ChangedMeanwhile`` for another's, and
    ``ProgrammeChanged``.
    """
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        application = locked(db, number)
        if _is_decided_by(application, actor, PapersTrack.APPROVED):
            return
        _permit_decision(db, application, actor)
        _check_programme(db, application, now)
        papers = advance_papers(application.papers, PapersTrack.APPROVED, actor.role)
        applications.move(db, application, now=now, papers=papers)
        write(db, actor, application, Milestone.PAPERS_APPROVED, now)
        audit(db, actor, application, "approve", now)
        jobs.enqueue(
            db, receiving.MATCH, application.id, occasion=str(application.version), now=now
        )
        issuing.form_if_green(db, application, now=now)


def reject(actor: Actor, number: str, ground: str, note: str, *, now: datetime) -> None:
    """Refuse the application on a ground of the list, with the operator's own words beside it.

    Raises ``Invalid`` with ``ground`` and ``note``, and what ``approve`` raises.
    """
    permit(actor, Role.OPERATOR)
    said = _refusal(ground, note)
    with unit_of_work() as db:
        application = locked(db, number)
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
        write(db, actor, application, status, now, said)
        audit(db, actor, application, "reject", now)
        tell(db, application, News.APPLICATION_REJECTED, now)


def ask_clarification(
    actor: Actor,
    number: str,
    controls: Collection[str],
    question: str,
    prepared: Sequence[tuple[str, str]] = (),
    *,
    now: datetime,
) -> None:
    """Return the application to its holder to correct the named controls, and only those.

    ``prepared`` are pairs of a thing's name and a code of ``decisions.PREPARED``; the holder reads
    a line for each, and the operator's own ``question`` after them.
    Raises ``Invalid`` with ``controls`` and ``question``, and what ``approve`` raises.
    """
    permit(actor, Role.OPERATOR)
    problems = Problems()
    asked = problems.take("controls", _asked, controls)
    said = problems.take("question", decisions.questions, prepared, question)
    problems.raise_any()
    with unit_of_work() as db:
        application = locked(db, number)
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
        write(db, actor, application, status, now, said)
        audit(db, actor, application, "ask", now, fields=corrections.write(asked))
        tell(db, application, News.CLARIFICATION_ASKED, now)


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
            write(db, SYSTEM, application, Milestone.PAPERS_RELEASED, now)
            audit(db, SYSTEM, application, "release", now)
            released += 1
    return released


def found(db: Session, number: str) -> Application:
    """Return the application of this number, in any spelling; raise ``NotFound``."""
    try:
        slug = TrackingNumber.parse(number).slug
    except InvalidValue:
        raise NotFound from None
    return desks.reviewable(db, slug)


def locked(db: Session, number: str) -> Application:
    """Return the same, held until the commit."""
    return applications.locked(db, found(db, number).id)


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
        raise beaten(db, application)
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


def beaten(db: Session, application: Application) -> ChangedMeanwhile:
    """Say who has the papers, or had them when they were decided, and since when."""
    reviewer_id = application.reviewer_id
    kind = PapersTaken if _is_taken(application) else ChangedMeanwhile
    at = max(
        (
            change.at
            for change in applications.changes_of(db, application.id)
            if change.user_id == reviewer_id
        ),
        default=application.changed_at,
    )
    return kind(by=desks.names_of(db, [reviewer_id]).get(reviewer_id or 0), at=at)


def _take(db: Session, application: Application, actor: Actor, now: datetime) -> None:
    papers = advance_papers(application.papers, PapersTrack.TAKEN, actor.role)
    status = application.status
    if status is not ApplicationStatus.UNDER_REVIEW:
        status = advance(status, ApplicationStatus.UNDER_REVIEW, actor.role)
    begins = status is not application.status
    applications.move(
        db, application, now=now, status=status, papers=papers, reviewer_id=actor.user_id
    )
    if begins:
        write(db, actor, application, status, now)
    write(db, actor, application, Milestone.PAPERS_TAKEN, now)
    audit(db, actor, application, "take", now)


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


def _search(db: Session, text: str) -> Sequence[Application]:
    """Find by a whole number in any spelling, or by a part of one."""
    try:
        return [desks.reviewable(db, TrackingNumber.parse(text).slug)]
    except NotFound:
        return []
    except InvalidValue:
        signs = text.strip().translate(DASHES).upper().replace("ЭМК", "EMK").replace(" ", "-")
        if not SHORTEST_SEARCH <= len(signs) <= NUMBER_LIMIT:
            return []
        return desks.numbered(db, signs, PAGE_LENGTH)


def _lines(
    db: Session, found: Sequence[Application], actor: Actor, today: date
) -> tuple[QueueLine, ...]:
    ids = [application.id for application in found]
    outcomes = desks.outcomes_of(db, ids)
    taken = desks.events_of(db, ids, (Milestone.PAPERS_TAKEN.value,))
    names = desks.names_of(db, [application.reviewer_id for application in found])
    wished = reversals.asked_of(db, ids)
    return tuple(
        _line(
            application,
            actor,
            [outcome for _, outcome in outcomes.get(application.id, ())],
            [at for _, at in taken.get(application.id, ())],
            names,
            application.id in wished,
            today,
        )
        for application in found
    )


def _line(
    application: Application,
    actor: Actor,
    outcomes: Sequence[CheckOutcome],
    taken: Sequence[datetime],
    names: Mapping[int, str],
    is_reversal_asked: bool,
    today: date,
) -> QueueLine:
    due_on = _due_on(application)
    return QueueLine(
        number=TrackingNumber.parse(application.tracking_number),
        status=application.status,
        papers=application.papers,
        occupation=cases.occupation_of(application),
        submitted_at=application.submitted_at or application.created_at,
        due_on=due_on,
        days_left=deadlines.days_left(due_on, today) if due_on else 0,
        is_late=due_on is not None and deadlines.is_late_by(due_on, today),
        outcomes={each: outcomes.count(each) for each in CheckOutcome if each in outcomes},
        reviewer=_reviewer(application, names),
        since=taken[-1] if taken and application.papers is PapersTrack.TAKEN else None,
        is_mine=_is_held_by(application, actor),
        is_reversal_asked=is_reversal_asked,
    )


def _due_on(application: Application) -> date | None:
    """Return the last day for papers that are still to be decided."""
    is_open = application.status in _OPEN and application.papers in _UNDECIDED
    return application.due_on if is_open else None


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
    wishes = reversals.of_application(db, application.id)
    staff = [row.user_id for row, _ in history if row.by is not Role.HOLDER]
    askers = [who for wish in wishes for who in (wish.asked_by, wish.answered_by)]
    names = desks.names_of(db, [*staff, *askers, application.reviewer_id])
    clinic = db.get(Clinic, application.clinic_id) if application.clinic_id else None
    spent = _spent(application, _waits_of(db, [application.id]).get(application.id, ()), now)
    open_for_review = application.status in _OPEN
    papers_open = application.papers in _UNDECIDED
    due_on, today = _due_on(application), clock.day_of(now)
    wish = next((each for each in wishes if each.answer is None), None)
    shown = scans.views(db, application)
    required = papers.papers(applications.form_of(db, application)).required
    return Case(
        id=application.id,
        version=application.version,
        number=TrackingNumber.parse(application.tracking_number),
        status=application.status,
        papers=application.papers,
        examination=application.examination,
        applicant=cases.applicant_of(db, application, now=now),
        fields=applications.form_of(db, application),
        occupation=cases.occupation_of(application),
        kind=application.kind,
        clinic=clinic.short_name if clinic else "",
        submitted_at=application.submitted_at or application.created_at,
        days_spent=spent,
        due_on=due_on,
        days_left=deadlines.days_left(due_on, today) if due_on else 0,
        is_promise_broken=papers_open and open_for_review and spent > deadlines.PAPERS_DAYS,
        is_late=open_for_review and spent > deadlines.LATE_DAYS,
        scans=shown,
        absent=tuple(kind for kind in required if kind not in {scan.kind for scan in shown}),
        signature=esigning.view(db, application, now),
        findings=checking.findings_of(db, application),
        history=_history(db, application, history, wishes, names),
        note=applications.note_of(db, application),
        asked=corrections.read(application.clarify_fields),
        reviewer=_reviewer(application, names),
        since=_taken_at(row for row, _ in history) if _is_taken(application) else None,
        is_mine=_is_held_by(application, actor),
        may_take=open_for_review and application.papers is PapersTrack.WAITING,
        may_decide=(
            application.status is ApplicationStatus.UNDER_REVIEW and _is_held_by(application, actor)
        ),
        reversal=(
            _reversal(db, application, wish, names, actor)
            if wish and is_reversible(application.status, application.papers)
            else None
        ),
        may_ask_reversal=wish is None and _may_be_reversed(db, application),
    )


def _history(
    db: Session,
    application: Application,
    history: Iterable[tuple[StatusChange, str]],
    wishes: Iterable[Reversal],
    names: Mapping[int, str],
) -> tuple[HistoryLine, ...]:
    """Weave the wishes to undo a decision, which the holder does not see, into the history."""
    lines = [
        HistoryLine(
            row.event,
            row.by,
            names.get(row.user_id or 0, "") if row.by is not Role.HOLDER else "",
            row.at,
            note,
        )
        for row, note in history
    ]
    for wish in wishes:
        reason = reversals.reason_of(db, application, wish)
        asker = names.get(wish.asked_by, "")
        lines.append(HistoryLine(REVERSAL_ASKED, Role.OPERATOR, asker, wish.asked_at, reason))
        if wish.answer is Answer.DECLINED and wish.answered_at is not None:
            answerer = names.get(wish.answered_by or 0, "")
            at = wish.answered_at
            lines.append(HistoryLine(REVERSAL_DECLINED, Role.OPERATOR, answerer, at, ""))
    return tuple(sorted(lines, key=lambda line: line.at))


def _reversal(
    db: Session,
    application: Application,
    wish: Reversal,
    names: Mapping[int, str],
    actor: Actor,
) -> ReversalView:
    return ReversalView(
        decision=wish.decision,
        reason=reversals.reason_of(db, application, wish),
        by=names.get(wish.asked_by, ""),
        at=wish.asked_at,
        may_answer=wish.asked_by != actor.user_id,
    )


def _may_be_reversed(db: Session, application: Application) -> bool:
    try:
        permit_reversal(
            application.status, application.papers, reversals.begun_since(db, application)
        )
    except (NotReversible, Replaced):
        return False
    return True


def _is_taken(application: Application) -> bool:
    return application.papers is PapersTrack.TAKEN


def _taken_at(changes: Iterable[StatusChange]) -> datetime | None:
    """Return when the papers were last taken."""
    taken = (change.at for change in changes if change.event == Milestone.PAPERS_TAKEN)
    return max(taken, default=None)


def target(application: Application) -> str:
    """Name the application for the audit."""
    return f"application:{application.id}"


def write(
    db: Session,
    actor: Actor,
    application: Application,
    event: ApplicationStatus | Milestone,
    now: datetime,
    note: str = "",
) -> None:
    """Add a line to the history."""
    applications.write_history(
        db,
        application,
        event.value,
        by=actor.role,
        user_id=actor.user_id if actor is not SYSTEM else None,
        now=now,
        note=note,
    )


def audit(
    db: Session,
    actor: Actor,
    application: Application,
    action: str,
    now: datetime,
    *,
    fields: str = "",
) -> None:
    """Note the act in the audit."""
    auditing.record(
        db,
        actor,
        action,
        target(application),
        subject_id=application.holder_id,
        fields=fields,
        now=now,
    )


def tell(db: Session, application: Application, news: News, now: datetime) -> None:
    """Send the holder what has happened, once for this version."""
    holder = db.get(User, application.holder_id)
    assert holder is not None
    notifying.tell(
        db,
        holder,
        Notice(news, number=application.tracking_number),
        dedupe=f"{application.status}:{application.id}:{application.version}",
        now=now,
    )
