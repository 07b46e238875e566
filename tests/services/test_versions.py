"""Versions are only added; links go on where nothing that they show has changed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books, vaccinations
from emk_app.db.tables.clinics import Clinic
from emk_app.domain.actors import Actor
from emk_app.domain.books import BookContent, Cause, Standing, Verdict, read
from emk_app.domain.vaccinations import Dose, RecordKind, Vaccination
from emk_app.services import issuing, sharing, verifying
from tests.factories import emptying, make_book, make_holder, make_officer, spoil_versions

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)


def contents(holder: Actor, book_id: int) -> list[BookContent]:
    """Return what each version says, oldest first."""
    with reading() as db:
        own = vault.vault_for(db, holder.user_id)
        return [
            read(json.loads(books.open_canonical(own, book_id, row.version, row.canonical_sealed)))
            for row in reversed(books.versions(db, book_id))
        ]


def vaccinate(holder: Actor, now: datetime, series: str = "A1") -> None:
    """Record a dose as the clinic's desk does, without the desk."""
    told = Vaccination("measles", RecordKind.DONE, (now - DAY).date(), Dose.V1, "ЖКВ", series)
    with unit_of_work() as db:
        vaccinations.add(
            db,
            holder.user_id,
            told,
            vault.vault_for(db, holder.user_id),
            clinic_id=db.exec(select(Clinic.id)).first() or 0,
            by=holder.user_id,
            now=now,
        )
        issuing.note_vaccinations(db, holder.user_id, now=now)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE book_versions SET version_hash = 'x'",
        "UPDATE book_versions SET version = version + 1",
        "DELETE FROM book_versions",
        "TRUNCATE book_versions CASCADE",
    ],
)
def test_database_itself_refuses_to_change_a_version(statement: str, now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    with pytest.raises(DBAPIError, match="only added"), unit_of_work() as db:
        db.execute(sa.text(emptying(statement)))
    with reading() as db:
        assert len(books.versions(db, book_id)) == 1


def test_service_that_changes_a_version_is_refused(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    with pytest.raises(DBAPIError, match="only added"), unit_of_work() as db:
        row = books.version(db, book_id, 1)
        row.version_hash = "0" * 64
        db.add(row)


def test_each_cause_makes_a_version_that_names_the_one_before(now: datetime):
    holder, officer = make_holder(now), make_officer(now)
    book_id = make_book(holder, now)
    vaccinate(holder, now)
    issuing.suspend(officer, book_id, "Проверяем", now=now)
    issuing.resume(officer, book_id, now=now)
    make_book(holder, now)
    issuing.revoke(officer, book_id, "Ошибка", now=now)
    said = contents(holder, book_id)
    assert [each.cause for each in said] == [
        Cause.FORMED,
        Cause.VACCINATION,
        Cause.SUSPENSION,
        Cause.RESUMPTION,
        Cause.EXAMINATION,
        Cause.REVOCATION,
    ]
    assert [each.standing for each in said] == [
        Standing.IN_FORCE,
        Standing.IN_FORCE,
        Standing.SUSPENDED,
        Standing.IN_FORCE,
        Standing.IN_FORCE,
        Standing.REVOKED,
    ]
    with reading() as db:
        rows = books.versions(db, book_id)[::-1]
    assert [each.previous_hash for each in said] == ["", *[row.version_hash for row in rows[:-1]]]
    assert len({each.salt for each in said}) == len(said)
    assert [len(each.vaccinations) for each in said] == [0, 1, 1, 1, 1, 1]
    assert (said[1].vaccinations[0].name, said[1].vaccinations[0].series) == ("Корь", "A1")


def test_what_is_recorded_of_vaccinations_makes_one_version(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    with unit_of_work() as db:
        issuing.note_vaccinations(db, holder.user_id, now=now)
    assert len(contents(holder, book_id)) == 1
    without_book = make_holder(now)
    with unit_of_work() as db:
        issuing.note_vaccinations(db, without_book.user_id, now=now)


def test_links_go_on_where_nothing_they_show_has_changed(now: datetime):
    holder, officer = make_holder(now), make_officer(now)
    book_id = make_book(holder, now)
    code = sharing.make(holder, book_id, now=now).url.rpartition("/")[2]

    def verdict() -> Verdict:
        return verifying.look(code, "Chrome", now=now).verdict

    vaccinate(holder, now)
    assert verdict() is Verdict.VALID
    issuing.suspend(officer, book_id, "Проверяем", now=now)
    assert verdict() is Verdict.SUSPENDED
    issuing.resume(officer, book_id, now=now)
    look = verifying.look(code, "Chrome", now=now)
    assert (look.verdict, look.version) == (Verdict.VALID, 4)
    make_book(holder, now)
    look = verifying.look(code, "Chrome", now=now)
    assert (look.verdict, look.superseded_by) == (Verdict.SUPERSEDED, 5)
    issuing.suspend(officer, book_id, "Проверяем", now=now)
    assert verifying.look(code, "Chrome", now=now).superseded_by == 6
    assert verdict() is Verdict.SUSPENDED


def test_book_whose_words_are_nobodys_is_stopped_and_nothing_is_signed(now: datetime):
    holder, officer = make_holder(now), make_officer(now)
    book_id = make_book(holder, now)
    spoil_versions(book_id, signature=b"{}")
    issuing.suspend(officer, book_id, "Проверяем", now=now)
    card = issuing.card(holder, now=now)
    assert card is not None
    assert (card.judgement.suspended, card.version) == (True, 1)
    vaccinate(holder, now)
    issuing.resume(officer, book_id, now=now)
    issuing.revoke(officer, book_id, "Подделка", now=now)
    with reading() as db:
        assert len(books.versions(db, book_id)) == 1
        assert books.get(db, book_id).revoked_at == now
