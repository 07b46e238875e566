"""The clinic's desk: opening a case, entering results once, correcting them, signing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import appeals, applications, books, desks, examinations, visits
from emk_app.db.repositories.desks import VISITED
from emk_app.db.tables.applications import Application
from emk_app.db.tables.examinations import (
    Examination,
    ExaminationEntry,
    ExaminationStatus,
    Reopening,
    SignedConclusion,
)
from emk_app.db.tables.people import User
from emk_app.db.vault import Vault
from emk_app.domain import decisions, specialties
from emk_app.domain.actors import (
    SYSTEM,
    Actor,
    Position,
    permit_fresh,
    permit_position,
)
from emk_app.domain.appeals import AppealPending, AppealStatus, check_signer
from emk_app.domain.applications import (
    ApplicationStatus,
    ExaminationTrack,
    Milestone,
    TrackingNumber,
    advance,
    advance_examination,
    reopen_examination,
)
from emk_app.domain.applications import withdraw_conclusion as withdraw_conclusion_of
from emk_app.domain.books import IN_FORCE, BookStatus
from emk_app.domain.clearance import (
    Conclusion,
    Fitness,
    admits,
    conclude,
    dated,
    readiness,
    valid_until,
)
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import (
    ChangedMeanwhile,
    Invalid,
    InvalidValue,
    NotAChoice,
    NotFound,
    NotPermitted,
)
from emk_app.domain.examinations import (
    DETAIL_LIMIT,
    FURTHER,
    FURTHER_LIMIT,
    ORDER,
    BeingCorrected,
    CaseClosed,
    CorrectionReason,
    Details,
    FurtherStudyDone,
    IdentityNotChecked,
    Incomplete,
    PassedOn,
    ProgrammeItem,
    SignerUnnamed,
    Source,
    TestResult,
    TooMany,
    check_made_on,
    parse_entry,
    read_details,
    study_name,
)
from emk_app.domain.fieldpolicy import HolderField, sees, viewer_of
from emk_app.domain.notices import News
from emk_app.domain.people import age_on, parse_date, parse_past_date
from emk_app.domain.specialties import ForeignSpecialty
from emk_app.domain.values import Problems
from emk_app.services import auditing, cases, exchanging, issuing, receiving, reports
from emk_app.services.cases import Patient
from emk_app.services.exchanging import Progress
from emk_app.services.verifying import witness_of

FRESH_ENTRY: Final = timedelta(minutes=10)
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
    reason: CorrectionReason | None
    source: Source | None
    details: Details
    is_fresh: bool
    """The actor's own of the last minutes: nobody can have relied on it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A result that is still in date and may be taken over.

    It stands in the holder's signed book or in a conclusion that another system has sent.
    """

    result: TestResult
    valid_until: date | None
    source: Source
    origin: str
    """The book's number, or the name of the clinic that made it."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is said beside an outcome, as typed; codes are those of the catalogues."""

    restrictions: str = ""
    restriction_codes: Collection[str] = ()
    contraindications: str = ""
    contraindication_codes: Collection[str] = ()
    until: str = ""
    note: str = ""


NO_WORDS: Final = Words()


@dataclass(frozen=True, slots=True)
class Contest:
    """The appeal on which this commission decides."""

    reason: str
    filed_at: datetime


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
    earlier: tuple[Signature, ...]
    """Conclusions that were signed before the one that stands."""
    contest: Contest | None
    offers: Mapping[str, Offer]
    """By code, for studies that have no result yet."""
    further: Mapping[str, int]
    """Further studies by code, with the identity of the order where it may be taken back."""
    own: frozenset[str]
    """Codes of the studies that are the actor's to enter."""
    has_certificate: bool
    """The holder has brought a certificate of an earlier examination."""
    is_order_over: bool
    """Order 29н has ended by its own words; its last wording was used."""
    exchange: Progress | None
    """How far the newest conclusion has come on its way to the system of ОМС."""
    may_receive: bool
    may_enter: bool
    may_sign: bool
    may_reopen: bool
    may_withdraw: bool
    """Whether the chair may take the signature back to correct what it stands on."""
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
            _day_line(db, actor, application, opened.get(application.id), now)
            for application in found
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
        visits.arrive(db, application, now=now)
        if begins:
            cases.write(db, actor, application, status, now)
        cases.write(db, actor, application, Milestone.EXAMINATION_OPENED, now)
        cases.audit(db, actor, application, opened, "open_case", now)
        return opened.id


