"""People and papers for tests; plain functions with good defaults."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app import clock
from emk_app.db import vault
from emk_app.db.engine import engine, reading, unit_of_work
from emk_app.db.repositories import applications, clinics, employers, examinations
from emk_app.db.tables.applications import Application, Scan
from emk_app.db.tables.books import BookVersion
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.people import User
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.applications import ApplicationStatus, ExaminationTrack, PapersTrack
from emk_app.domain.books import BookStatus
from emk_app.domain.clearance import SOON_DAYS, Conclusion, Fitness
from emk_app.domain.clinics import ClinicKind, LicenceStatus
from emk_app.domain.consent import CURRENT
from emk_app.domain.corrections import Asked, write
from emk_app.domain.documents import MediaType, ScanKind
from emk_app.domain.examinations import (
    Choices,
    ExaminationKind,
    Numbers,
    PassedOn,
    ProgrammeItem,
    TestResult,
)
from emk_app.domain.intake import Field
from emk_app.domain.numbers import inn10_check_digit, ogrn_check_digit
from emk_app.domain.people import Sex
from emk_app.domain.policies import Enp
from emk_app.domain.register import COLUMNS, Entry, Said
from emk_app.domain.specialties import SPECIALTIES
from emk_app.services import accounts, applying, cases, checking, employing, issuing, scans
from emk_app.services.applying import DraftView
from tests.files import good

PASSWORD = "лесная тропа 42"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
_serials = itertools.count(1)

FORM = {
    Field.LAST_NAME: "Иванова",
    Field.FIRST_NAME: "Мария",
    Field.PATRONYMIC: "Сергеевна",
    Field.BIRTH_DATE: "27.03.1990",
    Field.SEX: "female",
    Field.IDENTITY_KIND: "passport",
    Field.PASSPORT_SERIES: "4510",
    Field.PASSPORT_NUMBER: "406933",
    Field.PASSPORT_ISSUED_ON: "20.04.2010",
    Field.PASSPORT_UNIT: "770-045",
    Field.SNILS: "112-233-445 95",
    Field.POLICY_KIND: "unified",
    Field.POLICY_NUMBER: Enp.issue(77, date(1990, 3, 27), Sex.FEMALE, 12345).digits,
    Field.PHONE: "+7 912 345-67-89",
    Field.POSTAL_INDEX: "109012",
    Field.ADDRESS: "г. Москва, ул. Ильинка, д. 4, кв. 7",
    Field.OCCUPATION: "cook",
    Field.KIND: "pre_placement",
}
"""A form without a mistake."""


def make_holder(now: datetime, login: str = "") -> Actor:
    """Return a new holder."""
    login = login or f"holder{next(_serials)}@example.ru"
    user_id = accounts.create_user(Role.HOLDER, login, PASSWORD, totp_secret=SECRET, now=now)
    return Actor(user_id, Role.HOLDER)


def make_operator(now: datetime, name: str = "Орлова Анна Петровна") -> Actor:
    """Return a new operator."""
    login = f"operator{next(_serials)}@example.ru"
    user_id = accounts.create_user(
        Role.OPERATOR, login, PASSWORD, totp_secret=SECRET, name=name, now=now
    )
    return Actor(user_id, Role.OPERATOR)


def make_support(now: datetime, name: str = "Синицына Дарья Олеговна") -> Actor:
    """Return somebody of support who has just given the second factor."""
    login = f"support{next(_serials)}@example.ru"
    user_id = accounts.create_user(
        Role.SUPPORT, login, PASSWORD, totp_secret=SECRET, name=name, now=now
    )
    return Actor(user_id, Role.SUPPORT, session_id=1, factor_at=now)


def make_admin(now: datetime, name: str = "Кедров Лев Львович") -> Actor:
    """Return a new administrator."""
    login = f"admin{next(_serials)}@example.ru"
    user_id = accounts.create_user(
        Role.ADMIN, login, PASSWORD, totp_secret=SECRET, name=name, now=now
    )
    return Actor(user_id, Role.ADMIN)


def make_officer(now: datetime) -> Actor:
    """Return a new operator who has just given the second factor."""
    return replace(make_operator(now), session_id=1, factor_at=now)


def make_physician(
    clinic_id: int,
    now: datetime,
    position: Position = Position.PHYSICIAN,
    name: str = "Петров Пётр Петрович",
    own_specialties: Collection[str] = tuple(SPECIALTIES),
) -> Actor:
    """Return a new member of the clinic's staff; a physician of every specialty, unless told."""
    login = f"staff{next(_serials)}@example.ru"
    user_id = accounts.create_user(
        Role.CLINIC,
        login,
        PASSWORD,
        totp_secret=SECRET,
        name=name,
        clinic_id=clinic_id,
        position=position,
        own_specialties=own_specialties if position is Position.PHYSICIAN else (),
        now=now,
    )
    return Actor(user_id, Role.CLINIC, clinic_id=clinic_id, position=position)


