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
    [row] = (await second.until(ReferenceState, lambda state: state.amendments != [])).amendments
    assert row.is_open and not row.is_own
    await first.send(ReferenceState.begin_answer(row.id), PAGE)
    await first.send(ReferenceState.confirm({}), PAGE)
    assert "другой администратор" in (await first.state(MessageState)).assertive
    await second.send(ReferenceState.begin_answer(row.id), PAGE)
    await second.send(ReferenceState.confirm({}), PAGE)
    seen = await first.until(ReferenceState, lambda state: not state.amendments[0].is_open)
    [added] = [row for row in seen.occupations if row.name == "Бортпроводник"]
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
    [row] = (await second.until(ReferenceState, lambda state: state.amendments != [])).amendments
    assert row.was == "раз в год; глюкоза от 1 до 50, норма 3,3–6,0, без вопроса 2,8–15,0"
    await second.send(ReferenceState.begin_answer(row.id), PAGE)
    await second.send(ReferenceState.confirm({}), PAGE)
    seen = await first.until(ReferenceState, lambda state: not state.amendments[0].is_open)
    [shown] = [each for each in seen.studies if each.key == "glucose"]
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
    [row] = (await tab.state(ReferenceState)).amendments
    await tab.send(ReferenceState.begin_answer(row.id), PAGE)
    await tab.send(ReferenceState.decline, PAGE)
    assert [each.state for each in (await tab.state(ReferenceState)).amendments] != [row.state]
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