def confirm_identity(actor: Actor, examination_id: int, *, now: datetime) -> None:
    """Note that the person was compared with their papers; a second time changes nothing."""
    clinic_id = permit_position(actor, *RECEIVE)
    with unit_of_work() as db:
        examination, application = examinations.locked_at_clinic(db, clinic_id, examination_id)
        if examination.identity_checked_at is not None:
            return
        cases.permit_open(db, examination, application)
        examination.identity_checked_at = now
        examination.identity_checked_by = actor.user_id
        examinations.touch(db, examination)
        changes.announce(db, f"clinic:{clinic_id}")
        cases.audit(db, actor, application, examination, "confirm_identity", now)


def enter_result(
    actor: Actor,
    examination_id: int,
    code: str,
    text: str,
    made_on: str,
    *,
    confirmed: bool = False,
    details: Details | None = None,
    now: datetime,
) -> None:
    """Enter what was found in one study, as typed, made on a day as typed.

    A rare number has to be ``confirmed`` (``Unlikely``). Raises ``Invalid`` with ``text`` and
    ``made_on``; ``ForeignSpecialty``; ``ChangedMeanwhile`` when somebody has entered something
    else already. The same again changes nothing.
    """
    clinic_id = permit_position(actor, *ENTER)
    with unit_of_work() as db:
        examination, application = cases.enterable(db, clinic_id, examination_id)
        study = _study(db, actor, application, examination, code, now)
        result = _read(db, application, study, text, made_on, now, confirmed=confirmed)
        holder = examinations.vault_of(db, application)
        standing = _standing(db, examination, code)
        if standing is not None:
            if examinations.result_of(standing, holder) == result:
                return
            raise _beaten(db, standing)
        examinations.add_entry(
            db, examination, result, holder, by=actor.user_id, now=now, details=details
        )
        cases.audit(db, actor, application, examination, "enter_result", now, fields=code)
        _note_further_done(db, actor, application, examination, code, now)


def take_over(actor: Actor, examination_id: int, code: str, *, now: datetime) -> None:
    """Take a result that is still in date over from the holder's book or from a conclusion of
    another system, with its own day.

    Raises ``NotAChoice`` where there is none, and as ``enter_result``. A second time changes
    nothing.
    """
    clinic_id = permit_position(actor, *ENTER)
    with unit_of_work() as db:
        examination, application = cases.enterable(db, clinic_id, examination_id)
        study = _study(db, actor, application, examination, code, now)
        offer = _offers(db, application, (study,), frozenset(), now).get(code)
        if offer is None:
            raise NotAChoice
        holder = examinations.vault_of(db, application)
        standing = _standing(db, examination, code)
        if standing is not None:
            if standing.source is offer.source:
                return
            raise _beaten(db, standing)
        examinations.add_entry(
            db,
            examination,
            offer.result,
            holder,
            by=actor.user_id,
            now=now,
            source=offer.source,
            details=(
                Details(number=offer.origin)
                if offer.source is Source.BOOK
                else Details(performer=offer.origin[:DETAIL_LIMIT])
            ),
        )
        cases.audit(db, actor, application, examination, "take_over", now, fields=code)


def put_details(
    actor: Actor,
    examination_id: int,
    entry_id: int,
    *,
    performer: str,
    device: str,
    number: str,
    from_certificate: bool,
    now: datetime,
) -> None:
    """Write who made an analysis, on what device, under which number, and whether it comes from
    the certificate that the holder has brought.

    Raises ``Invalid`` by the names of the arguments, ``NotPermitted`` for another's entry,
    ``ChangedMeanwhile`` for one that stands no longer.
    """
    clinic_id = permit_position(actor, *ENTER)
    details = read_details(performer, device, number)
    with unit_of_work() as db:
        examination, application = cases.enterable(db, clinic_id, examination_id)
        found = examinations.entry(db, examination.id, entry_id)
        _study(db, actor, application, examination, found.code, now)
        if not _may_correct(actor, examination, found):
            raise NotPermitted("another's entry")
        if found.superseded_at is not None:
            raise _beaten(db, _standing(db, examination, found.code) or found)
        if from_certificate and not _has_certificate(db, application):
            raise Invalid({"from_certificate": NotAChoice()})
        source = Source.CERTIFICATE if from_certificate else None
        if found.source in (Source.BOOK, Source.EXCHANGE):
            source = found.source
        holder = examinations.vault_of(db, application)
        if (found.source, examinations.details_of(found, holder)) == (source, details):
            return
        examinations.put_details(db, examination, found, details, source, holder)
        cases.audit(db, actor, application, examination, "put_details", now, fields=found.code)


