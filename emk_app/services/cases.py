"""What all acts on a case share: whom it is about, what is examined, who is told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db.repositories import applications, desks, examinations
from emk_app.db.repositories.desks import VISITED
from emk_app.db.tables.applications import Application
from emk_app.db.tables.examinations import Examination, ExaminationStatus, Reopening
from emk_app.db.tables.people import User
from emk_app.domain import corrections, fieldpolicy, intake
from emk_app.domain.actors import Actor, Role
from emk_app.domain.applications import ApplicationStatus, Milestone
from emk_app.domain.errors import Invalid, InvalidValue
from emk_app.domain.examinations import (
    BeingCorrected,
    CaseClosed,
    ExaminationKind,
    ExaminationSigned,
    IdentityNotChecked,
    ProgrammeItem,
    further_study,
    programme,
)
from emk_app.domain.fieldpolicy import HolderField, viewer_of
from emk_app.domain.intake import Applicant, Field
from emk_app.domain.notices import News, Notice
from emk_app.domain.numbers import Snils
from emk_app.domain.occupations import Occupation, listed_on
from emk_app.domain.people import FullName, Sex, age_on, parse_birth_date
from emk_app.services import auditing, notifying

PROGRAMME_FIELDS: Final = frozenset({Field.BIRTH_DATE, Field.SEX, Field.OCCUPATION, Field.KIND})
"""What the programme is computed from."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom the clinic examines; what the holder is just correcting may be unreadable (None)."""

    name: FullName | None
    born_on: date | None
    sex: Sex | None
    snils: Snils | None
    occupation: Occupation | None
    kind: ExaminationKind | None


_FACTS: Final = {
    "name": HolderField.NAME,
    "born_on": HolderField.BIRTH_DATE,
    "sex": HolderField.SEX,
    "snils": HolderField.SNILS,
    "occupation": HolderField.OCCUPATION,
}


def applicant_of(db: Session, application: Application, *, now: datetime) -> Applicant | None:
    """Return the form, read; None while the holder is correcting it and it does not read."""
    try:
        return intake.read_again(applications.form_of(db, application), clock.day_of(now))
    except Invalid:
        return None


def occupation_of(application: Application) -> Occupation | None:
    """Return the occupation as it was listed on the day the application was handed in."""
    on = clock.day_of(application.submitted_at or application.changed_at)
    return listed_on(application.occupation or "", on)


def patient_of(db: Session, application: Application, *, now: datetime) -> Patient:
    """Return the patient, as far as the form reads."""
    form = applications.form_of(db, application)
    today = clock.day_of(now)

    def said(field: Field) -> str:
        return form.get(field, "")

    try:
        name: FullName | None = FullName.parse(
            last=said(Field.LAST_NAME),
            first=said(Field.FIRST_NAME),
            patronymic=said(Field.PATRONYMIC),
        )
    except Invalid:
        name = None
    try:
        born_on: date | None = parse_birth_date(said(Field.BIRTH_DATE), today)
    except InvalidValue:
        born_on = None
    try:
        snils: Snils | None = Snils.parse(said(Field.SNILS))
    except InvalidValue:
        snils = None
    sex = said(Field.SEX)
    return Patient(
        name=name,
        born_on=born_on,
        sex=Sex(sex) if sex in Sex._value2member_map_ else None,
        snils=snils,
        occupation=occupation_of(application),
        kind=application.kind,
    )


def seen_by(patient: Patient, actor: Actor) -> Patient:
    """Return of the patient what the actor is shown (D22)."""
    viewer = viewer_of(actor)
    return replace(
        patient,
        **{fact: None for fact, field in _FACTS.items() if not fieldpolicy.sees(viewer, field)},
    )


def programme_of(patient: Patient, examination: Examination) -> tuple[ProgrammeItem, ...]:
    """Return what the patient undergoes, by age and order of the day the case was opened.

    Raises ``BeingCorrected`` while what it is computed from does not read.
    """
    if None in (patient.born_on, patient.sex, patient.occupation, patient.kind):
        raise BeingCorrected
    assert patient.born_on and patient.sex and patient.occupation and patient.kind
    opened_on = clock.day_of(examination.opened_at)
    age = age_on(patient.born_on, opened_on)
    return programme(patient.occupation.point, age, patient.sex, patient.kind, opened_on)


def studies_of(
    db: Session, application: Application, examination: Examination, *, now: datetime
) -> tuple[ProgrammeItem, ...]:
    """Return the programme with the further studies the commission has ordered.

    Raises ``BeingCorrected`` as ``programme_of``.
    """
    holder = examinations.vault_of(db, application)
    return (
        *programme_of(patient_of(db, application, now=now), examination),
        *(
            further_study(row.id, name)
            for row, name in examinations.further_of(db, examination.id, holder)
        ),
    )


def is_programme_settled(application: Application) -> bool:
    """Whether the holder has not been asked to correct what the programme is computed from."""
    if application.status is not ApplicationStatus.CLARIFICATION_REQUESTED:
        return True
    return not corrections.read(application.clarify_fields).fields & PROGRAMME_FIELDS


def permit_open(db: Session, examination: Examination, application: Application) -> None:
    """Raise ``ExaminationSigned`` or ``CaseClosed`` unless the case goes on."""
    if examination.status is ExaminationStatus.SIGNED:
        by = desks.names_of(db, [examination.signed_by]).get(examination.signed_by or 0)
        raise ExaminationSigned(by, examination.signed_at)
    if not goes_on(examination, application):
        raise CaseClosed


def goes_on(examination: Examination, application: Application) -> bool:
    """Whether there is something left to do, be it to correct the conclusion under a book."""
    if application.status is ApplicationStatus.APPROVED:
        return examination.reopened_for is Reopening.CORRECTION
    return application.status in VISITED


def enterable(db: Session, clinic_id: int, examination_id: int) -> tuple[Examination, Application]:
    """Return the clinic's own case, held until the commit, if something may be entered in it.

    Raises ``NotFound``, ``ExaminationSigned``, ``CaseClosed``, ``IdentityNotChecked``.
    """
    examination, application = examinations.locked_at_clinic(db, clinic_id, examination_id)
    permit_open(db, examination, application)
    if examination.identity_checked_at is None:
        raise IdentityNotChecked
    return examination, application


def target(examination: Examination) -> str:
    """Return how the audit names the examination."""
    return f"examination:{examination.id}"


def write(
    db: Session,
    actor: Actor,
    application: Application,
    event: ApplicationStatus | Milestone,
    now: datetime,
    note: str = "",
) -> None:
    """Add a line to the history that the holder and the desks see."""
    applications.write_history(
        db,
        application,
        event.value,
        by=actor.role,
        user_id=actor.user_id if actor.role is not Role.SYSTEM else None,
        now=now,
        note=note,
    )


def audit(
    db: Session,
    actor: Actor,
    application: Application,
    examination: Examination,
    action: str,
    now: datetime,
    *,
    fields: str = "",
) -> None:
    """Note an act on the case."""
    auditing.record(
        db,
        actor,
        action,
        target(examination),
        subject_id=application.holder_id,
        fields=fields,
        now=now,
    )


def tell(db: Session, application: Application, news: News, occasion: str, now: datetime) -> None:
    """Tell the holder what has happened to the application; once for each ``occasion``."""
    holder = db.get(User, application.holder_id)
    assert holder is not None
    notifying.tell(
        db, holder, Notice(news, number=application.tracking_number), dedupe=occasion, now=now
    )
