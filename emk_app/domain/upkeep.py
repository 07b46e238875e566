"""How the service does: its parts, how they stand, and what is counted of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from emk_app.domain.errors import Conflict

KEPT: Final = timedelta(days=90)
"""How far back the history goes."""
LONGEST_GAP: Final = timedelta(minutes=15)
"""Two checks further apart than this: in between nobody was there to check."""


class JobEnded(Conflict):
    """The job is not given up: somebody has put it back, or laid it aside."""


class Component(StrEnum):
    """A part of the service as people know it."""

    SITE = "site"
    DATABASE = "database"
    STORAGE = "storage"
    MESSAGES = "messages"
    SMS = "sms"
    EMAIL = "email"
    EXCHANGE = "exchange"
    SIGNING = "signing"


class Standing(StrEnum):
    """How a part does."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    OFF = "off"
    """Not connected: nothing is counted."""


FAILING: Final = (Standing.DEGRADED, Standing.DOWN)


def worse(one: Standing, other: Standing) -> Standing:
    """Return the worse of two failings."""
    return Standing.DOWN if Standing.DOWN in (one, other) else Standing.DEGRADED


def by_day(since: datetime, until: datetime, zone: tzinfo) -> Iterator[tuple[date, int]]:
    """Yield the days of a stretch of time and its seconds in each."""
    at = since
    while at < until:
        day = at.astimezone(zone).date()
        ends = min(until, datetime.combine(day + timedelta(days=1), time(), zone))
        yield day, round((ends - at).total_seconds())
        at = ends
