"""A physician reads a record by a code: refusals first, then who sees what, and the end of it."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.crypto import tokens
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.applications import Application
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.disclosures import RecordGrant
from emk_app.db.tables.examinations import Attachment, Examination
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.attachments import AttachmentKind
from emk_app.domain.clinics import LicenceStatus
from emk_app.domain.consent import ConsentNeeded
from emk_app.domain.disclosures import (
    CODE_LIFE,
    GRANTS_AT_ONCE,
    AccessOver,
    ClinicNotServing,
    CodeRefused,
    CodeUnreadable,
    GrantState,
    RecordPart,
    RecordScope,
    TooManyGrants,
)
from emk_app.domain.documents import MediaType
from emk_app.domain.errors import (
    FreshFactorNeeded,
    NotAChoice,
    NotFound,
    NotPermitted,
    TooManyAttempts,
)
from emk_app.services import attaching, consenting, scans, showing
from tests.factories import make_book, make_clinic, make_holder, make_physician
from tests.files import good

pytestmark = pytest.mark.usefixtures("world")

MINUTE = timedelta(minutes=1)
WRONG = "0000 0000"


def holder_with_book(now: datetime) -> Actor:
    holder = replace(make_holder(now), session_id=1, factor_at=now)
    make_book(holder, now)
    return holder


def doctor(now: datetime, clinic_id: int = 0, position: Position = Position.PHYSICIAN) -> Actor:
    made = make_physician(clinic_id or make_clinic(), now, position)
    return replace(made, session_id=2, factor_at=now)


def offered(holder: Actor, now: datetime, scope: RecordScope = RecordScope.WHOLE) -> str:
    return showing.make(holder, scope, 15, now=now).code


def opened(holder: Actor, physician: Actor, now: datetime) -> int:
    claimed = showing.claim(physician, offered(holder, now), now=now)
    return showing.open_record(physician, claimed.grant_id, now=now).grant_id


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.HOLDER])
def test_only_a_holder_lets_others_read(role: Role, now: datetime):
    actor = Actor(1, role, factor_at=now)
    for act in (
        lambda: showing.make(actor, RecordScope.WHOLE, 15, now=now),
        lambda: showing.shown(actor, now=now),
        lambda: showing.end(actor, 1, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CLINIC])
def test_only_a_clinic_reads(role: Role, now: datetime):
    actor = Actor(1, role, clinic_id=1, position=Position.PHYSICIAN, factor_at=now)
    for act in (
        lambda: showing.claim(actor, WRONG, now=now),
        lambda: showing.open_record(actor, 1, now=now),
        lambda: showing.records(actor, now=now),
        lambda: showing.read(actor, 1, RecordPart.STUDIES, now=now),
        lambda: showing.paper(actor, 1, "x", page=1, now=now),
        lambda: showing.put_away(actor, 1, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_registrar_reads_nothing(now: datetime):
    registrar = doctor(now, position=Position.REGISTRAR)
    with pytest.raises(NotPermitted):
        showing.claim(registrar, offered(holder_with_book(now), now), now=now)


def test_both_sides_need_a_fresh_factor(now: datetime):
    holder = holder_with_book(now)
    with pytest.raises(FreshFactorNeeded):
        showing.make(holder, RecordScope.WHOLE, 15, now=now + 6 * MINUTE)
    code = offered(holder, now)
    stale = replace(doctor(now), factor_at=now - 6 * MINUTE)
    with pytest.raises(FreshFactorNeeded):
        showing.claim(stale, code, now=now)


def test_nothing_but_what_is_offered_is_chosen(now: datetime):
    with pytest.raises(NotAChoice):
        showing.make(holder_with_book(now), RecordScope.WHOLE, 16, now=now)


def test_without_a_book_there_is_nothing_to_read(now: datetime):
    with pytest.raises(NotFound):
        showing.make(replace(make_holder(now), factor_at=now), RecordScope.WHOLE, 15, now=now)


@pytest.mark.parametrize("text", ["", "1234", "123456789", "٣٣٣٣٣٣٣٣", "1234567а", "x" * 5000])
def test_what_is_no_code_is_not_counted(text: str, now: datetime):
    physician = doctor(now)
    for _ in range(7):
        with pytest.raises(CodeUnreadable):
            showing.claim(physician, text, now=now)


def test_code_wrong_spent_or_old_is_refused_in_the_same_way(now: datetime):
    holder, first, second = holder_with_book(now), doctor(now), doctor(now)
    code = offered(holder, now)
    with pytest.raises(CodeRefused):
        showing.claim(first, str((int(code) + 1) % 10**8).zfill(8), now=now)
    showing.claim(first, f"{code[:4]} {code[4:]}", now=now)
    with pytest.raises(CodeRefused):
        showing.claim(second, code, now=now)
    late = now + CODE_LIFE
    fresh = replace(holder, factor_at=late)
    code = offered(fresh, late)
    with pytest.raises(CodeRefused):
        showing.claim(replace(second, factor_at=late + CODE_LIFE), code, now=late + CODE_LIFE)
    with reading() as db:
        refusals = db.exec(
            select(AuditEntry.actor_id)
            .where(AuditEntry.action == "refuse_record_code")
            .order_by(col(AuditEntry.id))
        ).all()
    assert list(refusals) == [first.user_id, second.user_id, second.user_id]


def test_scanned_address_is_a_code_too(now: datetime):
    holder = holder_with_book(now)
    text = f"http://localhost:8000/clinic/records?code={offered(holder, now)}"
    assert showing.claim(doctor(now), text, now=now).name


def test_code_stands_nowhere_in_clear(now: datetime):
    code = offered(holder_with_book(now), now)
    with reading() as db:
        digest = db.exec(select(RecordGrant.code_digest)).one()
    assert digest not in (None, code, tokens.digest(code, "record-code"))


def test_newer_code_takes_the_place_of_the_older(now: datetime):
    holder, physician = holder_with_book(now), doctor(now)
    older, newer = offered(holder, now), offered(holder, now)
    with pytest.raises(CodeRefused):
        showing.claim(physician, older, now=now)
    assert showing.claim(physician, newer, now=now).state is GrantState.CLAIMED


def test_guessing_is_hopeless_for_one_for_a_clinic_and_for_all(now: datetime):
    physician = doctor(now)
    for _ in range(5):
        with pytest.raises(CodeRefused):
            showing.claim(physician, WRONG, now=now)
    code = offered(holder_with_book(now), now)
    with pytest.raises(TooManyAttempts):
        showing.claim(physician, code, now=now)
    colleagues = [doctor(now, physician.clinic_id or 0) for _ in range(4)]
    for colleague in colleagues[:3]:
        for _ in range(5):
            with pytest.raises(CodeRefused):
                showing.claim(colleague, WRONG, now=now)
    with pytest.raises(TooManyAttempts):
        showing.claim(colleagues[3], code, now=now)
    assert showing.claim(doctor(now), code, now=now).name


def test_of_two_who_enter_it_at_once_one_gets_it(now: datetime):
    code = offered(holder_with_book(now), now)
    physicians = [doctor(now), doctor(now)]

    def tried(physician: Actor) -> bool:
        try:
            showing.claim(physician, code, now=now)
        except CodeRefused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(tried, physicians)) == [False, True]


def test_clinic_without_a_licence_reads_nothing_from_then_on(now: datetime):
    holder, physician = holder_with_book(now), doctor(now)
    grant_id = opened(holder, physician, now)
    with unit_of_work() as db:
        clinic = db.get_one(Clinic, physician.clinic_id)
        clinic.licence_status = LicenceStatus.SUSPENDED
        db.add(clinic)
    with pytest.raises(ClinicNotServing):
        showing.read(physician, grant_id, RecordPart.STUDIES, now=now)
    with pytest.raises(ClinicNotServing):
        showing.claim(physician, offered(holder, now), now=now)


def test_record_is_named_before_it_is_opened_and_read_only_after(now: datetime):
    holder, physician = holder_with_book(now), doctor(now)
    claimed = showing.claim(physician, offered(holder, now), now=now)
    assert (claimed.name, claimed.birth_year) == ("Иванова Мария Сергеевна", 1990)
    with pytest.raises(AccessOver):
        showing.read(physician, claimed.grant_id, RecordPart.CONCLUSION, now=now)
    showing.open_record(physician, claimed.grant_id, now=now)
    for part in showing.PARTS:
        found = showing.read(physician, claimed.grant_id, part, now=now)
        assert found.card.content is not None
    (seen,) = showing.shown(holder, now=now)
    assert (seen.state, seen.physician) == (GrantState.OPEN, "Петров Пётр Петрович")
    assert seen.clinic.startswith("Поликлиника")
    assert [each.part for each in seen.readings] == list(showing.PARTS)
    with reading() as db:
        noted = db.exec(
            select(AuditEntry.fields)
            .where(AuditEntry.action == "read_record", AuditEntry.subject_id == holder.user_id)
            .order_by(col(AuditEntry.id))
        ).all()
    assert noted == [part.value for part in showing.PARTS]


def test_another_physician_and_another_clinic_do_not_share_a_grant(now: datetime):
    holder, physician = holder_with_book(now), doctor(now)
    grant_id = opened(holder, physician, now)
    colleague = doctor(now, physician.clinic_id or 0)
    moved = replace(physician, clinic_id=make_clinic())
    for stranger in (colleague, moved):
        for wanted in (grant_id, 10**9):
            with pytest.raises(NotFound):
                showing.read(stranger, wanted, RecordPart.STUDIES, now=now)
            with pytest.raises(NotFound):
                showing.put_away(stranger, wanted, now=now)
        assert showing.records(stranger, now=now) == ()
    with pytest.raises(NotFound):
        showing.end(make_holder(now), grant_id, now=now)


def test_time_is_over_at_the_reading_itself(now: datetime):
    holder, physician = holder_with_book(now), doctor(now)
    grant_id = opened(holder, physician, now)
    last = now + 15 * MINUTE - timedelta(seconds=1)
    assert showing.read(physician, grant_id, RecordPart.STUDIES, now=last)
    with pytest.raises(AccessOver) as over:
        showing.read(physician, grant_id, RecordPart.STUDIES, now=now + 15 * MINUTE)
    assert over.value.state is GrantState.EXPIRED
    assert showing.records(physician, now=now + 15 * MINUTE) == ()
    assert showing.shown(holder, now=now + 15 * MINUTE)[0].state is GrantState.EXPIRED


def test_code_entered_and_not_confirmed_in_time_is_void(now: datetime):
    physician = doctor(now)
    claimed = showing.claim(physician, offered(holder_with_book(now), now), now=now)
    with pytest.raises(AccessOver) as over:
        showing.open_record(physician, claimed.grant_id, now=now + CODE_LIFE)
    assert over.value.state is GrantState.LAPSED


def test_holder_ends_it_at_once(now: datetime):
    holder, physician = holder_with_book(now), doctor(now)
    grant_id = opened(holder, physician, now)
    showing.end(holder, grant_id, now=now)
    showing.end(holder, grant_id, now=now)
    with pytest.raises(AccessOver) as over:
        showing.read(physician, grant_id, RecordPart.STUDIES, now=now)
    assert over.value.state is GrantState.ENDED
    assert showing.shown(holder, now=now)[0].ended_by is Role.HOLDER


def test_physician_puts_it_away(now: datetime):
    holder, physician = holder_with_book(now), doctor(now)
    claimed = showing.claim(physician, offered(holder, now), now=now)
    showing.put_away(physician, claimed.grant_id, now=now)
    with pytest.raises(AccessOver):
        showing.open_record(physician, claimed.grant_id, now=now)
    assert showing.shown(holder, now=now)[0].ended_by is Role.CLINIC


def test_without_papers_no_list_of_them_is_read(now: datetime):
    holder, physician = holder_with_book(now), doctor(now)
    code = offered(holder, now, RecordScope.WITHOUT_PAPERS)
    claimed = showing.claim(physician, code, now=now)
    showing.open_record(physician, claimed.grant_id, now=now)
    with pytest.raises(NotFound):
        showing.read(physician, claimed.grant_id, RecordPart.PAPERS, now=now)
    assert showing.read(physician, claimed.grant_id, RecordPart.STUDIES, now=now)


def test_records_opened_at_once_have_a_limit(now: datetime):
    holder = holder_with_book(now)
    for _ in range(GRANTS_AT_ONCE):
        opened(holder, doctor(now), now)
    with pytest.raises(TooManyGrants):
        offered(holder, now)


def test_with_the_consent_all_reading_ends(now: datetime):
    holder, physician = holder_with_book(now), doctor(now)
    grant_id = opened(holder, physician, now)
    assert consenting.view(holder, now=now).consequences.records == 1
    consenting.withdraw(holder, now=now)
    with pytest.raises(AccessOver):
        showing.read(physician, grant_id, RecordPart.STUDIES, now=now)
    with pytest.raises(ConsentNeeded):
        offered(holder, now)


def add_paper(holder: Actor, now: datetime) -> str:
    """Put a paper of one page to the holder's examination; return its public name."""
    ref, content = secrets.token_hex(16), good.jpeg()
    with unit_of_work() as db:
        examination = db.exec(
            select(Examination)
            .join(Application, col(Application.id) == Examination.application_id)
            .where(Application.holder_id == holder.user_id)
        ).one()
        own = vault.vault_for(db, holder.user_id)
        db.add(
            Attachment(
                ref=ref,
                examination_id=examination.id,
                kind=AttachmentKind.LAB_REPORT,
                media_type=MediaType.JPEG,
                size=len(content),
                pages=1,
                sha256="0" * 64,
                blob=scans.blobs().put(content, own.key),
                preview_blob=scans.blobs().put(content, own.key),
                name_sealed=own.seal("анализ.jpg", *attaching.NAME, ref),
                clinic_id=examination.clinic_id,
                added_by=holder.user_id,
                added_at=now,
            )
        )
    return ref