def order_further(actor: Actor, examination_id: int, name: str, *, now: datetime) -> None:
    """Order a study beyond the programme: the case waits for it, and the holder is told.

    Raises ``Invalid`` with ``name``. The same name again changes nothing.
    """
    clinic_id = permit_position(actor, *ENTER)
    problems = Problems()
    said = problems.take("name", study_name, name)
    problems.raise_any()
    with unit_of_work() as db:
        examination, application = cases.enterable(db, clinic_id, examination_id)
        holder = examinations.vault_of(db, application)
        known = examinations.further_of(db, examination.id, holder)
        if any(each.casefold() == said.casefold() for _, each in known):
            return
        if len(known) >= FURTHER_LIMIT:
            raise Invalid({"name": TooMany(FURTHER_LIMIT)})
        waits_already = _awaits_further(db, examination, holder)
        made = examinations.add_further(db, examination, said, holder, by=actor.user_id, now=now)
        if not waits_already:
            cases.write(db, actor, application, Milestone.FURTHER_ORDERED, now, said)
        changes.announce(db, f"holder:{application.holder_id}", f"clinic:{clinic_id}")
        cases.audit(db, actor, application, examination, "order_further", now)
        cases.tell(db, application, News.STUDIES_ORDERED, f"further:{made.id}", now)


def cancel_further(actor: Actor, examination_id: int, further_id: int, *, now: datetime) -> None:
    """Take the order of a further study back, while it has no result; who ordered it or the chair.

    Raises ``NotFound``, ``NotPermitted``, ``FurtherStudyDone``.
    """
    clinic_id = permit_position(actor, *ENTER)
    with unit_of_work() as db:
        examination, application = cases.enterable(db, clinic_id, examination_id)
        holder = examinations.vault_of(db, application)
        rows = {row.id: row for row, _ in examinations.further_of(db, examination.id, holder)}
        if (found := rows.get(further_id)) is None:
            raise NotFound
        if actor.position is not Position.CHAIR and found.ordered_by != actor.user_id:
            raise NotPermitted("another's order")
        if _standing(db, examination, f"{FURTHER}{found.id}") is not None:
            raise FurtherStudyDone
        examinations.cancel_further(db, examination, found, now=now)
        if not _awaits_further(db, examination, holder):
            cases.write(db, actor, application, Milestone.FURTHER_DONE, now)
        changes.announce(db, f"holder:{application.holder_id}", f"clinic:{clinic_id}")
        cases.audit(db, actor, application, examination, "cancel_further", now)


def correct_result(
    actor: Actor,
    examination_id: int,
    entry_id: int,
    text: str,
    made_on: str,
    *,
    reason: CorrectionReason,
    confirmed: bool = False,
    now: datetime,
) -> None:
    """Put a new entry in the place of one that stands, naming it and why; both are kept.

    Only who made an entry and the chair correct it; what was entered before the case was reopened
    anybody may bring up to date. Raises as ``enter_result``.
    """
    clinic_id = permit_position(actor, *ENTER)
    with unit_of_work() as db:
        examination, application = cases.enterable(db, clinic_id, examination_id)
        old = examinations.entry(db, examination.id, entry_id)
        study = _study(db, actor, application, examination, old.code, now)
        result = _read(db, application, study, text, made_on, now, confirmed=confirmed)
        holder = examinations.vault_of(db, application)
        standing = _standing(db, examination, old.code)
        if standing is not None and examinations.result_of(standing, holder) == result:
            return
        if standing is None or standing.id != old.id:
            raise _beaten(db, standing or old)
        if not _may_correct(actor, examination, old):
            raise NotPermitted("another's entry")
        examinations.add_entry(
            db,
            examination,
            result,
            holder,
            by=actor.user_id,
            now=now,
            replacing=old,
            reason=reason,
            details=None if old.source else examinations.details_of(old, holder),
        )
        cases.audit(db, actor, application, examination, "correct_result", now, fields=old.code)


