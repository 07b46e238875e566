"""The clinic's desk: opening a case, entering results once, correcting them, signing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, desks, examinations
from emk_app.db.repositories.desks import VISITED
from emk_app.db.tables.applications import Application
from emk_app.db.tables.examinations import Examination, ExaminationEntry, ExaminationStatus
from emk_app.db.tables.people import User
from emk_app.db.vault import Vault
from emk_app.domain import decisions
from emk_app.domain.actors import (
    SYSTEM,
    Actor,
    Position,
    Role,
    permit_fresh,
    permit_position,
)
from emk_app.domain.applications import (
    ApplicationStatus,
    ExaminationTrack,
    Milestone,
    TrackingNumber,
    advance,
    advance_examination,
    reopen_examination,
)
from emk_app.domain.clearance import (
    Conclusion,
    Fitness,
    admits,
    conclude,
    dated,
    readiness,
)
from emk_app.domain.errors import (
    ChangedMeanwhile,
    InvalidValue,
    NotAChoice,
    NotFound,
    NotPermitted,
)
from emk_app.domain.examinations import (
    BeingCorrected,
    CaseClosed,
    ExaminationSigned,
    IdentityNotChecked,
    Incomplete,
    PassedOn,
    ProgrammeItem,
    SignerUnnamed,
    TestResult,
    check_made_on,
    parse_entry,
)
from emk_app.domain.notices import News, Notice
from emk_app.domain.people import age_on, parse_date, parse_past_date
from emk_app.domain.values import Problems
from emk_app.services import auditing, cases, issuing, notifying
from emk_app.services.cases import Patient

DAY_LENGTH: Final = 200
"""Lines shown at once; who is not among them is found by number."""
STAFF: Final = tuple(Position)
RECEIVE: Final = (Position.REGISTRAR, Position.CHAIR)
"""Who opens a case and checks identity."""
ENTER: Final = (Position.PHYSICIAN, Position.CHAIR)
SIGN: Final = (Position.CHAIR,)


@dataclass(frozen=True, slots=True)
class DayLine:
    """One application that chose this clinic."""

    number: TrackingNumber
    patient: Patient
    status: ApplicationStatus
    examination: ExaminationTrack
    examination_id: int | None
    """None until the case is opened."""
    is_identity_checked: bool
    fitness: Fitness | None
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """The first lines, oldest first, and how many there are."""

    lines: tuple[DayLine, ...]
    total: int
    may_open: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a number leads to."""

    number: TrackingNumber
    examination_id: int | None


@dataclass(frozen=True, slots=True)
class EntryView:
    """A result that stands."""

    id: int
    result: TestResult
    person: str
    entered_at: datetime
    is_correction: bool
    may_correct: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed conclusion."""

    conclusion: Conclusion
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ExaminationView:
    """Everything on the page of one examination.

    A registrar sees how far it is, and neither results nor conclusion.
    """

    id: int
    application_id: int
    version: int
    """Counts changes: what is signed is what the chair has seen."""
    application_version: int
    number: TrackingNumber
    status: ApplicationStatus
    is_signed: bool
    is_closed: bool
    """The application has ended: nothing goes on here."""
    patient: Patient
    age: int | None
    opened_at: datetime
    identity_checked_at: datetime | None
    identity_checked_by: str
    programme: tuple[ProgrammeItem, ...]
    """Empty while the holder is correcting what it is computed from."""
    entries: Mapping[str, EntryView]
    """By code."""
    missing: tuple[str, ...]
    """Codes of required studies without a result that is in date."""
    required: int
    signature: Signature | None
    may_receive: bool
    may_enter: bool
    may_sign: bool
    may_reopen: bool
    is_settled: bool
    """False while the programme may still change by a correction; nothing is signed then."""


def day(actor: Actor, *, now: datetime) -> Day:
    """Return the applications that chose the actor's clinic, oldest first; the look is noted."""
    clinic_id = permit_position(actor, *STAFF)
    auditing.look(actor, f"clinic:{clinic_id}", fields="day", now=now)
    with reading() as db:
        found, total = desks.visiting(db, clinic_id, DAY_LENGTH)
        opened = desks.examinations_of(db, [application.id for application in found])
        lines = tuple(
            _day_line(db, application, opened.get(application.id), now) for application in found
        )
    return Day(lines, total, may_open=actor.position in RECEIVE)


