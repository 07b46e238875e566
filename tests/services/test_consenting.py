"""The consent: given with each application, kept by version, taken back with all that follows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, books
from emk_app.db.tables.applications import Application, CheckResult, Scan, StatusChange
from emk_app.db.tables.consents import Consent
from emk_app.db.tables.journal import AuditEntry, OutboxMessage
from emk_app.domain import consent
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.applications import (
    ApplicationStatus,
    CaseAlreadyOpen,
    ExaminationTrack,
    TrackingNumber,
)
from emk_app.domain.books import BookStatus, Verdict
from emk_app.domain.consent import CURRENT, TEXTS, ConsentChannel, ConsentNeeded, ConsentOutdated
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import Conflict, DomainError, Invalid, NotFound, NotPermitted
from emk_app.domain.examinations import CaseClosed
from emk_app.domain.intake import ConsentMissing, Field
from emk_app.services import (
    applying,
    auditing,
    checking,
    consenting,
    examining,
    scans,
    sharing,
    verifying,
)
from tests.factories import (
    make_book,
    make_clinic,
    make_draft,
    make_holder,
    make_operator,
    make_physician,
    make_received,
    make_submitted,
    put,
    put_scan,
)

pytestmark = pytest.mark.usefixtures("world")

OLD = next(iter(TEXTS))
DAY = timedelta(days=1)


def stored(application_id: int) -> Application:
    with reading() as db:
        return applications.get(db, application_id)


def rows(table: type[Any]) -> list[Any]:
    with reading() as db:
        return list(db.exec(select(table).order_by(col(table.id))).all())


def at_once(*acts: Callable[[], object]) -> list[object]:
    start = threading.Barrier(len(acts))
    found: list[object] = []

    def run(act: Callable[[], object]) -> None:
        start.wait(20)
        try:
            found.append(act())
        except DomainError as error:
            found.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == len(acts)
    return found


def test_every_version_of_the_text_is_kept_under_its_name():
    assert len(TEXTS) >= 2
    assert list(TEXTS)[-1] == CURRENT.version
    assert all(text.version == version for version, text in TEXTS.items())
    assert all(
        heading and paragraph for text in TEXTS.values() for heading, paragraph in text.sections
    )


def test_consent_is_kept_with_version_time_and_channel_when_handed_in(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    assert consenting.view(holder, now=now).records == ()
    applying.submit(holder, draft.id, now=now + DAY)
    view = consenting.view(holder, now=now + DAY)
    [record] = view.records
    assert (record.version, record.channel) == (CURRENT.version, ConsentChannel.SCREEN)
    assert (record.given_at, record.withdrawn_at) == (now, None)
    assert record.number == draft.number
    assert (view.is_given, view.is_outdated) == (True, False)


def test_signed_paper_among_the_scans_makes_the_channel_paper(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    put_scan(holder, draft.id, ScanKind.CONSENT, now)
    applying.submit(holder, draft.id, now=now)
    applying.submit(holder, draft.id, now=now)
    [record] = consenting.view(holder, now=now).records
    assert record.channel is ConsentChannel.PAPER


def test_consent_to_an_older_text_is_asked_again_with_the_next_application(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    # The text changed while the draft waited.
    put(draft.id, consent_version=OLD)
    with pytest.raises(Invalid) as refused:
        applying.submit(holder, draft.id, now=now)
    assert isinstance(refused.value.fields["consent"], ConsentMissing)
    with pytest.raises(ConsentOutdated):
        applying.set_consent(holder, draft.id, given=True, version=OLD, now=now)
    # What was handed in with the older text goes on.
    put(draft.id, consent_version=CURRENT.version)
    applying.submit(holder, draft.id, now=now)
    with unit_of_work() as db:
        [row] = db.exec(select(Consent)).all()
        row.version = OLD
        db.add(row)
    view = consenting.view(holder, now=now)
    assert (view.is_given, view.is_outdated) == (True, True)
    consenting.give(holder, CURRENT.version, now=now + DAY)
    consenting.give(holder, CURRENT.version, now=now + DAY)
    view = consenting.view(holder, now=now + DAY)
    assert [record.version for record in view.records] == [CURRENT.version, OLD]
    assert not view.is_outdated


def test_only_the_present_text_can_be_agreed_to(now: datetime):
    holder = make_holder(now)
    for version in (OLD, "", "2099"):
        with pytest.raises(ConsentOutdated):
            consenting.give(holder, version, now=now)
    assert rows(Consent) == []


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.HOLDER}))
def test_nobody_but_a_holder_has_a_consent(role: Role, now: datetime):
    other = Actor(make_operator(now).user_id, role)
    for act in (consenting.view, consenting.withdraw, consenting.form_data):
        with pytest.raises(NotPermitted):
            act(other, now=now)
    with pytest.raises(NotPermitted):
        consenting.give(other, CURRENT.version, now=now)


def test_what_would_follow_is_told_beforehand_and_changes_nothing(now: datetime):
    holder = make_holder(now)
    begun = make_received(holder, now)
    put(begun.id, status=ApplicationStatus.UNDER_REVIEW, examination=ExaminationTrack.OPEN)
    fresh = make_received(holder, now)
    # A second one of the same person is refused by itself; an operator may have put it back.
    put(fresh.id, status=ApplicationStatus.RECEIVED, decided_at=None)
    make_draft(holder, now)
    make_submitted(make_holder(now), now)
    found = consenting.view(holder, now=now).consequences
    assert found.closed == (fresh.number, begun.number)
    assert found.begun == (begun.number,)
    assert (found.has_draft, found.links, found.has_book) == (True, 0, False)
    assert stored(fresh.id).status is ApplicationStatus.RECEIVED


def test_withdrawal_ends_what_is_open_and_destroys_what_need_not_be_kept(now: datetime):
    holder, stranger = make_holder(now), make_holder(now)
    other = make_received(stranger, now)
    fresh = make_received(holder, now)
    begun = make_received(holder, now)
    put(begun.id, status=ApplicationStatus.UNDER_REVIEW, examination=ExaminationTrack.OPEN)
    old = make_received(holder, now)
    put(old.id, status=ApplicationStatus.REJECTED, decided_at=now - DAY)
    draft = make_draft(holder, now)
    consenting.withdraw(holder, now=now)
    for application_id in (fresh.id, begun.id, draft.id):
        assert stored(application_id).status is ApplicationStatus.WITHDRAWN
        assert stored(application_id).decided_at == now
    assert stored(old.id).status is ApplicationStatus.REJECTED
    # Of what was examined the form stays, since it says whom the records are about.
    kept = {each.id: stored(each.id).form_sealed is not None for each in (fresh, begun, old, draft)}
    assert kept == {fresh.id: False, begun.id: True, old.id: False, draft.id: False}
    standing = [scan for scan in rows(Scan) if scan.removed_at is None]
    assert {scan.application_id for scan in standing} == {other.id}
    for each in (fresh, begun, old, draft):
        with pytest.raises(NotFound):
            scans.file(holder, each.scans[0].ref, now=now)
    evidence = [row for row in rows(CheckResult) if row.application_id in (fresh.id, old.id)]
    assert evidence
    assert all(row.evidence_sealed is None for row in evidence)
    history = [row.event for row in rows(StatusChange) if row.application_id == begun.id]
    assert history[-2:] == ["consent_withdrawn", "withdrawn"]
    assert stored(other.id).status is ApplicationStatus.RECEIVED
    assert consenting.view(stranger, now=now).is_given


def test_withdrawal_is_audited_told_and_done_once(now: datetime):
    holder = make_holder(now)
    make_received(holder, now)
    for moment in (now, now + DAY):
        consenting.withdraw(holder, now=moment)
    view = consenting.view(holder, now=now)
    assert (view.is_given, [record.withdrawn_at for record in view.records]) == (False, [now])
    entries = [row for row in rows(AuditEntry) if row.action == "withdraw_consent"]
    assert [(row.target, row.subject_id) for row in entries] == [
        (f"user:{holder.user_id}", holder.user_id)
    ]
    told = [row.dedupe for row in rows(OutboxMessage) if row.dedupe.startswith("consent-")]
    assert len(told) == 1
    with reading() as db:
        assert auditing.first_broken(db) is None


def test_withdrawal_without_a_consent_changes_nothing(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    consenting.withdraw(holder, now=now)
    assert stored(draft.id).status is ApplicationStatus.DRAFT


def test_closed_application_shows_its_history_and_is_no_ground_of_another(now: datetime):
    holder = make_holder(now)
    draft = make_received(holder, now)
    consenting.withdraw(holder, now=now)
    found = applying.case(holder, draft.number.slug, now=now)
    assert (found.case.is_erased, found.case.may_reapply) == (True, False)
    assert (found.applicant, dict(found.fields), found.scans) == (None, {}, ())
    assert found.history[-1].event == "withdrawn"
    with pytest.raises(Conflict):
        applying.reapply(holder, draft.id, now=now)
    checking.run(draft.id, now)
    assert stored(draft.id).status is ApplicationStatus.WITHDRAWN


def test_new_application_needs_a_new_consent(now: datetime):
    holder = make_holder(now)
    make_received(holder, now)
    consenting.withdraw(holder, now=now)
    draft = make_draft(holder, now)
    applying.set_consent(holder, draft.id, given=False, version="", now=now)
    with pytest.raises(Invalid) as refused:
        applying.submit(holder, draft.id, now=now)
    assert set(refused.value.fields) == {"consent"}
    applying.set_consent(holder, draft.id, given=True, version=CURRENT.version, now=now)
    applying.submit(holder, draft.id, now=now)
    view = consenting.view(holder, now=now)
    assert [record.withdrawn_at for record in view.records] == [None, now]
    assert view.is_given


def test_case_of_the_clinic_is_closed_and_its_records_stay(now: datetime):
    holder = make_holder(now)
    clinic_id = make_clinic()
    registrar = make_physician(clinic_id, now, Position.REGISTRAR)
    draft = make_received(holder, now, clinic_id=clinic_id)
    examination_id = examining.open_case(registrar, draft.number.slug, now=now)
    consenting.withdraw(holder, now=now)
    assert stored(draft.id).examination is ExaminationTrack.OPEN
    with pytest.raises(CaseClosed):
        examining.confirm_identity(registrar, examination_id, now=now)
    patient = examining.view(registrar, examination_id, now=now).patient
    assert (patient.name, patient.snils) != (None, None)


def test_book_stands_but_is_shown_to_nobody_until_the_consent_is_given_again(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    link = sharing.make(holder, book_id, now=now)
    assert consenting.view(holder, now=now).consequences.links == 1
    consenting.withdraw(holder, now=now)
    seen = verifying.look(link.url[-26:], "Chrome", now=now)
    assert seen.verdict is Verdict.LINK_REVOKED
    with reading() as db:
        assert books.get(db, book_id).status is BookStatus.ACTIVE
    with pytest.raises(ConsentNeeded):
        sharing.make(holder, book_id, now=now)
    consenting.give(holder, CURRENT.version, now=now + DAY)
    again = sharing.make(holder, book_id, now=now + DAY)
    seen = verifying.look(again.url[-26:], "Chrome", now=now + DAY)
    assert seen.verdict is Verdict.VALID


def test_withdrawal_and_handing_in_at_once_leave_no_application_without_a_consent(now: datetime):
    holder = make_holder(now)
    make_received(holder, now)
    draft = make_draft(holder, now)
    at_once(
        lambda: consenting.withdraw(holder, now=now),
        lambda: applying.submit(holder, draft.id, now=now),
        lambda: consenting.withdraw(holder, now=now),
    )
    row, view = stored(draft.id), consenting.view(holder, now=now)
    assert view.is_given is (row.status is ApplicationStatus.SUBMITTED)
    if row.status is ApplicationStatus.WITHDRAWN:
        assert row.form_sealed is None


def test_withdrawal_and_the_opening_of_the_case_at_once_end_in_a_closed_case(now: datetime):
    holder = make_holder(now)
    clinic_id = make_clinic()
    registrar = make_physician(clinic_id, now, Position.REGISTRAR)
    draft = make_received(holder, now, clinic_id=clinic_id)
    found = at_once(
        lambda: consenting.withdraw(holder, now=now),
        lambda: examining.open_case(registrar, draft.number.slug, now=now),
    )
    row = stored(draft.id)
    assert row.status is ApplicationStatus.WITHDRAWN
    opened = any(isinstance(each, int) for each in found)
    assert (row.examination is ExaminationTrack.OPEN) is opened
    assert (row.form_sealed is not None) is opened


def test_of_withdrawal_and_the_opening_of_the_case_exactly_one_is_first(now: datetime):
    holder = make_holder(now)
    clinic_id = make_clinic()
    registrar = make_physician(clinic_id, now, Position.REGISTRAR)
    draft = make_received(holder, now, clinic_id=clinic_id)
    found = at_once(
        lambda: applying.withdraw(holder, draft.id, now=now),
        lambda: examining.open_case(registrar, draft.number.slug, now=now),
    )
    [refusal] = [each for each in found if isinstance(each, DomainError)]
    row = stored(draft.id)
    if row.status is ApplicationStatus.WITHDRAWN:
        assert row.examination is ExaminationTrack.WAITING
    else:
        assert isinstance(refusal, CaseAlreadyOpen)
        assert (row.status, row.examination) == (
            ApplicationStatus.UNDER_REVIEW,
            ExaminationTrack.OPEN,
        )


def test_link_made_while_the_consent_is_taken_back_does_not_stay_open(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    at_once(
        lambda: consenting.withdraw(holder, now=now),
        *[lambda: sharing.make(holder, book_id, now=now)] * 3,
    )
    with reading() as db:
        assert all(link.revoked_at for link in books.links_of(db, holder.user_id))


def test_withdrawal_that_dies_half_way_leaves_everything(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    holder = make_holder(now)
    draft = make_received(holder, now)

    def fail(*_args: object, **_more: object) -> None:
        raise OSError("no outbox")

    with monkeypatch.context() as patched:
        patched.setattr("emk_app.services.notifying.tell", fail)
        with pytest.raises(OSError, match="no outbox"):
            consenting.withdraw(holder, now=now)
    assert stored(draft.id).status is ApplicationStatus.RECEIVED
    assert consenting.view(holder, now=now).is_given
    assert scans.file(holder, draft.scans[0].ref, now=now).content


def test_form_on_paper_takes_what_the_newest_application_says(now: datetime):
    holder = make_holder(now)
    assert consenting.form_data(holder, now=now) == {}
    make_received(holder, now)
    draft = applying.draft(holder, now=now)
    assert consenting.form_data(holder, now=now)[Field.LAST_NAME] == "Иванова"
    applying.change_fields(holder, draft.id, {Field.LAST_NAME: "Кедрова"}, now=now)
    assert consenting.form_data(holder, now=now)[Field.LAST_NAME] == "Кедрова"
    assert [row.action for row in rows(AuditEntry)].count("export_consent") == 3


def test_holder_sees_their_own_consents_alone(now: datetime):
    mine, theirs = make_holder(now), make_holder(now)
    number: TrackingNumber = make_submitted(mine, now).number
    make_submitted(theirs, now)
    assert [record.number for record in consenting.view(mine, now=now).records] == [number]
    assert consent.CURRENT.version == consenting.view(mine, now=now).records[0].version
