"""«Кто смотрел»: the holder finds every look of others, and nobody's but the holder's own list."""

from __future__ import annotations

import ast
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from emk_app.db.engine import unit_of_work
from emk_app.domain.actors import SYSTEM, Actor, Position, Role
from emk_app.domain.employing import AddedBy
from emk_app.domain.errors import NotPermitted
from emk_app.domain.watching import Span
from emk_app.presenting import watching as words
from emk_app.services import auditing, reviewing, sharing, verifying, watching
from tests.factories import (
    make_book,
    make_clinic,
    make_holder,
    make_operator,
    make_physician,
    make_received,
)

pytestmark = pytest.mark.usefixtures("world")


def note(actor: Actor | None, action: str, target: str, holder: Actor, at: datetime, fields=""):
    with unit_of_work() as db:
        auditing.record(db, actor, action, target, subject_id=holder.user_id, fields=fields, now=at)


def shown(holder: Actor, now: datetime, span: Span = Span.EVER, **more: bool):
    return [words.row(each) for each in watching.page_of(holder, span, 1, now=now, **more).lines]


def test_look_of_an_operator_names_work_number_and_reason_but_no_name(now: datetime):
    holder = make_holder(now)
    draft = make_received(holder, now)
    reviewing.case(make_operator(now, "Орлова Анна Петровна"), draft.number.slug, now=now)
    [row] = shown(holder, now)
    assert (row.who, row.where, row.why) == ("Оператор", "", "Проверка заявки и книжки")
    assert draft.number.shown in row.what
    assert row.what.startswith("Открыта заявка")
    assert row.what.endswith("анкета, результаты проверок, история")
    assert "Орлова" not in str(row)


def test_staff_of_a_clinic_is_named_by_position_and_clinic(now: datetime):
    holder, clinic_id = make_holder(now), make_clinic()
    physician = make_physician(clinic_id, now, Position.PHYSICIAN)
    note(physician, "view", "examination:1", holder, now, "form,results")
    [row] = shown(holder, now)
    assert row.who == "Врач"
    assert row.where.startswith("Поликлиника №")
    assert row.what == "Открыт осмотр: анкета, результаты осмотра"


def test_own_acts_and_those_of_the_service_are_not_in_it(now: datetime):
    holder, other = make_holder(now), make_holder(now)
    note(holder, "submit", "application:1", holder, now)
    note(SYSTEM, "check", "application:1", holder, now)
    note(None, "create_user", "user:1", holder, now)
    note(make_operator(now), "view", "application:2", other, now)
    assert shown(holder, now) == []
    assert len(shown(other, now)) == 1


def test_looks_through_a_link_and_by_number_are_in_it(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    link = sharing.make(holder, book_id, label="Кафе", now=now)
    verifying.look(link.url[-26:], "Firefox", now=now)
    note(None, "look_up", f"book:{book_id}", holder, now + timedelta(seconds=1))
    rows = [row for row in shown(holder, now) if row.kind == "просмотр"]
    assert rows[0].who == "Проверяющий без учётной записи"
    assert rows[1].who == "Тот, кому вы показали ссылку"
    assert "«Кафе»" in rows[1].what


def test_span_and_kind_narrow_the_list(now: datetime):
    holder, operator = make_holder(now), make_operator(now)
    note(operator, "view", "application:1", holder, now - timedelta(days=8))
    note(operator, "approve", "application:1", holder, now)
    assert len(shown(holder, now, Span.MONTH)) == 2
    assert [row.kind for row in shown(holder, now, Span.WEEK)] == ["действие"]
    assert [row.kind for row in shown(holder, now, only_views=True)] == ["просмотр"]


def test_long_list_is_paged_and_a_page_too_far_is_the_last(now: datetime):
    holder, operator = make_holder(now), make_operator(now)
    for minutes in range(watching.PAGE + 1):
        note(operator, "view", "application:1", holder, now + timedelta(minutes=minutes))
    first = watching.page_of(holder, Span.EVER, 1, now=now)
    last = watching.page_of(holder, Span.EVER, 99, now=now)
    assert (len(first.lines), first.pages, first.total) == (20, 2, 21)
    assert (len(last.lines), last.page) == (1, 2)
    assert first.lines[0].at == now + timedelta(minutes=20)
    assert words.found_text(first) == "21\u00a0запись"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.HOLDER])
def test_list_is_the_holders_alone(role: Role, now: datetime):
    with pytest.raises(NotPermitted):
        watching.page_of(Actor(1, role), Span.EVER, 1, now=now)


def test_complaint_is_a_letter_to_the_support():
    assert words.complaint_href().startswith("mailto:support@emk.example.ru?subject=")


def test_each_act_of_staff_has_words():
    """An act that is added to the services of others gets words for the holder."""
    services = ("reviewing", "reversing", "examining", "attaching", "vaccinating", "stopping")
    services += ("employing",)
    said = {f"add_staff_by_{each}" for each in AddedBy}
    for name in services:
        code = ast.parse(Path(f"emk_app/services/{name}.py").read_text(encoding="utf-8"))
        for call in ast.walk(code):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("audit"):
                said |= {
                    each.value
                    for each in call.args
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                }
    assert len(said) > 15
    assert said <= set(words.WHAT) | {"view"}
