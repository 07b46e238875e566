"""What waits in the database for a worker: when it is due, and in whose hands it is.

A clock may have been wrong for a while. What it wrote while it was ahead counts as written now, or
work would lie until the real time gets there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

LEASE: Final = timedelta(minutes=2)
AHEAD: Final = 2 * LEASE
"""What is further ahead than this was written by a clock that was wrong; those of the machines of
one service differ by seconds.
"""


def is_free(leased_until: Any, now: datetime) -> sa.ColumnElement[bool]:
    """In nobody's hands."""
    return sa.or_(leased_until.is_(None), leased_until <= now, leased_until > now + AHEAD)


def is_due(due_at: Any, created_at: Any, now: datetime) -> sa.ColumnElement[bool]:
    """To be done now."""
    return sa.or_(due_at <= now, created_at > now + AHEAD)


def is_held(leased_until: datetime | None, now: datetime) -> bool:
    """Whether somebody works on it."""
    return leased_until is not None and now < leased_until <= now + AHEAD
