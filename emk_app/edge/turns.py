"""How many events of one source are at work at once (D03): a flood waits in its own line."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Callable
from typing import Any, Final

LONGEST: Final = 1.0
"""Seconds after which a turn is given on though its work goes on: what waits for the database or
a gateway costs others nothing.
"""


class Turns:
    """So many turns for each key; who comes late waits, in the order of coming."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, int] = {}
        self._lines: dict[str, deque[Future[None]]] = {}
        """Who waits, where anybody does; who leaves hands the turn on to the first."""

    async def take(self, key: str) -> Callable[[], None]:
        """Wait for a turn; return what gives it on, which may be called more than once."""
        taken = self._taken.get(key, 0)
        if taken < self._most:
            self._taken[key] = taken + 1
        else:
            await self._wait(key)
        is_given = False

        def give() -> None:
            nonlocal is_given
            if not is_given:
                is_given = True
                self._hand_on(key)

        return give

    def waiting(self) -> int:
        """Return how many have a turn or wait for one."""
        return sum(self._taken.values()) + sum(map(len, self._lines.values()))

    async def _wait(self, key: str) -> None:
        mine: Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(key, deque()).append(mine)
        try:
            await mine
        except BaseException:
            if mine.cancelled():
                self._leave(key, mine)
            else:
                # It came at the moment of leaving.
                self._hand_on(key)
            raise

    def _leave(self, key: str, mine: Future[None]) -> None:
        line = self._lines.get(key)
        if line is not None and mine in line:
            line.remove(mine)
            if not line:
                del self._lines[key]

    def _hand_on(self, key: str) -> None:
        while (line := self._lines.get(key)) is not None:
            first = line.popleft()
            if not line:
                del self._lines[key]
            if not first.done():
                first.set_result(None)
                return
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]


def give_after(give: Callable[[], None], work: Future[Any] | None) -> None:
    """Give a turn on when ``work`` has ended, or has taken long."""
    timer = asyncio.get_running_loop().call_later(LONGEST, give)
    if work is not None:

        def done(_: Future[Any]) -> None:
            timer.cancel()
            give()

        work.add_done_callback(done)
