"""Can work be done: what is asked, and the log told which part can't when the answer changes."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Final

import sqlalchemy as sa

from emk_app import incidents
from emk_app.db import bus, migrations
from emk_app.db.engine import reading
from emk_app.keys import keystore
from emk_app.settings import settings

log = logging.getLogger("emk.readiness")

PATIENCE: Final = 1.0
"""Seconds in which all parts must have answered."""
FRESH: Final = 1.0
"""Seconds for which an answer is repeated, so that asking often costs nothing."""
BLOCK: Final = bytes(4096)
"""What is written to see that there is room; a file of a few bytes may need none."""
LONGEST_PAUSE: Final = 30.0
"""Seconds between two rounds of background work; a healthy one makes one every five."""
LONGEST_ROUND: Final = 1800.0
"""Seconds of one round: a register of half a million clinics takes minutes."""


class Pulses:
    """When each kind of background work began and ended its last round."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self, name: str) -> None:
        """Note the beginning of a round."""
        with self._lock:
            self._began[name] = time.monotonic()

    def end(self, name: str) -> None:
        """Note the end of a round."""
        with self._lock:
            self._began.pop(name, None)
            self._ended[name] = time.monotonic()

    def any_busy(self) -> bool:
        """Whether any round is being made."""
        with self._lock:
            return bool(self._began)

    def is_busy(self, name: str) -> bool:
        """Whether a round of ``name`` is being made."""
        with self._lock:
            return name in self._began

    def clear(self) -> None:
        """Forget all: nothing is worked on any more."""
        with self._lock:
            self._began.clear()
            self._ended.clear()

    def are_alive(self, at: float) -> bool:
        """Whether there is work and none of it has stopped, at a monotonic moment."""
        with self._lock:
            known = self._began.keys() | self._ended.keys()
            return bool(known) and all(
                at - self._began[name] <= LONGEST_ROUND
                if name in self._began
                else at - self._ended[name] <= LONGEST_PAUSE
                for name in known
            )


pulses = Pulses()
leaving = threading.Event()
"""Set when the process has been told to stop: no new work is taken."""
parting = threading.Event()
"""Set when, some time later, it sends its screens to another process."""


class Readiness:
    """The answers of one process; probes that hang are not asked again until they come back."""

    def __init__(self) -> None:
        self._busy: set[str] = set()
        self._last: tuple[float, frozenset[str]] | None = None
        self._told: frozenset[str] = frozenset()
        self._lock = asyncio.Lock()

    async def failing(self) -> frozenset[str]:
        """Return the parts that do not work; what it says is at most a second old."""
        async with self._lock:
            if leaving.is_set():
                self._last = None
            if self._last is None or time.monotonic() - self._last[0] > FRESH:
                found = await self._ask()
                self._tell(found)
                self._last = (time.monotonic(), found)
            return self._last[1]

    async def _ask(self) -> frozenset[str]:
        answers = await asyncio.gather(*(self._probe(*each) for each in PROBES.items()))
        return frozenset(part for part, works in zip(PROBES, answers, strict=True) if not works)

    async def _probe(self, part: str, works: Callable[[], bool]) -> bool:
        if part in self._busy:
            return False
        self._busy.add(part)
        done = asyncio.get_running_loop().create_future()

        def ask() -> None:
            try:
                answer = works()
            except Exception as error:
                log.debug("%s: %s", part, incidents.trace(error))
                answer = False
            self._busy.discard(part)
            loop.call_soon_threadsafe(lambda: done.done() or done.set_result(answer))

        loop = asyncio.get_running_loop()
        # A thread of its own: the pool's are all taken where the database hangs.
        threading.Thread(target=ask, name=f"probe-{part}", daemon=True).start()
        try:
            return await asyncio.wait_for(done, PATIENCE)
        except TimeoutError:
            return False

    def _tell(self, found: frozenset[str]) -> None:
        if found != self._told:
            if found:
                log.warning("not ready: %s", ", ".join(sorted(found)))
            else:
                log.warning("ready again")
            self._told = found


def _database() -> bool:
    with reading() as db:
        return db.connection().execute(sa.text("SELECT 1")).scalar() == 1


def _schema() -> bool:
    with reading() as db:
        found = db.connection().execute(sa.text("SELECT version_num FROM alembic_version")).all()
    return [each[0] for each in found] == [_head()]


@cache
def _head() -> str | None:
    return migrations.head()


def _keys() -> bool:
    keystore()
    return True


def _disk() -> bool:
    folder = settings().data
    if shutil.disk_usage(folder).free < settings().least_free:
        return False
    # What a quota, a limit or a broken disk forbids shows only in the writing.
    with tempfile.NamedTemporaryFile(prefix=".probe-", dir=folder) as file:
        file.write(BLOCK)
        file.flush()
        os.fsync(file.fileno())
    return True


def _redis() -> bool:
    return settings().redis_url is None or bool(_redis_client().ping())


@cache
def _redis_client():
    import redis

    return redis.Redis.from_url(
        settings().redis_url or "", socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
    )


PROBES: Final[dict[str, Callable[[], bool]]] = {
    "database": _database,
    "schema": _schema,
    "keys": _keys,
    "disk": _disk,
    "redis": _redis,
    "bus": bus.is_listening,
    "work": lambda: pulses.are_alive(time.monotonic()),
    "stopping": lambda: not leaving.is_set(),
}
