"""A shelf of signed books with a link each, made without the road that leads to them."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import Final

from emk_app import clock
from emk_app.crypto import canonical, signing, tokens
from emk_app.db import migrations, vault
from emk_app.db.engine import unit_of_work
from emk_app.db.repositories import books
from emk_app.db.tables.books import BookVersion, MedicalBook, ShareLink
from emk_app.db.tables.people import User
from emk_app.domain.actors import Role
from emk_app.domain.books import (
    BookContent,
    BookNumber,
    BookStatus,
    book_lines,
    document,
    valid_until,
)
from emk_app.domain.clearance import Conclusion, Fitness
from emk_app.domain.examinations import (
    Choices,
    ExaminationKind,
    Numbers,
    PassedOn,
    ProgrammeItem,
    TestResult,
    programme,
)
from emk_app.domain.occupations import OCCUPATIONS
from emk_app.domain.people import FullName, Sex, age_on
from emk_app.domain.sharing import ShareScope
from emk_app.keys import keystore
from emk_app.settings import settings

BORN_ON: Final = date(1990, 3, 27)
NAMES: Final = ("Иванова", "Соколова", "Белова", "Орлова", "Зимина", "Громова", "Лужина")


def fill(count: int) -> list[str]:
    """Make ``count`` books of as many holders; return the codes of their links."""
    settings().data.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrations.upgrade()
    now = clock.now()
    with unit_of_work() as db:
        codes: list[str] = []
        for serial in range(1, count + 1):
            uid = secrets.token_hex(16)
            own, wrapped = vault.new_key(uid)
            holder = User(
                uid=uid, role=Role.HOLDER, key_sealed=wrapped, password_hash="", created_at=now
            )
            db.add(holder)
            db.flush()
            said = content(serial, now)
            raw = canonical.canonical(document(said))
            book = MedicalBook(
                holder_id=holder.id,
                number=said.number.digits,
                status=BookStatus.ACTIVE,
                current_version=1,
                issued_on=said.issued_on,
                valid_until=said.valid_until,
                received_at=now,
            )
            db.add(book)
            db.flush()
            db.add(
                BookVersion(
                    book_id=book.id,
                    version=1,
                    canonical_sealed=books.seal_canonical(own, book.id, 1, raw),
                    version_hash=canonical.sha256(raw).hex(),
                    signature=signing.sign_document(keystore().book_signer, raw).pack(),
                    signed_at=now,
                    occupations=said.occupation.point,
                    items_valid_until=said.valid_until,
                )
            )
            code = tokens.new_share()
            digest = tokens.share_digest(code)
            db.add(
                ShareLink(
                    book_id=book.id,
                    version=1,
                    digest=digest,
                    code_sealed=own.seal(code, *books.CODE, digest),
                    scope=ShareScope.WITH_OCCUPATION,
                    label="",
                    created_at=now,
                    expires_at=now + timedelta(days=90),
                )
            )
            codes.append(code)
    return codes


def content(serial: int, now: datetime) -> BookContent:
    today = clock.day_of(now)
    work = OCCUPATIONS["cook"]
    kind = ExaminationKind.PRE_PLACEMENT
    studies = programme(work.point, age_on(BORN_ON, today), Sex.FEMALE, kind, today)
    return BookContent(
        number=BookNumber(77, 1, serial, today.year % 100),
        version=1,
        previous_hash="",
        salt=secrets.token_hex(16),
        holder=FullName(NAMES[serial % len(NAMES)], "Мария", "Львовна"),
        born_on=BORN_ON,
        snils="11223344595",
        occupation=work,
        work=work.work_point.name,
        examination=kind,
        lines=book_lines(studies, [_result(study, today) for study in studies]),
        conclusion=Conclusion(Fitness.FIT),
        concluded_on=today,
        clinic_name="ГБУЗ «Городская поликлиника № 1», Москва",
        clinic_oid="1.2.643.5.1.13.13.12.2.77.1",
        clinic_okpo="00032537",
        chair_name="Седов Виктор Ильич",
        issued_on=today,
        valid_until=valid_until(today, BORN_ON),
    )


def _result(study: ProgrammeItem, on: date) -> TestResult:
    match study.form:
        case Numbers(parts=parts):
            value = "/".join(str(part.norm_low or part.low) for part in parts)
        case Choices(options=options):
            value = options[0].code
        case PassedOn():
            value = on.isoformat()
    return TestResult(study.code, value, deviation=False, performed_on=on)
