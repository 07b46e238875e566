"""Scans read by the real reader after handing in: what is committed when, and what is left alone.

The scans are PDFs with a text layer, which is read without the extra.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.db import changes
from emk_app.db.engine import reading
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import StatusChange
from emk_app.db.tables.journal import Job
from emk_app.domain import mrz
from emk_app.domain.actors import Actor
from emk_app.domain.applications import ApplicationStatus
from emk_app.domain.checks import READ_FROM, Check, CheckOutcome, Finding, Reason
from emk_app.domain.corrections import Asked
from emk_app.domain.documents import ScanKind
from emk_app.domain.intake import Field
from emk_app.domain.people import FullName, Sex
from emk_app.services import applying, checking, jobs, scans
from emk_app.services.applying import DraftView
from emk_app.storage.recognition import Recogniser
from tests.factories import FORM, ask, make_draft, make_holder
from tests.files.good import lines_pdf

pytestmark = pytest.mark.usefixtures("world", "_reader")

PASSED, FAILED, UNKNOWN = CheckOutcome.PASSED, CheckOutcome.FAILED, CheckOutcome.UNKNOWN
PENDING = CheckOutcome.PENDING
ISSUED = "20.04.2015"
OWN = {
    "name": FullName("Иванова", "Мария", "Сергеевна"),
    "series": FORM[Field.PASSPORT_SERIES],
    "number": FORM[Field.PASSPORT_NUMBER],
    "born_on": date(1990, 3, 27),
    "sex": Sex.FEMALE,
    "issued_on": date(2015, 4, 20),
    "unit_code": FORM[Field.PASSPORT_UNIT].replace("-", ""),
}
"""What the passport of the form says."""


@pytest.fixture(scope="module")
def _one() -> Iterator[Recogniser]:
    made = Recogniser(with_pictures=False)
    yield made
    made.close()


@pytest.fixture
def _reader(_one: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process for the module instead of one for each test."""
    monkeypatch.setattr(checking, "recogniser", lambda: _one)


def passport(**changed: object) -> bytes:
    return lines_pdf(*mrz.encode(**{**OWN, **changed}))  # type: ignore[arg-type]


def submitted(
    holder: Actor, now: datetime, pdf: bytes | None = None, policy: str = ""
) -> DraftView:
    """Hand in an application with a passport that can be read."""
    draft = make_draft(holder, now)
    applying.change_fields(holder, draft.id, {Field.PASSPORT_ISSUED_ON: ISSUED}, now=now)
    number = draft.number.slug
    scans.accept(holder, number, ScanKind.PASSPORT, pdf or passport(), "", now=now)
    policy_pdf = lines_pdf(policy or FORM[Field.POLICY_NUMBER])
    scans.accept(holder, number, ScanKind.POLICY, policy_pdf, "", now=now)
    applying.submit(holder, draft.id, now=now)
    return draft


def found(application_id: int) -> dict[Check, Finding]:
    with reading() as db:
        application = applications.get(db, application_id)
        return {each.check: each for each in checking.findings_of(db, application)}


def of_passport(application_id: int) -> set[CheckOutcome]:
    seen = found(application_id)
    return {seen[check].outcome for check in READ_FROM[ScanKind.PASSPORT]}


def status_of(draft: DraftView) -> ApplicationStatus:
    with reading() as db:
        return applications.get(db, draft.id).status


def work(now: datetime) -> int:
    return jobs.run_due({checking.JOB: checking.run} | checking.READINGS, now=now)


def test_each_reading_is_committed_as_it_is_done_and_the_last_receives(now: datetime):
    draft = submitted(make_holder(now), now)
    assert jobs.run_due({checking.JOB: checking.run}, now=now) == 1
    assert found(draft.id)[Check.POLICY_NUMBER].outcome is PASSED
    assert of_passport(draft.id) == {PENDING}
    assert status_of(draft) is ApplicationStatus.SUBMITTED
    checking.read(draft.id, ScanKind.PASSPORT, now)
    assert of_passport(draft.id) == {PASSED}
    assert found(draft.id)[Check.POLICY_ON_SCAN].outcome is PENDING
    assert status_of(draft) is ApplicationStatus.SUBMITTED
    checking.read(draft.id, ScanKind.POLICY, now)
    assert found(draft.id)[Check.POLICY_ON_SCAN].outcome is PASSED
    assert status_of(draft) is ApplicationStatus.RECEIVED


