"""Vaccinations of the person at the clinic's desk: recorded, taken back, judged by the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, desks, examinations, vaccinations
from emk_app.db.tables.applications import Application
from emk_app.domain.actors import Actor, Position, Role, permit, permit_position
from emk_app.domain.errors import Invalid, NotPermitted
from emk_app.domain.examinations import BeingCorrected, TooMany
from emk_app.domain.people import age_on
from emk_app.domain.vaccinations import (
    INFECTIONS,
    Infection,
    Standing,
    Vaccination,
    read_record,
    recommended,
    standing,
)
from emk_app.services import cases, issuing
from emk_app.services.examining import ENTER

LIMIT: Final = 60
"""Records of one person; a life's vaccinations are fewer."""


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record; ``may_withdraw`` for who made it, and for the chair of the same clinic."""

    id: int
    told: Vaccination
    person: str
    entered_at: datetime
    may_withdraw: bool


@dataclass(frozen=True, slots=True)
class Card:
    """All infections of the calendar that concern the person, and all that is recorded."""

    standings: tuple[Standing, ...]
    records: tuple[RecordView, ...]
    may_enter: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """A record as typed."""

    code: str
    kind: str
    on: str
    dose: str = ""
    vaccine: str = ""
    series: str = ""
    until: str = ""


def record(actor: Actor, examination_id: int, typed: Typed, *, now: datetime) -> None:
    """Record a dose, an illness, antibodies, an exemption or a refusal.

    Raises ``Invalid`` by the names of ``Typed``, and what ``cases.enterable`` raises. The same
    again changes nothing.
    """
    clinic_id = permit_position(actor, *ENTER)
    with unit_of_work() as db:
        examination, application = cases.enterable(db, clinic_id, examination_id)
        patient = cases.patient_of(db, application, now=now)
        if patient.born_on is None:
            raise BeingCorrected
        told = read_record(
            typed.code,
            typed.kind,
            on=typed.on,
            dose=typed.dose,
            vaccine=typed.vaccine,
            series=typed.series,
            until=typed.until,
            born_on=patient.born_on,
            today=clock.day_of(now),
        )
        holder = examinations.vault_of(db, application)
        known = vaccinations.of_holder(db, application.holder_id)
        if any(vaccinations.opened(row, holder) == told for row in known):
            return
        if len(known) >= LIMIT:
            raise Invalid({"code": TooMany(LIMIT)})
        vaccinations.add(
            db,
            application.holder_id,
            told,
            holder,
            clinic_id=clinic_id,
            by=actor.user_id,
            now=now,
        )
        examinations.touch(db, examination)
        issuing.note_vaccinations(db, application.holder_id, now=now)
        changes.announce(db, f"holder:{application.holder_id}")
        cases.audit(db, actor, application, examination, "vaccinate", now, fields=told.code)


def withdraw(actor: Actor, examination_id: int, record_id: int, *, now: datetime) -> None:
    """Take a record back that was made by mistake; it is kept, and counts no longer.

    Raises ``NotFound``, and ``NotPermitted`` for another's record.
    """
    clinic_id = permit_position(actor, *ENTER)
    with unit_of_work() as db:
        examination, application = cases.enterable(db, clinic_id, examination_id)
        found = vaccinations.get(db, application.holder_id, record_id)
        is_chairs = actor.position is Position.CHAIR and found.clinic_id == clinic_id
        if found.entered_by != actor.user_id and not is_chairs:
            raise NotPermitted("another's record")
        vaccinations.withdraw(db, found, by=actor.user_id, now=now)
        examinations.touch(db, examination)
        issuing.note_vaccinations(db, application.holder_id, now=now)
        changes.announce(db, f"holder:{application.holder_id}")
        cases.audit(db, actor, application, examination, "withdraw_vaccination", now)


def card(actor: Actor, examination_id: int, *, now: datetime) -> Card:
    """Return the vaccinations of the person of one examination; a registrar sees none.

    The look is noted by ``examining.view``, whose page this is a part of.
    """
    clinic_id = permit_position(actor, *ENTER)
    with reading() as db:
        examination, application = examinations.at_clinic(db, clinic_id, examination_id)
        patient = cases.patient_of(db, application, now=now)
        may_enter = (
            examination.identity_checked_at is not None
            and examination.signed_at is None
            and cases.goes_on(examination, application)
        )
        holder = examinations.vault_of(db, application)
        rows = vaccinations.of_holder(db, application.holder_id)
        names = desks.names_of(db, [row.entered_by for row in rows])
        records = tuple(
            RecordView(
                row.id,
                vaccinations.opened(row, holder),
                names.get(row.entered_by, ""),
                row.entered_at,
                may_enter
                and (
                    row.entered_by == actor.user_id
                    or (actor.position is Position.CHAIR and row.clinic_id == clinic_id)
                ),
            )
            for row in rows
        )
    if patient.born_on is None or patient.sex is None or patient.occupation is None:
        return Card((), records, may_enter=False)
    return Card(
        _standings(
            recommended(
                patient.occupation.point,
                age_on(patient.born_on, clock.day_of(now)),
                patient.sex,
                clock.day_of(now),
            ),
            [each.told for each in records],
            clock.day_of(now),
        ),
        records,
        may_enter,
    )


def mine(actor: Actor, application_id: int, *, now: datetime) -> tuple[Standing, ...]:
    """Return how the holder stands towards each infection of the calendar of their work."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        application = applications.own(db, actor, application_id)
        return holders_standings(db, application, now=now)


def holders_standings(
    db: Session, application: Application, *, now: datetime
) -> tuple[Standing, ...]:
    """Return how the person of an application stands towards each infection."""
    patient = cases.patient_of(db, application, now=now)
    if patient.born_on is None or patient.sex is None or patient.occupation is None:
        return ()
    holder = examinations.vault_of(db, application)
    told = [
        vaccinations.opened(row, holder)
        for row in vaccinations.of_holder(db, application.holder_id)
    ]
    today = clock.day_of(now)
    asked = recommended(
        patient.occupation.point, age_on(patient.born_on, today), patient.sex, today
    )
    return _standings(asked, told, today)


def _standings(
    asked: Sequence[Infection], told: Sequence[Vaccination], today: date
) -> tuple[Standing, ...]:
    """Judge what the calendar asks for, and whatever else is recorded."""
    wanted = {each.code for each in asked} | {each.code for each in told}
    return tuple(
        standing(infection, told, today) for code, infection in INFECTIONS.items() if code in wanted
    )
