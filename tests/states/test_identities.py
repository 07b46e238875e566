"""Change of identity data as the holder's and the operator's tabs meet it."""

from __future__ import annotations

from typing import Any

import pytest

from emk_app import clock
from emk_app.services import renaming
from emk_app.services.renaming import Typed
from emk_app.states.identities import ChangesState, ChangeState, IdentityState
from emk_app.states.session import MessageState
from tests.factories import make_book, make_holder, make_operator
from tests.files import good
from tests.states.conftest import Screen, Screens

MINE = "/cabinet/book/changes"
ROUTE = "/changes/[ref_arg]"
PREFIX = "reflex___state____state.emk_app___states___identities____"
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]}, "\ud800")
NEW = Typed("Петрова", "Мария", "Сергеевна", "27.03.1990", "marriage")


async def opened(screens: Screens, ref: str) -> Screen:
    screen = await screens.signed_in(make_operator(clock.now()).user_id)
    await screen.follow(ChangeState.follow, ROUTE, ref_arg=ref)
    await screen.until(ChangeState, lambda state: state.is_loaded)
    return screen


async def test_holder_asks_operator_approves_and_both_see_it_live(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    own = await screens.signed_in(holder.user_id)
    await own.follow(IdentityState.follow, MINE)
    state = await own.until(IdentityState, lambda state: state.is_loaded)
    assert (state.now.last, state.now.may_ask) == ("Иванова", True)
    desk = await screens.signed_in(make_operator(clock.now()).user_id)
    await desk.follow(ChangesState.follow, "/changes")
    ref = renaming.ask(holder, NEW, good.jpeg(), "a.jpg", now=clock.now())
    listed = await desk.until(ChangesState, lambda state: len(state.rows) == 1)
    assert listed.rows[0].href == f"/changes/{ref}"
    state = await own.until(IdentityState, lambda state: len(state.changes) == 1)
    assert (state.changes[0].status, state.now.may_ask) == ("на проверке", False)
    operator = await opened(screens, ref)
    case = await operator.state(ChangeState)
    assert [row.mark for row in case.sides] == ["меняется", "то же", "то же", "то же"]
    assert case.papers[0].pages == [f"/api/identities/{ref}/preview?page=1"]
    await operator.send(ChangeState.approve({"code": ""}), ROUTE, ref_arg=ref)
    assert not (await operator.state(ChangeState)).case.may_decide
    state = await own.until(IdentityState, lambda state: state.now.last == "Петрова")
    assert state.changes[0].status == "изменено"
    await desk.until(ChangesState, lambda state: state.rows == [])
    await operator.send(ChangeState.approve({"code": ""}), ROUTE, ref_arg=ref)
    assert "уже решено" in (await operator.state(MessageState)).assertive


async def test_refusal_is_told_beside_its_field_and_then_to_the_holder(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    ref = renaming.ask(holder, NEW, good.jpeg(), "a.jpg", now=clock.now())
    operator = await opened(screens, ref)
    await operator.send(ChangeState.reject({"ground": "other", "note": ""}), ROUTE, ref_arg=ref)
    assert (await operator.state(ChangeState)).errors["note"]
    form = {"ground": "differs", "note": "Отчество другое."}
    await operator.send(ChangeState.reject(form), ROUTE, ref_arg=ref)
    assert renaming.mine(holder).changes[0].reason.endswith("Отчество другое.")


async def test_wish_is_taken_back_by_its_owner_alone(screens: Screens):
    holder, other = make_holder(clock.now()), make_holder(clock.now())
    make_book(holder, clock.now())
    ref = renaming.ask(holder, NEW, good.jpeg(), "a.jpg", now=clock.now())
    theirs = await screens.signed_in(other.user_id)
    await theirs.send(IdentityState.withdraw(ref), MINE)
    assert renaming.mine(holder).changes[0].status.value == "asked"
    own = await screens.signed_in(holder.user_id)
    await own.send(IdentityState.withdraw(ref), MINE)
    assert renaming.mine(holder).may_ask
    gone = await opened(screens, ref)
    assert (await gone.state(ChangeState)).is_missing


@pytest.mark.parametrize(
    ("handler", "payload"),
    [
        ("identity_state.withdraw", {"ref": "0"}),
        ("change_state.approve", {"form": {}}),
        ("change_state.reject", {"form": {}}),
    ],
)
async def test_strangers_and_other_roles_are_turned_away(
    screens: Screens, handler: str, payload: dict[str, Any]
):
    stranger = await screens.stranger()
    await stranger.forge(PREFIX + handler, MINE, **payload)
    assert stranger.gone_to == "/login"
    make = make_operator if handler.startswith("identity") else make_holder
    other = await screens.signed_in(make(clock.now()).user_id)
    await other.forge(PREFIX + handler, MINE, **payload)
    assert other.gone_to == "/forbidden"


async def test_nonsense_changes_nothing_and_breaks_nothing(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    ref = renaming.ask(holder, NEW, good.jpeg(), "a.jpg", now=clock.now())
    own = await screens.signed_in(holder.user_id)
    operator = await screens.signed_in(make_operator(clock.now()).user_id)
    for nonsense in NONSENSE:
        await own.forge(f"{PREFIX}identity_state.withdraw", MINE, ref=nonsense)
        for act in ("approve", "reject"):
            await operator.forge(f"{PREFIX}change_state.{act}", ROUTE, form=nonsense)
    assert (own.errors, operator.errors) == ([], [])
    assert renaming.mine(holder).changes[0].ref == ref
    assert renaming.mine(holder).changes[0].status.value == "asked"
