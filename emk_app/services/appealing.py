"""What the holder sees of the examination, and the second commission they may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app import clock
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import appeals, applications, clinics, desks, examinations
from emk_app.db.tables.applications import Application
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.examinations import (
    Appeal,
    Examination,
    ExaminationStatus,
    Reopening,
    SignedConclusion,
)
from emk_app.db.tables.people import User
from emk_app.domain import appeals as rules
from emk_app.domain.actors import Actor, Position, Role, permit, permit_position
from emk_app.domain.appeals import (
    AppealStatus,
    NoSecondCommission,
    NothingToContest,
    check_signer,
)
from emk_app.domain.applications import (
    ApplicationStatus,
    Milestone,
    PapersTrack,
    TrackingNumber,
    reopen_for_appeal,
    withdraw_conclusion,
)
from emk_app.domain.clearance import Conclusion, Fitness, valid_until
from emk_app.domain.clinics import LicenceStatus, check_available
from emk_app.domain.errors import ChangedMeanwhile, DomainError, NotFound
from emk_app.domain.examinations import BeingCorrected, Details, ProgrammeItem, Source, TestResult
from emk_app.domain.notices import News
from emk_app.domain.switches import Feature
from emk_app.domain.vaccinations import Standing
from emk_app.domain.values import Problems
from emk_app.services import attaching, cases, exchanging, switching, vaccinating
from emk_app.services.attaching import AttachmentView
from emk_app.services.cases import Patient
from emk_app.services.exchanging import Progress

OFFERED: Final = 50
"""Commissions of the region to choose from."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One study of the programme as its holder sees it; ``result`` is None until it is entered."""

    study: ProgrammeItem
    result: TestResult | None
    valid_until: date | None
    source: Source | None
    details: Details


@dataclass(frozen=True, slots=True)
class Commission:
    """A clinic whose commission may be asked; ``is_first`` where the case has been so far."""

    clinic_id: int
    name: str
    address: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Pronounced:
    """A signed conclusion."""

    conclusion: Conclusion
    clinic_name: str
    chair_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AppealView:
    """The holder's own appeal."""

    status: AppealStatus
    reason: str
    clinic_name: str
    filed_at: datetime


@dataclass(frozen=True, slots=True)
class MyExamination:
    """The examination as its holder sees it, live."""

    is_identity_checked: bool
    studies: tuple[Confirmed, ...]
    done: int
    required: int
    vaccinations: tuple[Standing, ...]
    papers: tuple[AttachmentView, ...]
    conclusions: tuple[Pronounced, ...]
    """Oldest first."""
    is_signed: bool
    exchange: Progress | None
    """How far the newest conclusion has come on its way to the system of ОМС."""
    appeal: AppealView | None
    may_appeal: bool
    appeal_until: date | None
    """The last day of a possible appeal; inclusive."""
    commissions: tuple[Commission, ...]
    """Whom an appeal may be sent to, nearest first; empty where none may be filed."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An appeal that waits for a commission of the clinic."""

    number: TrackingNumber
    patient: Patient
    filed_at: datetime
    reason: str
    fitness: Fitness
    may_take: bool
    """False for the chair whose conclusion is contested."""


def identity(actor: Actor, number: str) -> int:
    """Return the identity of the holder's own application; raise ``NotFound``."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        return _own(db, actor, number).id


def mine(actor: Actor, number: str, *, now: datetime) -> MyExamination | None:
    """Return the examination of the holder's own application; None until the clinic opens it."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        application = _own(db, actor, number)
        examination = examinations.of_application(db, application.id)
        if examination is None:
            return None
        return _mine(db, application, examination, now)


def file(
    actor: Actor, number: str, reason: str, *, clinic_id: int | None = None, now: datetime
) -> None:
    """Ask for a second commission, at the same clinic or at another one.

    Raises ``Invalid`` with ``reason``, ``NothingToContest``, ``AlreadyAppealed``,
    ``AppealTooLate``, ``ClinicNotAvailable`` and ``NoSecondCommission``.
    """
    permit(actor, Role.HOLDER)
    switching.require(Feature.APPEALS, now=now)
    problems = Problems()
    said = problems.take("reason", rules.read_reason, reason)
    problems.raise_any()
    with unit_of_work() as db:
        application = applications.locked(db, _own(db, actor, number).id)
        examination = examinations.of_application(db, application.id)
        if examination is None:
            raise NothingToContest
        contested = _contestable(db, application, examination, now)
        clinic = _commission(db, application, examination, contested, clinic_id)
        holder = examinations.vault_of(db, application)
        made = appeals.add(db, application.id, contested.id, clinic.id, said, holder, now=now)
        cases.write(db, actor, application, Milestone.APPEAL_FILED, now)
        cases.audit(db, actor, application, examination, "appeal", now)
        cases.tell(db, application, News.APPEAL_FILED, f"appeal:{made.id}", now)
        _announce(db, application, examination.clinic_id, clinic.id)