def conclude_and_sign(
    actor: Actor,
    examination_id: int,
    fitness: Fitness,
    words: Words = NO_WORDS,
    *,
    seen: int,
    now: datetime,
) -> None:
    """Sign the conclusion, with all that follows from it for the application and the book.

    ``seen`` is the version the chair has looked at: whatever changed since has to be looked at
    first (``ChangedMeanwhile``). Raises ``FreshFactorNeeded``, ``Incomplete``, ``BeingCorrected``,
    ``SameSigner``, and ``Invalid`` with ``fitness``, ``restrictions``, ``contraindications``,
    ``until`` and ``note``. A second press of the button changes nothing.
    """
    clinic_id = permit_position(actor, *SIGN)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        examination, application = examinations.locked_at_clinic(db, clinic_id, examination_id)
        if examination.signed_by == actor.user_id:
            return
        conclusion = _concluded(db, actor, examination, application, fitness, words, now)
        if examination.version != seen:
            raise ChangedMeanwhile
        signer = db.get(User, actor.user_id)
        if signer is None or signer.name_sealed is None:
            raise SignerUnnamed
        holder = examinations.vault_of(db, application)
        track = advance_examination(application.examination, ExaminationTrack.CONCLUDED, actor.role)
        report = reports.canonical_report(
            db, application, examination, conclusion, signer=signer, now=now
        )
        signed = examinations.sign(
            db, examination, conclusion, holder, by=actor.user_id, now=now, report=report
        )
        applications.move(db, application, now=now, examination=track)
        cases.write(db, actor, application, Milestone.EXAMINATION_CONCLUDED, now)
        cases.audit(db, actor, application, examination, "sign", now)
        _decide_appeal(db, actor, application, signed, now)
        _follow(db, application, conclusion, now)
        exchanging.enqueue(db, signed, now=now)
        cases.tell(db, application, News.CONCLUSION_SIGNED, f"concluded:{signed.id}", now)


def check_conclusion(
    actor: Actor,
    examination_id: int,
    fitness: Fitness,
    words: Words = NO_WORDS,
    *,
    now: datetime,
) -> Conclusion:
    """Return the conclusion as it would be signed; raises what ``conclude_and_sign`` raises."""
    clinic_id = permit_position(actor, *SIGN)
    with reading() as db:
        examination, application = examinations.at_clinic(db, clinic_id, examination_id)
        return _concluded(db, actor, examination, application, fitness, words, now)


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
        appeal = appeals.of_application(db, application.id)
        if appeal is not None and appeal.status is AppealStatus.FILED:
            raise AppealPending
        assert examination.fitness is not None
        track = reopen_examination(examination.fitness, actor.role)
        applications.move(db, application, now=now, examination=track)
        examinations.reopen(db, examination, Reopening.TEMPORARY, by=actor.user_id, now=now)
        cases.write(db, actor, application, Milestone.EXAMINATION_REOPENED, now)
        cases.audit(db, actor, application, examination, "reopen_case", now)


def withdraw_conclusion(actor: Actor, examination_id: int, *, now: datetime) -> None:
    """Open a signed case again to put right what was written; what was signed is kept.

    The book, if there is one, stands until the commission has concluded anew. Raises
    ``FreshFactorNeeded``, ``CaseClosed``, ``AppealPending``. A second time changes nothing.
    """
    clinic_id = permit_position(actor, *SIGN)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        examination, application = examinations.locked_at_clinic(db, clinic_id, examination_id)
        if examination.status is ExaminationStatus.OPEN:
            return
        appeal = appeals.of_application(db, application.id)
        if appeal is not None and appeal.status is AppealStatus.FILED:
            raise AppealPending
        if not _may_withdraw(db, application):
            raise CaseClosed
        track = withdraw_conclusion_of(actor.role)
        applications.move(db, application, now=now, examination=track)
        examinations.reopen(db, examination, Reopening.CORRECTION, by=actor.user_id, now=now)
        cases.write(db, actor, application, Milestone.CONCLUSION_WITHDRAWN, now)
        cases.audit(db, actor, application, examination, "withdraw_conclusion", now)


def view(actor: Actor, examination_id: int, *, now: datetime) -> ExaminationView:
    """Return everything on the page of one examination of the actor's clinic; the look is noted."""
    clinic_id = permit_position(actor, *STAFF)
    with reading() as db:
        examination, application = examinations.at_clinic(db, clinic_id, examination_id)
    auditing.look(
        actor,
        cases.target(examination),
        subject_id=application.holder_id,
        fields="form,results" if sees(viewer_of(actor), HolderField.RESULTS) else "form",
        now=now,
    )
    with reading() as db:
        examination, application = examinations.at_clinic(db, clinic_id, examination_id)
        return _view(db, actor, examination, application, now)


