"""Of each tab only the states are kept that it has used, and a page never shows another's rest."""

from __future__ import annotations

import reflex as rx
from reflex import state as framework
from reflex.state import State

from emk_app.edge.gate import BOOT
from emk_app.edge.trees import Branches
from emk_app.states.meter import MeterState
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
    assert list(there) == [MeterState.get_name()]
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
    await screen.forge(BOOT, "/", hashes=[])
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