def find(actor: Actor, number: str) -> Found:
    """Return the clinic's own application of this number.

    Raises ``TrackingNumberMalformed`` or ``TrackingNumberMistyped`` for a slip of the keyboard,
    ``NotFound`` for what is not the clinic's.
    """
    clinic_id = permit_position(actor, *STAFF)
    wanted = TrackingNumber.parse(number)
    with reading() as db:
        application = desks.at_clinic(db, clinic_id, wanted.slug)
        examination = examinations.of_application(db, application.id)
    return Found(wanted, examination.id if examination else None)


def open_case(actor: Actor, number: str, *, now: datetime) -> int:
    """Open the examination of an application; return its identity.

    A second time, by anybody of the clinic, returns the same one.
    """
    clinic_id = permit_position(actor, *RECEIVE)
    try:
        slug = TrackingNumber.parse(number).slug
    except InvalidValue:
        raise NotFound from None
    with unit_of_work() as db:
        application = applications.locked(db, desks.at_clinic(db, clinic_id, slug).id)
        known = examinations.of_application(db, application.id)
        if known is not None:
            return _own(known, clinic_id).id
        if application.clinic_id != clinic_id:
            raise NotFound
        if application.status not in VISITED:
            raise CaseClosed
        track = advance_examination(application.examination, ExaminationTrack.OPEN, actor.role)
        begins = application.status is ApplicationStatus.RECEIVED
        status = (
            advance(application.status, ApplicationStatus.UNDER_REVIEW, actor.role)
            if begins
            else application.status
        )
        applications.move(db, application, now=now, status=status, examination=track)
        opened = examinations.begin(db, application, clinic_id, by=actor.user_id, now=now)
        if begins:
            _write(db, actor, application, status, now)
        _write(db, actor, application, Milestone.EXAMINATION_OPENED, now)
        _audit(db, actor, application, opened, "open_case", now)
        return opened.id


def confirm_identity(actor: Actor, examination_id: int, *, now: datetime) -> None:
    """Note that the person was compared with their papers; a second time changes nothing."""
    clinic_id = permit_position(actor, *RECEIVE)
    with unit_of_work() as db:
        examination, application = examinations.locked_at_clinic(db, clinic_id, examination_id)
        if examination.identity_checked_at is not None:
            return
        _permit_open(db, examination, application)
        examination.identity_checked_at = now
        examination.identity_checked_by = actor.user_id
        examinations.touch(db, examination)
        changes.announce(db, f"clinic:{clinic_id}")
        _audit(db, actor, application, examination, "confirm_identity", now)


def enter_result(
    actor: Actor, examination_id: int, code: str, text: str, made_on: str, *, now: datetime
) -> None:
    """Enter what was found in one study, as typed, made on a day as typed.

    Raises ``Invalid`` with ``text`` and ``made_on``; ``ChangedMeanwhile`` when somebody has
    entered something else already. The same again changes nothing.
    """
    clinic_id = permit_position(actor, *ENTER)
    with unit_of_work() as db:
        examination, application = _enterable(db, clinic_id, examination_id)
        result = _read(db, application, examination, code, text, made_on, now)
        holder = examinations.vault_of(db, application)
        standing = _standing(db, examination, code)
        if standing is not None:
            if examinations.result_of(standing, holder) == result:
                return
            raise _beaten(db, standing)
        examinations.add_entry(db, examination, result, holder, by=actor.user_id, now=now)
        _audit(db, actor, application, examination, "enter_result", now, fields=code)


def correct_result(
    actor: Actor, examination_id: int, entry_id: int, text: str, made_on: str, *, now: datetime
) -> None:
    """Put a new entry in the place of one that stands, naming it; both are kept.

    Only who made an entry and the chair correct it; what was entered before the case was reopened
    anybody may bring up to date. Raises as ``enter_result``.
    """
    clinic_id = permit_position(actor, *ENTER)
    with unit_of_work() as db:
        examination, application = _enterable(db, clinic_id, examination_id)
        old = examinations.entry(db, examination.id, entry_id)
        result = _read(db, application, examination, old.code, text, made_on, now)
        holder = examinations.vault_of(db, application)
        standing = _standing(db, examination, old.code)
        if standing is not None and examinations.result_of(standing, holder) == result:
            return
        if standing is None or standing.id != old.id:
            raise _beaten(db, standing or old)
        if not _may_correct(actor, examination, old):
            raise NotPermitted("another's entry")
        examinations.add_entry(
            db, examination, result, holder, by=actor.user_id, now=now, replacing=old
        )
        _audit(db, actor, application, examination, "correct_result", now, fields=old.code)