def make_employers_user(now: datetime) -> Actor:
    """Return a person with an employer's account and no organisation."""
    login = f"employer{next(_serials)}@example.ru"
    user_id = accounts.create_user(
        Role.EMPLOYER, login, PASSWORD, totp_secret=SECRET, name="Кафе", now=now
    )
    return Actor(user_id, Role.EMPLOYER)


def made_organisation_numbers() -> tuple[str, str]:
    """Return ИНН and ОГРН that no other organisation has."""
    serial = next(_serials)
    inn, ogrn = f"7707{serial:05}", f"1027700{serial:05}"
    return inn + inn10_check_digit(inn), ogrn + ogrn_check_digit(ogrn)


def make_employer(now: datetime) -> Actor:
    """Return the owner of a new organisation."""
    user = make_employers_user(now)
    numbers = made_organisation_numbers()
    employing.found(user, "Кафе на Мира", *numbers, "hr@example.ru", now=now)
    return acting_employer(user)


def acting_employer(user: Actor) -> Actor:
    """Return the person with the organisation they act for, as a session would know them."""
    with reading() as db:
        return employers.acting(db, user)


def make_clinic(
    *,
    licence: LicenceStatus = LicenceStatus.ACTIVE,
    is_connected: bool = True,
    points: str = "23,24,25,26,27",
) -> int:
    """Return the identity of a new clinic."""
    serial = next(_serials)
    entry = Entry(
        oid=f"1.2.643.5.1.13.13.12.2.77.{serial}",
        name=f"ГБУЗ «Городская поликлиника № {serial}»",
        short_name=f"Поликлиника № {serial}",
        kind=ClinicKind.POLYCLINIC,
        region_code="77",
        inn="7707083893",
        ogrn="1027700132195",
        okpo="00032537",
        address="г. Москва, ул. Ильинка, д. 1",
        phone="+7 495 000-00-00",
        hours="пн–пт 8:00–20:00",
        licence_number=f"Л041-{serial:05}",
        licence_status=licence,
        licensed_on=date(2020, 1, 1),
        is_connected=is_connected,
        points=points,
    )
    with unit_of_work() as db:
        clinics.put(db, [Said(entry, frozenset(COLUMNS))], now=clock.now())
        clinics.settle(db)
        return db.exec(select(Clinic.id).where(Clinic.oid == entry.oid)).one()


def make_draft(
    holder: Actor, now: datetime, *, clinic_id: int | None = None, with_scans: bool = True
) -> DraftView:
    """Return a complete draft, ready to be handed in."""
    draft = applying.draft(holder, now=now)
    applying.change_fields(holder, draft.id, FORM, now=now)
    applying.choose_clinic(holder, draft.id, clinic_id or make_clinic(), now=now)
    if with_scans:
        for kind in (ScanKind.PASSPORT, ScanKind.POLICY):
            put_scan(holder, draft.id, kind, now)
    applying.set_consent(holder, draft.id, given=True, version=CURRENT.version, now=now)
    found = applying.standing_draft(holder, now=now)
    assert found is not None
    return found