def waiting(actor: Actor, *, now: datetime) -> tuple[Waiting, ...]:
    """Return the appeals that wait for a commission of the chair's clinic, oldest first."""
    clinic_id = permit_position(actor, Position.CHAIR)
    with reading() as db:
        return tuple(
            Waiting(
                number=TrackingNumber.parse(application.tracking_number),
                patient=cases.seen_by(cases.patient_of(db, application, now=now), actor),
                filed_at=appeal.filed_at,
                reason=appeals.reason_of(appeal, examinations.vault_of(db, application)),
                fitness=contested.fitness,
                may_take=contested.signed_by != actor.user_id,
            )
            for appeal, application in appeals.waiting_at(db, clinic_id)
            if (contested := db.get(SignedConclusion, appeal.contested_id)) is not None
        )


def take(actor: Actor, number: str, *, now: datetime) -> int:
    """Begin the second commission: the case is open again, here; return the examination's identity.

    Entries and conclusions are kept, identity is checked anew. A second time returns the same.
    Raises ``NotFound``, ``SameSigner``, ``ChangedMeanwhile``.
    """
    clinic_id = permit_position(actor, Position.CHAIR)
    with unit_of_work() as db:
        slug = TrackingNumber.parse(number).slug
        application = applications.locked(db, applications.by_number(db, slug).id)
        appeal = appeals.of_application(db, application.id)
        examination = examinations.of_application(db, application.id)
        if appeal is None or examination is None or appeal.clinic_id != clinic_id:
            raise NotFound
        check_signer(actor.user_id, examinations.contested_signer(db, appeal))
        if appeal.status is AppealStatus.TAKEN:
            return examination.id
        if appeal.status is AppealStatus.DECIDED or not _is_contested(db, examination, appeal):
            raise ChangedMeanwhile
        first_clinic = examination.clinic_id
        status = reopen_for_appeal(application.status, application.papers, actor.role)
        applications.move(
            db,
            application,
            now=now,
            status=status,
            examination=withdraw_conclusion(actor.role),
            clinic_id=clinic_id,
            decided_at=None,
            note_sealed=None if status is not application.status else application.note_sealed,
        )
        examinations.reopen(
            db,
            examination,
            Reopening.APPEAL,
            by=actor.user_id,
            now=now,
            clinic_id=clinic_id,
        )
        appeal.status, appeal.taken_at, appeal.taken_by = AppealStatus.TAKEN, now, actor.user_id
        db.add(appeal)
        cases.write(db, actor, application, Milestone.APPEAL_TAKEN, now)
        cases.audit(db, actor, application, examination, "take_appeal", now)
        cases.tell(db, application, News.APPEAL_TAKEN, f"appeal:{appeal.id}:taken", now)
        _announce(db, application, first_clinic, clinic_id)
        return examination.id


def _own(db: Session, actor: Actor, number: str) -> Application:
    try:
        found = applications.by_number(db, TrackingNumber.parse(number).slug)
    except DomainError:
        raise NotFound from None
    if found.holder_id != actor.user_id:
        raise NotFound
    return found


def _contestable(
    db: Session, application: Application, examination: Examination, now: datetime
) -> SignedConclusion:
    """Return the conclusion that stands and may be contested; raises as ``appeals.check``."""
    signed = examinations.signed_of(db, examination.id)
    appealed = appeals.of_application(db, application.id) is not None
    if examination.status is not ExaminationStatus.SIGNED or not signed:
        raise NothingToContest
    # The application must have gone by this conclusion, not by the operator or the holder.
    by_commission = {
        Fitness.UNFIT: application.status is ApplicationStatus.REJECTED,
        Fitness.TEMPORARILY_UNFIT: application.status in desks.VISITED,
    }
    if application.papers is PapersTrack.REJECTED or not by_commission.get(
        signed[-1].fitness, False
    ):
        raise NothingToContest
    rules.check(
        signed[-1].fitness,
        clock.day_of(signed[-1].signed_at),
        clock.day_of(now),
        appealed=appealed,
    )
    return signed[-1]


def _commission(
    db: Session,
    application: Application,
    examination: Examination,
    contested: SignedConclusion,
    clinic_id: int | None,
) -> Clinic:
    """Return the clinic whose commission is asked; it has a chair who has not signed yet."""
    clinic = clinics.get(db, clinic_id or examination.clinic_id)
    work = cases.occupation_of(application)
    check_available(
        clinic.licence_status,
        frozenset(clinic.points.split(",")),
        work.point if work else None,
    )
    chairs = db.exec(
        select(sa.func.count())
        .select_from(User)
        .where(col(User.clinic_id) == clinic.id, *_free_chairs(contested))
    ).one()
    if not chairs:
        raise NoSecondCommission
    return clinic