def conclude_and_sign(
    actor: Actor,
    examination_id: int,
    fitness: Fitness,
    *,
    restrictions: str = "",
    until: str = "",
    note: str = "",
    seen: int,
    now: datetime,
) -> None:
    """Sign the conclusion, with all that follows from it for the application and the book.

    ``seen`` is the version the chair has looked at: whatever changed since has to be looked at
    first (``ChangedMeanwhile``). Raises ``FreshFactorNeeded``, ``Incomplete``, ``BeingCorrected``,
    and ``Invalid`` with ``fitness``, ``restrictions``, ``until`` and ``note``. A second press of
    the button changes nothing.
    """
    clinic_id = permit_position(actor, *SIGN)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        examination, application = examinations.locked_at_clinic(db, clinic_id, examination_id)
        if examination.signed_by == actor.user_id:
            return
        conclusion = _concluded(
            db, examination, application, fitness, restrictions, until, note, now
        )
        if examination.version != seen:
            raise ChangedMeanwhile
        signer = db.get(User, actor.user_id)
        if signer is None or signer.name_sealed is None:
            raise SignerUnnamed
        holder = examinations.vault_of(db, application)
        track = advance_examination(application.examination, ExaminationTrack.CONCLUDED, actor.role)
        signed = examinations.sign(db, examination, conclusion, holder, by=actor.user_id, now=now)
        applications.move(db, application, now=now, examination=track)
        _write(db, actor, application, Milestone.EXAMINATION_CONCLUDED, now)
        _audit(db, actor, application, examination, "sign", now)
        _follow(db, application, conclusion, now)
        _tell(
            db,
            application,
            News.CONCLUSION_SIGNED,
            f"concluded:{signed.id}",
            now,
        )


def check_conclusion(
    actor: Actor,
    examination_id: int,
    fitness: Fitness,
    *,
    restrictions: str = "",
    until: str = "",
    note: str = "",
    now: datetime,
) -> Conclusion:
    """Return the conclusion as it would be signed; raises what ``conclude_and_sign`` raises."""
    clinic_id = permit_position(actor, *SIGN)
    with reading() as db:
        examination, application = examinations.at_clinic(db, clinic_id, examination_id)
        return _concluded(db, examination, application, fitness, restrictions, until, note, now)


def reopen(actor: Actor, examination_id: int, *, now: datetime) -> None:
    """Go on with an examination that ended in temporary unfitness; what was signed is kept.

    Identity is checked anew. A second time changes nothing.
    """
    clinic_id = permit_position(actor, *RECEIVE)
    with unit_of_work() as db:
        examination, application = examinations.locked_at_clinic(db, clinic_id, examination_id)
        if examination.status is ExaminationStatus.OPEN:
            return
        if application.status not in VISITED:
            raise CaseClosed
        assert examination.fitness is not None
        track = reopen_examination(examination.fitness, actor.role)
        applications.move(db, application, now=now, examination=track)
        examinations.reopen(db, examination, by=actor.user_id, now=now)
        _write(db, actor, application, Milestone.EXAMINATION_REOPENED, now)
        _audit(db, actor, application, examination, "reopen_case", now)


def view(actor: Actor, examination_id: int, *, now: datetime) -> ExaminationView:
    """Return everything on the page of one examination of the actor's clinic; the look is noted."""
    clinic_id = permit_position(actor, *STAFF)
    with reading() as db:
        examination, application = examinations.at_clinic(db, clinic_id, examination_id)
    auditing.look(
        actor,
        _target(examination),
        subject_id=application.holder_id,
        fields="form" if actor.position is Position.REGISTRAR else "form,results",
        now=now,
    )
    with reading() as db:
        examination, application = examinations.at_clinic(db, clinic_id, examination_id)
        return _view(db, actor, examination, application, now)