def test_foreign_passport_contradicts_with_both_sides_and_refuses_nothing(now: datetime):
    foreign = passport(
        name=FullName("Кузнецов", "Олег", "Игоревич"),
        number="123456",
        born_on=date(1970, 1, 2),
        sex=Sex.MALE,
        issued_on=date(2016, 2, 3),
    )
    draft = submitted(make_holder(now), now, foreign)
    assert work(now) == 3
    seen = found(draft.id)
    assert of_passport(draft.id) == {FAILED}
    name = seen[Check.PASSPORT_NAME]
    assert name.reason is Reason.DIFFERS_ON_SCAN
    assert name.facts["stated"] == "Иванова Мария Сергеевна"
    assert name.facts["read"] == "КУЗНЕЦОВ ОЛЕГ ИГОРЕВИЧ"
    assert int(name.facts["likeness"]) < 60
    assert name.facts["line"].startswith("PNRUSKUZNECOV<<OLEG")
    assert seen[Check.PASSPORT_BIRTH].facts["read"] == "1970-01-02"
    assert status_of(draft) is ApplicationStatus.RECEIVED


def test_policy_of_another_number_contradicts(now: datetime):
    other = "7754900835123450"
    draft = submitted(make_holder(now), now, policy=other)
    work(now)
    seen = found(draft.id)[Check.POLICY_ON_SCAN]
    assert (seen.outcome, seen.facts["read"]) == (FAILED, other)


def test_paper_of_another_kind_is_left_to_people(now: datetime):
    draft = submitted(make_holder(now), now, lines_pdf("SPRAVKA", "No 17"), policy="77 5490")
    work(now)
    seen = found(draft.id)
    # The page says no zone in letters, and pictures are not read here.
    assert of_passport(draft.id) == {UNKNOWN}
    assert seen[Check.PASSPORT_NAME].reason is Reason.NO_READER
    assert seen[Check.POLICY_ON_SCAN].outcome is UNKNOWN
    assert status_of(draft) is ApplicationStatus.RECEIVED


def test_second_reading_changes_nothing(now: datetime):
    draft = submitted(make_holder(now), now)
    work(now)
    first = found(draft.id)
    for kind in READ_FROM:
        checking.read(draft.id, kind, now + timedelta(hours=1))
    assert found(draft.id) == first
    with reading() as db:
        history = db.exec(
            select(StatusChange.event).where(StatusChange.application_id == draft.id)
        ).all()
    assert list(history) == ["submitted", "received"]


