"""Answers that support gives often: data of the administrators, filled in for a ticket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import AuditEntry
from emk_app.db.tables.support import PreparedAnswer
from emk_app.domain import prepared as rules
from emk_app.domain.actors import Actor, Role
from emk_app.domain.amending import UnknownPlaceholder
from emk_app.domain.errors import (
    ChangedMeanwhile,
    Invalid,
    NotFound,
    NotPermitted,
    Required,
    TooLong,
)
from emk_app.domain.news import EditedMeanwhile
from emk_app.domain.prepared import Place, SameTitleOffered, TitleTaken, TooManyAnswers, Typed
from emk_app.domain.support import STAFF
from emk_app.domain.values import TooShort
from emk_app.presenting import texts
from emk_app.services import preparing
from tests.factories import make_admin, make_support

pytestmark = pytest.mark.usefixtures("world")

TYPED = Typed("Срок ответа", "Ответим на {обращение} завтра.\r\n\r\n\r\nСпасибо за терпение.")
KNOWN = {Place.TICKET: "№ 1234-5678"}


@pytest.fixture
def admin(now: datetime) -> Actor:
    return make_admin(now)


@pytest.fixture
def support(now: datetime) -> Actor:
    return make_support(now)


def titles(support: Actor, now: datetime) -> list[str]:
    return [each.title for each in preparing.offered(support, KNOWN, now=now)]


def test_what_was_written_into_the_program_is_there_from_the_start(
    admin: Actor, support: Actor, now: datetime
):
    listed = preparing.answers(admin)
    assert len(listed) == 8
    assert {each.by for each in listed} == {""}
    assert all(
        rules.read_answer(Typed(each.title, each.text), []).text == each.text for each in listed
    )
    assert "Сбросить пароль" in titles(support, now)


def test_answer_is_written_changed_retired_and_brought_back(
    admin: Actor, support: Actor, now: datetime
):
    answer = preparing.write(admin, TYPED, now=now)
    [offered] = [each for each in preparing.offered(support, KNOWN, now=now) if each.id == answer]
    assert offered.text == "Ответим на № 1234-5678 завтра.\n\nСпасибо за терпение."
    preparing.rewrite(admin, answer, 1, replace(TYPED, title="Ждать"), now=now)
    assert "Ждать" in titles(support, now)
    with pytest.raises(EditedMeanwhile):
        preparing.rewrite(admin, answer, 1, TYPED, now=now)
    preparing.retire(admin, answer, now=now)
    assert "Ждать" not in titles(support, now)
    [view] = [each for each in preparing.answers(admin) if each.id == answer]
    assert (view.version, view.retired_at, view.by) == (3, now, "Кедров Лев Львович")
    preparing.rewrite(admin, answer, 3, TYPED, now=now)
    assert TYPED.title not in titles(support, now), "what is retired may be changed, and stays so"
    preparing.bring_back(admin, answer, now=now)
    assert TYPED.title in titles(support, now)
    with reading() as db:
        acts = db.exec(
            select(AuditEntry.action).where(AuditEntry.target == f"answer:{answer}")
        ).all()
    assert list(acts) == [
        *("write_answer", "rewrite_answer", "retire_answer", "rewrite_answer"),
        "bring_answer_back",
    ]


def test_answer_about_an_application_is_offered_where_there_is_one(
    admin: Actor, support: Actor, now: datetime
):
    preparing.write(admin, Typed("О заявке", "{заявка} теперь {статус}"), now=now)
    assert "О заявке" not in titles(support, now)
    facts = KNOWN | {Place.APPLICATION: "EMK-2026-000001-5", Place.STATUS: "«{заявка}»"}
    said = {each.title: each.text for each in preparing.offered(support, facts, now=now)}
    # A fact is a fact: nothing in it is a place.
    assert said["О заявке"] == "EMK-2026-000001-5 теперь «{заявка}»"


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        (Typed(), {"title": Required, "text": Required}),
        (replace(TYPED, title="Да"), {"title": TooShort}),
        (replace(TYPED, title="Щ" * 81), {"title": TooLong}),
        (replace(TYPED, text="Щ" * 2001), {"text": TooLong}),
        (replace(TYPED, title="сбросить ПАРОЛЬ"), {"title": TitleTaken}),
        (replace(TYPED, text="Здравствуйте, {имя}"), {"text": UnknownPlaceholder}),
        (replace(TYPED, text="Скобка } одна"), {"text": UnknownPlaceholder}),
        (replace(TYPED, text="{}"), {"text": UnknownPlaceholder}),
    ],
)
def test_what_can_not_be_kept_is_said_by_its_field(
    typed: Typed, wrong: dict[str, type], admin: Actor, now: datetime
):
    with pytest.raises(Invalid) as refused:
        preparing.write(admin, typed, now=now)
    assert {name: type(why) for name, why in refused.value.fields.items()} == wrong
    assert set(texts.field_sentences(refused.value)) == set(wrong)
    assert len(preparing.answers(admin)) == 8


def test_title_is_one_answers_among_those_that_are_offered(admin: Actor, now: datetime):
    first = preparing.write(admin, TYPED, now=now)
    preparing.rewrite(admin, first, 1, TYPED, now=now)  # its own title is no other's
    preparing.retire(admin, first, now=now)
    second = preparing.write(admin, TYPED, now=now)
    with pytest.raises(SameTitleOffered):
        preparing.bring_back(admin, first, now=now)
    preparing.retire(admin, second, now=now)
    preparing.bring_back(admin, first, now=now)


def test_what_is_so_already_or_is_not_there_is_refused(admin: Actor, now: datetime):
    answer = preparing.write(admin, TYPED, now=now)
    with pytest.raises(ChangedMeanwhile):
        preparing.bring_back(admin, answer, now=now)
    preparing.retire(admin, answer, now=now)
    with pytest.raises(ChangedMeanwhile):
        preparing.retire(admin, answer, now=now)
    for act in (preparing.retire, preparing.bring_back):
        with pytest.raises(NotFound):
            act(admin, 10**6, now=now)
    with pytest.raises(NotFound):
        preparing.rewrite(admin, 10**6, 1, TYPED, now=now)


def test_list_ends_where_nobody_reads_on(admin: Actor, now: datetime):
    retired = preparing.write(admin, TYPED, now=now)
    preparing.retire(admin, retired, now=now)
    with unit_of_work() as db:
        for serial in range(rules.ANSWERS_LIMIT - 8):
            db.add(PreparedAnswer(title=f"Ответ {serial}", text="Да", changed_at=now))
    with pytest.raises(TooManyAnswers):
        preparing.write(admin, replace(TYPED, title="Ещё один"), now=now)
    with pytest.raises(TooManyAnswers):
        preparing.bring_back(admin, retired, now=now)


@pytest.mark.parametrize("role", sorted(Role))
def test_administrators_keep_them_and_desks_are_offered_them(
    role: Role, admin: Actor, now: datetime
):
    answer = preparing.write(admin, TYPED, now=now)
    other = Actor(7, role)
    acts: list[Callable[[], object]] = [
        lambda: preparing.answers(other),
        lambda: preparing.write(other, TYPED, now=now),
        lambda: preparing.rewrite(other, answer, 1, TYPED, now=now),
        lambda: preparing.retire(other, answer, now=now),
        lambda: preparing.bring_back(other, answer, now=now),
    ]
    for act in acts if role is not Role.ADMIN else []:
        with pytest.raises(NotPermitted):
            act()
    if role in STAFF:
        assert preparing.offered(other, KNOWN, now=now)
    else:
        with pytest.raises(NotPermitted):
            preparing.offered(other, KNOWN, now=now)