def _is_contested(db: Session, examination: Examination, appeal: Appeal) -> bool:
    """Whether the conclusion that stands is the one the appeal is about."""
    signed = examinations.signed_of(db, examination.id)
    return (
        examination.status is ExaminationStatus.SIGNED
        and bool(signed)
        and signed[-1].id == appeal.contested_id
    )


def _announce(db: Session, application: Application, *clinic_ids: int) -> None:
    changes.announce(
        db,
        f"application:{application.id}",
        f"holder:{application.holder_id}",
        *(f"clinic:{each}" for each in clinic_ids),
    )


def _mine(
    db: Session, application: Application, examination: Examination, now: datetime
) -> MyExamination:
    holder = examinations.vault_of(db, application)
    try:
        studies = cases.studies_of(db, application, examination, now=now)
    except BeingCorrected:
        studies = ()
    entries = {each.code: each for each in examinations.standing(db, examination.id)}
    results = {code: examinations.result_of(each, holder) for code, each in entries.items()}
    signed = examinations.signed_of(db, examination.id)
    names = desks.names_of(db, [each.signed_by for each in signed])
    try:
        contested = _contestable(db, application, examination, now)
    except DomainError:
        contested = None
    return MyExamination(
        is_identity_checked=examination.identity_checked_at is not None,
        studies=tuple(
            Confirmed(
                study,
                results.get(study.code),
                valid_until(study, results.get(study.code)),
                entries[study.code].source if study.code in entries else None,
                (
                    examinations.details_of(entries[study.code], holder)
                    if study.code in entries
                    else Details()
                ),
            )
            for study in studies
            if study.required or study.code in results
        ),
        done=sum(each.required and each.code in results for each in studies),
        required=sum(each.required for each in studies),
        vaccinations=vaccinating.holders_standings(db, application, now=now),
        papers=attaching.papers_of(db, examination, holder),
        conclusions=tuple(
            Pronounced(
                examinations.signed_conclusion_of(each, holder),
                _clinic_name(db, each.clinic_id or examination.clinic_id),
                names.get(each.signed_by, ""),
                each.signed_at,
            )
            for each in signed
        ),
        is_signed=examination.status is ExaminationStatus.SIGNED,
        exchange=exchanging.progress_of(db, examination.id),
        appeal=_appeal(db, application),
        may_appeal=contested is not None,
        appeal_until=rules.last_day(clock.day_of(contested.signed_at)) if contested else None,
        commissions=_commissions(db, application, examination, contested) if contested else (),
    )


def _commissions(
    db: Session, application: Application, examination: Examination, contested: SignedConclusion
) -> tuple[Commission, ...]:
    """Return the clinics of the region with a chair who has not signed, the first one before all.

    Only those that may examine for the holder's work: what is offered here, ``file`` takes.
    """
    first = clinics.get(db, examination.clinic_id)
    work = cases.occupation_of(application)
    found = db.exec(
        select(Clinic)
        .where(
            col(Clinic.region_code) == first.region_code,
            col(Clinic.licence_status) == LicenceStatus.ACTIVE,
            col(Clinic.id).in_(
                select(User.clinic_id).where(
                    *_free_chairs(contested), col(User.clinic_id).is_not(None)
                )
            ),
        )
        .order_by(col(Clinic.id) != first.id, col(Clinic.short_name), col(Clinic.id))
        .limit(OFFERED)
    ).all()
    return tuple(
        Commission(clinic.id, clinic.short_name, clinic.address, clinic.id == first.id)
        for clinic in found
        if work is None or work.point in clinic.points.split(",")
    )


def _free_chairs(contested: SignedConclusion) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what makes an account that of a chair who may decide anew."""
    return (
        col(User.role) == Role.CLINIC,
        col(User.position) == Position.CHAIR,
        col(User.disabled_at).is_(None),
        col(User.id) != contested.signed_by,
    )


def _appeal(db: Session, application: Application) -> AppealView | None:
    found = appeals.of_application(db, application.id)
    if found is None:
        return None
    return AppealView(
        found.status,
        appeals.reason_of(found, examinations.vault_of(db, application)),
        _clinic_name(db, found.clinic_id),
        found.filed_at,
    )


def _clinic_name(db: Session, clinic_id: int) -> str:
    clinic = db.get(Clinic, clinic_id)
    return clinic.short_name if clinic else ""
