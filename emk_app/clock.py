"""The only place that reads the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from emk_app.settings import settings

MOSCOW: Final = ZoneInfo("Europe/Moscow")


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC) + _offset()


def today() -> date:
    """Return the date in Moscow, by which terms are counted."""
    return day_of(now())


def day_of(moment: datetime) -> date:
    """Return the date in Moscow at an aware ``moment``."""
    return moment.astimezone(MOSCOW).date()


def _offset() -> timedelta:
    """Return what a test has added to the clock; zero outside tests."""
    path = settings().test_clock
    if path is None or not path.exists():
        return timedelta(0)
    return timedelta(seconds=float(path.read_text(encoding="ascii").strip() or 0))
