"""Of each tab only the states are kept that it has used, and a page never shows another's rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
import reflex as rx
from reflex import state as framework
from reflex.istate.proxy import StateProxy
from reflex.state import State, StateUpdate
from reflex_base.event.context import EventContext

from emk_app.edge.gate import BOOT
from emk_app.edge.stays import StayState
from emk_app.edge.trees import Branches, turn
from emk_app.states.meter import MeterState
from emk_app.states.session import MessageState, say
from tests.states.conftest import Screen, Screens

PASSWORD = "лесная тропа ведёт к озеру"


async def branches_of(screen: Screen) -> Branches:
    branches = (await screen.state(State)).substates
    assert isinstance(branches, Branches)
    return branches


def hashes() -> list[str]:
    known = framework._initial_snapshot_cache[rx.State]
    return [known.names_digest, *(known.hashes[name] for name in sorted(known.hashes))]


async def test_only_what_was_used_is_there(screens: Screens):
    screen = await screens.stranger()
    assert len(await branches_of(screen)) == 0
    await screen.send(MeterState.weigh(PASSWORD), "/register")
    there = await branches_of(screen)
    assert list(there) == [StayState.get_name(), MeterState.get_name()]
    assert there[MeterState.get_name()] is await screen.state(MeterState)
    assert "no_such_state" not in there


async def test_page_that_was_built_with_the_defaults_is_not_sent_them(screens: Screens):
    screen = await screens.stranger()
    await screen.forge(BOOT, "/", hashes=["unknown"])
    (whole,) = (shown for shown in screen.shown if MeterState.get_full_name() in shown)
    assert len(whole) > 50
    screen.shown.clear()
    await screen.forge(BOOT, "/", hashes=hashes())
    assert screen.shown
    assert all(set(shown) <= {State.get_full_name()} for shown in screen.shown if len(shown) < 3)
    assert not any(MeterState.get_full_name() in shown for shown in screen.shown)


async def test_page_that_opens_again_is_sent_what_is_not_the_default(screens: Screens):
    screen = await screens.stranger()
    await screen.forge(BOOT, "/", hashes=["unknown"])
    await screen.send(MeterState.weigh(PASSWORD), "/register")
    screen.shown.clear()
    await screen.forge(BOOT, "/", hashes=hashes())
    (shown,) = (each for each in screen.shown if MeterState.get_full_name() in each)
    assert shown[MeterState.get_full_name()]["level_rx_state_"] == 3


async def test_page_that_connects_anew_to_a_new_tree_forgets_what_it_showed(screens: Screens):
    screen = await screens.stranger()
    await screen.forge(BOOT, "/", hashes=[])
    (shown,) = (each for each in screen.shown if MeterState.get_full_name() in each)
    assert shown[MeterState.get_full_name()]["level_rx_state_"] == 0
    # What stands for the rest belongs to nobody.
    assert MeterState.get_name() not in list(await branches_of(screen))


async def test_tabs_share_nothing(screens: Screens):
    one, other = await screens.stranger(), await screens.stranger()
    await one.send(MeterState.weigh(PASSWORD), "/register")
    await other.send(MeterState.load, "/register")
    assert (await one.state(MeterState)).level == 3
    assert (await other.state(MeterState)).level == 0


async def test_tree_that_is_let_go_grows_no_more(screens: Screens):
    screen = await screens.stranger()
    there = await branches_of(screen)
    there.clear()
    assert MeterState.get_name() not in there
    assert not list(there.values())


def test_no_state_stands_below_another():
    # What stands for the states of a tree is one level deep.
    assert not [each for each in State.get_substates() if each.get_substates()]


class _Told:
    """A background event of the meter, with its tab's lock in its own hands."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    async def run(self, work: Callable[[MeterState], Awaitable[None]]) -> None:
        manager = self._screen._manager  # pyright: ignore[reportPrivateUsage]
        context = EventContext(
            token=self._screen.token,
            state_manager=manager,
            enqueue_impl=nobody,
            emit_delta_impl=self._emit,
        )
        held = EventContext.set(context)
        try:
            proxy = StateProxy(await self._screen.state(MeterState))
            async with turn(cast("MeterState", proxy)) as state:
                assert not isinstance(state, StateProxy)
                await work(state)
        finally:
            EventContext.reset(held)

    async def _emit(self, token: str, delta: Any) -> None:
        assert token == self._screen.token
        await self._screen.take(StateUpdate(delta=delta))


async def nobody(token: str, *events: Any) -> None:
    raise AssertionError


async def set_level(state: MeterState) -> None:
    state.level = 2


async def test_turn_sends_what_has_changed_and_no_more(screens: Screens):
    screen = await screens.stranger()
    told = _Told(screen)
    await told.run(set_level)
    assert screen.shown == [{MeterState.get_full_name(): {"level_rx_state_": 2}}]
    assert (await screen.state(MeterState)).level == 2
    assert not (await screen.state(State)).dirty_substates
    # Nothing to say of what is as it was.
    await told.run(nothing)
    assert len(screen.shown) == 1


async def nothing(_: MeterState) -> None:
    pass


async def test_turn_sends_what_another_state_has_changed_too(screens: Screens):
    screen = await screens.stranger()

    async def tell(state: MeterState) -> None:
        await set_level(state)
        await say(state, "Готово.")

    await _Told(screen).run(tell)
    (told,) = screen.shown
    assert told[MeterState.get_full_name()] == {"level_rx_state_": 2}
    assert told[MessageState.get_full_name()]["polite_rx_state_"] == "Готово."
    assert not (await screen.state(State)).dirty_substates


async def test_turns_of_one_tab_follow_each_other(screens: Screens):
    screen = await screens.stranger()
    going = asyncio.Event()
    order: list[str] = []

    async def long(_: MeterState) -> None:
        order.append("one begins")
        await going.wait()
        order.append("one ends")

    async def short(_: MeterState) -> None:
        order.append("other")

    tasks = [asyncio.create_task(_Told(screen).run(each)) for each in (long, short)]
    await asyncio.sleep(0.01)
    assert order == ["one begins"]
    sent = asyncio.create_task(screen.send(MeterState.weigh(PASSWORD), "/register"))
    await asyncio.sleep(0.01)
    assert not sent.done()
    going.set()
    await asyncio.gather(*tasks, sent)
    assert order == ["one begins", "one ends", "other"]


async def test_turn_that_fails_sends_what_it_had_changed_and_lets_go(screens: Screens):
    screen = await screens.stranger()

    async def fail(state: MeterState) -> None:
        state.level = 1
        raise LookupError

    with pytest.raises(LookupError):
        await _Told(screen).run(fail)
    assert screen.shown == [{MeterState.get_full_name(): {"level_rx_state_": 1}}]
    await asyncio.wait_for(_Told(screen).run(set_level), 1)


async def test_turn_of_a_tree_that_was_let_go_tells_the_page_everything(screens: Screens):
    screen = await screens.stranger()
    manager = screen._manager  # pyright: ignore[reportPrivateUsage]

    async def again(state: MeterState) -> None:
        await set_level(state)

    proxied = _Told(screen)
    await proxied.run(set_level)
    manager._purge_token(rx.BaseStateToken(ident=screen.token, cls=State))  # pyright: ignore[reportPrivateUsage]
    screen.shown.clear()
    await proxied.run(again)
    whole, *rest = screen.shown
    assert len(whole) > 50
    assert {MeterState.get_full_name(): {"level_rx_state_": 2}} in rest
