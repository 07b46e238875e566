"""Each class of data goes when its term has passed, not a moment before (D54)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from emk_app import cli, working
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.applications import Application, Scan
from emk_app.db.tables.books import Look
from emk_app.db.tables.consents import Consent
from emk_app.db.tables.disclosures import Handover, RecordGrant
from emk_app.db.tables.journal import OutboxMessage
from emk_app.db.tables.notices import StoredNotice
from emk_app.db.tables.people import RecoveryCode, UserSession
from emk_app.db.tables.rights import DataExport, Erasure
from emk_app.domain.actors import SYSTEM, Actor, Role
from emk_app.domain.applications import ApplicationStatus
from emk_app.domain.disclosures import HandoverScope, Purpose, RecordScope
from emk_app.domain.erasure import ErasureState, Ground
from emk_app.domain.errors import NotPermitted
from emk_app.domain.notices import Channel
from emk_app.domain.retention import TABLE, DataClass
from emk_app.services import jobs, retaining, scans, sharing, verifying
from emk_app.storage.blobs import BlobMissing
from tests.factories import make_book, make_holder, make_received, put

pytestmark = pytest.mark.usefixtures("world")

SECOND = timedelta(seconds=1)


def _session(holder: Actor, at: datetime) -> None:
    _add(
        UserSession(
            ref="r",
            user_id=holder.user_id,
            factor_at=at,
            device="Chrome",
            created_at=at,
            last_seen_at=at,
            expires_at=at,
        )
    )


def _code(holder: Actor, at: datetime) -> None:
    _add(RecoveryCode(user_id=holder.user_id, code_hash="x", made_at=at, used_at=at))


def _notice(holder: Actor, at: datetime) -> None:
    _add(StoredNotice(user_id=holder.user_id, notice_sealed=b"x", dedupe="x", created_at=at))


def _letter(holder: Actor, at: datetime) -> None:
    _add(
        OutboxMessage(
            channel=Channel.EMAIL,
            user_id=holder.user_id,
            recipient_sealed=b"x",
            notice_sealed=b"x",
            lane="x",
            is_urgent=False,
            dedupe="x",
            created_at=at,
            due_at=at,
            sent_at=at,
        )
    )


def _consent(holder: Actor, at: datetime) -> None:
    draft = make_received(holder, at)
    with unit_of_work() as db:
        db.execute(
            sa.update(Consent)
            .where(col(Consent.application_id) == draft.id)
            .values(withdrawn_at=at)
        )


def _copy(holder: Actor, at: datetime) -> None:
    _add(DataExport(ref="x", user_id=holder.user_id, asked_at=at, ended_at=at))


def _grant(holder: Actor, at: datetime) -> None:
    _add(
        RecordGrant(
            book_id=make_book(holder, at),
            holder_id=holder.user_id,
            scope=RecordScope.WHOLE,
            minutes=15,
            created_at=at,
            code_expires_at=at,
        )
    )


def _handover(holder: Actor, at: datetime) -> None:
    _add(
        Handover(
            book_id=make_book(holder, at),
            holder_id=holder.user_id,
            digest="x",
            code_sealed=b"x",
            receiver_sealed=b"x",
            purpose=Purpose.OTHER,
            scope=HandoverScope.VERDICT,
            consent_version="1",
            created_at=at,
            expires_at=at,
        )
    )


def _look(holder: Actor, at: datetime) -> None:
    link = sharing.make(holder, make_book(holder, at), now=at)
    verifying.look(link.url[-26:], "Firefox", now=at)


def _add(row: object) -> None:
    with unit_of_work() as db:
        db.add(row)


MADE: dict[DataClass, tuple[type, Callable[[Actor, datetime], None]]] = {
    DataClass.SESSIONS: (UserSession, _session),
    DataClass.RECOVERY_CODES: (RecoveryCode, _code),
    DataClass.NOTICES: (StoredNotice, _notice),
    DataClass.LETTERS: (OutboxMessage, _letter),
    DataClass.CONSENTS: (Consent, _consent),
    DataClass.COPIES: (DataExport, _copy),
    DataClass.GRANTS: (RecordGrant, _grant),
    DataClass.HANDOVERS: (Handover, _handover),
    DataClass.LOOKS: (Look, _look),
}


def count(table: type) -> int:
    with reading() as db:
        return db.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


@pytest.mark.parametrize("kind", MADE)
def test_row_goes_after_its_term_and_stands_on_its_last_moment(kind: DataClass, now: datetime):
    holder = make_holder(now)
    table, make = MADE[kind]
    make(holder, now)
    before, term = count(table), TABLE[kind].term
    assert retaining.due(SYSTEM, now=now + term)[kind] == 0
    retaining.run(0, now + term)
    assert count(table) == before
    assert retaining.due(SYSTEM, now=now + term + SECOND)[kind] >= 1
    retaining.run(0, now + term + SECOND)
    assert count(table) < before


def test_form_of_an_application_that_came_to_nothing_is_emptied(now: datetime):
    holder = make_holder(now)
    ended, open_one = make_received(holder, now), make_received(make_holder(now), now)
    put(ended.id, status=ApplicationStatus.EXPIRED, decided_at=now)
    with reading() as db:
        scan = db.exec(select(Scan).where(Scan.application_id == ended.id)).first()
    assert scan is not None
    retaining.run(0, now + TABLE[DataClass.FORMS].term + SECOND)
    with reading() as db:
        assert db.get_one(Application, ended.id).form_sealed is None
        assert db.get_one(Application, open_one.id).form_sealed is not None
    with pytest.raises(BlobMissing):
        scans.blobs().open(scan.blob, b"0" * 32)


def test_scans_of_a_decided_application_go_and_its_form_stays(now: datetime):
    holder = make_holder(now)
    make_book(holder, now)
    put(1, decided_at=now)
    term = TABLE[DataClass.SCANS].term
    retaining.run(0, now + term)
    with reading() as db:
        assert all(scan.removed_at is None for scan in db.exec(select(Scan)))
    retaining.run(0, now + term + SECOND)
    with reading() as db:
        assert all(scan.removed_at is not None for scan in db.exec(select(Scan)))
        assert db.exec(select(Application)).one().form_sealed is not None


def test_act_is_emptied_and_its_date_stays(now: datetime):
    holder = make_holder(now)
    _add(
        Erasure(
            user_id=holder.user_id,
            state=ErasureState.DONE,
            ground=Ground.WISH,
            asked_at=now,
            due_at=now,
            done_at=now,
            act="{}",
        )
    )
    term = TABLE[DataClass.ACTS].term
    retaining.run(0, now + term)
    with reading() as db:
        assert db.exec(select(Erasure)).one().act == "{}"
    retaining.run(0, now + term + SECOND)
    with reading() as db:
        row = db.exec(select(Erasure)).one()
    assert (row.act, row.done_at) == (None, now)


def test_dry_run_changes_nothing_and_says_how_much(
    now: datetime, capsys: pytest.CaptureFixture[str]
):
    _notice(make_holder(now), now - timedelta(days=3650))
    assert cli.main(["retention", "--dry-run"]) == 0
    assert "notices  730 days since its day, then deleted: 1 due" in capsys.readouterr().out
    assert count(StoredNotice) == 1
    assert cli.main(["retention"]) == 0
    assert count(StoredNotice) == 0
    with pytest.raises(NotPermitted):
        retaining.due(Actor(1, Role.ADMIN), now=now)


def test_one_class_that_fails_keeps_no_other_waiting(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    holder = make_holder(now)
    _notice(holder, now)
    monkeypatch.setitem(retaining._CONDITIONS, DataClass.SESSIONS, lambda _: 1 / 0)  # pyright: ignore[reportPrivateUsage]
    jobs.plan(retaining.JOB, working.PERIODS[retaining.JOB], now=now + timedelta(days=3650))
    works = {retaining.JOB: working.WORKS[retaining.JOB]}
    jobs.run_due(works, now=now + timedelta(days=3650))
    assert count(StoredNotice) == 0


def test_each_class_has_a_term():
    assert set(TABLE) == set(DataClass)