def _own(examination: Examination, clinic_id: int) -> Examination:
    if examination.clinic_id != clinic_id:
        raise NotFound
    return examination


def _study(
    db: Session,
    actor: Actor,
    application: Application,
    examination: Examination,
    code: str,
    now: datetime,
) -> ProgrammeItem:
    """Return a study of the case that is the actor's to enter."""
    studies = {each.code: each for each in cases.studies_of(db, application, examination, now=now)}
    if (study := studies.get(code)) is None:
        raise NotAChoice
    if study.code not in _own_studies(db, actor, (study,)):
        raise ForeignSpecialty(study.specialty)
    return study


def _own_studies(db: Session, actor: Actor, studies: tuple[ProgrammeItem, ...]) -> frozenset[str]:
    """Return the codes of those that are the actor's: all are the chair's."""
    if actor.position is Position.CHAIR:
        return frozenset(each.code for each in studies)
    user = db.get(User, actor.user_id)
    own = specialties.read(user.specialties if user else None)
    return frozenset(each.code for each in studies if not each.specialty or each.specialty in own)


def _read(
    db: Session,
    application: Application,
    study: ProgrammeItem,
    text: str,
    made_on: str,
    now: datetime,
    *,
    confirmed: bool,
) -> TestResult:
    patient = cases.patient_of(db, application, now=now)
    today = clock.day_of(now)
    problems = Problems()
    performed_on = today
    if not isinstance(study.form, PassedOn):
        performed_on = problems.take("made_on", _made_on, study, made_on, patient, today)
        if "made_on" in problems.fields:
            performed_on = today
    result = problems.take("text", parse_entry, study, text, performed_on, confirmed=confirmed)
    problems.raise_any()
    return result


def _offers(
    db: Session,
    application: Application,
    studies: tuple[ProgrammeItem, ...],
    entered: Collection[str],
    now: datetime,
) -> dict[str, Offer]:
    """Return what is known of studies that have no result yet: from the book or, where it was made
    later, from another system.
    """
    offers = _of_book(db, application, studies, entered, now)
    for code, found in receiving.results_for(db, application, studies, entered, now=now).items():
        known = offers.get(code)
        if known is None or known.result.performed_on < found.result.performed_on:
            study = next(each for each in studies if each.code == code)
            until = valid_until(study, found.result)
            offers[code] = Offer(found.result, until, Source.EXCHANGE, found.clinic)
    return offers


def _of_book(
    db: Session,
    application: Application,
    studies: tuple[ProgrammeItem, ...],
    entered: Collection[str],
    now: datetime,
) -> dict[str, Offer]:
    """Return what the holder's own genuine book says of studies that have no result yet.

    What is over, what contradicts the programme's form and what was made before the person was
    born is not offered; nor is anything of a book that is suspended or revoked.
    """
    book = books.newest_of(db, application.holder_id)
    patient = cases.patient_of(db, application, now=now)
    if book is None or patient.born_on is None or book.status not in IN_FORCE:
        return {}
    version = books.version(db, book.id, book.current_version)
    if version.application_id == application.id:
        return {}
    content = issuing.content_of(witness_of(book, version, examinations.vault_of(db, application)))
    if content is None or content.snils != (patient.snils.digits if patient.snils else ""):
        return {}
    lines = {line.code: line for line in content.lines}
    today = clock.day_of(now)
    found: dict[str, Offer] = {}
    for study in studies:
        line = lines.get(study.code)
        if line is None or study.code in entered:
            continue
        try:
            result = parse_entry(study, line.value, line.performed_on)
            check_made_on(study, result.performed_on, patient.born_on, today)
        except InvalidValue:
            continue
        found[study.code] = Offer(
            result, valid_until(study, result), Source.BOOK, content.number.shown
        )
    return found


def _has_certificate(db: Session, application: Application) -> bool:
    scans = applications.scans_of(db, application.id)
    return any(each.kind is ScanKind.EXAM_CERTIFICATE for each in scans)


