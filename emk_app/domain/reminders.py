"""When the holder is reminded of an end: 30 and 7 days before it, and on the last day."""

from __future__ import annotations

from typing import Final

from emk_app.domain.clearance import SOON_DAYS

MARKS: Final = (0, 7, SOON_DAYS)
"""Days left, rising; each is told once (domain.md 1.6)."""


def due_mark(days_left: int) -> int | None:
    """Return the mark that so many days fall under: the last one reached; None too early or late.

    A round that was missed is made up for: with 5 days left, the mark of 7 is due.
    """
    if days_left < 0:
        return None
    return next((mark for mark in MARKS if days_left <= mark), None)
