"""The operators' desk."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import col, select

from emk_app.db.engine import engine, reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.repositories.desks import Counts
from emk_app.db.tables.applications import Application, StatusChange
from emk_app.db.tables.books import BookVersion
from emk_app.db.tables.journal import AuditEntry
from emk_app.db.tables.notices import StoredNotice
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.applications import (
    ApplicationStatus,
    ExaminationTrack,
    PapersTaken,
    PapersTrack,
)
from emk_app.domain.checks import Check, CheckOutcome
from emk_app.domain.corrections import Asked
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import (
    ChangedMeanwhile,
    DomainError,
    Invalid,
    NotAChoice,
    NotFound,
    NotPermitted,
    Required,
)
from emk_app.domain.examinations import ProgrammeChanged
from emk_app.domain.intake import Field
from emk_app.domain.queue import QueuePart
from emk_app.services import applying, issuing, reviewing
from tests.conftest import POSTGRES
from tests.factories import (
    make_clinic,
    make_draft,
    make_green,
    make_holder,
    make_operator,
    make_physician,
    make_received,
    put,
)
from tests.scenes import kept

pytestmark = pytest.mark.usefixtures("world")

CLARIFY = ([Field.SNILS.value, "scan_passport"], "Переснимите паспорт.")


@pytest.fixture
@kept
def holder(now: datetime) -> Actor:
    return make_holder(now)


@pytest.fixture
@kept
def number(holder: Actor, now: datetime) -> str:
    return make_received(holder, now).number.slug


@pytest.fixture
@kept
def operator(now: datetime) -> Actor:
    return make_operator(now)


@pytest.fixture
@kept
def colleague(now: datetime) -> Actor:
    return make_operator(now, "Лебедева Ольга Ивановна")


def row(number: str) -> Application:
    with reading() as db:
        return applications.by_number(db, number)


def events(number: str) -> list[str]:
    with reading() as db:
        return list(
            db.exec(
                select(StatusChange.event)
                .where(StatusChange.application_id == applications.by_number(db, number).id)
                .order_by(col(StatusChange.id))
            ).all()
        )


def audited(actor: Actor) -> list[str]:
    with reading() as db:
        return list(
            db.exec(
                select(AuditEntry.action)
                .where(AuditEntry.actor_id == actor.user_id)
                .order_by(col(AuditEntry.id))
            ).all()
        )


def letters(user_id: int) -> list[str]:
    with reading() as db:
        return list(
            db.exec(select(StoredNotice.dedupe).where(StoredNotice.user_id == user_id)).all()
        )


ACTS: dict[str, Callable[[Actor, str, datetime], object]] = {
    "case": lambda actor, number, now: reviewing.case(actor, number, now=now),
    "identity": lambda actor, number, now: reviewing.identity(actor, number),
    "take": lambda actor, number, now: reviewing.take(actor, number, now=now),
    "release": lambda actor, number, now: reviewing.release(actor, number, now=now),
    "approve": lambda actor, number, now: reviewing.approve(actor, number, now=now),
    "reject": lambda actor, number, now: reviewing.reject(
        actor, number, "identity_differs", "", now=now
    ),
    "ask": lambda actor, number, now: reviewing.ask_clarification(actor, number, *CLARIFY, now=now),
}


WHOLE = {"queue": reviewing.queue, "take_next": reviewing.take_next, "go_on": reviewing.go_on}


@pytest.mark.parametrize("act", [*ACTS, *WHOLE])
def test_only_operators_sit_at_the_desk(act: str, number: str, holder: Actor, now: datetime):
    clinic_id = make_clinic()
    before = row(number).version
    for stranger in (
        holder,
        make_physician(clinic_id, now, Position.CHAIR),
        *(Actor(99, role) for role in (Role.EMPLOYER, Role.SUPPORT, Role.ADMIN, Role.SYSTEM)),
    ):
        with pytest.raises(NotPermitted):
            if act in WHOLE:
                WHOLE[act](stranger, now=now)
            else:
                ACTS[act](stranger, number, now)
    assert row(number).version == before


@pytest.mark.parametrize("act", ACTS)
def test_draft_and_unknown_number_do_not_exist_for_an_operator(
    act: str, holder: Actor, operator: Actor, now: datetime
):
    draft = make_draft(holder, now).number.slug
    for missing in (draft, "EMK-2026-999999-1", "", "х" * 500, "1; DROP TABLE applications"):
        with pytest.raises(NotFound):
            ACTS[act](operator, missing, now)


@pytest.mark.parametrize("act", ["approve", "reject", "ask", "release"])
def test_papers_nobody_has_taken_are_not_decided(
    act: str, number: str, operator: Actor, now: datetime
):
    if act == "release":
        ACTS[act](operator, number, now)
    else:
        with pytest.raises(NotPermitted):
            ACTS[act](operator, number, now)
    assert row(number).papers is PapersTrack.WAITING
    assert row(number).status is ApplicationStatus.RECEIVED


@pytest.mark.parametrize("act", ["take", "release", "approve", "reject", "ask"])
def test_only_who_took_the_papers_decides_and_the_others_are_told_who_and_when(
    act: str, number: str, operator: Actor, colleague: Actor, now: datetime
):
    reviewing.take(colleague, number, now=now)
    before = row(number).version
    with pytest.raises(ChangedMeanwhile) as beaten:
        ACTS[act](operator, number, now + timedelta(minutes=3))
    assert isinstance(beaten.value, PapersTaken)
    assert (beaten.value.by, beaten.value.at) == ("Лебедева Ольга Ивановна", now)
    assert row(number).version == before


@pytest.mark.parametrize("act", ["approve", "reject", "ask", "release"])
def test_application_that_ended_meanwhile_is_not_decided(
    act: str, number: str, operator: Actor, now: datetime
):
    reviewing.take(operator, number, now=now)
    put(row(number).id, status=ApplicationStatus.REJECTED, decided_at=now)
    with pytest.raises(ChangedMeanwhile):
        ACTS[act](operator, number, now)
    assert row(number).papers is PapersTrack.TAKEN


def test_withdrawn_application_is_gone_from_the_desk(
    number: str, holder: Actor, operator: Actor, now: datetime
):
    applying.withdraw(holder, row(number).id, now=now)
    assert reviewing.queue(operator, now=now).lines == ()
    with pytest.raises(NotFound):
        reviewing.case(operator, number, now=now)


@pytest.mark.parametrize(
    ("ground", "note", "field", "problem"),
    [
        ("", "", "ground", Required),
        ("потому что", "", "ground", NotAChoice),
        ("other", " ", "note", Required),
        ("not_in_force", "", "note", Required),
    ],
)
def test_refusal_needs_a_ground_and_words_where_the_ground_has_none(
    ground: str,
    note: str,
    field: str,
    problem: type[Exception],
    number: str,
    operator: Actor,
    now: datetime,
):
    reviewing.take(operator, number, now=now)
    with pytest.raises(Invalid) as refused:
        reviewing.reject(operator, number, ground, note, now=now)
    assert isinstance(refused.value.fields[field], problem)
    assert row(number).status is ApplicationStatus.UNDER_REVIEW


@pytest.mark.parametrize(
    ("controls", "question", "field", "problem"),
    [
        ([], "Что это?", "controls", Required),
        (["snils", "password"], "Что это?", "controls", NotAChoice),
        (["status"], "Что это?", "controls", Required),
        (["snils"], " ", "question", Required),
    ],
)
def test_question_names_fields_of_the_form_and_says_something(
    controls: list[str],
    question: str,
    field: str,
    problem: type[Exception],
    number: str,
    operator: Actor,
    now: datetime,
):
    reviewing.take(operator, number, now=now)
    with pytest.raises(Invalid) as refused:
        reviewing.ask_clarification(operator, number, controls, question, now=now)
    assert isinstance(refused.value.fields[field], problem)
    assert row(number).papers is PapersTrack.TAKEN


def test_every_field_and_scan_may_be_asked_for_at_once(number: str, operator: Actor, now: datetime):
    reviewing.take(operator, number, now=now)
    controls = [*Field, *(f"scan_{kind}" for kind in ScanKind)]
    reviewing.ask_clarification(operator, number, controls, "Заполните заново.", now=now)
    asked = reviewing.case(operator, number, now=now).asked
    assert asked == Asked(frozenset(Field), frozenset(ScanKind))
    with reading() as db:
        noted = db.exec(select(AuditEntry.fields).where(AuditEntry.action == "ask")).one()
    assert noted.startswith(f"{next(iter(Field))},") and noted.endswith(",…") and len(noted) <= 400


def test_correction_that_changes_the_programme_is_not_approved_on_the_old_examination(
    holder: Actor, operator: Actor, now: datetime
):
    application_id = make_green(holder, now)
    with unit_of_work() as db:
        application = applications.locked(db, application_id)
        form = applications.form_of(db, application) | {Field.BIRTH_DATE.value: "27.03.1970"}
        applications.move(
            db,
            application,
            now=now,
            form_sealed=applications.seal_form(db, application, form),
            papers=PapersTrack.TAKEN,
            reviewer_id=operator.user_id,
        )
        number = application.tracking_number
    with pytest.raises(ProgrammeChanged) as refused:
        reviewing.approve(operator, number, now=now)
    assert refused.value.codes == ("cv_risk_abs", "iop", "mammography")
    assert row(number).papers is PapersTrack.TAKEN


def test_queue_is_oldest_first_and_says_nothing_personal(operator: Actor, now: datetime):
    friday = now - timedelta(days=3)
    late = make_received(make_holder(now), now).number
    early = make_received(make_holder(now), friday).number
    queue = reviewing.queue(operator, now=now)
    assert [line.number for line in queue.lines] == [early, late]
    assert (queue.counts.all, queue.counts.free, queue.counts.overdue) == (2, 2, 0)
    assert (queue.page, queue.pages) == (1, 1)
    first = queue.lines[0]
    assert (first.due_on, first.days_left, first.is_late) == (date(2026, 11, 24), 1, False)
    assert first.outcomes[CheckOutcome.PASSED] > 0 and first.outcomes[CheckOutcome.UNKNOWN] > 0
    assert (first.reviewer, first.is_mine) == ("", False)
    assert "Иванова" not in repr(queue) and "112" not in repr(queue)


def test_queue_says_who_took_what_and_what_is_late(
    operator: Actor, colleague: Actor, now: datetime
):
    mine = make_received(make_holder(now), now - timedelta(days=30)).number
    hers = make_received(make_holder(now), now - timedelta(days=7)).number
    reviewing.take(operator, mine.slug, now=now)
    reviewing.take(colleague, hers.slug, now=now)
    queue = reviewing.queue(operator, now=now)
    first, second = queue.lines
    assert (first.number, first.is_mine, first.is_late) == (mine, True, True)
    assert (second.number, second.is_mine, second.is_late) == (hers, False, False)
    assert (second.reviewer, second.days_left) == ("Лебедева Ольга Ивановна", -3)
    assert (first.since, second.since) == (now, now)
    assert queue.counts == Counts(all=2, free=0, mine=1, overdue=2, asked=0, reversals=0)


def test_waiting_stands_still_while_the_holder_is_asked(
    number: str, holder: Actor, operator: Actor, now: datetime
):
    reviewing.take(operator, number, now=now)
    reviewing.ask_clarification(operator, number, *CLARIFY, now=now)
    weeks = now + timedelta(days=21)
    asked = reviewing.queue(operator, QueuePart.ASKED, now=weeks)
    assert reviewing.queue(operator, now=weeks).lines == ()
    assert [line.due_on for line in asked.lines] == [None]
    assert asked.counts == Counts(all=0, free=0, mine=0, overdue=0, asked=1, reversals=0)
    assert reviewing.case(operator, number, now=weeks).days_spent == 0
    applying.correct(holder, row(number).id, now=weeks)
    line = reviewing.queue(operator, now=weeks + timedelta(days=1)).lines[0]
    assert (line.days_left, line.reviewer) == (1, "")


def test_each_part_of_the_queue_shows_its_own(operator: Actor, colleague: Actor, now: datetime):
    ages = {"old": 30, "hers": 1, "fresh": 0, "asked": 5, "mine": 2}
    numbers = {
        name: make_received(make_holder(now), now - timedelta(days=age)).number
        for name, age in ages.items()
    }
    reviewing.take(colleague, numbers["hers"].slug, now=now)
    for name in ("asked", "mine"):
        reviewing.take(operator, numbers[name].slug, now=now)
    reviewing.ask_clarification(operator, numbers["asked"].slug, *CLARIFY, now=now)
    make_draft(make_holder(now), now)

    def shown(part: QueuePart) -> list[str]:
        queue = reviewing.queue(operator, part, now=now)
        found = [line.number for line in queue.lines]
        assert getattr(queue.counts, part) == len(found)
        return [name for number in found for name in numbers if numbers[name] == number]

    assert shown(QueuePart.ALL) == ["old", "mine", "hers", "fresh"]
    assert shown(QueuePart.FREE) == ["old", "fresh"]
    assert shown(QueuePart.MINE) == ["mine"]
    assert shown(QueuePart.OVERDUE) == ["old"]
    assert shown(QueuePart.ASKED) == ["asked"]
    assert shown(QueuePart.REVERSALS) == []


def test_search_finds_any_number_an_operator_may_see(
    number: str, holder: Actor, operator: Actor, now: datetime
):
    draft = make_draft(holder, now).number
    reviewing.take(operator, number, now=now)
    reviewing.reject(operator, number, "identity_differs", "", now=now)

    def found(text: str) -> list[str]:
        return [str(line.number) for line in reviewing.queue(operator, search=text, now=now).lines]

    serial = number.split("-")[2]
    for text in (number, number.lower(), f" ЭМК {number[4:]} ", f"2026-{serial}", serial):
        assert found(text) == [number], text
    for text in (draft.slug, draft.shown, "%%%", "___", "12", "EMK-2026-999999-1", "х" * 500):
        assert found(text) == [], text


def test_long_queue_is_paged_and_a_page_beyond_the_end_is_the_last(
    operator: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reviewing, "PAGE_LENGTH", 2)
    numbers = [
        make_received(make_holder(now), now - timedelta(hours=age)).number
        for age in range(5, 0, -1)
    ]
    pages = [reviewing.queue(operator, page=page, now=now) for page in (1, 2, 3, 4, -1)]
    assert [[line.number for line in queue.lines] for queue in pages] == [
        numbers[:2],
        numbers[2:4],
        numbers[4:],
        numbers[4:],
        numbers[:2],
    ]
    assert {queue.pages for queue in pages} == {3}
    assert [queue.page for queue in pages] == [1, 2, 3, 3, 1]


def test_next_is_the_oldest_free_one_until_nothing_is_free(
    operator: Actor, colleague: Actor, now: datetime
):
    late, early = (
        make_received(make_holder(now), now - timedelta(days=age)).number for age in (1, 2)
    )
    assert reviewing.take_next(operator, now=now) == early
    assert reviewing.take_next(colleague, now=now) == late
    assert reviewing.take_next(operator, now=now) is None
    assert events(early.slug)[-1] == "papers_taken" and audited(operator) == ["take"]


def test_after_a_decision_comes_what_was_begun_and_then_the_oldest_free(
    operator: Actor, now: datetime
):
    free, mine = (
        make_received(make_holder(now), now - timedelta(days=age)).number for age in (2, 1)
    )
    reviewing.take(operator, mine.slug, now=now)
    assert reviewing.go_on(operator, now=now) == mine
    assert row(free.slug).papers is PapersTrack.WAITING
    reviewing.approve(operator, mine.slug, now=now)
    assert reviewing.go_on(operator, now=now) == free
    assert row(free.slug).reviewer_id == operator.user_id
    reviewing.approve(operator, free.slug, now=now)
    assert reviewing.go_on(operator, now=now) is None


@contextmanager
def heard() -> Iterator[list[tuple[str, Any]]]:
    """Note the statements that are sent, with their values."""
    seen: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, values))

    event.listen(engine(), "before_cursor_execute", note)
    yield seen
    event.remove(engine(), "before_cursor_execute", note)


def test_page_of_the_queue_costs_as_many_statements_however_long_it_is(
    operator: Actor, now: datetime
):
    first = make_received(make_holder(now), now)
    reviewing.take(operator, first.number.slug, now=now)
    with heard() as short:
        reviewing.queue(operator, now=now)
    for _ in range(12):
        make_received(make_holder(now), now)
    with heard() as long:
        assert len(reviewing.queue(operator, now=now).lines) == 13
    assert len(long) == len(short) <= 8


@pytest.mark.parametrize("part", QueuePart)
def test_queue_is_found_and_counted_by_an_index(part: QueuePart, operator: Actor, now: datetime):
    with heard() as seen:
        reviewing.queue(operator, part, now=now)
    looks = [each for each in seen if "FROM applications" in each[0]]
    assert len(looks) == 2
    with engine().connect() as connection:
        for statement, values in looks:
            if POSTGRES:
                # A table of no rows is read through whatever the indexes.
                connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
            explain = "EXPLAIN " if POSTGRES else "EXPLAIN QUERY PLAN "
            plan = connection.exec_driver_sql(explain + statement, values).all()
            steps = [str(step[-1]) for step in plan]
            assert not any(re.search("SCAN applications|Seq Scan on appl", each) for each in steps)


def test_taking_begins_the_review_and_every_screen_is_told_once(
    number: str, operator: Actor, now: datetime
):
    reviewing.take(operator, number, now=now)
    version = row(number).version
    reviewing.take(operator, number, now=now)
    taken = row(number)
    assert (taken.status, taken.papers) == (ApplicationStatus.UNDER_REVIEW, PapersTrack.TAKEN)
    assert (taken.reviewer_id, taken.version) == (operator.user_id, version)
    assert events(number)[-2:] == ["under_review", "papers_taken"]
    assert audited(operator) == ["take"]


def test_papers_are_taken_also_after_the_clinic_began(number: str, operator: Actor, now: datetime):
    put(row(number).id, status="under_review", examination=ExaminationTrack.OPEN)
    reviewing.take(operator, number, now=now)
    assert row(number).papers is PapersTrack.TAKEN
    assert events(number)[-1] == "papers_taken"


def test_released_papers_are_free_for_a_colleague(
    number: str, operator: Actor, colleague: Actor, now: datetime
):
    reviewing.take(operator, number, now=now)
    reviewing.release(operator, number, now=now)
    assert row(number).reviewer_id is None
    reviewing.take(colleague, number, now=now)
    assert row(number).reviewer_id == colleague.user_id


def test_case_shows_form_scans_checks_and_history_and_each_look_is_noted_once(
    number: str, holder: Actor, operator: Actor, now: datetime
):
    reviewing.take(operator, number, now=now)
    case = reviewing.case(operator, f" {number.lower()} ", now=now)
    assert case.applicant is not None and str(case.applicant.name) == "Иванова Мария Сергеевна"
    assert [scan.kind for scan in case.scans] == [ScanKind.PASSPORT, ScanKind.POLICY]
    assert {each.check for each in case.findings} == set(Check) - {Check.SIGNATURE}
    assert [line.event for line in case.history] == events(number)
    assert case.history[-1].person == "Орлова Анна Петровна"
    assert case.history[0].person == ""
    assert case.is_mine and case.may_decide and not case.may_take
    reviewing.case(operator, number, now=now + timedelta(minutes=14))
    assert audited(operator) == ["take", "view"]
    reviewing.case(operator, number, now=now + timedelta(minutes=16))
    assert audited(operator) == ["take", "view", "view"]
    with reading() as db:
        looks = db.exec(select(AuditEntry).where(AuditEntry.action == "view")).all()
        assert {look.subject_id for look in looks} == {holder.user_id}


def test_approval_without_an_examination_forms_no_book(number: str, operator: Actor, now: datetime):
    reviewing.take(operator, number, now=now)
    reviewing.approve(operator, number, now=now)
    reviewing.approve(operator, number, now=now)
    approved = row(number)
    assert (approved.status, approved.papers) == (
        ApplicationStatus.UNDER_REVIEW,
        PapersTrack.APPROVED,
    )
    assert events(number).count("papers_approved") == 1
    assert reviewing.queue(operator, now=now).lines == ()


def green_but_for_the_papers(holder: Actor, operator: Actor, now: datetime) -> str:
    application_id = make_green(holder, now)
    put(application_id, papers=PapersTrack.TAKEN, reviewer_id=operator.user_id)
    with reading() as db:
        return applications.get(db, application_id).tracking_number


def test_approval_after_the_examination_forms_the_book_once(
    holder: Actor, operator: Actor, now: datetime
):
    number = green_but_for_the_papers(holder, operator, now)
    reviewing.approve(operator, number, now=now)
    reviewing.approve(operator, number, now=now)
    assert row(number).status is ApplicationStatus.APPROVED
    with reading() as db:
        assert len(db.exec(select(BookVersion)).all()) == 1


def test_failure_while_the_book_is_formed_leaves_the_papers_undecided(
    holder: Actor, operator: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    number = green_but_for_the_papers(holder, operator, now)
    before = row(number).version

    def fail(*_: object, **__: object) -> None:
        raise OSError("no key")

    with monkeypatch.context() as broken:
        broken.setattr(issuing.signing, "sign_document", fail)
        with pytest.raises(OSError, match="no key"):
            reviewing.approve(operator, number, now=now)
    assert (row(number).papers, row(number).version) == (PapersTrack.TAKEN, before)
    assert "papers_approved" not in events(number)
    assert audited(operator) == []
    reviewing.approve(operator, number, now=now)
    assert row(number).status is ApplicationStatus.APPROVED


def test_refusal_ends_the_application_in_words_the_holder_reads(
    number: str, holder: Actor, operator: Actor, now: datetime
):
    reviewing.take(operator, number, now=now)
    reviewing.reject(operator, number, "not_in_force", "Полис сменился в мае.", now=now)
    reviewing.reject(operator, number, "other", "Ещё раз.", now=now)
    ended = row(number)
    assert (ended.status, ended.decided_at) == (ApplicationStatus.REJECTED, now)
    seen = applying.case(holder, number, now=now)
    assert seen.case.note.startswith("Один из документов недействителен.")
    assert seen.case.note.endswith("Полис сменился в мае.")
    assert events(number).count("rejected") == 1
    assert f"rejected:{ended.id}:{ended.version}" in letters(holder.user_id)


def test_question_opens_only_what_it_names_and_the_answer_comes_back_to_the_queue(
    number: str, holder: Actor, operator: Actor, now: datetime
):
    reviewing.take(operator, number, now=now)
    reviewing.ask_clarification(operator, number, *CLARIFY, now=now)
    reviewing.ask_clarification(operator, number, *CLARIFY, now=now)
    asked = row(number)
    assert (asked.status, asked.papers) == (
        ApplicationStatus.CLARIFICATION_REQUESTED,
        PapersTrack.RETURNED,
    )
    assert events(number).count("clarification_requested") == 1
    seen = applying.case(holder, number, now=now).case
    assert seen.asked == Asked(frozenset({Field.SNILS}), frozenset({ScanKind.PASSPORT}))
    assert seen.note == "Переснимите паспорт."
    applying.correct(holder, asked.id, now=now)
    assert [str(line.number) for line in reviewing.queue(operator, now=now).lines] == [number]


def test_case_left_alone_for_half_a_day_returns_to_the_queue(
    number: str, operator: Actor, colleague: Actor, now: datetime
):
    reviewing.take(operator, number, now=now)
    almost = now + timedelta(hours=11, minutes=59)
    assert reviewing.release_forgotten(now=almost) == 0
    assert reviewing.release_forgotten(now=now + timedelta(hours=12)) == 1
    assert reviewing.release_forgotten(now=now + timedelta(hours=12)) == 0
    assert (row(number).papers, row(number).reviewer_id) == (PapersTrack.WAITING, None)
    reviewing.take(colleague, number, now=now + timedelta(hours=13))
    with pytest.raises(ChangedMeanwhile):
        reviewing.approve(operator, number, now=now + timedelta(hours=13))


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do all acts in threads of their own at the same moment; return results and refusals."""
    start = threading.Barrier(len(acts))
    found: list[object] = []

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            found.append(act())
        except DomainError as error:
            found.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_operators_who_take_at_once_exactly_one_wins(number: str, now: datetime):
    operators = [make_operator(now, f"Оператор {letter}") for letter in "АБВГД"]
    found = at_once(
        *(lambda each=each: reviewing.take(each, number, now=now) for each in operators)
    )
    assert found.count(None) == 1
    beaten = [each for each in found if isinstance(each, ChangedMeanwhile)]
    assert len(beaten) == 4
    winner = next(each for each in operators if each.user_id == row(number).reviewer_id)
    name = f"Оператор {'АБВГД'[operators.index(winner)]}"
    assert {(each.by, each.at) for each in beaten} == {(name, now)}
    assert events(number).count("papers_taken") == 1


