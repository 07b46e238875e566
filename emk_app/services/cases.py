"""What the desks need to know of a case beside its own rows: whom it is about, what is examined."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application
from emk_app.db.tables.examinations import Examination
from emk_app.domain import corrections, intake
from emk_app.domain.applications import ApplicationStatus
from emk_app.domain.errors import Invalid, InvalidValue
from emk_app.domain.examinations import (
    BeingCorrected,
    ExaminationKind,
    ProgrammeItem,
    programme,
)
from emk_app.domain.intake import Applicant, Field
from emk_app.domain.numbers import Snils
from emk_app.domain.occupations import OCCUPATIONS, Occupation
from emk_app.domain.people import FullName, Sex, age_on, parse_birth_date

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


def applicant_of(db: Session, application: Application, *, now: datetime) -> Applicant | None:
    """Return the form, read; None while the holder is correcting it and it does not read."""
    try:
        return intake.read_again(applications.form_of(db, application), clock.day_of(now))
    except Invalid:
        return None


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
        occupation=OCCUPATIONS.get(application.occupation or ""),
        kind=application.kind,
    )


def programme_of(patient: Patient, examination: Examination) -> tuple[ProgrammeItem, ...]:
    """Return what the patient undergoes, by their age on the day the case was opened.

    Raises ``BeingCorrected`` while what it is computed from does not read.
    """
    if None in (patient.born_on, patient.sex, patient.occupation, patient.kind):
        raise BeingCorrected
    assert patient.born_on and patient.sex and patient.occupation and patient.kind
    age = age_on(patient.born_on, clock.day_of(examination.opened_at))
    return programme(patient.occupation.point, age, patient.sex, patient.kind)


def is_programme_settled(application: Application) -> bool:
    """Whether the holder has not been asked to correct what the programme is computed from."""
    if application.status is not ApplicationStatus.CLARIFICATION_REQUESTED:
        return True
    return not corrections.read(application.clarify_fields).fields & PROGRAMME_FIELDS
