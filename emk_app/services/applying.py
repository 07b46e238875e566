"""The holder's own applications: filling in, handing in, following, correcting, taking back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from emk_app import clock
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, clinics, consents, overviews
from emk_app.db.tables.applications import Application
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.people import User
from emk_app.domain import consent, corrections, deadlines, intake, papers
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.applications import (
    FINAL,
    REQUIRED_SCANS,
    ApplicationField,
    ApplicationStatus,
    CaseAlreadyOpen,
    ExaminationTrack,
    Milestone,
    PapersTrack,
    TrackingNumber,
    advance,
    advance_papers,
    clinic_may_change,
    missing,
)
from emk_app.domain.applications import withdraw as withdrawn
from emk_app.domain.books import BookNumber, BookStatus
from emk_app.domain.checks import Finding
from emk_app.domain.clearance import Fitness
from emk_app.domain.clinics import ClinicNotAvailable, check_available
from emk_app.domain.consent import ConsentChannel
from emk_app.domain.corrections import Asked, NotAsked, scan_control
from emk_app.domain.deadlines import Wait
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import (
    Conflict,
    Invalid,
    InvalidValue,
    NotFound,
    Required,
)
from emk_app.domain.esignature import ESignatureOutdated, ESignatureRefused
from emk_app.domain.examinations import ExaminationKind
from emk_app.domain.intake import Applicant, ClinicNotOffered, ConsentMissing, Field, FormWarning
from emk_app.domain.notices import News, Notice
from emk_app.domain.occupations import Occupation, point_of
from emk_app.domain.papers import Papers
from emk_app.domain.values import RAW_LIMIT
from emk_app.services import (
    auditing,
    cases,
    checking,
    directory,
    esigning,
    jobs,
    lapsing,
    notifying,
    scans,
)
from emk_app.services.directory import ClinicView
from emk_app.services.esigning import ESignatureView
from emk_app.services.scans import ScanView

CONSENT: Final = "consent"
CLINIC: Final = "clinic"
"""Names of the two controls that are not fields of the form."""
REPLY_LIMIT: Final = 500


class WizardStep(StrEnum):
    """The steps of the form, in their order."""

    DETAILS = "details"
    PAPERS = "papers"
    CLINIC = "clinic"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class DraftView:
    """The form as it stands."""

    id: int
    number: TrackingNumber
    step: WizardStep
    fields: Mapping[str, str]
    """As typed, by the control's name; what was never touched is absent."""
    problems: Mapping[str, InvalidValue]
    """What is wrong with the fields that were touched."""
    lacking: Mapping[str, InvalidValue]
    """What is wrong or missing anywhere, under the names of controls; empty when all is ready."""
    applicant: Applicant | None
    """The form, once all of it reads."""
    warnings: tuple[FormWarning, ...]
    """What does not fit together, but hinders nothing."""
    scans: tuple[ScanView, ...]
    papers: Papers
    clinic: ClinicView | None
    is_consented: bool
    signature: ESignatureView | None
    saved_at: datetime
    kept_until: date | None
    """The last day on which the draft is kept, unless it is saved again."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What the holder is told once the application is handed in."""

    number: TrackingNumber
    submitted_at: datetime
    promised_by: date


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One event of the history; ``event`` is a status or a key of the catalogue."""

    event: str
    by: Role
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """An application that was handed in, as its holder sees it."""

    id: int
    number: TrackingNumber
    status: ApplicationStatus
    papers: PapersTrack
    examination: ExaminationTrack
    fitness: Fitness | None
    """Once the chair has signed."""
    occupation: Occupation | None
    kind: ExaminationKind | None
    clinic: ClinicView | None
    submitted_at: datetime
    changed_at: datetime
    decided_at: datetime | None
    promised_by: date
    days_left: int
    """Working days of the promise; below zero once it is broken."""
    is_late: bool
    act_by: date | None
    """The last day for the visit or the answer, or None where nothing is awaited of the holder."""
    note: str
    """Why it was rejected, or what is to be clarified."""
    asked: Asked
    may_withdraw: bool
    may_change_clinic: bool
    may_reapply: bool
    is_erased: bool
    """Whether what it said was destroyed when the consent was taken back."""


@dataclass(frozen=True, slots=True)
class CaseDetails:
    """Everything on the page of one application."""

    case: CaseView
    history: tuple[HistoryLine, ...]
    checks: tuple[Finding, ...]
    scans: tuple[ScanView, ...]
    signature: ESignatureView | None
    fields: Mapping[str, str]
    """As typed; the page shows those that are asked for."""
    problems: Mapping[str, InvalidValue]
    applicant: Applicant | None
    """None while a correction leaves a field unreadable."""


@dataclass(frozen=True, slots=True)
class BookSummary:
    """The holder's book, in short."""

    number: BookNumber
    status: BookStatus
    issued_on: date
    valid_until: date
    """Inclusive."""
    items_valid_until: date
    """The last day on which every study is in date; inclusive."""
    is_received: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The holder's dashboard."""

    draft: DraftView | None
    cases: tuple[CaseView, ...]
    """Newest first."""
    book: BookSummary | None