def _own(examination: Examination, clinic_id: int) -> Examination:
    if examination.clinic_id != clinic_id:
        raise NotFound
    return examination


def _permit_open(db: Session, examination: Examination, application: Application) -> None:
    if examination.status is ExaminationStatus.SIGNED:
        by = desks.names_of(db, [examination.signed_by]).get(examination.signed_by or 0)
        raise ExaminationSigned(by, examination.signed_at)
    if application.status not in VISITED:
        raise CaseClosed


def _enterable(db: Session, clinic_id: int, examination_id: int) -> tuple[Examination, Application]:
    examination, application = examinations.locked_at_clinic(db, clinic_id, examination_id)
    _permit_open(db, examination, application)
    if examination.identity_checked_at is None:
        raise IdentityNotChecked
    return examination, application


def _read(
    db: Session,
    application: Application,
    examination: Examination,
    code: str,
    text: str,
    made_on: str,
    now: datetime,
) -> TestResult:
    patient = cases.patient_of(db, application, now=now)
    studies = {each.code: each for each in cases.programme_of(patient, examination)}
    if (study := studies.get(code)) is None:
        raise NotAChoice
    today = clock.day_of(now)
    problems = Problems()
    performed_on = today
    if not isinstance(study.form, PassedOn):
        performed_on = problems.take("made_on", _made_on, study, made_on, patient, today)
        if "made_on" in problems.fields:
            performed_on = today
    result = problems.take("text", parse_entry, study, text, performed_on)
    problems.raise_any()
    return result


def _made_on(study: ProgrammeItem, text: str, patient: Patient, today: date) -> date:
    assert patient.born_on is not None
    return check_made_on(study, parse_past_date(text, today), patient.born_on, today)


def _standing(db: Session, examination: Examination, code: str) -> ExaminationEntry | None:
    entries = examinations.standing(db, examination.id)
    return next((each for each in entries if each.code == code), None)


def _beaten(db: Session, entry: ExaminationEntry) -> ChangedMeanwhile:
    by = desks.names_of(db, [entry.entered_by]).get(entry.entered_by)
    return ChangedMeanwhile(by, entry.entered_at)


def _may_correct(actor: Actor, examination: Examination, entry: ExaminationEntry) -> bool:
    return (
        actor.position is Position.CHAIR
        or entry.entered_by == actor.user_id
        or entry.entered_at < examination.opened_at
    )


def _concluded(
    db: Session,
    examination: Examination,
    application: Application,
    fitness: Fitness,
    restrictions: str,
    until: str,
    note: str,
    now: datetime,
) -> Conclusion:
    """Return the conclusion, or raise why it can't be signed as the case now stands."""
    _permit_open(db, examination, application)
    if examination.identity_checked_at is None:
        raise IdentityNotChecked
    if not cases.is_programme_settled(application):
        raise BeingCorrected
    studies = cases.programme_of(cases.patient_of(db, application, now=now), examination)
    results = examinations.results_of(db, examination, examinations.vault_of(db, application))
    today = clock.day_of(now)
    if missing := _missing(studies, results, today):
        raise Incomplete(missing)
    problems = Problems()
    is_temporary = fitness is Fitness.TEMPORARILY_UNFIT
    last_day = problems.take("until", parse_date, until) if is_temporary else None
    problems.raise_any()
    return conclude(
        fitness, restrictions=restrictions, until=last_day, note=note, results=results, today=today
    )


def _missing(
    studies: tuple[ProgrammeItem, ...], results: tuple[TestResult, ...], today: date
) -> tuple[str, ...]:
    """Return the studies without a result that is in date."""
    return tuple(state.code for state in readiness(dated(studies, results), today).overdue)


def _follow(db: Session, application: Application, conclusion: Conclusion, now: datetime) -> None:
    """Do what the conclusion means for the application and for a book in force."""
    if admits(conclusion.fitness):
        issuing.form_if_green(db, application, now=now)
        return
    issuing.suspend_unfit(db, application.holder_id, now=now)
    if conclusion.fitness is Fitness.UNFIT:
        status = advance(application.status, ApplicationStatus.REJECTED, SYSTEM.role)
        applications.move(
            db,
            application,
            now=now,
            status=status,
            decided_at=now,
            note_sealed=applications.seal_note(db, application, decisions.FOUND_UNFIT),
        )
        _write(db, SYSTEM, application, status, now, decisions.FOUND_UNFIT)