def _awaits_further(db: Session, examination: Examination, holder: Vault) -> bool:
    """Whether a further study has been ordered and has no result."""
    entered = {each.code for each in examinations.standing(db, examination.id)}
    ordered = examinations.further_of(db, examination.id, holder)
    return any(f"{FURTHER}{row.id}" not in entered for row, _ in ordered)


def _note_further_done(
    db: Session,
    actor: Actor,
    application: Application,
    examination: Examination,
    code: str,
    now: datetime,
) -> None:
    """Set the clock going again once the last further study has its result."""
    if not code.startswith(FURTHER):
        return
    if not _awaits_further(db, examination, examinations.vault_of(db, application)):
        cases.write(db, actor, application, Milestone.FURTHER_DONE, now)
    changes.announce(db, f"holder:{application.holder_id}")


def _decide_appeal(
    db: Session, actor: Actor, application: Application, signed: SignedConclusion, now: datetime
) -> None:
    appeal = appeals.of_application(db, application.id)
    if appeal is None or appeal.status is not AppealStatus.TAKEN:
        return
    appeal.status, appeal.decided_at, appeal.decided_id = AppealStatus.DECIDED, now, signed.id
    db.add(appeal)
    cases.write(db, actor, application, Milestone.APPEAL_DECIDED, now)


def _may_withdraw(db: Session, application: Application) -> bool:
    """Whether a conclusion can still be put right: nothing newer stands on the book."""
    if application.status in VISITED:
        return True
    if application.status is not ApplicationStatus.APPROVED:
        return False
    formed = books.version_of_application(db, application.id)
    if formed is None:
        return False
    book = books.get(db, formed.book_id)
    return book.status is not BookStatus.REVOKED and (
        books.newest_application_of(db, book.id) == application.id
    )


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
    actor: Actor,
    examination: Examination,
    application: Application,
    fitness: Fitness,
    words: Words,
    now: datetime,
) -> Conclusion:
    """Return the conclusion, or raise why it can't be signed as the case now stands."""
    cases.permit_open(db, examination, application)
    appeal = appeals.of_application(db, application.id)
    if appeal is not None and appeal.status is AppealStatus.TAKEN:
        check_signer(actor.user_id, examinations.contested_signer(db, appeal))
    if examination.identity_checked_at is None:
        raise IdentityNotChecked
    if not cases.is_programme_settled(application):
        raise BeingCorrected
    studies = cases.studies_of(db, application, examination, now=now)
    results = examinations.results_of(db, examination, examinations.vault_of(db, application))
    today = clock.day_of(now)
    if missing := _missing(studies, results, today):
        raise Incomplete(missing)
    problems = Problems()
    is_temporary = fitness is Fitness.TEMPORARILY_UNFIT
    last_day = problems.take("until", parse_date, words.until) if is_temporary else None
    problems.raise_any()
    return conclude(
        fitness,
        restrictions=words.restrictions,
        restriction_codes=words.restriction_codes,
        contraindications=words.contraindications,
        contraindication_codes=words.contraindication_codes,
        until=last_day,
        note=words.note,
        results=results,
        today=today,
    )


def _missing(
    studies: tuple[ProgrammeItem, ...], results: tuple[TestResult, ...], today: date
) -> tuple[str, ...]:
    """Return the studies without a result that is in date."""
    return tuple(state.code for state in readiness(dated(studies, results), today).overdue)


def _follow(db: Session, application: Application, conclusion: Conclusion, now: datetime) -> None:
    """Do what the conclusion means for the application and for a book in force."""
    is_issued = application.status is ApplicationStatus.APPROVED
    if admits(conclusion.fitness):
        if is_issued:
            issuing.correct(db, application, now=now)
        else:
            issuing.form_if_green(db, application, now=now)
        return
    issuing.suspend_unfit(db, application.holder_id, now=now)
    if conclusion.fitness is Fitness.UNFIT and not is_issued:
        status = advance(application.status, ApplicationStatus.REJECTED, SYSTEM.role)
        applications.move(
            db,
            application,
            now=now,
            status=status,
            decided_at=now,
            note_sealed=applications.seal_note(db, application, decisions.FOUND_UNFIT),
        )
        cases.write(db, SYSTEM, application, status, now, decisions.FOUND_UNFIT)


