"""The page on which lists and words are amended, as two administrators meet it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from emk_app import clock, working
from emk_app.domain import examinations, occupations
from emk_app.domain.actors import Actor
from emk_app.domain.occupations import Amended
from emk_app.presenting import notices
from emk_app.services import amending
from emk_app.states.occupations import OccupationsState
from emk_app.states.reference import ReferenceState
from emk_app.states.session import MessageState
from tests.factories import make_admin
from tests.states.conftest import Screens

PAGE = "/admin/reference"


@pytest.fixture
def admin(world: None) -> Iterator[Actor]:
    yield make_admin(clock.now())
    occupations.amend([])
    examinations.amend([])
    notices.amend({})


def tomorrow() -> str:
    return (clock.today() + timedelta(days=1)).strftime("%d.%m.%Y")


def rows(shelves: list[Any]) -> list[Any]:
    return [row for shelf in shelves for row in shelf.rows]


async def test_occupation_is_added_by_two(screens: Screens, admin: Actor):
    first = await screens.signed_in(admin.user_id)
    second = await screens.signed_in(make_admin(clock.now()).user_id)
    for tab in (first, second):
        await tab.follow(ReferenceState.follow, PAGE)
        await tab.until(ReferenceState, lambda state: state.is_loaded)
    await first.send(ReferenceState.begin_occupation(""), PAGE)
    form: dict[str, Any] = {"name": "Бортпроводник", "group": "", "point": "25", "reason": "x"}
    await first.send(ReferenceState.write_occupation(form), PAGE)
    errors = (await first.state(ReferenceState)).errors
    assert errors["group"] and errors["valid_from"] and not errors["name"]
    form |= {"group": "Транспорт", "valid_from": tomorrow()}
    await first.send(ReferenceState.write_occupation(form), PAGE)
    assert (await first.state(ReferenceState)).form == ""
    [row] = (await second.until(ReferenceState, lambda state: state.waiting != [])).waiting
    assert row.is_open and not row.is_own
    await first.send(ReferenceState.begin_answer(row.id), PAGE)
    await first.send(ReferenceState.confirm({}), PAGE)
    assert "другой администратор" in (await first.state(MessageState)).assertive
    await second.send(ReferenceState.begin_answer(row.id), PAGE)
    await second.send(ReferenceState.confirm({}), PAGE)
    seen = await first.until(ReferenceState, lambda state: state.past != [])
    [added] = [row for row in rows(seen.occupations) if row.name == "Бортпроводник"]
    assert (added.code, added.state) == ("work_1", "будет")
    assert first.errors == second.errors == []


async def test_norm_is_amended_by_two(screens: Screens, admin: Actor):
    first = await screens.signed_in(admin.user_id)
    second = await screens.signed_in(make_admin(clock.now()).user_id)
    for tab in (first, second):
        await tab.follow(ReferenceState.follow, PAGE)
        await tab.until(ReferenceState, lambda state: state.is_loaded)
    for nothing in ("nothing", None, 7, ["bp"]):
        await first.forge(f"{ReferenceState.get_full_name()}.begin_study", PAGE, key=nothing)
    assert (await first.state(ReferenceState)).form == ""
    await first.send(ReferenceState.begin_study("glucose"), PAGE)
    state = await first.state(ReferenceState)
    assert [part.name for part in state.study.parts] == ["Глюкоза, ммоль/л", "", ""]
    assert (state.study.period, state.study.parts[0].norm_high) == ("12", "6,0")
    form: dict[str, Any] = {
        "period": "12",
        "valid_from": tomorrow(),
        "reason": "Рекомендации",
        "low_0": "1,0",
        "high_0": "50",
        "norm_low_0": "3,3",
        "norm_high_0": "2,0",
    }
    await first.send(ReferenceState.write_study(form), PAGE)
    state = await first.state(ReferenceState)
    assert (state.form, bool(state.errors["norm_high_0"])) == ("study", True)
    await first.send(ReferenceState.write_study(form | {"norm_high_0": "5,5"}), PAGE)
    [row] = (await second.until(ReferenceState, lambda state: state.waiting != [])).waiting
    assert row.was == "раз в год; глюкоза от 1 до 50, норма 3,3–6,0, без вопроса 2,8–15,0"
    await second.send(ReferenceState.begin_answer(row.id), PAGE)
    await second.send(ReferenceState.confirm({}), PAGE)
    seen = await first.until(ReferenceState, lambda state: state.past != [])
    [shown] = [each for each in rows(seen.studies) if each.key == "glucose"]
    assert (shown.norm, shown.later.endswith("норма 3,3–5,5")) == ("Норма 3,3–6,0 ммоль/л", True)
    assert first.errors == second.errors == []


async def test_message_is_reworded_or_left_as_it_is(screens: Screens, admin: Actor):
    tab = await screens.signed_in(admin.user_id)
    await tab.follow(ReferenceState.follow, PAGE)
    await tab.until(ReferenceState, lambda state: state.is_loaded)
    await tab.send(ReferenceState.begin_template("nothing"), PAGE)
    assert (await tab.state(ReferenceState)).form == ""
    await tab.send(ReferenceState.begin_template("contact_code"), PAGE)
    opened = (await tab.state(ReferenceState)).template
    assert "{code}" in opened.sms
    form = {"title": "Код", "text": "Код", "sms": "{code}", "valid_from": tomorrow(), "reason": "x"}
    await tab.send(ReferenceState.write_template(form), PAGE)
    assert "{code}" in (await tab.state(ReferenceState)).errors["text"]
    await tab.send(ReferenceState.write_template({**form, "text": "Код {code}"}), PAGE)
    [row] = (await tab.state(ReferenceState)).waiting
    await tab.send(ReferenceState.begin_answer(row.id), PAGE)
    await tab.send(ReferenceState.decline, PAGE)
    state = await tab.state(ReferenceState)
    assert state.waiting == []
    assert [each.state for each in rows(state.past)] == [
        f"отозвано: {row.by.removesuffix(' (вы)')}"
    ]
    await tab.send(ReferenceState.begin_occupation("cook"), PAGE)
    await tab.send(ReferenceState.leave, PAGE)
    assert amending.in_force().templates == {}
    assert tab.errors == []


async def test_list_to_choose_from_is_that_of_today(screens: Screens, admin: Actor):
    tab = await screens.signed_in(admin.user_id)
    shipped = (await tab.state(OccupationsState)).groups
    occupations.amend([Amended("cook", clock.today(), "Повар", "Общественное питание", "23")])
    await tab.send(OccupationsState.load, "/guide")
    listed = (await tab.state(OccupationsState)).groups
    assert listed != shipped
    assert ("cook", "Повар") in [pair for group in listed for pair in group.choices]
    working.amend()
    await tab.send(OccupationsState.load, "/guide")
    assert (await tab.state(OccupationsState)).groups == shipped


async def test_lists_are_sought_through_as_one_types(screens: Screens, admin: Actor):
    tab = await screens.signed_in(admin.user_id)
    await tab.follow(ReferenceState.follow, PAGE)
    everything = await tab.until(ReferenceState, lambda state: state.is_loaded)
    counted = [len(rows(everything.occupations)), len(rows(everything.studies))]
    assert all(shelf.count.startswith(f"{len(shelf.rows)}\u00a0") for shelf in everything.studies)
    assert everything.studies[0].title == "Общие для всех"
    assert everything.summary.startswith(f"{counted[0]}\u00a0професс")
    assert not any(row.said for row in rows(everything.templates))
    await tab.send(ReferenceState.seek("  ПОВ"), PAGE)
    state = await tab.state(ReferenceState)
    assert "cook" in {row.code for row in rows(state.occupations)}
    assert state.summary.startswith("Наш") and len(rows(state.occupations)) < counted[0]
    await tab.send(ReferenceState.seek("пункт 23 раз в год"), PAGE)
    state = await tab.state(ReferenceState)
    assert {row.whose for row in rows(state.studies)} == {"п. 23"} and state.occupations == []
    await tab.send(ReferenceState.seek("врачом"), PAGE)
    by_words = rows((await tab.state(ReferenceState)).templates)
    assert by_words and all("врач" in f"{row.title} {row.said}".casefold() for row in by_words)
    await tab.send(ReferenceState.seek("повар пшшш"), PAGE)
    state = await tab.state(ReferenceState)
    assert (state.summary, state.occupations, state.templates) == ("", [], [])
    await tab.send(ReferenceState.show_all, PAGE)
    state = await tab.state(ReferenceState)
    assert (state.query, state.summary, state.revision) == ("", everything.summary, 1)
    assert tab.errors == []


async def test_search_takes_yo_for_ye_and_anything_for_words(screens: Screens, admin: Actor):
    tab = await screens.signed_in(admin.user_id)
    await tab.follow(ReferenceState.follow, PAGE)
    await tab.until(ReferenceState, lambda state: state.is_loaded)
    seen: list[str] = []
    for spelling in ("учёт", "учет", "УЧЁТ"):
        await tab.send(ReferenceState.seek(spelling), PAGE)
        seen.append((await tab.state(ReferenceState)).summary)
    assert len(set(seen)) == 1
    for odd in (None, 7, ["повар"], {"a": 1}, "\0\0", "%_*(" * 99):
        await tab.forge(f"{ReferenceState.get_full_name()}.seek", PAGE, text=odd)
    assert tab.errors == []


async def test_what_waits_is_shown_whatever_is_sought(screens: Screens, admin: Actor):
    tab = await screens.signed_in(admin.user_id)
    await tab.follow(ReferenceState.follow, PAGE)
    await tab.until(ReferenceState, lambda state: state.is_loaded)
    await tab.send(ReferenceState.begin_occupation("cook"), PAGE)
    form = {"name": "Повар", "group": "Кухня", "valid_from": tomorrow(), "reason": "x"}
    await tab.send(ReferenceState.write_occupation(form), PAGE)
    await tab.send(ReferenceState.seek("пшшш"), PAGE)
    [row] = (await tab.state(ReferenceState)).waiting
    await tab.send(ReferenceState.begin_answer(row.id), PAGE)
    await tab.send(ReferenceState.decline, PAGE)
    state = await tab.state(ReferenceState)
    assert (state.waiting, state.past) == ([], [])
    await tab.send(ReferenceState.seek("кухн отоз"), PAGE)
    [shelf] = (await tab.state(ReferenceState)).past
    assert shelf.count == "1\u00a0изменение"
