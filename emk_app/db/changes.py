"""Who is told when something has been committed.

Topics are plain words: ``application:5``, ``holder:7``, ``looks:7``, ``queue``, ``clinic:3``,
``employer:4``, ``book:9``, ``outbox``, ``support``, ``support:7``; they name nothing that a
stranger may not know. A watcher that misses a word loses nothing: it reads afresh whenever it hears
one. ``bus.py`` carries them to other processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

from sqlmodel import Session

STOPPING = "stopping"
"""Told within a process that has been asked to stop, to whoever would go on for long."""

PARTING = "parting"
"""Told within a process whose screens shall go to another one."""
EVERYTHING = "*"
"""Told where anything may have changed: every watcher reads afresh."""

_ANNOUNCED = "emk_topics"


class Watch:
    """One watcher's ear: set by any thread, awaited on its own loop, or calling there.

    There are several for each open screen, and one awaits each: not an ``asyncio.Event``, which
    keeps a line for many.
    """

    __slots__ = ("_is_woken", "_waiting", "call", "loop", "topics")

    def __init__(self, topics: Iterable[str], call: Callable[[], object] | None = None) -> None:
        self.topics = frozenset(topics)
        self.loop = asyncio.get_running_loop()
        self._is_woken = False
        self._waiting: asyncio.Future[None] | None = None
        self.call = call

    def wake(self) -> None:
        """Let the watcher know; on its own loop."""
        if self.call is not None:
            self.call()
            return
        self._is_woken = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def wait(self) -> None:
        """Return when woken since the last call; many wakes count as one."""
        if not self._is_woken:
            self._waiting = self.loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        self._is_woken = False


_watches: defaultdict[str, set[Watch]] = defaultdict(set)
_times: dict[str, int] = {}
_lock = threading.Lock()


def announce(session: Session, *topics: str) -> None:
    """Note that this transaction, if it commits, changes ``topics``."""
    session.info.setdefault(_ANNOUNCED, set()).update(topics)


def announced(session: Session) -> set[str]:
    """Return the topics noted in this transaction."""
    return session.info.get(_ANNOUNCED, set())


def publish(topics: Iterable[str]) -> None:
    """Wake every watcher of ``topics`` in this process."""
    told = set(topics)
    with _lock:
        heard = _watches.keys() if EVERYTHING in told else told
        watches = {watch for topic in heard for watch in _watches.get(topic, ())}
        for topic in _times.keys() if EVERYTHING in told else _times.keys() & told:
            _times[topic] += 1
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Watch]] = defaultdict(list)
    for watch in watches:
        by_loop[watch.loop].append(watch)
    for loop, woken in by_loop.items():
        # A loop that has closed has no watcher left to tell.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_wake, woken)


def _wake(watches: Iterable[Watch]) -> None:
    for watch in watches:
        watch.wake()


def times(topic: str) -> int:
    """Return how often ``topic`` was told in this process since it was first asked about."""
    with _lock:
        return _times.setdefault(topic, 0)


def watchers() -> int:
    """Return how many follow something in this process."""
    with _lock:
        return len({watch for watches in _watches.values() for watch in watches})


def subscribe(topics: Iterable[str], call: Callable[[], object] | None = None) -> Watch:
    """Start watching ``topics`` on the running loop; end with ``unsubscribe``.

    The watch is awaited, or ``call`` is called on that loop at each word.
    """
    watch = Watch(topics, call)
    with _lock:
        for topic in watch.topics:
            _watches[topic].add(watch)
    return watch


def unsubscribe(watch: Watch) -> None:
    """Stop watching."""
    with _lock:
        for topic in watch.topics:
            _watches[topic].discard(watch)
            if not _watches[topic]:
                del _watches[topic]
