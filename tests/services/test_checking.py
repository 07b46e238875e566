"""Automatic checks: what they find, and that an application is received once."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlmodel import select

from emk_app.db.engine import reading
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import CheckResult
from emk_app.db.tables.notices import StoredNotice
from emk_app.domain import decisions
from emk_app.domain.actors import Actor, Role
from emk_app.domain.applications import ApplicationStatus
from emk_app.domain.checks import (
    READ_FROM,
    STAFF_ONLY,
    Check,
    CheckOutcome,
    Finding,
    Reason,
)
from emk_app.domain.corrections import Asked
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import NotFound
from emk_app.domain.intake import Field
from emk_app.services import applying, checking, jobs, scans
from tests.factories import (
    ask,
    make_clinic,
    make_draft,
    make_holder,
    make_received,
    make_submitted,
    put,
)
from tests.files import good

pytestmark = pytest.mark.usefixtures("world")

PASSED, FAILED, UNKNOWN = CheckOutcome.PASSED, CheckOutcome.FAILED, CheckOutcome.UNKNOWN
PENDING = CheckOutcome.PENDING


def found(application_id: int) -> dict[Check, Finding]:
    with reading() as db:
        application = applications.get(db, application_id)
        return {each.check: each for each in checking.findings_of(db, application)}


def checked(now: datetime, **changed: str) -> dict[Check, Finding]:
    """Hand in an application with changed fields and return what was found."""
    holder = make_holder(now)
    draft = make_draft(holder, now)
    fields = {Field[name]: text for name, text in changed.items()}
    applying.change_fields(holder, draft.id, fields, now=now)
    applying.submit(holder, draft.id, now=now)
    checking.finish(draft.id, now)
    return found(draft.id)


def status_of(holder: Actor, number: str, now: datetime) -> ApplicationStatus:
    return applying.case(holder, number, now=now).case.status


def test_unknown_application_is_no_job(now: datetime):
    with pytest.raises(NotFound):
        checking.finish(999_999, now)


def test_draft_is_left_alone(now: datetime):
    draft = make_draft(make_holder(now), now)
    checking.finish(draft.id, now)
    assert found(draft.id) == {}


@pytest.mark.parametrize("status", [ApplicationStatus.WITHDRAWN, ApplicationStatus.REJECTED])
def test_application_that_has_ended_meanwhile_is_left_alone(
    status: ApplicationStatus, now: datetime
):
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    put(draft.id, status=status)
    checking.finish(draft.id, now)
    assert status_of(holder, draft.number.slug, now) is status
    assert found(draft.id) == {}


def test_application_in_order_passes_all_that_a_machine_can_tell(now: datetime):
    assert {check: each.outcome for check, each in checked(now).items()} == {
        Check.SNILS: PASSED,
        Check.POLICY_NUMBER: PASSED,
        Check.POLICY_BIRTH: PASSED,
        Check.POLICY_SEX: PASSED,
        Check.PASSPORT_TERM: PASSED,
        Check.PASSPORT_SCAN: PASSED,
        **dict.fromkeys(READ_FROM[ScanKind.PASSPORT], UNKNOWN),
        Check.POLICY_SCAN: PASSED,
        Check.POLICY_ON_SCAN: UNKNOWN,
        Check.NO_DUPLICATE: PASSED,
        Check.ONE_ACCOUNT: PASSED,
    }


def test_policy_of_another_birth_date_and_sex_fails_with_both_values(now: datetime):
    seen = checked(now, BIRTH_DATE="28.03.1990", SEX="male")
    assert seen[Check.POLICY_BIRTH] == Finding(
        Check.POLICY_BIRTH,
        FAILED,
        Reason.DIFFERS,
        {"encoded": "1990-03-27", "stated": "1990-03-28"},
    )
    assert seen[Check.POLICY_SEX].facts == {"encoded": "female", "stated": "male"}


def test_passport_not_exchanged_is_shown_to_the_operator_and_refuses_nothing(now: datetime):
    assert checked(now, PASSPORT_ISSUED_ON="20.04.2004")[Check.PASSPORT_TERM] == Finding(
        Check.PASSPORT_TERM, UNKNOWN, Reason.OUTLIVED, {"age": "20", "issued_on": "2004-04-20"}
    )


def test_term_of_another_paper_than_the_passport_is_left_to_the_operator(now: datetime):
    seen = checked(now, IDENTITY_KIND="military", IDENTITY_NUMBER="АБ 1234567")
    assert seen[Check.PASSPORT_TERM].reason is Reason.OTHER_PAPER


def test_old_policy_is_left_to_the_operator(now: datetime):
    seen = checked(now, POLICY_KIND="old", POLICY_SERIES="АБ", POLICY_NUMBER="123456")
    for check in (Check.POLICY_NUMBER, Check.POLICY_BIRTH, Check.POLICY_SEX):
        assert (seen[check].outcome, seen[check].reason) == (UNKNOWN, Reason.OTHER_DOCUMENT)


def test_gray_and_small_scans_are_left_to_the_operator(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    number = draft.number.slug
    scans.accept(holder, number, ScanKind.PASSPORT, good.gray_jpeg(), "", now=now)
    scans.accept(holder, number, ScanKind.POLICY, good.jpeg(good.paper(800, 600)), "", now=now)
    applying.submit(holder, draft.id, now=now)
    checking.finish(draft.id, now)
    seen = found(draft.id)
    assert seen[Check.PASSPORT_SCAN].reason is Reason.GRAY
    assert seen[Check.POLICY_SCAN].reason is Reason.SMALL


def test_second_application_for_the_same_is_refused_with_the_first_one_named(now: datetime):
    holder = make_holder(now)
    clinic = make_clinic()
    first = make_submitted(holder, now, clinic_id=clinic)
    second = make_submitted(holder, now, clinic_id=clinic)
    checking.finish(second.id, now)
    assert found(second.id)[Check.NO_DUPLICATE] == Finding(
        Check.NO_DUPLICATE, FAILED, Reason.ALREADY_APPLIED, {"numbers": first.number.slug}
    )
    seen = applying.case(holder, second.number.slug, now=now)
    assert seen.case.status is ApplicationStatus.REJECTED
    assert seen.case.note == decisions.GROUNDS["already_applied"].text
    assert seen.history[-1].by is Role.SYSTEM
    assert all(each.outcome is not PENDING for each in seen.checks)
    with reading() as db:
        told = db.exec(
            select(StoredNotice.dedupe).where(StoredNotice.user_id == holder.user_id)
        ).all()
    assert [each for each in told if each.startswith(f"rejected:{second.id}")]
    # The first goes its way, whichever is checked first, and so does a third once it has ended.
    checking.finish(first.id, now)
    assert found(first.id)[Check.NO_DUPLICATE].outcome is PASSED
    assert status_of(holder, first.number.slug, now) is ApplicationStatus.RECEIVED
    applying.withdraw(holder, first.id, now=now)
    third = make_received(holder, now, clinic_id=clinic)
    assert status_of(holder, third.number.slug, now) is ApplicationStatus.RECEIVED


def test_second_application_for_other_work_is_left_to_the_operator(now: datetime):
    holder = make_holder(now)
    clinic = make_clinic()
    first = make_submitted(holder, now, clinic_id=clinic)
    second = make_draft(holder, now, clinic_id=clinic)
    applying.change_fields(holder, second.id, {Field.OCCUPATION: "teacher"}, now=now)
    applying.submit(holder, second.id, now=now)
    checking.finish(second.id, now)
    seen = found(second.id)[Check.NO_DUPLICATE]
    assert (seen.outcome, seen.reason) == (UNKNOWN, Reason.APPLIED_FOR_OTHER_WORK)
    assert seen.facts == {"numbers": first.number.slug}
    assert status_of(holder, second.number.slug, now) is ApplicationStatus.RECEIVED


def test_same_person_in_another_account_is_told_to_operators_and_to_nobody_else(now: datetime):
    clinic = make_clinic()
    one, other = make_holder(now), make_holder(now)
    first = make_received(one, now, clinic_id=clinic)
    second = make_received(other, now, clinic_id=clinic)
    seen = found(second.id)[Check.ONE_ACCOUNT]
    assert (seen.outcome, seen.reason) == (FAILED, Reason.OTHER_ACCOUNT)
    assert seen.facts == {"numbers": first.number.slug}
    assert status_of(other, second.number.slug, now) is ApplicationStatus.RECEIVED
    # Whoever tries somebody else's СНИЛС sees what whoever tries their own sees.
    shown = applying.case(other, second.number.slug, now=now).checks
    lone = applying.case(one, first.number.slug, now=now).checks
    assert [(each.check, each.outcome) for each in shown] == [
        (each.check, each.outcome) for each in lone
    ]
    assert not STAFF_ONLY & {each.check for each in shown}


def test_corrected_snils_is_looked_for_anew(now: datetime):
    clinic = make_clinic()
    make_received(make_holder(now), now, clinic_id=clinic)
    holder = make_holder(now)
    draft = make_received(holder, now, clinic_id=clinic)
    ask(draft.id, Asked(frozenset({Field.SNILS})), "Уточните СНИЛС.", now)
    applying.change_fields(holder, draft.id, {Field.SNILS: "087-654-303 00"}, now=now)
    applying.correct(holder, draft.id, now=now)
    checking.finish(draft.id, now)
    assert found(draft.id)[Check.ONE_ACCOUNT].outcome is PASSED


def test_received_once_however_often_the_job_runs(now: datetime):
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    checking.finish(draft.id, now)
    first = found(draft.id)
    checking.finish(draft.id, now)
    assert found(draft.id) == first
    seen = applying.case(holder, draft.number.slug, now=now)
    assert seen.case.status is ApplicationStatus.RECEIVED
    assert [line.event for line in seen.history] == ["submitted", "received"]


def test_job_left_by_a_dead_worker_is_done_by_the_next(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    works = {checking.JOB: checking.run}

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("emk_app.services.jobs.enqueue", die)
        with pytest.raises(Killed):
            jobs.run_due(works, now=now)
    assert status_of(holder, draft.number.slug, now) is ApplicationStatus.SUBMITTED
    assert found(draft.id) == {}
    assert jobs.run_due(works, now=now) == 0
    assert jobs.run_due(works | checking.READINGS, now=now + jobs.LEASE) == 3
    assert status_of(holder, draft.number.slug, now) is ApplicationStatus.RECEIVED


def test_corrected_application_is_checked_again_and_stays_where_it_is(now: datetime):
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    checking.finish(draft.id, now)
    ask(draft.id, Asked(frozenset({Field.SEX})), "Уточните пол.", now)
    applying.change_fields(holder, draft.id, {Field.SEX: "male"}, now=now)
    applying.correct(holder, draft.id, now=now)
    jobs.run_due({checking.JOB: checking.run} | checking.READINGS, now=now)
    assert found(draft.id)[Check.POLICY_SEX].outcome is FAILED
    assert status_of(holder, draft.number.slug, now) is ApplicationStatus.UNDER_REVIEW


def test_evidence_is_sealed(now: datetime):
    checked(now, BIRTH_DATE="28.03.1990")
    with reading() as db:
        rows = db.exec(select(CheckResult)).all()
    assert all(row.evidence_sealed for row in rows)
    assert not any(b"1990" in (row.evidence_sealed or b"") for row in rows)
