"""Which stay of a tab on a page an event belongs to.

A page whose connection has come back, after a stall or from another process, sends its first event
again and is loaded again. What its person has chosen or half done there must not be lost by that: a
stay ends only when the page is loaded or left.
"""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.state import BaseState
from reflex_base.event.context import EventContext


class StayState(rx.State):
    """The page a tab is on; nothing of it is sent."""

    _place: str = ""
    """Its address with the query."""
    _stay: int = 0
    """A tab's first one is 0: whatever its states know was said in it."""
    _is_announced: bool = False
    """The connection told of the page before the page itself did."""
    _begun: dict[str, int] = {}
    """The stay in which each state was begun."""
    _spoken_to: dict[str, tuple[int, str]] = {}
    """The stay in which the page said something to a state before that was begun, and the first
    event with which it did.
    """


async def note_connection(state: BaseState, *, is_page_new: bool) -> None:
    """Note that a page has connected: one that was just loaded, or one that comes back."""
    stay, place = await state.get_state(StayState), _place_of(state)
    if is_page_new or stay._place != place:
        # Who followed a link without a connection is there already; the page tells of it next.
        stay._is_announced = not is_page_new and stay._place != ""
        stay._stay += stay._place != ""
        stay._place = place


async def note_loading(state: BaseState) -> None:
    """Note that a page is loaded: by its connection, which was noted, or by following a link."""
    if EventContext.get().parent_txid:
        return
    stay, place = await state.get_state(StayState), _place_of(state)
    if stay._is_announced and stay._place == place:
        stay._is_announced = False
        return
    stay._stay, stay._place, stay._is_announced = stay._stay + 1, place, False


async def note_event(state: BaseState, event: str) -> None:
    """Note that a page sends ``event``.

    A page shows at once what it knows of an earlier stay, and its person may choose something there
    before its states are begun: what they saw and chose then stays.
    """
    if EventContext.get().parent_txid:
        return
    stay, name = await state.get_state(StayState), event.rpartition(".")[0]
    if stay._begun.get(name) != stay._stay != _spoken_in(stay, name)[0]:
        said = stay._stay, EventContext.get().txid
        stay._spoken_to = {**stay._spoken_to, name: said}


async def begin(state: rx.State, *, resets: bool) -> bool:
    """Whether ``state`` hears of this stay for the first time; reset it then, if it ``resets``."""
    stay, name = await state.get_state(StayState), state.get_full_name()
    if stay._begun.get(name) == stay._stay:
        return False
    stay._begun = {**stay._begun, name: stay._stay}
    spoken_in, event = _spoken_in(stay, name)
    # The event that begins it is not one that came before.
    if resets and stay._stay and (spoken_in != stay._stay or event == EventContext.get().txid):
        state.reset()
    return True


def _spoken_in(stay: StayState, name: str) -> tuple[int, str]:
    return stay._spoken_to.get(name, (0, ""))


def _place_of(state: BaseState) -> str:
    place: dict[str, Any] = state.router_data
    return str(place.get("asPath", ""))
