"""How many events of one source are at work at once (D03): a flood waits in its own line."""

from __future__ import annotations

import asyncio
from asyncio import Future, Semaphore
from collections import Counter
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
        self._lines: dict[str, Semaphore] = {}
        self._users: Counter[str] = Counter()

    async def take(self, key: str) -> Callable[[], None]:
        """Wait for a turn; return what gives it on, which may be called more than once."""
        line = self._lines.setdefault(key, Semaphore(self._most))
        self._users[key] += 1
        try:
            await line.acquire()
        except BaseException:
            self._leave(key)
            raise
        is_given = False

        def give() -> None:
            nonlocal is_given
            if not is_given:
                is_given = True
                line.release()
                self._leave(key)

        return give

    def waiting(self) -> int:
        """Return how many have a turn or wait for one."""
        return self._users.total()

    def _leave(self, key: str) -> None:
        self._users[key] -= 1
        if not self._users[key]:
            del self._users[key], self._lines[key]


def give_after(give: Callable[[], None], work: Future[Any] | None) -> None:
    """Give a turn on when ``work`` has ended, or has taken long."""
    timer = asyncio.get_running_loop().call_later(LONGEST, give)
    if work is not None:

        def done(_: Future[Any]) -> None:
            timer.cancel()
            give()

        work.add_done_callback(done)
