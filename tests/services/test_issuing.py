"""The book from the second green track to its revocation, refusals first."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from emk_app import clock
from emk_app.crypto import canonical, signing
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, books
from emk_app.db.tables.applications import Application, StatusChange
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.db.tables.journal import AuditEntry, OutboxMessage
from emk_app.domain.actors import Actor, Role
from emk_app.domain.applications import ApplicationStatus, PapersTrack
from emk_app.domain.books import BookStatus, Standing, Verdict, document, read
from emk_app.domain.clearance import Fitness, Light
from emk_app.domain.errors import (
    FreshFactorNeeded,
    NotFound,
    NotPermitted,
    Required,
    TooLong,
    TransitionNotAllowed,
)
from emk_app.domain.intake import Field
from emk_app.keys import keystore
from emk_app.presenting.notices import message
from emk_app.services import delivering, issuing
from tests import factories
from tests.factories import make_clinic, make_officer, make_operator, put, spoil_versions
from tests.scenes import kept

make_holder = kept(factories.make_holder)
make_book = kept(factories.make_book)
make_green = kept(factories.make_green)

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)


def form(application_id: int, now: datetime) -> int | None:
    with unit_of_work() as db:
        book = issuing.form_if_green(db, applications.locked(db, application_id), now=now)
        return book.id if book else None


def stored(book_id: int) -> MedicalBook:
    with reading() as db:
        return books.get(db, book_id)


def versions(book_id: int) -> list[BookVersion]:
    with reading() as db:
        return list(
            db.exec(
                select(BookVersion)
                .where(BookVersion.book_id == book_id)
                .order_by(col(BookVersion.version))
            ).all()
        )


def opened(version: BookVersion, holder: Actor) -> bytes:
    with reading() as db:
        own = vault.vault_for(db, holder.user_id)
    return books.open_canonical(own, version.book_id, version.version, version.canonical_sealed)


def notices() -> list[str]:
    with reading() as db:
        return [
            message(delivering.notice_of(row), row.channel).text
            for row in db.exec(select(OutboxMessage).order_by(col(OutboxMessage.id)))
        ]


@pytest.mark.parametrize(
    "papers", [each for each in PapersTrack if each is not PapersTrack.APPROVED]
)
def test_no_book_before_the_papers_are_approved(papers: PapersTrack, now: datetime):
    application_id = make_green(make_holder(now), now)
    put(application_id, papers=papers)
    assert form(application_id, now) is None


@pytest.mark.parametrize("fitness", [Fitness.TEMPORARILY_UNFIT, Fitness.UNFIT])
def test_no_book_for_who_is_not_fit(fitness: Fitness, now: datetime):
    assert form(make_green(make_holder(now), now, fitness=fitness), now) is None


@pytest.mark.parametrize(
    "status",
    [
        ApplicationStatus.CLARIFICATION_REQUESTED,
        ApplicationStatus.REJECTED,
        ApplicationStatus.WITHDRAWN,
    ],
)
def test_no_book_off_the_road(status: ApplicationStatus, now: datetime):
    application_id = make_green(make_holder(now), now)
    put(application_id, status=status)
    assert form(application_id, now) is None


def test_book_is_formed_signed_and_told_in_one_transaction(now: datetime):
    holder = make_holder(now)
    application_id = make_green(holder, now)
    book_id = form(application_id, now)
    assert book_id is not None
    book = stored(book_id)
    assert (book.status, book.current_version, book.number) == (
        BookStatus.FORMED,
        1,
        "770100000126",
    )
    assert (book.issued_on, book.valid_until) == (date(2026, 11, 23), date(2031, 11, 23))
    with reading() as db:
        application = applications.get(db, application_id)
        events = db.exec(select(StatusChange.event).order_by(col(StatusChange.id).desc())).first()
        audited = db.exec(select(AuditEntry).where(AuditEntry.action == "form_book")).one()
    assert application.status is ApplicationStatus.APPROVED
    assert application.decided_at == now
    assert events == "approved"
    assert (audited.target, audited.subject_id) == (f"book:{book_id}:1", holder.user_id)
    assert "Медкнижка готова" in notices()[-1]


def test_version_says_what_was_applied_for_examined_and_concluded(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now, fitness=Fitness.FIT_WITH_RESTRICTIONS)
    (version,) = versions(book_id)
    raw = opened(version, holder)
    content = read(canonical.parse(raw))
    assert str(content.holder) == "Иванова Мария Сергеевна"
    assert (content.born_on, content.snils) == (date(1990, 3, 27), "11223344595")
    assert content.occupation.point == version.occupations == "23"
    assert content.conclusion.restrictions == "без ночных смен"
    assert content.chair_name == "Седов Виктор Ильич"
    assert content.clinic_name.startswith("ГБУЗ")
    assert len(content.lines) == 29
    assert content.attestation is not None
    assert version.items_valid_until == date(2027, 11, 23)
    assert canonical.canonical(document(content)) == raw


def test_signature_is_the_issuers_over_the_very_bytes(now: datetime):
    holder = make_holder(now)
    (version,) = versions(make_book(holder, now))
    raw = opened(version, holder)
    assert version.version_hash == canonical.sha256(raw).hex()
    check = signing.verify_document(
        raw, version.signature, keystore().trust_list, version.signed_at
    )
    assert check.is_valid


def test_nothing_personal_stands_in_clear_beside_the_version(now: datetime):
    holder = make_holder(now)
    (version,) = versions(make_book(holder, now))
    everything = repr(version.model_dump()) + repr(stored(version.book_id).model_dump())
    for secret in ("Иванова", "11223344595", "112-233", "Седов", "120/80", "cook"):
        assert secret not in everything
        assert secret.encode() not in version.canonical_sealed


def test_second_call_forms_nothing_more(now: datetime):
    application_id = make_green(make_holder(now), now)
    first = form(application_id, now)
    assert form(application_id, now) == first
    assert first is not None
    assert len(versions(first)) == 1


def test_numbers_count_up_by_region_and_year(now: datetime):
    numbers = [stored(make_book(make_holder(now), now)).number for _ in range(2)]
    assert numbers == ["770100000126", "770100000226"]
    next_year = now + 60 * DAY
    assert stored(make_book(make_holder(now), next_year)).number == "770100000127"


def test_next_application_makes_the_next_version_of_the_same_book(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    later = now + 300 * DAY
    assert make_book(holder, later) == book_id
    first, second = versions(book_id)
    book = stored(book_id)
    assert (book.current_version, book.status) == (2, BookStatus.ACTIVE)
    assert (book.issued_on, book.valid_until) == (date(2026, 11, 23), date(2031, 11, 23))
    said = json.loads(opened(second, holder))
    assert said["previous_hash"] == first.version_hash
    assert said["number"] == book.number
    assert said["salt"] != json.loads(opened(first, holder))["salt"]
    assert "новая версия" in notices()[-1]


def test_term_starts_anew_only_in_its_last_month(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    last = datetime(2031, 11, 23, 9, tzinfo=UTC)
    make_book(holder, last - 31 * DAY)
    assert stored(book_id).valid_until == date(2031, 11, 23)
    make_book(holder, last - 30 * DAY)
    assert stored(book_id).valid_until == date(2036, 10, 24)


def test_holder_of_a_revoked_book_gets_another(now: datetime):
    holder = make_holder(now)
    first = make_book(holder, now)
    issuing.revoke(make_officer(now), first, "Недействительная справка", now=now)
    second = make_book(holder, now + DAY)
    assert second != first
    card = issuing.card(holder, now=now + DAY)
    assert card is not None
    assert [each.number.digits for each in card.earlier] == [stored(first).number]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.HOLDER])
def test_only_a_holder_confirms_receipt(role: Role, now: datetime):
    book_id = make_book(make_holder(now), now, received=False)
    with pytest.raises(NotPermitted):
        issuing.receive(Actor(1, role), book_id, now=now)


def test_foreign_and_missing_books_are_one_to_a_holder(now: datetime):
    book_id = make_book(make_holder(now), now, received=False)
    stranger = make_holder(now)
    for wanted in (book_id, 10**9):
        with pytest.raises(NotFound):
            issuing.receive(stranger, wanted, now=now)
        with pytest.raises(NotFound):
            issuing.check_signature(stranger, wanted, now=now)
    assert issuing.card(stranger, now=now) is None


def test_receipt_puts_the_book_into_force_once(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now, received=False)
    issuing.receive(holder, book_id, now=now)
    issuing.receive(holder, book_id, now=now + DAY)
    book = stored(book_id)
    assert (book.status, book.received_at) == (BookStatus.ACTIVE, now)


def test_revoked_book_can_not_be_received(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now, received=False)
    issuing.revoke(make_officer(now), book_id, "Ошибка", now=now)
    with pytest.raises(TransitionNotAllowed):
        issuing.receive(holder, book_id, now=now)


@pytest.mark.parametrize("act", [issuing.revoke, issuing.suspend])
def test_taking_out_of_force_needs_an_operator_a_fresh_code_and_a_reason(act, now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    for role in set(Role) - {Role.OPERATOR}:
        with pytest.raises(NotPermitted):
            act(replace(make_officer(now), role=role), book_id, "Причина", now=now)
    with pytest.raises(FreshFactorNeeded):
        act(make_operator(now), book_id, "Причина", now=now)
    officer = make_officer(now)
    with pytest.raises(FreshFactorNeeded):
        act(officer, book_id, "Причина", now=now + timedelta(minutes=6))
    with pytest.raises(Required):
        act(officer, book_id, "  ", now=now)
    with pytest.raises(TooLong):
        act(officer, book_id, "я" * 301, now=now)
    assert stored(book_id).status is BookStatus.ACTIVE


def test_holder_is_told_why_and_nobody_else_reads_it(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    issuing.revoke(make_officer(now), book_id, "Справка недействительна", now=now)
    card = issuing.card(holder, now=now)
    assert card is not None
    assert card.reason == "Справка недействительна"
    assert card.judgement.verdict is Verdict.REVOKED
    assert "аннулирована" in notices()[-1]
    assert "Справка" not in notices()[-1] + repr(stored(book_id).model_dump())


def test_revoked_stays_revoked(now: datetime):
    officer = make_officer(now)
    book_id = make_book(make_holder(now), now)
    issuing.revoke(officer, book_id, "Ошибка", now=now)
    for act in (issuing.revoke, issuing.suspend):
        with pytest.raises(TransitionNotAllowed):
            act(officer, book_id, "Ещё раз", now=now)
    with pytest.raises(TransitionNotAllowed):
        issuing.resume(officer, book_id, now=now)


def test_unfitness_suspends_and_a_later_fitness_lifts_it(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    with unit_of_work() as db:
        issuing.suspend_unfit(db, holder.user_id, now=now)
    card = issuing.card(holder, now=now)
    assert card is not None
    assert (card.status, card.reason) == (BookStatus.SUSPENDED, "")
    make_book(holder, now + DAY)
    assert stored(book_id).status is BookStatus.ACTIVE


def test_suspension_by_an_operator_outlives_a_new_version(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    issuing.suspend(make_officer(now), book_id, "Проверяем", now=now)
    make_book(holder, now + DAY)
    assert stored(book_id).status is BookStatus.SUSPENDED
    assert stored(book_id).current_version == 3
    assert read(json.loads(opened(versions(book_id)[-1], holder))).standing is Standing.SUSPENDED


def test_card_counts_days_and_lights(now: datetime):
    holder = make_holder(now)
    make_book(holder, now)
    soon = issuing.card(holder, now=now + 350 * DAY)
    assert soon is not None
    assert soon.judgement.days_left == (date(2031, 11, 23) - clock.day_of(now + 350 * DAY)).days
    assert soon.judgement.readiness.light is Light.YELLOW
    late = issuing.card(holder, now=now + 367 * DAY)
    assert late is not None
    assert late.judgement.verdict is Verdict.ITEMS_OVERDUE


def test_spoilt_version_is_a_fact_on_the_card_and_in_the_check(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    spoil_versions(canonical_sealed=b"\1" * 60)
    card = issuing.card(holder, now=now)
    assert card is not None
    assert (card.content, card.judgement.verdict) == (None, Verdict.NOT_GENUINE)
    facts = issuing.check_signature(holder, book_id, now=now)
    assert (facts.witness.opens, facts.witness.is_genuine) == (False, False)


def test_check_tells_each_fact_apart(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    facts = issuing.check_signature(holder, book_id, now=now)
    assert facts.witness.is_genuine
    spoil_versions(version_hash="0" * 64)
    other_hash = issuing.check_signature(holder, book_id, now=now).witness
    assert (other_hash.opens, other_hash.hash_matches) == (True, False)
    assert other_hash.signature.is_valid
    assert not other_hash.is_genuine


def test_two_regions_have_numbers_of_their_own(now: datetime):
    clinic_id = make_clinic()
    with unit_of_work() as db:
        from emk_app.db.tables.clinics import Clinic

        db.execute(sa.update(Clinic).where(col(Clinic.id) == clinic_id).values(region_code="78"))
    assert stored(make_book(make_holder(now), now, clinic_id=clinic_id)).number == "780100000126"
    assert stored(make_book(make_holder(now), now)).number == "770100000126"


def test_change_of_name_keeps_the_term(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    changed: dict[str, Any] = {Field.LAST_NAME: "Петрова"}
    make_book(holder, now + 100 * DAY, **changed)
    second = versions(book_id)[1]
    said = json.loads(opened(second, holder))
    assert said["holder"]["last_name"] == "Петрова"
    assert said["valid_until"] == "2031-11-23"


def test_failure_on_the_way_leaves_no_half_of_a_book(now: datetime, monkeypatch):
    application_id = make_green(make_holder(now), now)

    class Cut(Exception):
        pass

    def die(*_: object, **__: object) -> None:
        raise Cut

    monkeypatch.setattr("emk_app.services.issuing.applications.write_history", die)
    with pytest.raises(Cut):
        form(application_id, now)
    monkeypatch.undo()
    with reading() as db:
        assert db.exec(select(MedicalBook)).all() == []
        assert db.exec(select(BookVersion)).all() == []
        left = db.get(Application, application_id)
        assert left is not None and left.status is ApplicationStatus.UNDER_REVIEW
    assert form(application_id, now) is not None
