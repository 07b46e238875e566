"""The holder's road: a draft, its handing in, its correction, its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application, Scan
from emk_app.db.tables.journal import AuditEntry, Job, OutboxMessage
from emk_app.domain.actors import Actor, Role
from emk_app.domain.applications import (
    ApplicationStatus,
    CaseAlreadyOpen,
    ExaminationTrack,
    Milestone,
    PapersTrack,
)
from emk_app.domain.books import BookStatus
from emk_app.domain.clinics import ClinicNotAvailable, LicenceStatus
from emk_app.domain.consent import CURRENT, ConsentOutdated
from emk_app.domain.corrections import Asked, NotAsked
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import (
    Conflict,
    Invalid,
    NotFound,
    NotPermitted,
    Required,
    TransitionNotAllowed,
)
from emk_app.domain.intake import REPRESENTATIVE, ClinicNotOffered, ConsentMissing, Field
from emk_app.domain.numbers import SnilsLength, WrongCheckDigit
from emk_app.domain.policies import SexDiffers
from emk_app.domain.representation import RepresentativeNeeded
from emk_app.services import accounts, applying, auditing, reviewing, scans
from emk_app.services.applying import WizardStep
from tests import factories
from tests.factories import FORM, ask, make_book, make_clinic, make_operator, put, put_scan
from tests.files import good
from tests.scenes import kept

make_holder = kept(factories.make_holder)
make_draft = kept(factories.make_draft)
make_submitted = kept(factories.make_submitted)

pytestmark = pytest.mark.usefixtures("world")

ACTS: dict[str, Callable[[Actor, int, datetime], object]] = {
    "change_fields": lambda who, which, now: applying.change_fields(
        who, which, {Field.SNILS: "1"}, now=now
    ),
    "remember_step": lambda who, which, now: applying.remember_step(
        who, which, WizardStep.PAPERS, now=now
    ),
    "choose_clinic": lambda who, which, now: applying.choose_clinic(
        who, which, make_clinic(), now=now
    ),
    "set_consent": lambda who, which, now: applying.set_consent(
        who, which, given=False, version="", now=now
    ),
    "submit": lambda who, which, now: applying.submit(who, which, now=now),
    "correct": lambda who, which, now: applying.correct(who, which, now=now),
    "withdraw": lambda who, which, now: applying.withdraw(who, which, now=now),
    "reapply": lambda who, which, now: applying.reapply(who, which, now=now),
    "remove_scan": lambda who, which, now: scans.remove(who, which, ScanKind.PASSPORT, now=now),
}
"""Everything that names an application of the holder."""


def stored(application_id: int) -> Application:
    with reading() as db:
        return applications.get(db, application_id)


def events(application_id: int) -> list[str]:
    with reading() as db:
        return [row.event for row in applications.changes_of(db, application_id)]


def counted(table: type[Job] | type[OutboxMessage] | type[Application]) -> int:
    with reading() as db:
        return len(db.exec(select(table)).all())


@pytest.mark.parametrize("act", ACTS)
def test_foreign_and_missing_applications_do_not_exist_and_stay_as_they_were(
    act: str, now: datetime
):
    draft = make_submitted(make_holder(now), now)
    before = stored(draft.id).model_dump()
    stranger = make_holder(now)
    for which in (draft.id, 999_999):
        with pytest.raises(NotFound):
            ACTS[act](stranger, which, now)
    assert stored(draft.id).model_dump() == before


@pytest.mark.parametrize("act", ACTS)
def test_nobody_but_a_holder_may(act: str, now: datetime):
    draft = make_draft(make_holder(now), now, with_scans=False)
    operator = make_operator(now)
    with pytest.raises(NotPermitted):
        ACTS[act](operator, draft.id, now)
    for look in (applying.draft, applying.standing_draft, applying.overview):
        with pytest.raises(NotPermitted):
            look(operator, now=now)
    with pytest.raises(NotPermitted):
        applying.case(operator, draft.number.slug, now=now)


@pytest.mark.parametrize("number", ["EMK-2026-000001-0", "", "что-то", "9" * 500])
def test_case_of_no_number_is_not_found(number: str, now: datetime):
    with pytest.raises(NotFound):
        applying.case(make_holder(now), number, now=now)


def test_case_of_another_holder_and_of_a_draft_is_not_found(now: datetime):
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    with pytest.raises(NotFound):
        applying.case(make_holder(now), draft.number.slug, now=now)
    begun = applying.draft(holder, now=now)
    with pytest.raises(NotFound):
        applying.case(holder, begun.number.slug, now=now)


def test_empty_draft_is_refused_with_a_problem_beside_every_control(now: datetime):
    holder = make_holder(now)
    draft = applying.draft(holder, now=now)
    with pytest.raises(Invalid) as refused:
        applying.submit(holder, draft.id, now=now)
    assert {name: type(error) for name, error in refused.value.fields.items()} == {
        "name_last": Required,
        "name_first": Required,
        "born_on": Required,
        "sex": Required,
        "passport_series": Required,
        "passport_number": Required,
        "passport_issued_on": Required,
        "passport_unit": Required,
        "snils": Required,
        "policy_number": Required,
        "phone": Required,
        "address_index": Required,
        "address_text": Required,
        "occupation": Required,
        "kind": Required,
        "consent": ConsentMissing,
        "clinic": Required,
        "scan_passport": Required,
        "scan_policy": Required,
    }
    assert stored(draft.id).status is ApplicationStatus.DRAFT
    assert counted(Job) == 0


def test_one_wrong_field_keeps_the_application_a_draft_and_what_was_typed(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    changed = applying.change_fields(holder, draft.id, {Field.SNILS: "1122334459"}, now=now)
    assert isinstance(changed.problems["snils"], SnilsLength)
    with pytest.raises(Invalid) as refused:
        applying.submit(holder, draft.id, now=now)
    assert set(refused.value.fields) == {"snils"}
    found = applying.standing_draft(holder, now=now)
    assert found is not None
    assert found.fields["snils"] == "1122334459"


def test_handed_in_application_can_not_be_changed(now: datetime):
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    with pytest.raises(NotAsked):
        applying.change_fields(holder, draft.id, {Field.PHONE: "+7 912 000-00-00"}, now=now)
    with pytest.raises(NotAsked):
        applying.set_consent(holder, draft.id, given=False, version="", now=now)
    with pytest.raises(NotAsked):
        scans.remove(holder, draft.id, ScanKind.PASSPORT, now=now)
    with pytest.raises(TransitionNotAllowed):
        applying.correct(holder, draft.id, now=now)
    with pytest.raises(Conflict):
        applying.reapply(holder, draft.id, now=now)


def test_consent_to_an_old_text_is_refused(now: datetime):
    holder = make_holder(now)
    draft = applying.draft(holder, now=now)
    with pytest.raises(ConsentOutdated):
        applying.set_consent(holder, draft.id, given=True, version="2020-01", now=now)
    assert stored(draft.id).consented_at is None


def test_clinic_that_can_not_examine_is_refused(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now, with_scans=False)
    for clinic_id, kind in [
        (make_clinic(licence=LicenceStatus.SUSPENDED), ClinicNotAvailable),
        (make_clinic(points="27"), ClinicNotAvailable),
        (make_clinic(is_connected=False), ClinicNotOffered),
        (999_999, NotFound),
    ]:
        with pytest.raises(kind):
            applying.choose_clinic(holder, draft.id, clinic_id, now=now)
    found = applying.standing_draft(holder, now=now)
    assert found is not None and found.clinic == draft.clinic


def test_clinic_that_does_not_serve_the_occupation_chosen_later_is_told_at_the_end(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now, clinic_id=make_clinic(points="23"))
    applying.change_fields(holder, draft.id, {Field.OCCUPATION: "nurse"}, now=now)
    with pytest.raises(Invalid) as refused:
        applying.submit(holder, draft.id, now=now)
    assert isinstance(refused.value.fields["clinic"], ClinicNotOffered)


def test_clinic_that_has_begun_is_not_left_and_its_case_not_withdrawn(now: datetime):
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    put(draft.id, status=ApplicationStatus.UNDER_REVIEW, examination=ExaminationTrack.OPEN)
    with pytest.raises(CaseAlreadyOpen):
        applying.choose_clinic(holder, draft.id, make_clinic(), now=now)
    with pytest.raises(CaseAlreadyOpen):
        applying.withdraw(holder, draft.id, now=now)
    case = applying.case(holder, draft.number.slug, now=now).case
    assert not case.may_withdraw
    assert not case.may_change_clinic


def test_draft_is_one_whoever_asks_twice(now: datetime):
    holder = make_holder(now)
    first = applying.draft(holder, now=now)
    assert applying.draft(holder, now=now).id == first.id
    assert applying.draft(make_holder(now), now=now).id != first.id


def test_two_tabs_that_begin_at_once_have_one_draft(now: datetime):
    holder = make_holder(now)
    found = at_once(lambda: applying.draft(holder, now=now).id)
    assert len(set(found)) == 1
    assert counted(Application) == 1


def test_fields_typed_in_two_tabs_at_once_are_all_kept(now: datetime):
    holder = make_holder(now)
    draft = applying.draft(holder, now=now)
    typed = iter(FORM.items())
    lock = threading.Lock()

    def type_next() -> None:
        with lock:
            field, text = next(typed)
        applying.change_fields(holder, draft.id, {field: text}, now=now)

    at_once(type_next, times=len(FORM))
    found = applying.standing_draft(holder, now=now)
    assert found is not None
    assert dict(found.fields) == {field.value: text for field, text in FORM.items()}


def test_draft_goes_on_where_it_was_left(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    applying.remember_step(holder, draft.id, WizardStep.CLINIC, now=now)
    later = applying.standing_draft(holder, now=now + timedelta(days=3))
    assert later is not None
    assert later.step is WizardStep.CLINIC
    assert later.is_consented
    assert [scan.kind for scan in later.scans] == [ScanKind.PASSPORT, ScanKind.POLICY]
    assert later.clinic == draft.clinic


def test_what_is_typed_is_sealed_and_kept_however_odd(now: datetime):
    holder = make_holder(now)
    draft = applying.draft(holder, now=now)
    applying.change_fields(
        holder,
        draft.id,
        {Field.LAST_NAME: "Тайная", Field.ADDRESS: "\ud800\0" + "я" * 5000},
        now=now,
    )
    found = applying.standing_draft(holder, now=now)
    assert found is not None
    assert len(found.fields["address_text"]) == 1000
    assert "address_text" in found.problems
    sealed = stored(draft.id).form_sealed
    assert sealed is not None
    assert "Тайная".encode() not in sealed


def test_fields_not_touched_are_not_scolded(now: datetime):
    holder = make_holder(now)
    draft = applying.draft(holder, now=now)
    seen = applying.change_fields(holder, draft.id, {Field.SNILS: "112-233-445 96"}, now=now)
    assert {name: type(error) for name, error in seen.problems.items()} == {
        "snils": WrongCheckDigit
    }


def test_policy_that_tells_another_sex_is_a_hint_and_no_hindrance(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    seen = applying.change_fields(holder, draft.id, {Field.SEX: "male"}, now=now)
    assert [type(warning) for warning in seen.warnings] == [SexDiffers]
    assert not seen.problems
    applying.submit(holder, draft.id, now=now)


def test_complete_draft_is_submitted_with_all_that_follows(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    done = applying.submit(holder, draft.id, now=now)
    assert done.number == draft.number
    assert f"{done.promised_by:%d.%m.%Y}" == "02.12.2026"
    row = stored(draft.id)
    assert row.status is ApplicationStatus.SUBMITTED
    assert (row.submitted_at, row.occupation, row.kind) == (now, "cook", "pre_placement")
    assert (row.consent_version, row.consented_at) == (CURRENT.version, now)
    assert events(draft.id) == ["submitted"]
    with reading() as db:
        assert db.exec(select(Job.kind, Job.target_id)).one() == ("check_application", draft.id)
        actions = db.exec(select(AuditEntry.action)).all()
        assert auditing.first_broken(db) is None
    assert "submit" in actions
    assert counted(OutboxMessage) == 1
    assert accounts.person_name(holder.user_id) == "Иванова Мария Сергеевна"


def test_second_submit_returns_what_the_first_did(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    first = applying.submit(holder, draft.id, now=now)
    again = applying.submit(holder, draft.id, now=now + timedelta(hours=1))
    assert again == first
    assert events(draft.id) == ["submitted"]


def test_two_submits_at_once_make_one_application(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    results = at_once(lambda: applying.submit(holder, draft.id, now=now))
    assert len(set(results)) == 1
    assert events(draft.id) == ["submitted"]
    assert counted(Job) == 1
    assert counted(OutboxMessage) == 1


def test_submit_that_dies_half_way_leaves_a_whole_draft(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    holder = make_holder(now)
    draft = make_draft(holder, now)

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    for place in ("emk_app.services.jobs.enqueue", "emk_app.services.auditing.record"):
        with monkeypatch.context() as patch:
            patch.setattr(place, die)
            with pytest.raises(Killed):
                applying.submit(holder, draft.id, now=now)
        assert stored(draft.id).status is ApplicationStatus.DRAFT
        assert events(draft.id) == []
        assert counted(Job) == counted(OutboxMessage) == 0
    assert applying.submit(holder, draft.id, now=now).number == draft.number


def test_those_who_watch_are_told_of_the_commit(now: datetime, monkeypatch: pytest.MonkeyPatch):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    heard: list[set[str]] = []
    monkeypatch.setattr(changes, "publish", lambda topics: heard.append(set(topics)))
    applying.submit(holder, draft.id, now=now)
    assert {f"application:{draft.id}", f"holder:{holder.user_id}", "queue"} <= heard[-1]
    assert draft.clinic is not None
    assert f"clinic:{draft.clinic.id}" in heard[-1]


def asked_holder(now: datetime, asked: Asked) -> tuple[Actor, applying.DraftView]:
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    ask(draft.id, asked, "Пришлите цветной скан паспорта.", now)
    return holder, draft


def test_only_what_is_asked_can_be_corrected(now: datetime):
    holder, draft = asked_holder(
        now, Asked(frozenset({Field.SNILS}), frozenset({ScanKind.PASSPORT}))
    )
    seen = applying.case(holder, draft.number.slug, now=now)
    assert seen.case.asked == Asked(frozenset({Field.SNILS}), frozenset({ScanKind.PASSPORT}))
    assert seen.case.note == "Пришлите цветной скан паспорта."
    with pytest.raises(NotAsked):
        applying.change_fields(
            holder, draft.id, {Field.SNILS: "1", Field.PHONE: "+7 912 000-00-00"}, now=now
        )
    with pytest.raises(NotAsked):
        scans.accept(holder, draft.number.slug, ScanKind.POLICY, good.jpeg(), "", now=now)
    applying.change_fields(holder, draft.id, {Field.SNILS: "087-654-303 00"}, now=now)
    scans.accept(holder, draft.number.slug, ScanKind.PASSPORT, good.jpeg(), "", now=now)


def test_correction_that_is_still_wrong_is_not_handed_in(now: datetime):
    holder, draft = asked_holder(now, Asked(frozenset({Field.SNILS}), frozenset({ScanKind.POLICY})))
    applying.change_fields(holder, draft.id, {Field.SNILS: "1"}, now=now)
    scans.remove(holder, draft.id, ScanKind.POLICY, now=now)
    with pytest.raises(Invalid) as refused:
        applying.correct(holder, draft.id, now=now)
    assert set(refused.value.fields) == {"snils", "scan_policy"}
    assert stored(draft.id).status is ApplicationStatus.CLARIFICATION_REQUESTED


def test_corrected_application_goes_on_under_its_number(now: datetime):
    holder, draft = asked_holder(now, Asked(frozenset({Field.SNILS})))
    applying.change_fields(holder, draft.id, {Field.SNILS: "087-654-303 00"}, now=now)
    applying.correct(holder, draft.id, "  Исправлено  ", now=now)
    applying.correct(holder, draft.id, now=now)
    row = stored(draft.id)
    assert (row.status, row.papers) == (ApplicationStatus.UNDER_REVIEW, PapersTrack.WAITING)
    assert row.clarify_fields is None
    assert row.note_sealed is None
    seen = applying.case(holder, draft.number.slug, now=now)
    assert seen.case.number == draft.number
    assert (seen.history[-1].event, seen.history[-1].note) == (Milestone.CORRECTED, "Исправлено")
    assert events(draft.id).count("corrected") == 1
    assert counted(Job) == 2


def test_clock_stands_still_while_the_holder_is_asked(now: datetime):
    holder, draft = asked_holder(now, Asked(frozenset({Field.SNILS})))
    later = now + timedelta(days=14)
    assert (
        f"{applying.case(holder, draft.number.slug, now=later).case.promised_by:%d.%m}" == "16.12"
    )
    applying.correct(holder, draft.id, now=later)
    much_later = later + timedelta(days=10)
    case = applying.case(holder, draft.number.slug, now=much_later).case
    assert f"{case.promised_by:%d.%m}" == "16.12"
    assert not case.is_late
    assert applying.case(holder, draft.number.slug, now=later + timedelta(days=17)).case.is_late


def test_withdrawn_draft_leaves_nothing_behind(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    applying.withdraw(holder, draft.id, now=now)
    row = stored(draft.id)
    assert (row.status, row.form_sealed) == (ApplicationStatus.WITHDRAWN, None)
    assert (row.consent_version, row.clinic_id) == (None, None)
    with reading() as db:
        names = db.exec(select(Scan.blob).where(col(Scan.removed_at).is_not(None))).all()
    assert len(names) == 2
    with pytest.raises(NotFound):
        scans.file(holder, draft.scans[0].ref, now=now)
    assert applying.overview(holder, now=now).cases == ()
    assert applying.draft(holder, now=now).id != draft.id


def test_withdrawn_application_stays_in_the_list_and_withdraws_once(now: datetime):
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    applying.withdraw(holder, draft.id, now=now)
    applying.withdraw(holder, draft.id, now=now)
    assert events(draft.id) == ["submitted", "withdrawn"]
    [case] = applying.overview(holder, now=now).cases
    assert case.status is ApplicationStatus.WITHDRAWN
    with pytest.raises(TransitionNotAllowed):
        applying.correct(holder, draft.id, now=now)


def test_rejected_application_is_the_ground_of_a_new_one(now: datetime):
    holder = make_holder(now)
    old = make_submitted(holder, now)
    put(old.id, status=ApplicationStatus.REJECTED, decided_at=now)
    begun = applying.draft(holder, now=now)
    applying.change_fields(holder, begun.id, {Field.PHONE: "+7 900 111-22-33"}, now=now)
    new = applying.reapply(holder, old.id, now=now)
    assert new.id == begun.id
    assert new.number != old.number
    assert dict(new.fields) == {
        **{field.value: text for field, text in FORM.items()},
        "phone": "+7 900 111-22-33",
    }
    assert [scan.kind for scan in new.scans] == [ScanKind.PASSPORT, ScanKind.POLICY]
    assert {scan.ref for scan in new.scans}.isdisjoint(scan.ref for scan in old.scans)
    assert new.clinic == old.clinic
    assert not new.is_consented
    scans.remove(holder, new.id, ScanKind.PASSPORT, now=now)
    assert scans.file(holder, old.scans[0].ref, now=now).content


MINOR = {
    Field.BIRTH_DATE: "01.02.2010",
    Field.PASSPORT_ISSUED_ON: "15.02.2024",
    Field.OCCUPATION: "nurse",
    Field.CATEGORY: "student",
}
REPRESENTED = {
    Field.APPLIED_BY: "representative",
    Field.REPRESENTATIVE_LAST: "Иванов",
    Field.REPRESENTATIVE_FIRST: "Сергей",
    Field.REPRESENTATIVE_BASIS: "attorney",
    Field.ATTORNEY_NUMBER: "77 АБ 1234567",
    Field.ATTORNEY_NOTARY: "Петрова Анна Ильинична, г. Москва",
    Field.ATTORNEY_ISSUED_ON: "10.03.2026",
}
CERTIFIED = {Field.EXAM_CERTIFICATE_ON: "20.11.2026"}


def test_papers_follow_the_answers_and_all_must_be_there(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    seen = applying.change_fields(holder, draft.id, MINOR, now=now)
    assert seen.papers.required == (
        *(ScanKind.PASSPORT, ScanKind.POLICY, ScanKind.DIPLOMA),
        ScanKind.STATUS_CERTIFICATE,
    )
    with pytest.raises(Invalid) as refused:
        applying.submit(holder, draft.id, now=now)
    assert refused.value.fields.keys() == {
        *("scan_diploma", "scan_status_certificate", "applied_by")
    }
    applying.change_fields(holder, draft.id, REPRESENTED | CERTIFIED, now=now)
    with pytest.raises(Invalid) as refused:
        applying.submit(holder, draft.id, now=now)
    assert refused.value.fields.keys() == {
        *("scan_diploma", "scan_status_certificate"),
        *("scan_power_of_attorney", "scan_exam_certificate"),
    }
    for kind in refused.value.fields:
        put_scan(holder, draft.id, ScanKind(kind.removeprefix("scan_")), now)
    applying.submit(holder, draft.id, now=now)
    said = applying.case(holder, draft.number.slug, now=now).applicant
    assert said is not None and said.representative is not None
    assert str(said.representative.name) == "Иванов Сергей"
    assert said.category == "student"


def test_minor_is_told_of_the_representative_as_soon_as_the_birth_date_is_typed(now: datetime):
    holder = make_holder(now)
    draft = applying.draft(holder, now=now)
    seen = applying.change_fields(holder, draft.id, {Field.BIRTH_DATE: "01.02.2010"}, now=now)
    assert {name: type(why) for name, why in seen.problems.items()} == {
        "applied_by": RepresentativeNeeded
    }


def test_certificate_without_its_date_is_not_handed_in(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    put_scan(holder, draft.id, ScanKind.EXAM_CERTIFICATE, now)
    with pytest.raises(Invalid) as refused:
        applying.submit(holder, draft.id, now=now)
    assert refused.value.fields.keys() == {"exam_certificate_on"}
    applying.change_fields(holder, draft.id, CERTIFIED, now=now)
    applying.submit(holder, draft.id, now=now)


def test_new_application_leaves_behind_what_has_run_out(now: datetime):
    holder = make_holder(now)
    old = make_draft(holder, now)
    applying.change_fields(holder, old.id, REPRESENTED | CERTIFIED, now=now)
    for kind in (ScanKind.POWER_OF_ATTORNEY, ScanKind.EXAM_CERTIFICATE, ScanKind.SNILS):
        put_scan(holder, old.id, kind, now)
    applying.submit(holder, old.id, now=now)
    put(old.id, status=ApplicationStatus.REJECTED, decided_at=now)
    later = now + timedelta(days=500)
    new = applying.reapply(holder, old.id, now=later)
    assert new.fields.keys() == {
        field.value for field in {**FORM, **REPRESENTED} if not field.startswith("attorney_")
    }
    assert {scan.kind for scan in new.scans} == {
        *(ScanKind.PASSPORT, ScanKind.POLICY, ScanKind.SNILS)
    }
    applying.withdraw(holder, new.id, now=later)
    soon = applying.reapply(holder, old.id, now=now)
    assert soon.fields.keys() == {field.value for field in {**FORM, **REPRESENTED, **CERTIFIED}}
    assert len(soon.scans) == 5


def forget_new_questions(application_id: int) -> None:
    """Leave the form as it was before the passport was asked for."""
    with unit_of_work() as db:
        row = applications.locked(db, application_id)
        kept = {
            name: text
            for name, text in applications.form_of(db, row).items()
            if not name.startswith(("passport_", "identity_"))
        }
        row.form_sealed = applications.seal_form(db, row, kept)


def test_draft_of_an_earlier_form_opens_and_lacks_only_what_is_new(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    forget_new_questions(draft.id)
    seen = applying.standing_draft(holder, now=now)
    assert seen is not None and seen.problems == {}
    assert seen.lacking.keys() == {
        *("passport_series", "passport_number", "passport_issued_on", "passport_unit")
    }


def test_earlier_application_is_corrected_without_what_was_not_asked_then(now: datetime):
    holder, draft = asked_holder(now, Asked(frozenset({Field.SNILS, Field.OCCUPATION})))
    forget_new_questions(draft.id)
    # A nurse shows a diploma, which nobody has asked for: the operator will see that it is absent.
    changes = {Field.SNILS: "087-654-303 00", Field.OCCUPATION: "nurse"}
    applying.change_fields(holder, draft.id, changes, now=now)
    applying.correct(holder, draft.id, now=now)
    operator = make_operator(now)
    assert reviewing.case(operator, draft.number.slug, now=now).absent == (ScanKind.DIPLOMA,)


def test_asked_for_fields_and_papers_of_the_representative_must_be_right(now: datetime):
    asked = Asked(REPRESENTATIVE, frozenset({ScanKind.POWER_OF_ATTORNEY}))
    holder, draft = asked_holder(now, asked)
    expired = REPRESENTED | {Field.ATTORNEY_UNTIL: "01.04.2026"}
    applying.change_fields(holder, draft.id, expired, now=now)
    with pytest.raises(Invalid) as refused:
        applying.correct(holder, draft.id, now=now)
    assert refused.value.fields.keys() == {"attorney_until", "scan_power_of_attorney"}
    applying.change_fields(holder, draft.id, {Field.ATTORNEY_UNTIL: ""}, now=now)
    put_scan(holder, draft.id, ScanKind.POWER_OF_ATTORNEY, now)
    applying.correct(holder, draft.id, now=now)


def test_every_field_is_kept_as_it_is_left(now: datetime):
    holder = make_holder(now)
    draft = applying.draft(holder, now=now)
    for field in Field:
        applying.change_fields(holder, draft.id, {field: f"«{field}»"}, now=now)
    seen = applying.standing_draft(holder, now=now)
    assert seen is not None
    assert dict(seen.fields) == {field.value: f"«{field}»" for field in Field}


def test_other_clinic_may_be_chosen_until_the_first_begins(now: datetime):
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    other = make_clinic()
    applying.choose_clinic(holder, draft.id, other, now=now)
    assert stored(draft.id).clinic_id == other
    assert events(draft.id) == ["submitted", "clinic_changed"]


def test_overview_shows_the_holders_own_alone(now: datetime):
    holder, stranger = make_holder(now), make_holder(now)
    make_submitted(stranger, now)
    assert applying.overview(holder, now=now) == applying.Overview(None, (), None)
    draft = make_submitted(holder, now)
    applying.draft(holder, now=now)
    seen = applying.overview(holder, now=now)
    assert [case.id for case in seen.cases] == [draft.id]
    assert seen.draft is not None


def at_once(act: Callable[[], object], times: int = 2) -> list[object]:
    """Do ``act`` in several threads that start together; return what each returned."""
    start = threading.Barrier(times)
    results: list[object] = []
    errors: list[BaseException] = []

    def run() -> None:
        start.wait()
        try:
            results.append(act())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return results


def test_audit_names_fields_and_never_values(now: datetime):
    holder, draft = asked_holder(now, Asked(frozenset({Field.SNILS})))
    applying.change_fields(holder, draft.id, {Field.SNILS: "087-654-303 00"}, now=now)
    with unit_of_work() as db:
        entries = db.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
        assert [e.fields for e in entries if e.action == "change"] == ["snils"]
        assert not any("654-303" in e.model_dump_json() for e in entries)
        assert {e.role for e in entries if e.subject_id} >= {Role.HOLDER.value}


def test_overview_shows_the_book_as_it_stands(now: datetime):
    holder = make_holder(now)
    make_book(holder, now, received=False)
    book = applying.overview(holder, now=now).book
    assert book is not None
    assert (book.status, book.is_received) == (BookStatus.FORMED, False)
    assert book.issued_on <= book.items_valid_until <= book.valid_until
    assert applying.overview(make_holder(now), now=now).book is None
