"""Run plain synchronous code off the event loop."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Final, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

FEW: Final = 4
"""Keys that are read on the loop, where that is allowed at all."""
SLOW: Final = 0.02
"""Seconds of a reading on the loop after which it is left to threads for a while."""
SLOW_FOR: Final = 5.0
AT_ONCE: Final = 50
"""Readings that are handed over in one turn of the loop, and keys of one call of the work."""


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await ``work(*args, **kwargs)`` done in a thread; its exceptions come through."""
    return await asyncio.to_thread(functools.partial(work, *args, **kwargs))


class Together(Generic[K, T]):
    """Reads in one go what is asked for one by one in the same turn of the loop.

    One commit may wake a thousand screens. What they ask is read once for each key, in one thread
    rather than in a thousand queues, and the answers are handed over in portions, so that others
    are served in between. What begins is always begun after it was asked for.

    ``work`` takes some keys and returns an answer, or an error, for each. ``on_loop`` tells whether
    a reading of a few keys takes less than to wait for a thread: by an index of the embedded
    database it takes microseconds.
    """

    def __init__(
        self,
        work: Callable[[Sequence[K]], Mapping[K, T | Exception]],
        *,
        on_loop: Callable[[], bool],
    ) -> None:
        self._work = work
        self._on_loop = on_loop
        self._slow_until = 0.0
        self._asked: dict[K, list[asyncio.Future[T]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reading: set[asyncio.Task[None]] = set()

    async def read(self, key: K) -> T:
        """Return what is found for ``key`` from now on."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._asked = loop, {}
        if not self._asked:
            task = loop.create_task(self._read_all())
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        # Each has an answer of their own: who stops waiting does not take it from the others.
        answer: asyncio.Future[T] = loop.create_future()
        self._asked.setdefault(key, []).append(answer)
        return await answer

    async def _read_all(self) -> None:
        asked, self._asked = self._asked, {}
        keys = list(asked)
        for at in range(0, len(keys), AT_ONCE):
            some = keys[at : at + AT_ONCE]
            found: Mapping[K, T | Exception]
            try:
                found = await self._read(some)
            except Exception as error:
                found = dict.fromkeys(some, error)
            for key in some:
                for answer in asked[key]:
                    _end(answer, found[key])
            await asyncio.sleep(0)

    async def _read(self, keys: Sequence[K]) -> Mapping[K, T | Exception]:
        began = time.monotonic()
        if len(keys) > FEW or began < self._slow_until or not self._on_loop():
            return await in_thread(self._work, keys)
        found = self._work(keys)
        if time.monotonic() - began > SLOW:
            self._slow_until = began + SLOW_FOR
        return found


def each(work: Callable[[K], T]) -> Callable[[Sequence[K]], Mapping[K, T | Exception]]:
    """Make of what reads one key what reads many: the error of one is not that of the others."""

    def read(keys: Sequence[K]) -> Mapping[K, T | Exception]:
        found: dict[K, T | Exception] = {}
        for key in keys:
            try:
                found[key] = work(key)
            except Exception as error:
                found[key] = error
        return found

    return read


def _end(answer: asyncio.Future[T], found: T | Exception) -> None:
    if answer.done():
        # Who asked has gone.
        return
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)
