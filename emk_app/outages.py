"""Whether a fault is that something we stand on is away: the database, Redis, room on the disk.

Such a fault passes by itself, so people are told to try again soon and nothing is their mistake.
"""

from __future__ import annotations

import errno
import sqlite3
from typing import Final

import psycopg
import redis
import sqlalchemy.exc as sa_errors

from emk_app.db.engine import Busy

AWAY: Final = (
    Busy,
    redis.RedisError,
    sa_errors.OperationalError,
    sa_errors.InterfaceError,
    sa_errors.TimeoutError,
    # What reads past SQLAlchemy (``db.quick``) meets the driver's own errors.
    psycopg.OperationalError,
    psycopg.InterfaceError,
    sqlite3.OperationalError,
)
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


def is_outage(error: BaseException) -> bool:
    """Whether ``error``, or what led to it, is that a part is away."""
    current: BaseException | None = error
    while current is not None:
        if isinstance(current, AWAY):
            return True
        if isinstance(current, sa_errors.DBAPIError) and current.connection_invalidated:
            return True
        if isinstance(current, OSError) and current.errno in NO_ROOM:
            return True
        current = current.__cause__ or current.__context__
    return False