def test_papers_are_shown_by_an_open_grant_alone(now: datetime):
    holder, other, physician = holder_with_book(now), holder_with_book(now), doctor(now)
    ref, foreign = add_paper(holder, now), add_paper(other, now)
    grant_id = opened(holder, physician, now)
    listed = showing.read(physician, grant_id, RecordPart.PAPERS, now=now).papers
    assert [each.ref for each in listed] == [ref]
    for _ in range(2):
        assert showing.paper(physician, grant_id, ref, page=1, now=now).startswith(b"\xff\xd8")
    for wanted, page in ((foreign, 1), ("x", 1), (ref, 0), (ref, 2)):
        with pytest.raises(NotFound):
            showing.paper(physician, grant_id, wanted, page=page, now=now)
    with pytest.raises(NotFound):
        showing.paper(doctor(now), grant_id, ref, page=1, now=now)
    (seen,) = showing.shown(holder, now=now)
    assert [(each.part, each.paper) for each in seen.readings] == [
        (RecordPart.PAPERS, None),
        (RecordPart.PAPER, AttachmentKind.LAB_REPORT),
    ]
    showing.end(holder, grant_id, now=now)
    with pytest.raises(AccessOver):
        showing.paper(physician, grant_id, ref, page=1, now=now)


def test_papers_outside_the_scope_do_not_exist(now: datetime):
    holder, physician = holder_with_book(now), doctor(now)
    ref = add_paper(holder, now)
    code = offered(holder, now, RecordScope.WITHOUT_PAPERS)
    claimed = showing.claim(physician, code, now=now)
    showing.open_record(physician, claimed.grant_id, now=now)
    with pytest.raises(NotFound):
        showing.paper(physician, claimed.grant_id, ref, page=1, now=now)