def _day_line(
    db: Session, application: Application, examination: Examination | None, now: datetime
) -> DayLine:
    return DayLine(
        number=TrackingNumber.parse(application.tracking_number),
        patient=cases.patient_of(db, application, now=now),
        status=application.status,
        examination=application.examination,
        examination_id=examination.id if examination else None,
        is_identity_checked=bool(examination and examination.identity_checked_at),
        fitness=examination.fitness if examination else None,
        submitted_at=application.submitted_at or application.created_at,
    )


def _view(
    db: Session, actor: Actor, examination: Examination, application: Application, now: datetime
) -> ExaminationView:
    patient = cases.patient_of(db, application, now=now)
    try:
        studies = cases.programme_of(patient, examination)
    except BeingCorrected:
        studies = ()
    holder = examinations.vault_of(db, application)
    entries = examinations.standing(db, examination.id)
    results = tuple(examinations.result_of(each, holder) for each in entries)
    names = desks.names_of(
        db,
        [
            examination.identity_checked_by,
            examination.signed_by,
            *(each.entered_by for each in entries),
        ],
    )
    sees_results = actor.position is not Position.REGISTRAR
    is_signed = examination.status is ExaminationStatus.SIGNED
    goes_on = application.status in VISITED
    is_open = goes_on and not is_signed
    is_ready = is_open and examination.identity_checked_at is not None
    return ExaminationView(
        id=examination.id,
        application_id=application.id,
        version=examination.version,
        application_version=application.version,
        number=TrackingNumber.parse(application.tracking_number),
        status=application.status,
        is_signed=is_signed,
        is_closed=not goes_on and not is_signed,
        patient=patient,
        age=(
            age_on(patient.born_on, clock.day_of(examination.opened_at))
            if patient.born_on
            else None
        ),
        opened_at=examination.opened_at,
        identity_checked_at=examination.identity_checked_at,
        identity_checked_by=names.get(examination.identity_checked_by or 0, ""),
        programme=studies,
        entries={
            entry.code: EntryView(
                entry.id,
                result,
                names.get(entry.entered_by, ""),
                entry.entered_at,
                entry.supersedes_id is not None,
                is_ready and actor.position in ENTER and _may_correct(actor, examination, entry),
            )
            for entry, result in zip(entries, results, strict=True)
            if sees_results
        },
        missing=_missing(studies, results, clock.day_of(now)) if not is_signed else (),
        required=sum(each.required for each in studies),
        signature=_signature(examination, holder, names) if sees_results else None,
        may_receive=is_open and actor.position in RECEIVE,
        may_enter=is_ready and bool(studies) and actor.position in ENTER,
        may_sign=is_ready and bool(studies) and actor.position in SIGN,
        may_reopen=(
            is_signed
            and goes_on
            and examination.fitness is Fitness.TEMPORARILY_UNFIT
            and actor.position in RECEIVE
        ),
        is_settled=cases.is_programme_settled(application),
    )


def _signature(
    examination: Examination, holder: Vault, names: Mapping[int, str]
) -> Signature | None:
    conclusion = examinations.conclusion_of(examination, holder)
    if conclusion is None or examination.signed_at is None:
        return None
    return Signature(conclusion, names.get(examination.signed_by or 0, ""), examination.signed_at)


def _target(examination: Examination) -> str:
    return f"examination:{examination.id}"


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
        user_id=actor.user_id if actor.role is not Role.SYSTEM else None,
        now=now,
        note=note,
    )


def _audit(
    db: Session,
    actor: Actor,
    application: Application,
    examination: Examination,
    action: str,
    now: datetime,
    *,
    fields: str = "",
) -> None:
    auditing.record(
        db,
        actor,
        action,
        _target(examination),
        subject_id=application.holder_id,
        fields=fields,
        now=now,
    )


def _tell(db: Session, application: Application, news: News, occasion: str, now: datetime) -> None:
    holder = db.get(User, application.holder_id)
    assert holder is not None
    notifying.tell(
        db,
        holder,
        Notice(news, number=application.tracking_number),
        dedupe=occasion,
        now=now,
    )
