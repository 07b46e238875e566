"""What happened in the demo world before its visitor came, told through the services themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from emk_app.clock import day_of
from emk_app.db.engine import reading
from emk_app.db.repositories import applications, employers
from emk_app.demo.papers import jpeg, passport, picture
from emk_app.domain import intake
from emk_app.domain.actors import Actor
from emk_app.domain.clearance import Fitness
from emk_app.domain.consent import CURRENT
from emk_app.domain.documents import ScanKind
from emk_app.domain.examinations import Choices, Numbers, PassedOn, ProgrammeItem
from emk_app.domain.intake import Applicant, AppliedBy, Field, HolderCategory
from emk_app.domain.numbers import snils_control
from emk_app.domain.papers import papers
from emk_app.domain.people import Sex, birthday, parse_date
from emk_app.domain.policies import Enp
from emk_app.domain.representation import Basis
from emk_app.domain.support import Subject
from emk_app.services import (
    answering,
    applying,
    booking,
    checking,
    employing,
    examining,
    issuing,
    reviewing,
    scans,
    scheduling,
    sharing,
    supporting,
)
from emk_app.services.employing import Said

TYPED: Final = {
    "bp": "118/76",
    "vision": "1,0/0,9",
    "anthropometry": "172/68,5/80",
    "cholesterol": "4,8",
    "glucose": "5,1",
    "iop": "16/17",
}
"""What is typed for studies that have a number; others take the lower end of the norm."""


def form_of(
    name: str,
    born_on: str,
    sex: Sex,
    serial: int,
    occupation: str,
    phone: str,
    passport_at: int = 20,
) -> dict[Field, str]:
    """Return the form of a made-up person whose numbers pass every check.

    ``passport_at`` is the age at which the passport was given.
    """
    last, first, patronymic = name.split()
    born = parse_date(born_on)
    issued_on = birthday(born, passport_at) + timedelta(days=30)
    body = f"{200_000_000 + serial * 7_919:09}"
    return {
        Field.LAST_NAME: last,
        Field.FIRST_NAME: first,
        Field.PATRONYMIC: patronymic,
        Field.BIRTH_DATE: born_on,
        Field.SEX: sex.value,
        Field.PASSPORT_SERIES: f"45{issued_on:%y}",
        Field.PASSPORT_NUMBER: f"{100_000 + serial}",
        Field.PASSPORT_ISSUED_ON: f"{issued_on:%d.%m.%Y}",
        Field.PASSPORT_UNIT: "770-045",
        Field.SNILS: body + snils_control(body),
        Field.POLICY_KIND: "unified",
        Field.POLICY_NUMBER: Enp.issue(77, born, sex, serial).digits,
        Field.PHONE: phone,
        Field.POSTAL_INDEX: "109012",
        Field.ADDRESS: "г. Москва, ул. Ильинка, д. 4, кв. 7",
        Field.OCCUPATION: occupation,
        Field.KIND: "pre_placement",
    }


def by_mother(form: Mapping[Field, str], name: str) -> dict[Field, str]:
    """Return the form of a student under age, as handed in by the mother."""
    last, first, patronymic = name.split()
    return dict(form) | {
        Field.APPLIED_BY: AppliedBy.REPRESENTATIVE,
        Field.REPRESENTATIVE_BASIS: Basis.PARENT,
        Field.REPRESENTATIVE_LAST: last,
        Field.REPRESENTATIVE_FIRST: first,
        Field.REPRESENTATIVE_PATRONYMIC: patronymic,
        Field.CATEGORY: HolderCategory.STUDENT,
    }


def begin_draft(holder: Actor, form: Mapping[Field, str], now: datetime) -> None:
    """Leave a form half filled in."""
    started = applying.draft(holder, now=now)
    applying.change_fields(holder, started.id, form, now=now)


def hand_in(holder: Actor, form: Mapping[Field, str], clinic_id: int, now: datetime) -> str:
    """Fill in the form, hand it in and let it be checked; return its number."""
    started = applying.draft(holder, now=now)
    applying.change_fields(holder, started.id, form, now=now)
    applying.choose_clinic(holder, started.id, clinic_id, now=now)
    number = started.number.slug
    answers = {field.value: text for field, text in form.items()}
    said = intake.read(answers, day_of(now))
    for kind in papers(answers).required:
        scans.accept(holder, number, kind, scan_of(kind, said), f"{kind}.jpg", now=now)
    applying.set_consent(holder, started.id, given=True, version=CURRENT.version, now=now)
    applying.submit(holder, started.id, now=now)
    checking.finish(started.id, now)
    return number


def scan_of(kind: ScanKind, said: Applicant) -> bytes:
    """Return the scan of a paper that says what the form says."""
    if kind is ScanKind.PASSPORT:
        assert said.passport is not None
        return jpeg(passport(said.name, said.sex, said.born_on, said.passport))
    lines = {"ФИО": str(said.name), "Дата рождения": f"{said.born_on:%d.%m.%Y}"}
    if kind is ScanKind.POLICY:
        lines |= {"Номер": str(said.policy)}
    return picture(kind, lines)


def open_examination(chair: Actor, number: str, now: datetime) -> int:
    """Receive the holder in the clinic; return the examination's identity."""
    examination_id = examining.open_case(chair, number, now=now)
    examining.confirm_identity(chair, examination_id, now=now)
    return examination_id


