"""«Мои заявки» as a tab meets them: sought through, turned over, live, and forged."""

from __future__ import annotations

from typing import Any

import pytest

from emk_app import clock
from emk_app.domain.actors import Actor
from emk_app.domain.applications import ApplicationStatus
from emk_app.services import applying
from emk_app.states.applications import ApplicationsState
from tests.factories import make_holder, make_submitted, put
from tests.states.conftest import Screen, Screens

PAGE = "/cabinet/applications"
NAME = "reflex___state____state.emk_app___states___applications____applications_state"
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]})


async def opened(screens: Screens, holder: Actor) -> Screen:
    screen = await screens.signed_in(holder.user_id)
    await screen.follow(ApplicationsState.follow, PAGE)
    await screen.until(ApplicationsState, lambda state: state.is_loaded)
    return screen


async def test_list_is_filtered_sought_through_and_cleared(screens: Screens):
    holder, now = make_holder(clock.now()), clock.now()
    old, new = make_submitted(holder, now), make_submitted(holder, now)
    put(old.id, status=ApplicationStatus.REJECTED, decided_at=now)
    make_submitted(make_holder(now), now)
    screen = await opened(screens, holder)
    state = await screen.state(ApplicationsState)
    assert {row.number for row in state.cases} == {old.number.shown, new.number.shown}
    await screen.send(ApplicationsState.choose_group("ended"), PAGE)
    state = await screen.state(ApplicationsState)
    assert [row.number for row in state.cases] == [old.number.shown]
    await screen.send(ApplicationsState.seek(new.number.shown), PAGE)
    state = await screen.state(ApplicationsState)
    assert (state.cases, state.has_any, state.found) == ([], True, "0\u00a0заявок")
    await screen.send(ApplicationsState.forget_conditions, PAGE)
    state = await screen.state(ApplicationsState)
    assert (len(state.cases), state.query, state.group) == (2, "", "all")


async def test_list_shows_an_application_as_soon_as_it_is_withdrawn(screens: Screens):
    holder = make_holder(clock.now())
    draft = make_submitted(holder, clock.now())
    screen = await opened(screens, holder)
    applying.withdraw(holder, draft.id, now=clock.now())
    state = await screen.until(ApplicationsState, lambda state: state.cases[0].status == "Отозвано")
    assert state.groups[3] == ["ended", "Завершённые: 1"]


@pytest.mark.parametrize("sent", NONSENSE, ids=lambda sent: type(sent).__name__)
async def test_nonsense_from_the_browser_shows_a_list_and_breaks_nothing(
    screens: Screens, sent: Any
):
    holder = make_holder(clock.now())
    make_submitted(holder, clock.now())
    screen = await opened(screens, holder)
    for handler, argument in (
        ("choose_group", "group"),
        ("choose_order", "order"),
        ("turn", "page"),
    ):
        await screen.forge(f"{NAME}.{handler}", PAGE, **{argument: sent})
    state = await screen.state(ApplicationsState)
    assert (state.group, state.order, state.page, len(state.cases)) == ("all", "newest", 1, 1)
    await screen.forge(f"{NAME}.seek", PAGE, text=sent)
    assert len((await screen.state(ApplicationsState)).query) <= 80
