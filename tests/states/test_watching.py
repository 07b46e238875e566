"""«Кто смотрел» as a tab meets it: live, narrowed, and forged."""

from __future__ import annotations

from emk_app import clock
from emk_app.services import reviewing
from emk_app.states.watching import WatchingState
from tests.factories import make_holder, make_operator, make_received
from tests.states.conftest import Screens

PAGE = "/cabinet/looks"


async def test_look_appears_while_the_page_is_open_and_choices_narrow_it(screens: Screens):
    holder = make_holder(clock.now())
    draft = make_received(holder, clock.now())
    screen = await screens.signed_in(holder.user_id)
    await screen.follow(WatchingState.follow, PAGE)
    state = await screen.until(WatchingState, lambda state: state.is_loaded)
    assert (state.rows, state.pages) == ([], 1)
    reviewing.case(make_operator(clock.now()), draft.number.slug, now=clock.now())
    state = await screen.until(WatchingState, lambda state: bool(state.rows))
    assert state.rows[0].who == "Оператор"
    await screen.send(WatchingState.choose_views(True), PAGE)
    await screen.send(WatchingState.choose_span("ever"), PAGE)
    state = await screen.state(WatchingState)
    assert (state.span, state.only_views, state.found) == ("ever", True, "1\u00a0запись")


async def test_forged_choices_fall_back(screens: Screens):
    holder = make_holder(clock.now())
    screen = await screens.signed_in(holder.user_id)
    name = WatchingState.get_full_name()
    await screen.forge(f"{name}.choose_span", PAGE, span={"x": 1})
    await screen.forge(f"{name}.turn", PAGE, page="9" * 40)
    await screen.forge(f"{name}.choose_views", PAGE, only_views="yes")
    state = await screen.state(WatchingState)
    assert (state.span, state.page, state.only_views) == ("month", 1, False)
    assert screen.errors == []