def standing_draft(actor: Actor, *, now: datetime) -> DraftView | None:
    """Return the holder's draft, if there is one."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        found = applications.draft_of(db, actor.user_id)
        return _draft_view(db, found, now) if found else None


def draft(actor: Actor, *, now: datetime) -> DraftView:
    """Return the holder's one draft, made if there is none."""
    permit(actor, Role.HOLDER)
    try:
        with unit_of_work() as db:
            return _draft_view(db, _find_or_begin(db, actor, now), now)
    except IntegrityError:
        # Another tab was faster: its draft is the one.
        with unit_of_work() as db:
            return _draft_view(db, _find_or_begin(db, actor, now), now)


def change_fields(
    actor: Actor, application_id: int, changed: Mapping[Field, str], *, now: datetime
) -> DraftView:
    """Save fields as typed, right or wrong, and return the form with what is wrong in it.

    Of an application that was handed in only the fields may be changed that the operator asks
    for: any other raises ``NotAsked``.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        application = _own(db, actor, application_id)
        _permit_change(application, changed)
        form = applications.form_of(db, application)
        fresh = form | {field.value: _kept(text) for field, text in changed.items()}
        if fresh != form:
            _save(db, application, now, form_sealed=applications.seal_form(db, application, fresh))
            if application.status is not ApplicationStatus.DRAFT:
                _audit(db, actor, application, "change", now, fields=",".join(changed))
        return _draft_view(db, application, now)


def remember_step(
    actor: Actor, application_id: int, step: WizardStep, *, now: datetime
) -> DraftView:
    """Note where in the form the holder is, to go on from there on any device."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        application = _own_draft(db, actor, application_id)
        if application.step != step.value:
            _save(db, application, now, step=step.value)
        return _draft_view(db, application, now)


