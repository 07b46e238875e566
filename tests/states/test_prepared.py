"""The administrator's page of answers that support gives often, and the desk that uses them."""

from __future__ import annotations

from typing import Any

import pytest

from emk_app import clock
from emk_app.domain.actors import Actor
from emk_app.domain.prepared import Typed
from emk_app.services import preparing, supporting
from emk_app.states.prepared import PreparedState
from emk_app.states.session import MessageState
from emk_app.states.support import DeskState
from tests.factories import make_admin, make_holder, make_received, make_support
from tests.states.conftest import Screens

PAGE = "/admin/answers"
FORM: dict[str, Any] = {"title": "О сроке", "text": "Заявка {заявка}: {статус}."}


@pytest.fixture
def admin(world: None) -> Actor:
    return make_admin(clock.now())


async def test_answer_is_kept_by_an_administrator_and_put_into_a_ticket_filled_in(
    screens: Screens, admin: Actor
):
    now = clock.now()
    holder, support = make_holder(now), make_support(now)
    number = make_received(holder, now).number
    ticket = supporting.begin(
        holder, supporting.Typed("application", "Долго", number=number.slug), b"", "", now=now
    )
    desk = await screens.signed_in(support.user_id)
    await desk.follow(DeskState.follow, f"/support?ticket={ticket}")
    await desk.until(DeskState, lambda state: state.prepared != [])

    tab = await screens.signed_in(admin.user_id)
    await tab.follow(PreparedState.follow, PAGE)
    assert len((await tab.until(PreparedState, lambda state: state.is_loaded)).rows) == 8
    await tab.send(PreparedState.begin, PAGE)
    await tab.send(PreparedState.save({**FORM, "text": "Заявка {номер}"}), PAGE)
    state = await tab.state(PreparedState)
    assert state.is_open
    assert state.errors["text"] == "Такого места здесь нет. Есть: {обращение}, {заявка}, {статус}."
    await tab.send(PreparedState.save(FORM), PAGE)
    state = await tab.until(PreparedState, lambda state: len(state.rows) == 9)
    assert not state.is_open
    [row] = [each for each in state.rows if each.title == "О сроке"]
    assert (row.state, row.is_retired) == ("Предлагается", False)

    await desk.send(DeskState.open(ticket), "/support")
    await desk.send(DeskState.use_prepared(str(row.id)), "/support")
    state = await desk.state(DeskState)
    assert state.draft == f"Заявка {number.shown}: «Получено»."

    await tab.send(PreparedState.edit(row.id), PAGE)
    assert (await tab.state(PreparedState)).answer.text == FORM["text"]
    await tab.send(PreparedState.retire(row.id), PAGE)
    state = await tab.state(PreparedState)
    assert not state.is_open
    assert [each.is_retired for each in state.rows if each.id == row.id] == [True]
    await desk.send(DeskState.use_prepared(str(row.id)), "/support")
    state = await desk.state(DeskState)
    assert state.draft.count("Получено") == 1, "what is retired is not put in again"
    assert "О сроке" not in {title for _, title in state.prepared}
    await tab.send(PreparedState.bring_back(row.id), PAGE)
    assert (await tab.state(MessageState)).polite == "Ответ снова предлагается."
    assert tab.errors == desk.errors == []


async def test_what_a_colleague_changed_meanwhile_is_not_overwritten(
    screens: Screens, admin: Actor
):
    answer = preparing.write(admin, Typed(**FORM), now=clock.now())
    tab = await screens.signed_in(admin.user_id)
    await tab.send(PreparedState.edit(answer), PAGE)
    preparing.rewrite(admin, answer, 1, Typed("О другом", "Да"), now=clock.now())
    await tab.send(PreparedState.save(FORM), PAGE)
    assert "успел изменить" in (await tab.state(MessageState)).assertive
    assert (await tab.state(PreparedState)).is_open, "what was typed stays"


@pytest.mark.parametrize("sent", [0, -1, 10**30, "x", None, [1], {"id": 1}])
async def test_forged_identity_is_no_answer(screens: Screens, admin: Actor, sent: object):
    before = preparing.answers(admin)
    tab = await screens.signed_in(admin.user_id)
    for name in ("edit", "retire", "bring_back"):
        await tab.forge(f"{PreparedState.get_full_name()}.{name}", PAGE, answer_id=sent)
    assert not (await tab.state(PreparedState)).is_open
    assert preparing.answers(admin) == before


@pytest.mark.parametrize("sent", [None, "x", [], {"title": {"$ne": ""}}, {"title": 1, "text": []}])
async def test_forged_form_keeps_nothing(screens: Screens, admin: Actor, sent: object):
    before = preparing.answers(admin)
    tab = await screens.signed_in(admin.user_id)
    await tab.forge(f"{PreparedState.get_full_name()}.save", PAGE, form=sent)
    assert preparing.answers(admin) == before
