"""Terms of months and years, counted as Гражданский кодекс РФ, articles 191-194, says."""

from __future__ import annotations

from calendar import monthrange
from datetime import date


def add_months(day: date, months: int) -> date:
    """Return the same day ``months`` later, or the month's last day where it has no such day."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def last_day(start: date, months: int) -> date:
    """Return the last day, inclusive, of a term of ``months`` that ``start`` sets going.

    The term begins on the day after ``start`` (article 191) and ends with the whole of the day of
    the same number (192, 194): five years from 23.11.2026 last until 23.11.2031.
    """
    return add_months(start, months)
