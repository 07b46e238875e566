"""The report on the staff: who may read it, and what it counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from emk_app.domain.actors import Actor, Post, Role
from emk_app.domain.employing import Light
from emk_app.domain.errors import NotPermitted
from emk_app.presenting import staff_reports as words
from emk_app.services import admitting, employing, sharing, staff_reports
from emk_app.services.employing import Said
from tests.factories import (
    make_book,
    make_employer,
    make_employers_user,
    make_ending_book,
    make_holder,
)

pytestmark = pytest.mark.usefixtures("world")

CATERING = "Общественное питание"


def added(owner: Actor, holder: Actor, book_id: int, said: Said, now: datetime) -> None:
    employing.add_by_link(owner, sharing.make(holder, book_id, now=now).url, said, now=now)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.EMPLOYER])
def test_only_members_of_an_organisation_read_it(role: Role, now: datetime):
    for actor in (
        Actor(1, role, organisation_id=1, post=Post.OWNER),
        make_employers_user(now),
    ):
        with pytest.raises(NotPermitted):
            staff_reports.report(actor, now=now)


def test_staff_is_counted_by_light_group_department_and_month(now: datetime):
    owner = make_employer(now)
    holder = make_holder(now)
    added(owner, holder, make_book(holder, now), Said("А", department="Кухня"), now)
    ending = make_holder(now)
    added(owner, ending, make_ending_book(ending, now, 20), Said("Б", "", "Зал", "nurse"), now)
    over = make_holder(now)
    added(owner, over, make_ending_book(over, now, 1), Said("В", "", "Зал", "cook"), now)
    employing.invite(owner, "who@example.ru", Said("Г"), now=now)
    employing.invite(make_employer(now), "who@example.ru", Said("Чужой"), now=now)
    later = now + timedelta(days=3)
    found = staff_reports.report(replace(owner, post=Post.VIEWER), now=later)
    assert found.total.lights == {Light.GREEN: 1, Light.YELLOW: 1, Light.RED: 1, Light.GREY: 1}
    assert {name: tally.people for name, tally in found.groups.items()} == {
        # The first is in the group of the book, since the employer has said none.
        CATERING: 2,
        "Медицина": 1,
        "": 1,
    }
    assert {name: tally.in_date for name, tally in found.departments.items()} == {
        "Кухня": 1,
        "Зал": 1,
        "": 0,
    }
    ends_in = (now + timedelta(days=20)).month - later.month
    assert found.due[ends_in] == 1
    (month,) = words.page(found).due
    assert (month.month, month.people) == ("декабрь\u00a02026", "1")
    kitchen = staff_reports.report(owner, department="Кухня", now=later)
    assert (kitchen.total.people, set(kitchen.groups)) == (1, {CATERING})
    assert kitchen.every_department == ("Зал", "Кухня")
    assert staff_reports.report(owner, group="Медицина", now=later).total.in_date == 1
    assert staff_reports.report(owner, group="Нет такой", now=later).total.people == 0


def test_lights_are_those_of_the_list_and_what_has_changed_is_said(now: datetime):
    owner, holder = make_employer(now), make_holder(now)
    link = sharing.make(holder, make_book(holder, now), now=now)
    employing.add_by_link(owner, link.url, Said("А"), now=now)
    assert staff_reports.report(owner, now=now).waiting == 0
    sharing.revoke(holder, link.id, now=now)
    assert staff_reports.report(owner, now=now).waiting == 1
    counts = employing.roster(owner, now=now).counts
    found = staff_reports.report(owner, now=now)
    assert (found.total.lights, found.waiting) == (counts, 0)


def test_of_a_leave_that_is_over_not_even_the_group_is_told(now: datetime):
    owner, holder = make_employer(now), make_holder(now)
    added(owner, holder, make_book(holder, now), Said("А"), now)
    assert set(staff_reports.report(owner, now=now).groups) == {CATERING}
    after = now + timedelta(days=91)
    assert set(staff_reports.report(owner, now=after).groups) == {""}
    (entry,) = admitting.shown(holder, now=now)
    admitting.end(holder, entry.id, now=now)
    assert set(staff_reports.report(owner, now=now).groups) == {""}


def test_report_is_worded_with_everybody_in_it(now: datetime):
    owner = make_employer(now)
    assert words.page(staff_reports.report(owner, now=now)).is_empty
    for number in range(words.LINES_SHOWN + 2):
        said = Said("А", department=f"Отдел {number:02}")
        employing.invite(owner, f"a{number}@example.ru", said, now=now)
    page = words.page(staff_reports.report(owner, now=now))
    assert [(each.text, each.number, each.share) for each in page.counts][:2] == [
        ("Всего в списке", "52", ""),
        ("Допущены сегодня", "0", "0\u00a0% списка"),
    ]
    assert [line.name for line in page.groups.lines] == [words.UNNAMED_GROUP]
    assert len(page.departments.lines) == words.LINES_SHOWN + 1
    assert page.departments.lines[-1].name == "Остальные (2)"
    assert page.departments.lines[-1].people == "2"
    assert len(page.departments.marks) == words.BARS_SHOWN
    assert page.due == []
    assert [each.label for each in page.columns][:3] == ["ноя", "дек", "янв"]
    assert page.due_told == "За эти месяцы ни один срок не закончится."
