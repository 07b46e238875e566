"""What every screen asks for and hardly ever changes: read once, until its topic is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from emk_app.db import changes
from emk_app.db.engine import engine

T = TypeVar("T")

LONGEST: Final = timedelta(seconds=15)
"""After this long it is read again though nobody told: the bus may have been away."""


class Kept(Generic[T]):
    """One value of this process; ``read`` takes the present moment."""

    def __init__(self, topic: str, read: Callable[[datetime], T]) -> None:
        self._topic, self._read = topic, read
        self._held: tuple[object, int, datetime, T] | None = None

    def get(self, now: datetime) -> T:
        """Return the value; raises what reading raises."""
        pool, told = engine().pool, changes.times(self._topic)
        held = self._held
        if held is not None and held[:2] == (pool, told) and abs(now - held[2]) < LONGEST:
            return held[3]
        # What is told while it is read counts for the next one who asks.
        found = self._read(now)
        self._held = (pool, told, now, found)
        return found