def put_scan(holder: Actor, application_id: int, kind: ScanKind, now: datetime) -> str:
    """Keep a scan as if it had been inspected; return its public name."""
    content, ref = good.jpeg(), secrets.token_hex(16)
    with unit_of_work() as db:
        own = vault.vault_for(db, holder.user_id)
        blob = scans.blobs().put(content, own.key)
        db.add(
            Scan(
                ref=ref,
                application_id=application_id,
                kind=kind,
                media_type=MediaType.JPEG,
                size=len(content),
                pages=1,
                is_colour=True,
                is_legible=True,
                blob=blob,
                preview_blob=scans.blobs().put(content, own.key),
                name_sealed=own.seal(f"{kind}.jpg", "scans", "name", ref),
                uploaded_at=now,
            )
        )
    return ref


def make_submitted(holder: Actor, now: datetime, *, clinic_id: int | None = None) -> DraftView:
    """Return an application that has just been handed in, as its draft was."""
    draft = make_draft(holder, now, clinic_id=clinic_id)
    applying.submit(holder, draft.id, now=now)
    return draft


def make_received(holder: Actor, now: datetime, *, clinic_id: int | None = None) -> DraftView:
    """Return an application that was handed in and has passed the automatic checks."""
    draft = make_submitted(holder, now, clinic_id=clinic_id)
    checking.finish(draft.id, now)
    patience = time.monotonic() + 20
    while _is_being_checked(draft.id):
        # A server beside us has begun the checks anew between two of ours.
        assert time.monotonic() < patience, "the checks have come to no end"
        time.sleep(0.02)
        checking.finish(draft.id, now)
    return draft


def _is_being_checked(application_id: int) -> bool:
    with reading() as db:
        return applications.get(db, application_id).status is ApplicationStatus.SUBMITTED


def put(application_id: int, **values: object) -> None:
    """Set columns of an application as they would be further down its road."""
    with unit_of_work() as db:
        db.execute(
            sa.update(Application).where(col(Application.id) == application_id).values(**values)
        )


def ask(application_id: int, asked: Asked, note: str, now: datetime) -> None:
    """Ask the holder to correct something, as an operator does."""
    with unit_of_work() as db:
        _ask(db, application_id, asked, note, now)


def _ask(db: Session, application_id: int, asked: Asked, note: str, now: datetime) -> None:
    application = applications.locked(db, application_id)
    applications.move(
        db,
        application,
        now=now,
        status=ApplicationStatus.CLARIFICATION_REQUESTED,
        papers=PapersTrack.RETURNED,
        clarify_fields=write(asked),
        note_sealed=applications.seal_note(db, application, note),
    )
    applications.write_history(
        db,
        application,
        ApplicationStatus.CLARIFICATION_REQUESTED.value,
        by=Role.OPERATOR,
        user_id=None,
        now=now,
        note=note,
    )


def good_results(studies: Iterable[ProgrammeItem], on: date) -> list[TestResult]:
    """Return a result without deviation for every study, all made on one day."""
    return [_good_result(study, on) for study in studies]


def _good_result(study: ProgrammeItem, on: date) -> TestResult:
    match study.form:
        case Numbers(parts=parts):
            middle = [
                str((part.norm_low or part.rare_low or part.low).quantize(_STEPS[part.decimals]))
                for part in parts
            ]
            value = "120/80" if study.code == "bp" else "/".join(middle)
        case Choices(options=options):
            value = next(option.code for option in options if not option.deviation)
        case PassedOn():
            value = on.isoformat()
    return TestResult(study.code, value, deviation=False, performed_on=on)