def choose_clinic(actor: Actor, application_id: int, clinic_id: int, *, now: datetime) -> None:
    """Choose a clinic, or another one until the first has opened the case.

    Raises ``ClinicNotAvailable``, ``ClinicNotOffered``, ``CaseAlreadyOpen``.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        application = _own(db, actor, application_id)
        clinic = clinics.get(db, clinic_id)
        form = applications.form_of(db, application)
        check_available(clinic.licence_status, _points(clinic), _point(form))
        if not clinic.is_connected:
            raise ClinicNotOffered
        if application.clinic_id == clinic.id:
            return
        if application.status is ApplicationStatus.DRAFT:
            _save(db, application, now, clinic_id=clinic.id)
            return
        if not clinic_may_change(application.status, application.examination):
            raise CaseAlreadyOpen
        if application.clinic_id is not None:
            changes.announce(db, f"clinic:{application.clinic_id}")
        applications.move(db, application, now=now, clinic_id=clinic.id)
        _note(db, actor, application, Milestone.CLINIC_CHANGED, now)
        _audit(db, actor, application, "choose_clinic", now)


def set_consent(
    actor: Actor, application_id: int, *, given: bool, version: str, now: datetime
) -> None:
    """Record the consent with the version that was read, or take it back before handing in.

    Raises ``ConsentOutdated``.
    """
    permit(actor, Role.HOLDER)
    agreed = consent.check_version(version) if given else None
    with unit_of_work() as db:
        application = _own_draft(db, actor, application_id)
        if application.consent_version == agreed:
            return
        _save(db, application, now, consent_version=agreed, consented_at=now if agreed else None)
        _audit(db, actor, application, "consent" if given else "withdraw_consent", now)


def submit(actor: Actor, application_id: int, *, now: datetime) -> Submitted:
    """Hand the application in; a second time returns what the first did.

    Raises ``Invalid`` with a problem under the name of every control that is not in order.
    """
    permit(actor, Role.HOLDER)
    proof = esigning.prove(actor, application_id, now=now)
    with unit_of_work() as db:
        application = _own(db, actor, application_id)
        if application.submitted_at is not None:
            return _submitted(application, application.submitted_at, now)
        status = advance(application.status, ApplicationStatus.SUBMITTED, actor.role)
        applicant = _complete(db, application, now)
        esigning.require_same(db, application, proof)
        applications.move(
            db,
            application,
            now=now,
            status=status,
            submitted_at=now,
            due_on=deadlines.papers_due_on(clock.day_of(now), (), clock.day_of(now)),
            occupation=applicant.occupation.code,
            kind=applicant.kind,
            step=None,
        )
        _keep_consent(db, application)
        holder = _holder(db, application)
        _introduce(holder, applicant)
        _note(db, actor, application, status.value, now)
        # The chain of the audit grows under a lock, so every other row is locked before.
        _audit(db, actor, application, "submit", now)
        notifying.tell(
            db,
            holder,
            Notice(News.APPLICATION_SUBMITTED, number=application.tracking_number),
            dedupe=f"submitted:{application.id}",
            now=now,
        )
        jobs.enqueue(db, checking.JOB, application.id, occasion="submit", now=now)
        return _submitted(application, now, now)


def correct(actor: Actor, application_id: int, reply: str = "", *, now: datetime) -> None:
    """Hand the corrected application back to the operators under the same number.

    Raises ``Invalid`` like ``submit``. A second time changes nothing.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        application = _own(db, actor, application_id)
        if _is_corrected_already(db, application):
            return
        status = advance(application.status, ApplicationStatus.UNDER_REVIEW, actor.role)
        papers = advance_papers(application.papers, PapersTrack.WAITING, actor.role)
        applicant = _complete(db, application, now)
        asked = application.clarify_fields or ""
        submitted_on = clock.day_of(application.submitted_at or now)
        due_on = deadlines.papers_due_on(submitted_on, _waits(db, application), clock.day_of(now))
        applications.move(
            db,
            application,
            now=now,
            status=status,
            due_on=due_on,
            papers=papers,
            occupation=applicant.occupation.code,
            kind=applicant.kind,
            note_sealed=None,
            clarify_fields=None,
        )
        _note(db, actor, application, Milestone.CORRECTED, now, _kept(reply).strip()[:REPLY_LIMIT])
        _audit(db, actor, application, "correct", now, fields=asked)
        occasion = f"correct:{application.version}"
        jobs.enqueue(db, checking.JOB, application.id, occasion=occasion, now=now)