def _day_line(
    db: Session,
    actor: Actor,
    application: Application,
    examination: Examination | None,
    now: datetime,
) -> DayLine:
    return DayLine(
        number=TrackingNumber.parse(application.tracking_number),
        patient=cases.seen_by(cases.patient_of(db, application, now=now), actor),
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
    patient = cases.seen_by(cases.patient_of(db, application, now=now), actor)
    try:
        studies = cases.studies_of(db, application, examination, now=now)
    except BeingCorrected:
        studies = ()
    holder = examinations.vault_of(db, application)
    entries = examinations.standing(db, examination.id)
    results = tuple(examinations.result_of(each, holder) for each in entries)
    signed = examinations.signed_of(db, examination.id)
    names = desks.names_of(
        db,
        [
            examination.identity_checked_by,
            examination.signed_by,
            *(each.signed_by for each in signed),
            *(each.entered_by for each in entries),
        ],
    )
    viewer = viewer_of(actor)
    sees_results = sees(viewer, HolderField.RESULTS)
    sees_conclusion = sees(viewer, HolderField.CONCLUSION)
    is_signed = examination.status is ExaminationStatus.SIGNED
    goes_on = cases.goes_on(examination, application)
    is_open = goes_on and not is_signed
    own: frozenset[str] = frozenset()
    if actor.position in ENTER:
        own = _own_studies(db, actor, studies)
    entered = {each.code for each in entries}
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
                (
                    is_ready
                    and actor.position in ENTER
                    and entry.code in own
                    and _may_correct(actor, examination, entry)
                ),
                entry.reason,
                entry.source,
                examinations.details_of(entry, holder),
                entry.entered_by == actor.user_id and now - entry.entered_at < FRESH_ENTRY,
            )
            for entry, result in zip(entries, results, strict=True)
            if sees_results
        },
        missing=_missing(studies, results, clock.day_of(now)) if not is_signed else (),
        required=sum(each.required for each in studies),
        signature=_signature(examination, holder, names) if sees_conclusion else None,
        earlier=_earlier(examination, signed, holder, names) if sees_conclusion else (),
        contest=_contest(db, application, holder) if sees_conclusion else None,
        offers=(
            _offers(db, application, studies, entered, now)
            if is_ready and actor.position in ENTER
            else {}
        ),
        further=_orders(db, actor, examination, entered, holder) if sees_results else {},
        own=own,
        has_certificate=_has_certificate(db, application),
        is_order_over=not ORDER.holds(clock.day_of(examination.opened_at)),
        exchange=exchanging.progress_of(db, examination.id),
        may_receive=is_open and actor.position in RECEIVE,
        may_enter=is_ready and bool(studies) and actor.position in ENTER,
        may_sign=is_ready and bool(studies) and actor.position in SIGN,
        may_reopen=(
            is_signed
            and goes_on
            and examination.fitness is Fitness.TEMPORARILY_UNFIT
            and actor.position in RECEIVE
        ),
        may_withdraw=is_signed and actor.position in SIGN and _may_withdraw(db, application),
        is_settled=cases.is_programme_settled(application),
    )


def _signature(
    examination: Examination, holder: Vault, names: Mapping[int, str]
) -> Signature | None:
    conclusion = examinations.conclusion_of(examination, holder)
    if conclusion is None or examination.signed_at is None:
        return None
    return Signature(conclusion, names.get(examination.signed_by or 0, ""), examination.signed_at)


def _earlier(
    examination: Examination,
    signed: Sequence[SignedConclusion],
    holder: Vault,
    names: Mapping[int, str],
) -> tuple[Signature, ...]:
    is_signed = examination.status is ExaminationStatus.SIGNED
    return tuple(
        Signature(
            examinations.signed_conclusion_of(each, holder),
            names.get(each.signed_by, ""),
            each.signed_at,
        )
        for each in (signed[:-1] if is_signed else signed)
    )


def _contest(db: Session, application: Application, holder: Vault) -> Contest | None:
    appeal = appeals.of_application(db, application.id)
    if appeal is None:
        return None
    return Contest(appeals.reason_of(appeal, holder), appeal.filed_at)


def _orders(
    db: Session,
    actor: Actor,
    examination: Examination,
    entered: Collection[str],
    holder: Vault,
) -> dict[str, int]:
    """Return the further studies; zero where the actor may not take the order back."""
    found: dict[str, int] = {}
    for row, _ in examinations.further_of(db, examination.id, holder):
        code = f"{FURTHER}{row.id}"
        is_own = actor.position is Position.CHAIR or row.ordered_by == actor.user_id
        found[code] = row.id if is_own and code not in entered else 0
    return found