def enter_results(
    chair: Actor, examination_id: int, now: datetime, at_most: int | None = None
) -> None:
    """Enter results without deviations, ``at_most`` of them or all."""
    seen = examining.view(chair, examination_id, now=now)
    day = day_of(now)
    for study in seen.programme[:at_most]:
        text = good_entry(study, day)
        examining.enter_result(chair, examination_id, study.code, text, f"{day:%d.%m.%Y}", now=now)


def conclude(chair: Actor, examination_id: int, now: datetime) -> None:
    """Sign that the holder is fit."""
    signer = replace(chair, factor_at=now)
    seen = examining.view(signer, examination_id, now=now).version
    examining.conclude_and_sign(signer, examination_id, Fitness.FIT, seen=seen, now=now)


def approve_papers(operator: Actor, number: str, now: datetime) -> None:
    """Look through the papers and find them in order."""
    reviewing.take(operator, number, now=now)
    reviewing.approve(operator, number, now=now)


def make_book(
    holder: Actor,
    operator: Actor,
    chair: Actor,
    form: Mapping[Field, str],
    now: datetime,
) -> int:
    """Go the whole road to a book in the holder's hands; return its identity."""
    assert chair.clinic_id is not None
    number = hand_in(holder, form, chair.clinic_id, now)
    approve_papers(operator, number, now + timedelta(hours=3))
    examined_at = now + timedelta(hours=20)
    examination_id = open_examination(chair, number, examined_at)
    enter_results(chair, examination_id, examined_at)
    conclude(chair, examination_id, examined_at)
    formed = issuing.card(holder, now=examined_at)
    assert formed is not None
    issuing.receive(holder, formed.id, now=examined_at)
    return formed.id


def share(holder: Actor, book_id: int, label: str, days: int, now: datetime) -> None:
    """Make a link to the book."""
    sharing.make(holder, book_id, label=label, days=days, now=now)


def revoke(operator: Actor, book_id: int, now: datetime) -> None:
    """Take the book out of force for good."""
    acting = replace(operator, factor_at=now)
    issuing.revoke(acting, book_id, "Справка об осмотре оказалась подложной", now=now)


def open_rooms(chair: Actor, now: datetime) -> None:
    """Let the clinic receive on working days, unless it has said already when it does."""
    if scheduling.rooms(chair, now=now):
        return
    for name, hours in (("Кабинет 12", "08:00–15:00"), ("Врачебная комиссия", "10:00–17:00")):
        week = {f"day_{n}": hours if n < 5 else "" for n in range(7)}
        rules = {"breaks": "13:00–14:00", "slot_minutes": "30", "capacity": "2"}
        scheduling.add(chair, {"name": name, **week, **rules, "horizon_days": "30"}, now=now)


def book_visit(holder: Actor, number: str, now: datetime) -> None:
    """Book the first time of the clinic after today."""
    shown = booking.booking(holder, number, now=now)
    later = (each for each in shown.slots if each.starts_at.date() > day_of(now))
    booking.book(holder, number, next(later).starts_at, key="demo", now=now)


def employ(
    employer: Actor,
    staff: Mapping[str, tuple[Actor, Said]],
    invited: Mapping[str, Said],
    now: datetime,
) -> None:
    """Begin the employer's organisation, with staff by their newest links and with requests."""
    with reading() as db:
        if employers.acting(db, employer).organisation_id is not None:
            return
    employing.found(
        employer, "Кафе на Мира", "7707083893", "1027700132195", "hr@example.ru", now=now
    )
    with reading() as db:
        owner = employers.acting(db, employer)
    for holder, said in staff.values():
        link = sharing.links(holder, now=now)[0]
        employing.add_by_link(owner, link.url, said, now=now)
    for contact, said in invited.items():
        employing.invite(owner, contact, said, now=now)


def ask_support(
    person: Actor,
    subject: Subject,
    text: str,
    now: datetime,
    *,
    number: str = "",
    incident: str = "",
) -> str:
    """Ask support something."""
    typed = supporting.Typed(subject.value, text, number, incident)
    return supporting.begin(person, typed, b"", "", now=now)


def answer_support(support: Actor, ticket: str, text: str, now: datetime) -> None:
    """Answer a ticket."""
    answering.answer(support, ticket, text, "", now=now)


def has_asked(person: Actor) -> bool:
    """Whether the person has ever asked support."""
    return bool(supporting.mine(person))


def has_applied(holder: Actor) -> bool:
    """Whether the holder's story has been told already."""
    with reading() as db:
        return bool(applications.of_holder(db, holder.user_id))


def good_entry(study: ProgrammeItem, day: date) -> str:
    """Return what is typed for a result without deviation."""
    match study.form:
        case Numbers(parts=parts):
            if study.code in TYPED:
                return TYPED[study.code]
            steps = (Decimal(1).scaleb(-part.decimals) for part in parts)
            return "/".join(
                str((part.norm_low or part.rare_low or part.low).quantize(step))
                for part, step in zip(parts, steps, strict=True)
            )
        case Choices(options=options):
            return next(option.code for option in options if not option.deviation)
        case PassedOn():
            return f"{day:%d.%m.%Y}"