def withdraw(actor: Actor, application_id: int, *, now: datetime) -> None:
    """Take the application back; of a draft nothing is kept. A second time changes nothing.

    Raises ``CaseAlreadyOpen`` once the clinic has begun.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        application = _own(db, actor, application_id)
        if application.status is ApplicationStatus.WITHDRAWN:
            return
        status = withdrawn(application.status, application.examination, actor.role)
        gone: tuple[str, ...] = ()
        if application.submitted_at is None:
            gone = scans.remove_all(db, application, now)
            esigning.forget(db, application)
            applications.move(
                db,
                application,
                now=now,
                status=status,
                decided_at=now,
                form_sealed=None,
                clinic_id=None,
                consent_version=None,
                consented_at=None,
            )
        else:
            applications.move(db, application, now=now, status=status, decided_at=now)
            notifying.tell(
                db,
                _holder(db, application),
                Notice(News.APPLICATION_WITHDRAWN, number=application.tracking_number),
                dedupe=f"withdrawn:{application.id}",
                now=now,
            )
        _note(db, actor, application, status.value, now)
        _audit(db, actor, application, "withdraw", now)
    scans.forget(gone)


def reapply(actor: Actor, application_id: int, *, now: datetime) -> DraftView:
    """Begin a new application on the ground of one that has ended.

    What the draft has already is kept, what has run out is left behind, consent is asked anew.
    Raises ``Conflict`` while the old one is still under way, and where nothing is left of it since
    its consent was taken back.
    """
    permit(actor, Role.HOLDER)
    begun = draft(actor, now=now)
    copies = scans.copies(actor, application_id, now=now)
    with unit_of_work() as db:
        source = applications.own(db, actor, application_id)
        if not _may_reapply(source):
            raise Conflict
        application = _own_draft(db, actor, begun.id)
        form = applications.form_of(db, application)
        told = applications.form_of(db, source)
        stale, spent = papers.outdated(told, clock.day_of(now))
        fresh = {name: text for name, text in told.items() if name not in stale}
        fresh |= {name: text for name, text in form.items() if text}
        clinic_id = application.clinic_id
        if clinic_id is None and source.clinic_id is not None:
            is_offered = _is_offered(db.get(Clinic, source.clinic_id), fresh)
            clinic_id = source.clinic_id if is_offered else None
        _save(
            db,
            application,
            now,
            form_sealed=applications.seal_form(db, application, fresh),
            clinic_id=clinic_id,
        )
        unused = scans.adopt(db, application, copies, now, without=spent)
        view = _draft_view(db, application, now)
    scans.forget(unused)
    return view


def overview(actor: Actor, *, now: datetime) -> Overview:
    """Return what the holder's dashboard and list of applications show."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        rows = applications.of_holder(db, actor.user_id)
        drafts = [row for row in rows if row.status is ApplicationStatus.DRAFT]
        return Overview(
            draft=_draft_view(db, drafts[0], now) if drafts else None,
            cases=tuple(_case_view(db, row, now) for row in rows if row.submitted_at is not None),
            book=_book_of(db, actor.user_id),
        )


def case(actor: Actor, number: str, *, now: datetime) -> CaseDetails:
    """Return the page of one application, found by its number in any spelling.

    Raises ``NotFound`` for a foreign one, a draft, and what is no number at all.
    """
    permit(actor, Role.HOLDER)
    try:
        slug = TrackingNumber.parse(number).slug
    except InvalidValue:
        raise NotFound from None
    with reading() as db:
        application = applications.by_number(db, slug)
        if application.holder_id != actor.user_id or application.submitted_at is None:
            raise NotFound
        form = applications.form_of(db, application)
        return CaseDetails(
            case=_case_view(db, application, now),
            history=tuple(
                HistoryLine(row.event, row.by, row.at, note)
                for row, note in applications.history(db, application)
            ),
            checks=checking.holders_findings(db, application),
            scans=scans.views(db, application),
            signature=esigning.view(db, application, now),
            fields=form,
            problems=_problems(form, clock.day_of(now)),
            applicant=_readable(application, form, clock.day_of(now)),
        )


