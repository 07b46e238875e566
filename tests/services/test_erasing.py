"""Forgetting a person: nothing of theirs opens or is there, but what the law wants kept (D53)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel, col, select

from emk_app import cli, working
from emk_app.crypto.errors import SealBroken
from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.repositories import applications, examinations
from emk_app.db.tables.applications import Application
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.db.tables.examinations import SignedConclusion
from emk_app.db.tables.journal import OutboxMessage
from emk_app.db.tables.people import Login, User
from emk_app.db.tables.rights import Erasure
from emk_app.domain.accounts import WrongCredentials
from emk_app.domain.actors import SYSTEM, Actor, Role
from emk_app.domain.books import BookStatus, Verdict
from emk_app.domain.documents import ScanKind
from emk_app.domain.erasure import (
    LEGAL_TERM,
    PHRASE,
    WAITING,
    ErasureState,
    Ground,
    NothingToCancel,
    kept_until,
)
from emk_app.domain.errors import FreshFactorNeeded, Invalid, NotFound, NotPermitted
from emk_app.services import accounts, auditing, erasing, jobs, scans, sharing, verifying
from emk_app.settings import settings
from emk_app.storage.blobs import BlobMissing
from tests.factories import (
    PASSWORD,
    make_admin,
    make_book,
    make_clinic,
    make_holder,
    make_operator,
    make_received,
    put_scan,
)

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture(autouse=True)
def erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the list of the erased of one test from the next."""
    path = tmp_path / "erased.jsonl"
    named = replace(settings(), erased_list=path)
    monkeypatch.setattr(erasing, "settings", lambda: named)
    monkeypatch.setattr(cli, "settings", lambda: named)
    return path


def fresh(holder: Actor, now: datetime) -> Actor:
    return replace(holder, session_id=1, factor_at=now)


def forget(holder: Actor, now: datetime) -> Erasure:
    """Ask, let the days pass, and have the job do it."""
    erasing.ask(fresh(holder, now), PHRASE, now=now)
    erasing.run(0, now + WAITING)
    with reading() as db:
        return db.exec(select(Erasure).where(Erasure.user_id == holder.user_id)).one()


def rows_of(holder_id: int) -> dict[str, int]:
    """Return how many rows of each table name the person as their owner."""
    found: dict[str, int] = {}
    with reading() as db:
        for table in SQLModel.metadata.sorted_tables:
            for name in ("user_id", "holder_id"):
                if name in table.c and table.name != "status_changes":
                    count = sa.select(sa.func.count()).where(table.c[name] == holder_id)
                    found[table.name] = db.execute(count).scalar_one()
    return {name: count for name, count in found.items() if count}


def user_of(holder: Actor) -> User:
    with reading() as db:
        return db.get_one(User, holder.user_id)


def test_wish_waits_and_does_nothing_before_its_day(now: datetime):
    holder = make_holder(now)
    make_received(holder, now)
    before = rows_of(holder.user_id)
    wish = erasing.ask(fresh(holder, now), "  Удалить мои ДАННЫЕ. ", now=now)
    assert wish.due_at == now + WAITING
    assert wish.due_at <= now + LEGAL_TERM
    assert erasing.ask(fresh(holder, now), PHRASE, now=now) == wish
    erasing.run(0, now + WAITING - timedelta(seconds=1))
    assert erasing.wish(holder) == wish
    assert before.keys() <= rows_of(holder.user_id).keys()


def test_wish_wants_a_fresh_factor_the_phrase_and_a_holder(now: datetime):
    holder = make_holder(now)
    with pytest.raises(FreshFactorNeeded):
        erasing.ask(holder, PHRASE, now=now)
    with pytest.raises(Invalid) as caught:
        erasing.ask(fresh(holder, now), "удалить", now=now)
    assert set(caught.value.fields) == {"phrase"}
    with pytest.raises(NotPermitted):
        erasing.ask(fresh(make_operator(now), now), PHRASE, now=now)
    assert erasing.wish(holder) is None


