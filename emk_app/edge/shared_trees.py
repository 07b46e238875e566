"""The state of each tab where several processes may serve it (``EMK_REDIS_URL``).

The process that a tab is connected to keeps its tree between two turns. Redis keeps what a turn has
changed, by the time the turn is over, and the name of the turn that was the last: where another
process has had the tab since, the tree is read anew.

The framework reads all of a tree, a hundred keys, whenever it has held none for a second, and
writes it back a second later, which is lost with a process that dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Final

import reflex as rx
from redis.asyncio import Redis
from reflex.istate.manager import StateManager
from reflex.istate.manager.token import BaseStateToken, StateToken
from reflex.state import BaseState
from reflex_base.utils.exceptions import StateSchemaMismatchError

from emk_app.edge.trees import new_root

log = logging.getLogger("emk.trees")

KEPT_FOR: Final = 3600
"""Seconds that Redis keeps what nobody touches."""
HELD_FOR: Final = 10_000
"""Milliseconds after which another process no longer waits for the end of a turn."""
PAUSE: Final = 0.02
"""Seconds until a turn that another process has is asked for again."""
LAST: Final = b""
"""Where the last turn stands among the names of states."""

_TAKE: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return false end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local last = redis.call('HGET', KEYS[2], '') or ''
local found = {last}
if last ~= ARGV[3] then found = redis.call('HGETALL', KEYS[2]) table.insert(found, 1, last) end
redis.call('HSET', KEYS[2], '', ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return found
"""
"""Begin a turn, unless another process has one: give the last, and all there is if that was not of
this process.
"""

_GIVE: Final = """
local is_last = redis.call('HGET', KEYS[2], '') == ARGV[2]
if is_last and #ARGV > 2 then redis.call('HSET', KEYS[2], unpack(ARGV, 3)) end
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return is_last
"""
"""End a turn, and write what it has changed, unless somebody else could not wait for its end."""


class _Kept:
    """What this process has of a tab."""

    __slots__ = ("lock", "root", "turn", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.root: rx.State | None = None
        self.turn = b""
        self.users = 0


class SharedTrees(StateManager):
    """Keeps the trees of the tabs that are here, and lets them move.

    ``is_here`` tells whether a tab is connected to this process.
    """

    def __init__(self, redis: Redis, is_here: Callable[[str], bool]) -> None:
        super().__init__()
        self._redis = redis
        self._is_here = is_here
        self._process = uuid.uuid4().hex
        self._turns = itertools.count()
        self._kept: dict[str, _Kept] = {}
        self._take: Any = redis.register_script(_TAKE)
        self._give: Any = redis.register_script(_GIVE)

    async def get_state(self, token: StateToken[Any] | str) -> Any:
        """Return the tab's tree."""
        async with self.modify_state(token) as root:
            return root

    async def set_state(self, token: StateToken[Any] | str, state: Any, **context: Any) -> None:
        """Refuse: a tree is changed in a turn."""
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def modify_state(
        self, token: StateToken[Any] | str, **context: Any
    ) -> AsyncIterator[Any]:
        """Give the tab's tree to one at a time; at the end what has changed is in Redis.

        Raises ``RedisError`` where Redis is away; the next turn writes what was changed meanwhile.
        """
        known = self._coerce_token(token)
        # Nothing else than trees is kept in the product.
        assert isinstance(known, BaseStateToken)
        tab = known.ident
        kept = self._kept.setdefault(tab, _Kept())
        kept.users += 1
        try:
            async with kept.lock:
                root = await self._begin(tab, kept)
                try:
                    yield root
                finally:
                    await self._end(tab, kept)
        finally:
            kept.users -= 1
            self.let_go(tab)

    def let_go(self, tab: str) -> None:
        """Forget the tab, if it is not here and nobody works for it."""
        kept = self._kept.get(tab)
        if kept is not None and not kept.users and not self._is_here(tab):
            del self._kept[tab]

    async def close(self) -> None:
        """Let the connections go."""
        await self._redis.aclose(close_connection_pool=True)

    async def _begin(self, tab: str, kept: _Kept) -> rx.State:
        turn = f"{self._process}:{next(self._turns)}".encode()
        said = [self._process, HELD_FOR, kept.turn, turn, KEPT_FOR]
        # Seldom, and not for long: a tab that has moved while its old process works for it.
        while (found := await self._take(keys=_keys(tab), args=said)) is None:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE)
        last, *fields = found
        root = kept.root
        if root is None or last not in (kept.turn, b""):
            root = kept.root = _grown(fields)
        elif not last:
            # Redis has lost it, and nobody has had it since.
            for state in _states(root):
                state._was_touched = True
        kept.turn = turn
        return root

    async def _end(self, tab: str, kept: _Kept) -> None:
        assert kept.root is not None
        touched = [state for state in _states(kept.root) if state._was_touched]
        said: list[Any] = [self._process, kept.turn]
        for state in touched:
            said += (state.get_full_name(), state._serialize())
        if await self._give(keys=_keys(tab), args=said):
            for state in touched:
                state._was_touched = False
        else:
            log.warning("a turn took so long that another process did not wait for its end")
            kept.root, kept.turn = None, b""


def _keys(tab: str) -> tuple[str, str]:
    return f"{tab}_lock", f"{tab}_tree"


def _states(root: rx.State) -> list[BaseState]:
    return [root, *dict.values(root.substates)]


def _grown(fields: Iterable[bytes]) -> rx.State:
    """Make a tree of names and of what is written of the states of these names."""
    pairs = iter(fields)
    states: dict[str, BaseState] = {}
    for name, written in zip(pairs, pairs, strict=True):
        # What another version of the product wrote is begun anew.
        if name != LAST:
            with contextlib.suppress(StateSchemaMismatchError):
                states[name.decode()] = BaseState._deserialize(written)
    root = new_root(states.pop(rx.State.get_full_name(), None))
    for state in states.values():
        state.parent_state = root
        root.substates[state.get_name()] = state
    return root
