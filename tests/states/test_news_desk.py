"""The administrator's page of the news."""

from __future__ import annotations

from typing import Any

import pytest

from emk_app import clock
from emk_app.domain.actors import Actor
from emk_app.domain.news import Typed
from emk_app.services import announcing, publishing
from emk_app.states.news_desk import MaintenanceState, NewsDeskState
from emk_app.states.session import MessageState
from tests.factories import make_admin
from tests.states.conftest import Screens

PAGE = "/admin/news"
FORM: dict[str, Any] = {"title": "Работы", "text": "Ночью", "release": "draft", "at": ""}


@pytest.fixture
def admin(world: None) -> Actor:
    return make_admin(clock.now())


async def test_item_is_written_changed_published_and_removed(screens: Screens, admin: Actor):
    tab, other = [await screens.signed_in(admin.user_id) for _ in range(2)]
    await other.follow(NewsDeskState.follow, PAGE)
    assert (await other.until(NewsDeskState, lambda state: state.is_loaded)).rows == []

    await tab.send(NewsDeskState.begin, PAGE)
    await tab.send(NewsDeskState.save({**FORM, "title": ""}), PAGE)
    state = await tab.state(NewsDeskState)
    assert state.is_open and state.errors["title"] and not state.errors["text"]
    await tab.send(NewsDeskState.save(FORM), PAGE)
    assert not (await tab.state(NewsDeskState)).is_open
    assert (await tab.state(MessageState)).polite == "Новость сохранена."
    [row] = (await other.until(NewsDeskState, lambda state: state.rows != [])).rows
    assert (row.title, row.state, row.href) == ("Работы", "Черновик", "")

    await tab.send(NewsDeskState.edit(row.id), PAGE)
    item = (await tab.state(NewsDeskState)).item
    assert (item.title, item.text, item.release) == ("Работы", "Ночью", "draft")
    await tab.send(NewsDeskState.save({**FORM, "release": "now"}), PAGE)
    state = await other.until(NewsDeskState, lambda state: state.rows[0].href != "")
    assert (state.rows[0].state, state.rows[0].href) == ("Опубликована", "/news/raboty")

    await tab.send(NewsDeskState.remove(row.id), PAGE)
    await other.until(NewsDeskState, lambda state: state.rows == [])
    assert tab.errors == other.errors == []


async def test_what_a_colleague_changed_meanwhile_is_not_overwritten(
    screens: Screens, admin: Actor
):
    item_id = publishing.write(admin, Typed(**FORM), now=clock.now())
    tab = await screens.signed_in(admin.user_id)
    await tab.send(NewsDeskState.edit(item_id), PAGE)
    publishing.rewrite(admin, item_id, 1, Typed("Другое", "Днём", "draft", ""), now=clock.now())
    await tab.send(NewsDeskState.save(FORM), PAGE)
    assert "успел изменить" in (await tab.state(MessageState)).assertive
    assert (await tab.state(NewsDeskState)).is_open, "what was typed stays"
    assert publishing.desk(admin)[0].title == "Другое"


@pytest.mark.parametrize("sent", [0, -1, 10**30, "2", None, True, {"id": 1}])
async def test_forged_identity_is_no_item(screens: Screens, admin: Actor, sent: object):
    publishing.write(admin, Typed(**FORM), now=clock.now())
    tab = await screens.signed_in(admin.user_id)
    for name in ("edit", "remove"):
        await tab.forge(f"{NewsDeskState.get_full_name()}.{name}", PAGE, item_id=sent)
    assert not (await tab.state(NewsDeskState)).is_open
    assert len(publishing.desk(admin)) == 1


@pytest.mark.parametrize("sent", [None, "x", [], {"title": {"$ne": ""}}, {"title": 1, "text": []}])
async def test_forged_form_keeps_nothing(screens: Screens, admin: Actor, sent: object):
    tab = await screens.signed_in(admin.user_id)
    await tab.forge(f"{NewsDeskState.get_full_name()}.save", PAGE, form=sent)
    assert publishing.desk(admin) == []


async def test_work_is_announced_and_taken_back(screens: Screens, admin: Actor):
    tab, other = [await screens.signed_in(admin.user_id) for _ in range(2)]
    await other.follow(MaintenanceState.follow, PAGE)
    form = {"starts": "01.12.2099 23:00", "ends": "01.12.2099 22:00", "about": "Вход"}
    await tab.send(MaintenanceState.announce(form), PAGE)
    assert (await tab.state(MaintenanceState)).errors["ends"] == "Конец должен быть позже начала."
    await tab.send(MaintenanceState.announce({**form, "ends": "01.12.2099 23:30"}), PAGE)
    [row] = (await other.until(MaintenanceState, lambda state: state.rows != [])).rows
    assert (row.when, row.state) == ("01.12.2099 23:00 — 23:30 по Москве", "Предстоят")
    await tab.send(MaintenanceState.cancel(row.id), PAGE)
    await other.until(MaintenanceState, lambda state: state.rows == [])
    await tab.forge(f"{MaintenanceState.get_full_name()}.announce", PAGE, form=None)
    assert announcing.ahead(now=clock.now()) == []
    assert tab.errors == other.errors == []
