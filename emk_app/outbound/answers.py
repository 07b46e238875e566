"""What gateways answer, read with care: of a sane length, in a sane time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

LONGEST: Final = 64 * 1024


def body_of(answer: httpx.Response, patience: float = float("inf")) -> bytes:
    """Return the body of a streamed answer; nothing of one that is too long.

    Raises ``httpx.ReadTimeout`` for one that is not whole after ``patience`` seconds.
    """
    ends = time.monotonic() + patience
    read = bytearray()
    for part in answer.iter_bytes():
        read += part
        if len(read) > LONGEST:
            return b""
        if time.monotonic() > ends:
            raise httpx.ReadTimeout("it drips")
    return bytes(read)


def asked_pause(answer: httpx.Response, at: datetime) -> timedelta | None:
    """Return what Retry-After asks for: seconds or a date (RFC 9110, 10.2.3)."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return timedelta(seconds=min(int(said[:9]), 10**7))
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(until - at, timedelta(0))