def test_wish_is_taken_back_once_and_can_be_made_again(now: datetime):
    holder = make_holder(now)
    erasing.ask(fresh(holder, now), PHRASE, now=now)
    erasing.cancel(holder, now=now)
    with pytest.raises(NothingToCancel):
        erasing.cancel(holder, now=now)
    erasing.run(0, now + WAITING)
    assert user_of(holder).disabled_at is None
    assert erasing.ask(fresh(holder, now), PHRASE, now=now).asked_at == now


def test_nothing_is_left_of_who_was_never_examined(now: datetime):
    holder = make_holder(now, "anna@example.ru")
    draft = make_received(holder, now)
    ref = put_scan(holder, draft.id, ScanKind.SNILS, now)
    with reading() as db:
        blob = applications.scan(db, ref).blob
        key = vault.vault_for(db, holder.user_id).key
    row = forget(holder, now)
    assert (row.state, row.kept_until) == (ErasureState.DONE, None)
    assert row.key_destroyed_at == now + WAITING
    assert set(rows_of(holder.user_id)) <= {"consents", "erasures"}
    with pytest.raises(BlobMissing):
        scans.blobs().open(blob, key)
    user = user_of(holder)
    assert (user.name_sealed, user.contact_sealed, user.totp_sealed) == (None, None, None)
    assert vault.vault_of(user).key != key
    with reading() as db:
        assert db.exec(select(Login).where(Login.user_id == holder.user_id)).all() == []
        # The last word to the person stands in the outbox, and belongs to nobody.
        letters = db.exec(select(OutboxMessage).order_by(col(OutboxMessage.id))).all()
    assert [letter.user_id for letter in letters] == [None]
    with pytest.raises(WrongCredentials):
        accounts.begin_sign_in("door", "anna@example.ru", PASSWORD, source="10.0.0.1", now=now)


