"""Undoing a decision: one operator asks, another one answers, and nobody else moves anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application, Reversal
from emk_app.db.tables.books import BookVersion
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.applications import ApplicationStatus, PapersTrack
from emk_app.domain.errors import ChangedMeanwhile, Conflict, Invalid, NotFound, NotPermitted
from emk_app.domain.queue import QueuePart
from emk_app.domain.reversals import Answer, NotReversible, Replaced, SameEyes
from emk_app.services import applying, issuing, lapsing, reversing, reviewing
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
from tests.services.test_reviewing import at_once, audited, events, letters, row

pytestmark = pytest.mark.usefixtures("world")

WHY = "Паспорт оказался другого человека."


@pytest.fixture
@kept
def holder(now: datetime) -> Actor:
    return make_holder(now)


@pytest.fixture
@kept
def operator(now: datetime) -> Actor:
    return make_operator(now)


@pytest.fixture
@kept
def colleague(now: datetime) -> Actor:
    return make_operator(now, "Лебедева Ольга Ивановна")


@pytest.fixture
@kept
def approved(holder: Actor, operator: Actor, now: datetime) -> str:
    number = make_received(holder, now).number.slug
    reviewing.take(operator, number, now=now)
    reviewing.approve(operator, number, now=now)
    return number


@pytest.fixture
@kept
def rejected(holder: Actor, operator: Actor, now: datetime) -> str:
    number = make_received(holder, now).number.slug
    reviewing.take(operator, number, now=now)
    reviewing.reject(operator, number, "another_person", "", now=now)
    return number


def wishes() -> list[Reversal]:
    with reading() as db:
        return list(db.exec(select(Reversal).order_by(col(Reversal.id))).all())


ACTS: dict[str, Callable[[Actor, str, datetime], None]] = {
    "ask": lambda actor, number, now: reversing.ask(actor, number, WHY, now=now),
    "confirm": lambda actor, number, now: reversing.confirm(actor, number, now=now),
    "decline": lambda actor, number, now: reversing.decline(actor, number, now=now),
}


@pytest.mark.parametrize("act", ACTS)
def test_only_operators_undo_decisions(
    act: str, approved: str, holder: Actor, operator: Actor, now: datetime
):
    if act != "ask":
        reversing.ask(operator, approved, WHY, now=now)
    version = row(approved).version
    for stranger in (
        holder,
        make_physician(make_clinic(), now, Position.CHAIR),
        *(Actor(99, role) for role in (Role.EMPLOYER, Role.SUPPORT, Role.ADMIN, Role.SYSTEM)),
    ):
        with pytest.raises(NotPermitted):
            ACTS[act](stranger, approved, now)
    assert row(approved).version == version


@pytest.mark.parametrize("act", ACTS)
def test_draft_and_unknown_number_have_no_decision(
    act: str, holder: Actor, operator: Actor, now: datetime
):
    draft = make_draft(holder, now).number.slug
    for missing in (draft, "EMK-2026-999999-1", "", "х" * 500):
        with pytest.raises(NotFound):
            ACTS[act](operator, missing, now)


def test_wish_without_a_reason_is_none(approved: str, operator: Actor, now: datetime):
    for reason in ("", " \n ", "а" * 501):
        with pytest.raises(Invalid) as refused:
            reversing.ask(operator, approved, reason, now=now)
        assert set(refused.value.fields) == {"reason"}
    assert wishes() == []


def test_asking_moves_nothing_and_the_holder_hears_nothing(
    approved: str, holder: Actor, operator: Actor, now: datetime
):
    told = letters(holder.user_id)
    reversing.ask(operator, approved, WHY, now=now)
    reversing.ask(operator, approved, WHY, now=now)
    assert row(approved).papers is PapersTrack.APPROVED
    assert len(wishes()) == 1 and WHY.encode() not in wishes()[0].reason_sealed
    assert audited(operator).count("ask_reversal") == 1
    assert letters(holder.user_id) == told
    seen = applying.case(holder, approved, now=now)
    assert not any("reversal" in line.event or WHY in line.note for line in seen.history)


def test_approval_undone_by_a_colleague_is_decided_afresh(
    approved: str, holder: Actor, operator: Actor, colleague: Actor, now: datetime
):
    reversing.ask(operator, approved, WHY, now=now)
    queue = reviewing.queue(colleague, QueuePart.REVERSALS, now=now)
    assert [str(line.number) for line in queue.lines] == [approved]
    assert queue.counts.reversals == 1 and queue.lines[0].is_reversal_asked
    reversing.confirm(colleague, approved, now=now)
    reversing.confirm(colleague, approved, now=now)
    undone = row(approved)
    assert (undone.status, undone.papers) == (ApplicationStatus.UNDER_REVIEW, PapersTrack.WAITING)
    assert undone.reviewer_id is None
    assert events(approved).count("decision_undone") == 1
    assert audited(colleague) == ["confirm_reversal"]
    assert f"under_review:{undone.id}:{undone.version}" in letters(holder.user_id)
    queue = reviewing.queue(colleague, now=now)
    assert queue.counts.reversals == 0 and queue.counts.free == 1
    reviewing.take(colleague, approved, now=now)
    reviewing.reject(colleague, approved, "another_person", "", now=now)
    assert row(approved).status is ApplicationStatus.REJECTED


def test_refusal_undone_by_a_colleague_is_under_review_again(
    rejected: str, holder: Actor, operator: Actor, colleague: Actor, now: datetime
):
    reversing.ask(operator, rejected, WHY, now=now)
    reversing.confirm(colleague, rejected, now=now + timedelta(hours=1))
    undone = row(rejected)
    assert (undone.status, undone.papers) == (ApplicationStatus.UNDER_REVIEW, PapersTrack.WAITING)
    assert (undone.decided_at, undone.note_sealed) == (None, None)
    seen = applying.case(holder, rejected, now=now)
    assert seen.case.note == "" and seen.case.may_withdraw
    assert seen.history[-1].event == "decision_undone" and seen.history[-1].note == ""
    reviewing.take(operator, rejected, now=now)
    reviewing.approve(operator, rejected, now=now)
    assert row(rejected).papers is PapersTrack.APPROVED


def test_nobody_answers_their_own_wish(approved: str, operator: Actor, now: datetime):
    reversing.ask(operator, approved, WHY, now=now)
    case = reviewing.case(operator, approved, now=now)
    assert case.reversal is not None and not case.reversal.may_answer
    for act in ("confirm", "decline"):
        with pytest.raises(SameEyes):
            ACTS[act](operator, approved, now)
    assert row(approved).papers is PapersTrack.APPROVED
    assert wishes()[0].answer is None


def test_declined_wish_leaves_the_decision_and_may_be_repeated(
    rejected: str, holder: Actor, operator: Actor, colleague: Actor, now: datetime
):
    told = letters(holder.user_id)
    reversing.ask(operator, rejected, WHY, now=now)
    reversing.decline(colleague, rejected, now=now)
    reversing.decline(colleague, rejected, now=now)
    assert row(rejected).status is ApplicationStatus.REJECTED
    assert letters(holder.user_id) == told
    assert audited(colleague) == ["decline_reversal"]
    with pytest.raises(ChangedMeanwhile) as beaten:
        reversing.confirm(colleague, rejected, now=now)
    assert beaten.value.by == "Лебедева Ольга Ивановна"
    case = reviewing.case(colleague, rejected, now=now)
    asked, declined = case.history[-2:]
    assert (asked.event, asked.person, asked.note) == (
        "reversal_asked",
        "Орлова Анна Петровна",
        WHY,
    )
    assert (declined.event, declined.person) == ("reversal_declined", "Лебедева Ольга Ивановна")
    assert case.may_ask_reversal
    reversing.ask(colleague, rejected, WHY, now=now)
    assert [wish.answer for wish in wishes()] == [Answer.DECLINED, None]


def test_second_who_asks_is_told_of_the_first(
    approved: str, operator: Actor, colleague: Actor, now: datetime
):
    reversing.ask(operator, approved, WHY, now=now)
    with pytest.raises(ChangedMeanwhile) as beaten:
        reversing.ask(colleague, approved, "Другая причина.", now=now)
    assert (beaten.value.by, beaten.value.at) == ("Орлова Анна Петровна", now)
    assert len(wishes()) == 1


@pytest.mark.parametrize(
    ("status", "papers"),
    [
        ("under_review", "waiting"),
        ("under_review", "taken"),
        ("approved", "approved"),
        ("rejected", "waiting"),
        ("rejected", "approved"),
        ("expired", "approved"),
    ],
)
def test_what_cannot_be_undone_is_neither_asked_for_nor_undone(
    status: str, papers: str, approved: str, operator: Actor, colleague: Actor, now: datetime
):
    """A refusal by the medical commission has papers that no operator has refused."""
    reversing.ask(operator, approved, WHY, now=now)
    put(row(approved).id, status=status, papers=papers)
    case = reviewing.case(colleague, approved, now=now)
    assert case.reversal is None and not case.may_ask_reversal
    assert reviewing.queue(colleague, QueuePart.REVERSALS, now=now).lines == ()
    for act in ACTS:
        with pytest.raises(NotReversible):
            ACTS[act](colleague, approved, now)
    assert wishes()[0].answer is None


@pytest.mark.parametrize("begun", ["draft", "submitted"])
def test_refusal_is_not_undone_once_the_holder_has_begun_anew(
    begun: str, rejected: str, holder: Actor, operator: Actor, colleague: Actor, now: datetime
):
    reversing.ask(operator, rejected, WHY, now=now)
    newer = make_draft(holder, now) if begun == "draft" else make_received(holder, now)
    for act in ("ask", "confirm"):
        with pytest.raises(Replaced):
            ACTS[act](colleague, rejected, now)
    assert row(rejected).status is ApplicationStatus.REJECTED
    assert not reviewing.case(colleague, rejected, now=now).may_ask_reversal
    applying.withdraw(holder, newer.id, now=now)
    reversing.confirm(colleague, rejected, now=now)
    assert row(rejected).status is ApplicationStatus.UNDER_REVIEW


def test_refusal_undone_after_its_days_does_not_lapse_at_once(
    rejected: str, operator: Actor, colleague: Actor, now: datetime
):
    late = now + timedelta(days=90)
    put(row(rejected).id, reminded_on=(now + timedelta(days=59)).date())
    reversing.ask(operator, rejected, WHY, now=late)
    reversing.confirm(colleague, rejected, now=late)
    assert lapsing.expire(now=late) == 0
    assert row(rejected).status is ApplicationStatus.UNDER_REVIEW


def test_of_answers_at_once_exactly_one_counts(approved: str, operator: Actor, now: datetime):
    reversing.ask(operator, approved, WHY, now=now)
    colleagues = [make_operator(now, f"Оператор {letter}") for letter in "АБВГ"]
    acts = [reversing.confirm, reversing.decline] * 2
    found = at_once(
        *(
            lambda each=each, act=act: act(each, approved, now=now)
            for each, act in zip(colleagues, acts, strict=True)
        )
    )
    assert found.count(None) == 1
    assert sum(isinstance(each, Conflict) for each in found) == 3
    (wish,) = wishes()
    confirmed = wish.answer is Answer.CONFIRMED
    assert events(approved).count("decision_undone") == confirmed
    assert (row(approved).papers is PapersTrack.WAITING) is confirmed


def test_of_two_who_ask_at_once_one_is_told_of_the_other(
    approved: str, operator: Actor, colleague: Actor, now: datetime
):
    found = at_once(
        *(
            lambda each=each: reversing.ask(each, approved, WHY, now=now)
            for each in (operator, colleague)
        )
    )
    assert found.count(None) == 1
    assert sum(isinstance(each, ChangedMeanwhile) for each in found) == 1
    assert len(wishes()) == 1


@pytest.mark.parametrize("first", ["undo", "form"])
def test_approval_is_undone_or_the_book_is_formed_but_never_both(
    first: str, holder: Actor, operator: Actor, colleague: Actor, now: datetime
):
    application_id = make_green(holder, now)
    with reading() as db:
        number = applications.get(db, application_id).tracking_number
    reversing.ask(operator, number, WHY, now=now)

    def undo() -> None:
        reversing.confirm(colleague, number, now=now)

    def form() -> bool:
        with unit_of_work() as db:
            application: Application = applications.locked(db, application_id)
            return issuing.form_if_green(db, application, now=now) is not None

    found = at_once(*((undo, form) if first == "undo" else (form, undo)))
    with reading() as db:
        versions = len(db.exec(select(BookVersion)).all())
    stands = row(number)
    if stands.status is ApplicationStatus.APPROVED:
        assert versions == 1 and stands.papers is PapersTrack.APPROVED
        assert any(isinstance(each, NotReversible) for each in found)
    else:
        assert versions == 0 and stands.papers is PapersTrack.WAITING
        assert None in found and False in found


def test_every_act_is_noted_about_the_holder(
    rejected: str, holder: Actor, operator: Actor, colleague: Actor, now: datetime
):
    reversing.ask(operator, rejected, WHY, now=now)
    reversing.confirm(colleague, rejected, now=now)
    with reading() as db:
        noted = db.exec(
            select(AuditEntry).where(col(AuditEntry.action).like("%reversal")).order_by("id")
        ).all()
    assert [(each.actor_id, each.subject_id) for each in noted] == [
        (operator.user_id, holder.user_id),
        (colleague.user_id, holder.user_id),
    ]