def _own(db: Session, actor: Actor, application_id: int) -> Application:
    application = applications.locked(db, application_id)
    if application.holder_id != actor.user_id:
        raise NotFound
    return application


def _own_draft(db: Session, actor: Actor, application_id: int) -> Application:
    application = _own(db, actor, application_id)
    if application.status is not ApplicationStatus.DRAFT:
        raise NotAsked
    return application


def _find_or_begin(db: Session, actor: Actor, now: datetime) -> Application:
    if (found := applications.draft_of(db, actor.user_id)) is not None:
        return found
    number = applications.next_number(db, clock.day_of(now).year)
    begun = Application(
        holder_id=actor.user_id,
        tracking_number=number.slug,
        status=ApplicationStatus.DRAFT,
        papers=PapersTrack.WAITING,
        examination=ExaminationTrack.WAITING,
        step=WizardStep.DETAILS.value,
        created_at=now,
        changed_at=now,
    )
    db.add(begun)
    db.flush()
    _audit(db, actor, begun, "begin", now)
    changes.announce(db, f"holder:{actor.user_id}")
    return begun


def _save(db: Session, application: Application, now: datetime, **values: object) -> None:
    """Write to an application held by ``locked``; the queue need not hear of a draft."""
    for name, value in values.items():
        setattr(application, name, value)
    application.version += 1
    application.changed_at = now
    db.add(application)
    changes.announce(db, f"application:{application.id}", f"holder:{application.holder_id}")


def _permit_change(application: Application, changed: Iterable[Field]) -> None:
    match application.status:
        case ApplicationStatus.DRAFT:
            return
        case ApplicationStatus.CLARIFICATION_REQUESTED:
            if not corrections.read(application.clarify_fields).fields.issuperset(changed):
                raise NotAsked
        case _:
            raise NotAsked


def _kept(text: str) -> str:
    """Return what was typed, of a length and an alphabet that can be stored."""
    return text[:RAW_LIMIT].encode(errors="replace").decode()


def _problems(form: Mapping[str, str], today: date) -> dict[str, InvalidValue]:
    """Return what is wrong with the fields that were touched, or that those call for."""
    found = intake.problems_of(form, today)
    # A birth date decides who may apply, whether that question was touched or not.
    called = {Field.APPLIED_BY: Field.BIRTH_DATE}
    return {name: why for name, why in found.items() if {name, called.get(Field(name))} & {*form}}


def _read(application: Application, form: Mapping[str, str], today: date) -> Applicant:
    if application.submitted_at is None:
        return intake.read(form, today)
    return intake.read_again(form, today, corrections.read(application.clarify_fields).fields)


def _readable(application: Application, form: Mapping[str, str], today: date) -> Applicant | None:
    try:
        return _read(application, form, today)
    except Invalid:
        return None


def _complete(db: Session, application: Application, now: datetime) -> Applicant:
    """Return the form, read; raise ``Invalid`` with all that the application still lacks."""
    lacking, applicant = _lacking(db, application, now)
    if lacking or applicant is None:
        raise Invalid(lacking)
    return applicant