def test_signed_medical_records_stay_and_nothing_else(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    link = sharing.make(holder, book_id, label="Кафе Анны", now=now)
    verifying.look(link.url[-26:], "Firefox", now=now)
    row = forget(holder, now)
    assert row.kept_until == date(now.year + 25, now.month, now.day)
    assert row.key_destroyed_at is None
    assert set(rows_of(holder.user_id)) <= {
        "applications",
        "books",
        "consents",
        "erasures",
        "vaccination_records",
    }
    with reading() as db:
        signed = db.exec(select(SignedConclusion)).one()
        own = vault.vault_for(db, holder.user_id)
        report = examinations.report_of(signed, own)
        assert report is None or json.loads(report)["patient"]
        application = db.exec(select(Application)).one()
        assert applications.form_of(db, application)
        assert (application.snils_blind, application.note_sealed) == (None, None)
        book = db.exec(select(MedicalBook)).one()
        assert book.status is BookStatus.REVOKED
        for gone in ("looks", "scans", "extracts", "check_results", "notices", "sessions"):
            count = sa.select(sa.func.count()).select_from(SQLModel.metadata.tables[gone])
            assert db.execute(count).scalar_one() == 0, gone
        texts = db.execute(sa.text("SELECT label FROM share_links")).scalars().all()
    assert texts == [""]
    assert (
        verifying.look(link.url[-26:], "Firefox", now=now + WAITING).verdict is Verdict.LINK_REVOKED
    )


def test_key_of_the_records_is_destroyed_when_their_term_ends(now: datetime):
    holder = make_holder(now)
    make_book(holder, now)
    row = forget(holder, now)
    assert row.kept_until is not None
    last = datetime.combine(row.kept_until, now.timetz())
    erasing.run(0, last)
    with reading() as db:
        assert db.get_one(Erasure, row.id).key_destroyed_at is None
    for _ in range(2):
        erasing.run(0, last + timedelta(days=1))
    with reading() as db:
        assert db.get_one(Erasure, row.id).key_destroyed_at == last + timedelta(days=1)
        version = db.exec(select(BookVersion)).first()
        assert version is not None
        own = vault.vault_for(db, holder.user_id)
        application = db.exec(select(Application)).one()
        with pytest.raises(SealBroken):
            applications.form_of(db, application)
        assert own.key
        destroyed = "SELECT count(*) FROM audit_entries WHERE action = 'destroy_key'"
        assert db.execute(sa.text(destroyed)).scalar_one() == 1


def test_others_lose_nothing(now: datetime):
    clinic_id = make_clinic()
    kept, gone = make_holder(now), make_holder(now)
    make_book(kept, now, clinic_id=clinic_id)
    make_book(gone, now, clinic_id=clinic_id)
    before = rows_of(kept.user_id)
    forget(gone, now)
    assert rows_of(kept.user_id) == before
    assert user_of(kept).disabled_at is None
    with reading() as db:
        for application in db.exec(
            select(Application).where(col(Application.holder_id) == kept.user_id)
        ):
            assert applications.form_of(db, application)


def test_act_says_what_went_without_a_name_and_the_chain_holds(now: datetime):
    holder = make_holder(now, "anna@example.ru")
    draft = make_received(holder, now)
    row = forget(holder, now)
    admin = make_admin(now)
    facts = erasing.act(admin, row.id, now=now)
    assert facts["subject"]["applications"] == [draft.number.slug]
    assert facts["rows"]["logins"] == 1
    assert facts["files"] == 4
    assert facts["key_destroyed"] is True
    assert "anna" not in json.dumps(facts, ensure_ascii=False)
    assert "Иванова" not in json.dumps(facts, ensure_ascii=False)
    with reading() as db:
        assert auditing.first_broken(db) is None
        entry = auditing.head(db)
    assert entry is not None and entry.id >= facts["audit"]["id"]
    [shown] = erasing.acts(admin, now=now)
    assert (shown.has_act, shown.ground) == (True, Ground.WISH)
    for role in (Role.HOLDER, Role.OPERATOR, Role.CLINIC):
        with pytest.raises(NotPermitted):
            erasing.acts(Actor(1, role), now=now)
        with pytest.raises(NotPermitted):
            erasing.act(Actor(1, role), row.id, now=now)
    with pytest.raises(NotFound):
        erasing.act(admin, row.id + 1, now=now)


def test_who_was_forgotten_is_forgotten_again_after_a_restore(erased: Path, now: datetime):
    holder = make_holder(now)
    make_received(holder, now)
    uid = user_of(holder).uid
    erased.write_text(json.dumps({"at": "x", "uid": uid}) + "\n" + '{"uid": "unknown"}\n')
    assert erasing.replay(SYSTEM, erased, now=now) == 1
    assert user_of(holder).disabled_at is not None
    assert erasing.replay(SYSTEM, erased, now=now) == 0
    with reading() as db:
        assert db.exec(select(Erasure)).one().ground is Ground.REPLAY


def test_list_of_the_erased_grows_by_a_pseudonym(erased: Path, now: datetime):
    holder = make_holder(now)
    forget(holder, now)
    assert erasing.listed_in(erased) == [user_of(holder).uid]
    assert erased.stat().st_mode & 0o777 == 0o600


def test_command_line_forgets_a_holder_and_nobody_else(
    now: datetime, capsys: pytest.CaptureFixture[str]
):
    holder = make_holder(now, "anna@example.ru")
    make_admin(now)
    assert cli.main(["erase", "one", "anna@example.ru"]) == 2
    assert user_of(holder).disabled_at is None
    assert cli.main(["erase", "one", "admin@example.ru", "--yes"]) == 1
    capsys.readouterr()
    assert cli.main(["erase", "one", "anna@example.ru", "--yes"]) == 0
    assert capsys.readouterr().out.startswith("act ")
    assert user_of(holder).disabled_at is not None
    assert cli.main(["erase", "replay"]) == 0


def test_job_returns_by_itself(now: datetime):
    holder = make_holder(now)
    erasing.ask(fresh(holder, now), PHRASE, now=now)
    jobs.plan(erasing.JOB, working.PERIODS[erasing.JOB], now=now + WAITING)
    jobs.run_due({erasing.JOB: working.WORKS[erasing.JOB]}, now=now + WAITING)
    assert user_of(holder).disabled_at == now + WAITING


def test_term_counts_from_the_newest_day_and_knows_leap_years():
    assert kept_until([]) is None
    assert kept_until([date(2024, 2, 29)]) == date(2049, 3, 1)
    assert kept_until([date(2026, 1, 2), date(2026, 11, 26)]) == date(2051, 11, 26)
