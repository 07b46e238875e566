"""What waits for its holder: reminders, ends, and everything that may happen in between."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from emk_app import clock, working
from emk_app.cli import main
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application, Scan
from emk_app.db.tables.journal import AuditEntry, Job, OutboxMessage
from emk_app.db.tables.people import User
from emk_app.domain.actors import Role
from emk_app.domain.applications import ApplicationStatus, ExaminationTrack
from emk_app.domain.corrections import Asked
from emk_app.domain.errors import NotFound, TransitionNotAllowed
from emk_app.domain.intake import Field
from emk_app.domain.notices import Channel
from emk_app.presenting.notices import message
from emk_app.services import applying, delivering, jobs, lapsing, scans
from emk_app.storage.blobs import BlobMissing
from tests import factories
from tests.factories import ask, make_submitted, put
from tests.scenes import kept

make_holder = kept(factories.make_holder)
make_draft = kept(factories.make_draft)
make_received = kept(factories.make_received)

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)


def stored(application_id: int) -> Application:
    with reading() as db:
        return applications.get(db, application_id)


def told() -> list[str]:
    """Return the texts of the outbox, oldest first, without those of the handing in."""
    with reading() as db:
        rows = db.exec(select(OutboxMessage).order_by(col(OutboxMessage.id))).all()
        texts = [message(delivering.notice_of(row), Channel.SMS).text for row in rows]
    return [text for text in texts if "отправлена" not in text]


def live_through(start: datetime, days: int) -> None:
    """Let the service work every day, for ``days`` days after ``start``."""
    for passed in range(days + 1):
        lapsing.run(0, start + DAY * passed)


def test_left_draft_is_reminded_of_and_then_leaves_nothing_behind(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    assert draft.kept_until == clock.day_of(now) + timedelta(days=30)
    live_through(now, 30)
    assert stored(draft.id).status is ApplicationStatus.DRAFT
    assert told() == [
        f"Черновик заявки {draft.number.shown} хранится до 23.12.2026. Отправьте его или откройте "
        "и сохраните, чтобы продлить хранение."
    ]
    live_through(now + DAY * 31, 3)
    row = stored(draft.id)
    assert (row.status, row.form_sealed) == (ApplicationStatus.EXPIRED, None)
    assert (row.consent_version, row.clinic_id) == (None, None)
    with pytest.raises(NotFound):
        scans.file(holder, draft.scans[0].ref, now=now)
    with reading() as db:
        gone = db.exec(select(Scan)).all()
        [entry] = db.exec(select(AuditEntry).where(AuditEntry.action == "expire")).all()
        history = applications.changes_of(db, draft.id)
    assert len(gone) == 2
    assert all(scan.removed_at for scan in gone)
    for scan in gone:
        with pytest.raises(BlobMissing):
            scans.blobs().open(scan.blob, b"")
    assert (entry.role, entry.subject_id) == (Role.SYSTEM.value, holder.user_id)
    assert [(line.event, line.by) for line in history] == [("expired", Role.SYSTEM)]
    assert told()[1:] == [
        f"Черновик заявки {draft.number.shown} удалён: его не меняли больше 30 дней."
    ]
    assert applying.standing_draft(holder, now=now) is None
    assert applying.draft(holder, now=now + DAY * 40).id != draft.id


def test_draft_that_is_saved_again_lives_on_and_is_reminded_of_anew(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    live_through(now, 29)
    again = now + DAY * 29
    applying.change_fields(holder, draft.id, {Field.FIRST_NAME: "Марина"}, now=again)
    live_through(again, 30)
    assert stored(draft.id).status is ApplicationStatus.DRAFT
    assert len(told()) == 2
    live_through(again + DAY * 31, 0)
    assert stored(draft.id).status is ApplicationStatus.EXPIRED


def test_application_without_a_visit_is_reminded_of_twice_and_ends(now: datetime):
    holder = make_holder(now)
    draft = make_received(holder, now)
    live_through(now, 60)
    assert stored(draft.id).status is ApplicationStatus.RECEIVED
    assert len(told()) == 2
    assert all("не позже 22.01.2027" in text for text in told())
    live_through(now + DAY * 61, 0)
    case = applying.case(holder, draft.number.slug, now=now + DAY * 61)
    assert case.case.status is ApplicationStatus.EXPIRED
    assert (case.case.act_by, case.case.may_withdraw) == (None, False)
    assert len(case.scans) == 2  # a new application can be made of it
    assert applying.reapply(holder, draft.id, now=now + DAY * 62).scans
    assert len(told()) == 3


def test_application_that_was_visited_never_ends(now: datetime):
    draft = make_received(make_holder(now), now)
    put(draft.id, status=ApplicationStatus.UNDER_REVIEW, examination=ExaminationTrack.OPEN)
    live_through(now + DAY * 45, 60)
    assert stored(draft.id).status is ApplicationStatus.UNDER_REVIEW
    assert told() == []


def test_question_ends_sixty_days_after_it_was_asked_even_after_the_visit(now: datetime):
    holder = make_holder(now)
    draft = make_received(holder, now)
    put(draft.id, status=ApplicationStatus.UNDER_REVIEW, examination=ExaminationTrack.OPEN)
    asked = now + DAY * 20
    ask(draft.id, Asked(frozenset({Field.SNILS})), "Проверьте номер", asked)
    # What is typed does not count as an answer.
    applying.change_fields(holder, draft.id, {Field.SNILS: "112"}, now=asked + DAY * 50)
    live_through(asked, 60)
    case = applying.case(holder, draft.number.slug, now=asked + DAY * 60).case
    assert case.status is ApplicationStatus.CLARIFICATION_REQUESTED
    assert case.act_by == clock.day_of(asked) + timedelta(days=60)
    assert len([text for text in told() if "ждут ваших исправлений" in text]) == 2
    live_through(asked + DAY * 61, 0)
    assert stored(draft.id).status is ApplicationStatus.EXPIRED


def test_late_answer_leaves_sixty_days_for_the_visit(now: datetime):
    holder = make_holder(now)
    draft = make_received(holder, now)
    put(draft.id, status=ApplicationStatus.UNDER_REVIEW)
    ask(draft.id, Asked(frozenset({Field.SNILS})), "Проверьте номер", now + DAY * 5)
    answered = now + DAY * 64
    live_through(now, 63)
    applying.correct(holder, draft.id, now=answered)
    live_through(answered, 60)
    case = applying.case(holder, draft.number.slug, now=answered).case
    assert case.status is ApplicationStatus.UNDER_REVIEW
    assert case.act_by == clock.day_of(answered) + timedelta(days=60)
    live_through(answered + DAY * 61, 0)
    assert stored(draft.id).status is ApplicationStatus.EXPIRED


def test_clock_that_jumps_reminds_first_and_ends_nothing_at_once(now: datetime):
    holder = make_holder(now)
    draft = make_received(holder, now)
    jumped = now + DAY * 3650
    live_through(jumped, 3)
    assert stored(draft.id).status is ApplicationStatus.RECEIVED
    assert len(told()) == 1
    lapsing.run(0, now)  # the clock is put right
    assert stored(draft.id).status is ApplicationStatus.RECEIVED
    case = applying.case(holder, draft.number.slug, now=now).case
    assert case.act_by is not None


def test_repeated_run_of_a_day_does_everything_once(now: datetime):
    draft = make_draft(make_holder(now), now)
    for _ in range(3):
        lapsing.run(0, now + DAY * 27)
    assert len(told()) == 1
    for _ in range(3):
        lapsing.run(0, now + DAY * 31)
    assert stored(draft.id).status is ApplicationStatus.EXPIRED
    assert len(told()) == 2


def test_workers_at_once_end_each_application_once(now: datetime, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lapsing, "BATCH", 2)
    drafts = [make_draft(make_holder(now), now, with_scans=False) for _ in range(5)]
    assert lapsing.remind(now=now + DAY * 27) == 5
    ended: list[int] = []
    workers = [
        threading.Thread(target=lambda: ended.append(lapsing.expire(now=now + DAY * 31)))
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sum(ended) == 5
    assert {stored(draft.id).status for draft in drafts} == {ApplicationStatus.EXPIRED}
    assert len(told()) == 10
    with reading() as db:
        entries = db.exec(select(AuditEntry).where(AuditEntry.action == "expire")).all()
    assert len(entries) == 5


def test_holder_who_hands_in_at_the_last_moment_is_faster_or_told_so(now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    late = now + DAY * 31
    lapsing.remind(now=now + DAY * 27)
    said: list[str] = []

    def hand_in() -> None:
        try:
            applying.submit(holder, draft.id, now=late)
        except TransitionNotAllowed:
            said.append("late")

    racers = [
        threading.Thread(target=hand_in),
        threading.Thread(target=lambda: lapsing.expire(now=late)),
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(30)
    won = ApplicationStatus.EXPIRED if said else ApplicationStatus.SUBMITTED
    assert stored(draft.id).status is won
    # No one but the holder's own scans went.
    with reading() as db:
        standing = applications.scans_of(db, draft.id)
    assert len(standing) == (0 if said else 2)


def test_one_broken_application_does_not_keep_the_others(now: datetime):
    lost = make_holder(now)
    broken, whole = (make_draft(each, now, with_scans=False) for each in (lost, make_holder(now)))
    with unit_of_work() as db:
        db.exec(sa.update(User).where(col(User.id) == lost.user_id).values(key_sealed=b"broken"))
    assert lapsing.remind(now=now + DAY * 28) == 1
    assert stored(broken.id).reminded_on is None
    assert stored(whole.id).reminded_on is not None


def test_returning_job_is_put_once_a_period_and_done_by_the_worker(now: datetime):
    draft = make_submitted(make_holder(now), now)
    hourly = [period for period in working.PERIODS.values() if period <= timedelta(hours=1)]
    # The checks, two scans to read, and whatever returns by itself.
    assert working.once(now=now) == 3 + len(working.PERIODS)
    assert working.once(now=now) == 0
    assert working.once(now=now + timedelta(hours=1)) == len(hourly)
    assert working.once(now=now + DAY) == len(working.PERIODS)
    assert stored(draft.id).status is ApplicationStatus.RECEIVED
    for passed in (46, 57, 61):
        working.once(now=now + DAY * passed)
    assert stored(draft.id).status is ApplicationStatus.EXPIRED


def test_processes_that_plan_at_once_put_one_job(now: datetime):
    start = threading.Barrier(4)

    def plan() -> None:
        start.wait(10)
        jobs.plan(lapsing.JOB, timedelta(hours=1), now=now)

    planners = [threading.Thread(target=plan) for _ in range(4)]
    for planner in planners:
        planner.start()
    for planner in planners:
        planner.join(30)
    with reading() as db:
        assert len(db.exec(select(Job)).all()) == 1


def test_jobs_of_long_ago_are_forgotten_and_those_not_done_are_kept(now: datetime):
    jobs.plan(lapsing.JOB, timedelta(hours=1), now=now)
    jobs.run_due(working.WORKS, now=now)
    jobs.plan(lapsing.JOB, timedelta(hours=1), now=now + DAY)
    jobs.sweep(now=now + DAY * 40)
    with reading() as db:
        [left] = db.exec(select(Job)).all()
    assert left.done_at is None


def test_command_line_does_what_is_due(now: datetime, capsys: pytest.CaptureFixture[str]):
    assert main(["jobs", "run-once"]) == 0
    assert capsys.readouterr().out == f"jobs tried: {len(working.PERIODS)}\n"