_STEPS = {decimals: Decimal(1).scaleb(-decimals) for decimals in range(4)}


def make_green(
    holder: Actor,
    now: datetime,
    *,
    clinic_id: int | None = None,
    examined_on: date | None = None,
    fitness: Fitness = Fitness.FIT,
    **form: str,
) -> int:
    """Return an application whose papers are approved and whose examination is signed.

    The book is not formed yet. ``form`` overrides fields by the names of their controls.
    """
    clinic_id = clinic_id or make_clinic()
    application_id = make_submitted(holder, now, clinic_id=clinic_id).id
    chair = make_physician(clinic_id, now, Position.CHAIR)
    with unit_of_work() as db:
        application = applications.locked(db, application_id)
        own = vault.vault_for(db, holder.user_id)
        chair_user = db.get(User, chair.user_id)
        assert chair_user is not None
        chair_user.name_sealed = vault.vault_of(chair_user).seal(
            "Седов Виктор Ильич", "users", "name", chair_user.uid
        )
        fields = applications.form_of(db, application) | form
        applications.move(
            db,
            application,
            now=now,
            status=ApplicationStatus.UNDER_REVIEW,
            papers=PapersTrack.APPROVED,
            examination=ExaminationTrack.CONCLUDED,
            form_sealed=applications.seal_form(db, application, fields),
            occupation=fields[Field.OCCUPATION],
            kind=ExaminationKind(fields[Field.KIND]),
        )
        made = examinations.begin(db, application, clinic_id, by=chair.user_id, now=now)
        studies = cases.studies_of(db, application, made, now=now)
        for result in good_results(studies, examined_on or clock.day_of(now)):
            examinations.add_entry(db, made, result, own, by=chair.user_id, now=now)
        conclusion = Conclusion(fitness, "без ночных смен" if fitness is not Fitness.FIT else "")
        examinations.sign(db, made, conclusion, own, by=chair.user_id, now=now)
    return application_id


def make_book(holder: Actor, now: datetime, *, received: bool = True, **given: Any) -> int:
    """Return a book formed by the service itself; ``given`` goes to ``make_green``."""
    application_id = make_green(holder, now, **given)
    with unit_of_work() as db:
        book = issuing.form_if_green(db, applications.locked(db, application_id), now=now)
        assert book is not None
    if received and book.status is BookStatus.FORMED:
        issuing.receive(holder, book.id, now=now)
    return book.id


def make_ending_book(holder: Actor, now: datetime, days_left: int) -> int:
    """Return a book with green studies whose term ends in so many days, below or above zero.

    It was issued five years ago and examined again outside its last month, so the term stood.
    """
    ends = now + timedelta(days=days_left)
    book_id = make_book(holder, ends.replace(year=ends.year - 5))
    make_book(holder, min(now, ends - timedelta(days=SOON_DAYS + 1)))
    return book_id


def spoil_versions(book_id: int | None = None, **values: object) -> None:
    """Overwrite stored versions, as nobody can but who gets past the database's own refusal."""
    change = sa.update(BookVersion).values(**values)
    if book_id is not None:
        change = change.where(col(BookVersion.book_id) == book_id)
    with unit_of_work() as db, unguarded(db, "book_versions"):
        db.execute(change)


@contextmanager
def unguarded(db: Session, table: str) -> Iterator[None]:
    """Let the database change what it only adds to, as whoever owns it could."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield
        db.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return
    kept = db.execute(
        sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"),
        {"table": table},
    ).all()
    for name, _ in kept:
        db.execute(sa.text(f"DROP TRIGGER {name}"))
    yield
    for _, made in kept:
        db.execute(sa.text(made))


def emptying(statement: str) -> str:
    """Return a statement of PostgreSQL as SQLite says it, which has no TRUNCATE."""
    if engine().dialect.name == "postgresql":
        return statement
    return statement.replace("TRUNCATE", "DELETE FROM").removesuffix(" CASCADE")