def test_operators_who_ask_for_the_next_at_once_get_different_ones(now: datetime):
    numbers = {make_received(make_holder(now), now).number for _ in range(3)}
    operators = [make_operator(now, f"Оператор {letter}") for letter in "АБВГ"]
    found = at_once(*(lambda each=each: reviewing.take_next(each, now=now) for each in operators))
    assert found.count(None) == 1
    assert {each for each in found if each is not None} == numbers


def test_of_decisions_made_at_once_exactly_one_stands(number: str, operator: Actor, now: datetime):
    reviewing.take(operator, number, now=now)
    found = at_once(
        lambda: reviewing.approve(operator, number, now=now),
        lambda: reviewing.reject(operator, number, "identity_differs", "", now=now),
        lambda: reviewing.ask_clarification(operator, number, *CLARIFY, now=now),
    )
    assert found.count(None) == 1
    assert sum(isinstance(each, ChangedMeanwhile) for each in found) == 2
    decided = [event for event in events(number) if event not in _BEFORE]
    assert len(decided) == 1


_BEFORE = {"submitted", "received", "under_review", "papers_taken"}


def test_book_is_formed_once_when_approval_is_pressed_by_many_hands(
    holder: Actor, operator: Actor, now: datetime
):
    number = green_but_for_the_papers(holder, operator, now)
    found = at_once(*[lambda: reviewing.approve(operator, number, now=now)] * 4)
    assert found == [None] * 4
    with reading() as db:
        assert len(db.exec(select(BookVersion)).all()) == 1