def test_both_scans_read_at_once_receive_once(now: datetime):
    drafts = [submitted(make_holder(now), now) for _ in range(3)]
    for draft in drafts:
        checking.run(draft.id, now)
    start = threading.Barrier(4)

    def read(draft: DraftView, kind: ScanKind) -> None:
        start.wait(10)
        checking.read(draft.id, kind, now)

    for draft in drafts:
        threads = [
            threading.Thread(target=read, args=(draft, kind)) for kind in (*READ_FROM, *READ_FROM)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert of_passport(draft.id) == {PASSED}
        with reading() as db:
            received = db.exec(
                select(StatusChange.id).where(
                    StatusChange.application_id == draft.id, col(StatusChange.event) == "received"
                )
            ).all()
        assert len(received) == 1


def test_process_that_dies_over_a_scan_leaves_the_rest_to_the_next(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    draft = submitted(make_holder(now), now)
    jobs.run_due({checking.JOB: checking.run}, now=now)

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("emk_app.services.checking.applications.scans_of", die)
        with pytest.raises(Killed):
            jobs.run_due(checking.READINGS, now=now)
    assert of_passport(draft.id) == {PENDING}
    # The other scan does not wait for the lease of the first.
    assert jobs.run_due(checking.READINGS, now=now) == 1
    assert status_of(draft) is ApplicationStatus.SUBMITTED
    assert jobs.run_due(checking.READINGS, now=now + jobs.LEASE) == 1
    assert of_passport(draft.id) == {PASSED}
    assert status_of(draft) is ApplicationStatus.RECEIVED


def test_scan_replaced_while_it_is_read_says_nothing(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    holder = make_holder(now)
    draft = submitted(holder, now, passport(number="123456"))
    work(now)
    number = draft.number.slug
    ask(draft.id, Asked(scans=frozenset({ScanKind.PASSPORT})), "Пришлите паспорт.", now)
    scans.accept(holder, number, ScanKind.PASSPORT, passport(number="654321"), "", now=now)
    applying.correct(holder, draft.id, now=now)
    jobs.run_due({checking.JOB: checking.run}, now=now)

    real = checking.recogniser().read

    def replaced(*asked: object) -> object:
        said = real(*asked)  # type: ignore[arg-type]
        monkeypatch.setattr(checking.recogniser(), "read", real)
        ask(draft.id, Asked(scans=frozenset({ScanKind.PASSPORT})), "Ещё раз.", now)
        scans.accept(holder, number, ScanKind.PASSPORT, passport(), "", now=now)
        applying.correct(holder, draft.id, now=now)
        return said

    monkeypatch.setattr(checking.recogniser(), "read", replaced)
    checking.read(draft.id, ScanKind.PASSPORT, now)
    assert of_passport(draft.id) == {PENDING}
    work(now + jobs.LEASE)
    assert of_passport(draft.id) == {PASSED}


def test_corrected_field_is_held_against_the_scan_again(now: datetime):
    holder = make_holder(now)
    draft = submitted(holder, now, passport(number="654321"))
    work(now)
    assert found(draft.id)[Check.PASSPORT_NUMBER].outcome is FAILED
    ask(draft.id, Asked(frozenset({Field.PASSPORT_NUMBER})), "Проверьте номер.", now)
    applying.change_fields(holder, draft.id, {Field.PASSPORT_NUMBER: "654321"}, now=now)
    applying.correct(holder, draft.id, now=now)
    work(now)
    assert of_passport(draft.id) == {PASSED}
    assert status_of(draft) is ApplicationStatus.UNDER_REVIEW


def test_what_nobody_reads_in_ten_minutes_goes_on_to_people(now: datetime):
    draft = submitted(make_holder(now), now)
    jobs.run_due({checking.JOB: checking.run}, now=now)
    checking.go_on_without(now=now + checking.PATIENCE - timedelta(seconds=1))
    assert status_of(draft) is ApplicationStatus.SUBMITTED
    checking.go_on_without(now=now + checking.PATIENCE)
    assert of_passport(draft.id) == {UNKNOWN}
    assert status_of(draft) is ApplicationStatus.RECEIVED
    # The jobs come too late then, and say nothing.
    jobs.run_due(checking.READINGS, now=now + checking.PATIENCE)
    assert of_passport(draft.id) == {UNKNOWN}
    with reading() as db:
        assert all(job.done_at for job in db.exec(select(Job)).all())


def test_withdrawn_application_shows_nothing_as_going_on(now: datetime):
    holder = make_holder(now)
    draft = submitted(holder, now)
    jobs.run_due({checking.JOB: checking.run}, now=now)
    applying.withdraw(holder, draft.id, now=now)
    work(now)
    assert PENDING not in {each.outcome for each in found(draft.id).values()}
    assert status_of(draft) is ApplicationStatus.WITHDRAWN


async def test_who_watches_hears_of_each_reading(now: datetime):
    draft = submitted(make_holder(now), now)
    watch = changes.subscribe([f"application:{draft.id}"])
    try:
        for step in (
            lambda: checking.run(draft.id, now),
            lambda: checking.read(draft.id, ScanKind.PASSPORT, now),
            lambda: checking.read(draft.id, ScanKind.POLICY, now),
        ):
            await asyncio.to_thread(step)
            await asyncio.wait_for(watch.wait(), 10)
    finally:
        changes.unsubscribe(watch)


def test_evidence_of_a_reading_is_sealed(now: datetime):
    draft = submitted(make_holder(now), now)
    work(now)
    with reading() as db:
        rows = applications.checks_of(db, draft.id)
    assert any(row.evidence_sealed for row in rows)
    assert not any(b"406933" in (row.evidence_sealed or b"") for row in rows)