def _lacking(
    db: Session, application: Application, now: datetime
) -> tuple[dict[str, InvalidValue], Applicant | None]:
    """Return what is missing or wrong under the names of controls, and the form if it reads."""
    problems: dict[str, InvalidValue] = {}
    applicant: Applicant | None = None
    form = applications.form_of(db, application)
    try:
        applicant = _read(application, form, clock.day_of(now))
    except Invalid as error:
        problems |= error.fields
    lacking = {
        ApplicationField.CONSENT: not _is_consented(application),
        ApplicationField.CLINIC: application.clinic_id is None,
    }
    filled = {field for field in ApplicationField if not lacking.get(field)}
    kinds = {scan.kind for scan in applications.scans_of(db, application.id)}
    for each in missing(filled, kinds, _required(application, form)):
        match each:
            case ScanKind():
                problems[scan_control(each)] = Required()
            case ApplicationField.CONSENT:
                problems[CONSENT] = ConsentMissing()
            case _:
                problems[CLINIC] = Required()
    dated = form.get(Field.EXAM_CERTIFICATE_ON, "").strip()
    if ScanKind.EXAM_CERTIFICATE in kinds and not dated and application.submitted_at is None:
        problems[Field.EXAM_CERTIFICATE_ON] = Required()
    may_choose = clinic_may_change(application.status, application.examination)
    chosen = db.get(Clinic, application.clinic_id) if application.clinic_id else None
    if chosen is not None and may_choose and not _is_offered(chosen, form):
        problems[CLINIC] = ClinicNotOffered()
    if application.submitted_at is None:
        signature = esigning.view(db, application, now)
        if signature is not None and not signature.is_current:
            problems[esigning.CONTROL] = ESignatureOutdated()
        elif signature is not None and not signature.check.is_accepted:
            problems[esigning.CONTROL] = ESignatureRefused(signature.check)
    return problems, applicant


def _required(application: Application, form: Mapping[str, str]) -> tuple[ScanKind, ...]:
    """Return the papers the holder must have shown: later only the usual ones and those asked for.

    A correction may call for a paper that nobody has asked for, and that can't be added by then:
    the operator sees it missing, and asks.
    """
    required = papers.papers(form).required
    if application.submitted_at is None:
        return required
    asked = corrections.read(application.clarify_fields).scans
    return tuple(kind for kind in required if kind in REQUIRED_SCANS or kind in asked)


def _is_consented(application: Application) -> bool:
    """Whether the consent stands: to the present text, or to the one that was handed in."""
    if application.submitted_at is not None:
        return application.consent_version is not None
    return application.consent_version == consent.CURRENT.version


def _keep_consent(db: Session, application: Application) -> None:
    """Keep what the holder hands in with: version, time, and whether on paper too."""
    assert application.consent_version is not None and application.consented_at is not None
    kinds = {scan.kind for scan in applications.scans_of(db, application.id)}
    consents.add(
        db,
        application.holder_id,
        application.consent_version,
        ConsentChannel.PAPER if ScanKind.CONSENT in kinds else ConsentChannel.SCREEN,
        given_at=application.consented_at,
        application_id=application.id,
    )


def _is_offered(clinic: Clinic | None, form: Mapping[str, str]) -> bool:
    """Whether the clinic can still examine for the occupation in the form."""
    if clinic is None or clinic.deleted_on is not None or not clinic.is_connected:
        return False
    try:
        check_available(clinic.licence_status, _points(clinic), _point(form))
    except ClinicNotAvailable:
        return False
    return True


def _points(clinic: Clinic) -> frozenset[str]:
    return frozenset(clinic.points.split(","))


def _point(form: Mapping[str, str]) -> str | None:
    return point_of(form.get(Field.OCCUPATION, ""))


def _may_reapply(application: Application) -> bool:
    return (
        application.status in FINAL
        and application.submitted_at is not None
        and application.form_sealed is not None
    )


def _is_corrected_already(db: Session, application: Application) -> bool:
    if application.status is not ApplicationStatus.UNDER_REVIEW:
        return False
    history = applications.history(db, application)
    return bool(history) and history[-1][0].event == Milestone.CORRECTED


def _holder(db: Session, application: Application) -> User:
    holder = db.get(User, application.holder_id)
    assert holder is not None
    return holder


def _introduce(holder: User, applicant: Applicant) -> None:
    """Call a person who signed up by phone or address by the name they gave."""
    if holder.name_sealed is None:
        own = vault.vault_of(holder)
        holder.name_sealed = own.seal(str(applicant.name), "users", "name", holder.uid)


