"""The state that a process keeps of each tab.

The framework makes every state of the product for every tab, and writes each default down when a
page opens: a hundred objects with a thousand values for somebody who looks at one page. Here a
state comes to be when it is first asked for. What does not exist yet has its defaults, which a page
that was built with them need not be sent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, ValuesView
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from functools import cache
from typing import Any, Generic, TypeVar, cast

import reflex as rx
from reflex import state as framework
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken, StateToken
from reflex.state import BaseState
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.event.context import EventContext

S = TypeVar("S", bound=rx.State)

_page_knows_defaults: ContextVar[bool] = ContextVar("page_knows_defaults", default=False)


class Branches(dict[str, BaseState]):
    """The states below the root of one tab, each made when it is first asked for."""

    def __init__(self, root: BaseState) -> None:
        super().__init__()
        self._root: BaseState | None = root

    def __contains__(self, name: object) -> bool:
        return self._root is not None and name in _classes()

    def __missing__(self, name: str) -> BaseState:
        if self._root is None:
            raise KeyError(name)
        made = _classes()[name](parent_state=self._root, _reflex_internal_init=True)
        self[name] = made
        return made

    def values(self) -> ValuesView[BaseState]:
        """Return the states there are, and stand-ins of the rest where a page is told everything.

        The framework asks for a snapshot, to take back what the browser stores (nothing, here), and
        to take a tree apart.
        """
        there = super().values()
        if _page_knows_defaults.get() or self._root is None:
            return there
        rest = (each for name, each in _defaults().items() if not dict.__contains__(self, name))
        return cast("ValuesView[BaseState]", [*there, *rest])

    def clear(self) -> None:
        """Let the tree go: nothing grows on it any more."""
        self._root = None
        super().clear()


class Trees(StateManagerMemory):
    """Keeps of each tab only the states that its pages have used."""

    def _get_or_create_state(self, token: StateToken[Any]) -> Any:
        if token.cache_key not in self.states and isinstance(token, BaseStateToken):
            self.states[token.cache_key] = new_root()
        return super()._get_or_create_state(token)


def new_root(kept: BaseState | None = None) -> rx.State:
    """Return the root of a tree on which states grow as they are asked for; ``kept``, if any."""
    root = kept or cast("type[BaseState]", rx.State)(
        init_substates=False, _reflex_internal_init=True
    )
    object.__setattr__(root, "substates", Branches(root))
    return cast("rx.State", root)


class _Turn(Generic[S]):
    """What ``turn`` gives."""

    __slots__ = ("_context", "_held", "_itself", "_root", "_state")

    def __init__(self, state: S) -> None:
        self._state: Any = state
        self._held: AbstractAsyncContextManager[Any] | None = None

    async def __aenter__(self) -> S:
        state, context = self._state, EventContext.get()
        held = context.state_manager.modify_state(state._self_substate_token)
        root = await held.__aenter__()
        try:
            # A tree that was let go comes anew with what the page has to be told.
            if root.router_data:
                self._itself = root.get_substate(state._self_substate_path)
                self._context, self._held, self._root = context, held, root
                return cast("S", self._itself)
        finally:
            if self._held is None:
                await held.__aexit__(*sys.exc_info())
        await state.__aenter__()
        return state.__wrapped__

    async def __aexit__(self, *fault: Any) -> None:
        if self._held is None:
            await self._state.__aexit__(*fault)
            return
        try:
            # What was changed before a fault is sent too, as the framework does it.
            root = self._root
            delta = _own_delta(root, self._itself)
            if delta is None:
                delta = await root._get_resolved_delta()
            root._clean()
            if delta:
                await self._context.emit_delta(delta)
        finally:
            await self._held.__aexit__(*sys.exc_info())


def _own_delta(root: Any, state: Any) -> dict[str, dict[str, Any]] | None:
    """Return what has changed where nothing but ``state`` can have, else None.

    The framework walks the tree and asks every state what it computes; most of ours compute
    nothing.
    """
    if root.dirty_vars or state.parent_state is not root:
        return None
    if not (_computes_nothing(type(state)) and _is_quiet_root(type(root))):
        return None
    if not root.dirty_substates:
        return {}
    if root.dirty_substates != {state.get_name()} or state.dirty_substates:
        return None
    changed = state.dirty_vars & state._frontend_var_names
    if not changed:
        return {}
    return {state.get_full_name(): {name + FIELD_MARKER: state.get_value(name) for name in changed}}


@cache
def _computes_nothing(kind: type[Any]) -> bool:
    return (
        not kind.computed_vars
        and not kind._always_dirty_substates
        and kind.get_delta is BaseState.get_delta
    )


@cache
def _is_quiet_root(kind: type[Any]) -> bool:
    return (
        not kind._always_dirty_computed_vars
        and not kind._interval_computed_var_names
        and not kind._always_dirty_substates
        and kind.get_delta is BaseState.get_delta
    )


def turn(state: S) -> AbstractAsyncContextManager[S]:
    """Take the tab's lock for a background event, and give the state itself; at the end what has
    changed is sent.

    ``async with state`` does the same for three times as much: it makes a stand-in of each value
    and asks at each name whether it may be read. For screens that are told by the thousand.
    """
    return _Turn(state)


def install(app: rx.App) -> None:
    """Keep the states of ``app`` so, unless Redis keeps them."""
    if isinstance(app.state_manager, StateManagerMemory):
        app._state_manager = Trees()  # pyright: ignore[reportPrivateUsage]


def note_hashes(hashes: Iterable[str]) -> None:
    """Note for the event at hand what the page that is opening was built with.

    A page that opens for the first time says so by hashes. Another one, which connects anew, may
    show what a tree said that is gone, and has to be told everything.
    """
    known = framework._initial_snapshot_cache.get(rx.State)  # pyright: ignore[reportPrivateUsage]
    _page_knows_defaults.set(
        known is not None
        and list(hashes)
        == [known.names_digest, *(known.hashes[name] for name in sorted(known.hashes))]
    )


@cache
def _classes() -> dict[str, type[BaseState]]:
    return {each.get_name(): each for each in rx.State.get_substates()}


@cache
def _defaults() -> dict[str, BaseState]:
    """Return states that nobody has used and nobody may."""
    return dict(cast("type[BaseState]", rx.State)(_reflex_internal_init=True).substates)