def _note(
    db: Session,
    actor: Actor,
    application: Application,
    event: str,
    now: datetime,
    note: str = "",
) -> None:
    applications.write_history(
        db, application, str(event), by=actor.role, user_id=actor.user_id, now=now, note=note
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
        f"application:{application.id}",
        subject_id=application.holder_id,
        fields=fields,
        now=now,
    )


def _submitted(application: Application, at: datetime, now: datetime) -> Submitted:
    return Submitted(
        TrackingNumber.parse(application.tracking_number),
        at,
        deadlines.promised_by(clock.day_of(at), (), clock.day_of(now)),
    )


def _draft_view(db: Session, application: Application, now: datetime) -> DraftView:
    form = applications.form_of(db, application)
    today = clock.day_of(now)
    lacking, applicant = _lacking(db, application, now)
    shown = scans.views(db, application)
    return DraftView(
        id=application.id,
        number=TrackingNumber.parse(application.tracking_number),
        step=WizardStep(application.step or WizardStep.DETAILS),
        fields=form,
        problems=_problems(form, today),
        lacking=lacking,
        applicant=applicant,
        warnings=intake.warnings(form, today),
        scans=shown,
        papers=papers.papers(form, {scan.kind for scan in shown}),
        clinic=_clinic_view(db, application),
        is_consented=_is_consented(application),
        signature=esigning.view(db, application, now),
        saved_at=application.changed_at,
        kept_until=lapsing.last_day(db, application),
    )


def _clinic_view(db: Session, application: Application) -> ClinicView | None:
    clinic = db.get(Clinic, application.clinic_id) if application.clinic_id else None
    return directory.view(clinic) if clinic else None


def _case_view(db: Session, application: Application, now: datetime) -> CaseView:
    assert application.submitted_at is not None
    today = clock.day_of(now)
    submitted_on = clock.day_of(application.submitted_at)
    waits = _waits(db, application)
    examination = overviews.examination_of(db, application.id)
    may_withdraw = application.status not in FINAL
    if may_withdraw:
        try:
            withdrawn(application.status, application.examination, Role.HOLDER)
        except Conflict:
            may_withdraw = False
    return CaseView(
        id=application.id,
        number=TrackingNumber.parse(application.tracking_number),
        status=application.status,
        papers=application.papers,
        examination=application.examination,
        fitness=examination.fitness if examination and examination.signed_at else None,
        occupation=cases.occupation_of(application),
        kind=application.kind,
        clinic=_clinic_view(db, application),
        submitted_at=application.submitted_at,
        changed_at=application.changed_at,
        decided_at=application.decided_at,
        promised_by=deadlines.promised_by(submitted_on, waits, today),
        days_left=deadlines.remaining(submitted_on, waits, today),
        is_late=(
            application.status is ApplicationStatus.UNDER_REVIEW
            and deadlines.is_late(submitted_on, waits, today)
        ),
        act_by=lapsing.last_day(db, application),
        note=applications.note_of(db, application),
        asked=(
            corrections.read(application.clarify_fields)
            if application.status is ApplicationStatus.CLARIFICATION_REQUESTED
            else Asked()
        ),
        may_withdraw=may_withdraw,
        may_change_clinic=clinic_may_change(application.status, application.examination),
        may_reapply=(
            _may_reapply(application) and application.status is not ApplicationStatus.APPROVED
        ),
        is_erased=application.form_sealed is None,
    )


def _waits(db: Session, application: Application) -> tuple[Wait, ...]:
    """Return when the holder was asked, and when they answered."""
    events = applications.changes_of(db, application.id)
    return tuple(deadlines.waits_of((row.event, clock.day_of(row.at)) for row in events))


def _book_of(db: Session, holder_id: int) -> BookSummary | None:
    book = overviews.newest_book(db, holder_id)
    version = overviews.current_version(db, book) if book else None
    if book is None or version is None:
        return None
    return BookSummary(
        BookNumber.parse(book.number),
        book.status,
        book.issued_on,
        book.valid_until,
        version.items_valid_until,
        book.received_at is not None,
    )
