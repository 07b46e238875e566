"""Keys by which an employer's own systems ask for what its people may see."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain.errors import Conflict, NotAChoice, NotPermitted, NotSignedIn, Required
from emk_app.domain.values import one_line

PREFIX: Final = "emk_hr_"
"""Begins every key, so that whoever finds one in the open knows what it is."""
LIFETIMES_DAYS: Final = (30, 90, 365)
KEYS_AT_ONCE: Final = 10
NAME_LIMIT: Final = 60
HINT: Final = 4
"""Signs of a key's end by which its owner tells it from others."""
USE_PAUSE: Final = timedelta(minutes=15)
"""The use of a key is noted once in so long."""


class KeyScope(StrEnum):
    """What a key lets its bearer do."""

    STAFF_READ = "staff:read"
    STAFF_WRITE = "staff:write"
    BOOKS_CHECK = "books:check"


class KeyState(StrEnum):
    """Whether a key still opens anything."""

    LIVE = "live"
    ENDED = "ended"
    REVOKED = "revoked"


def key_state(expires_at: datetime, revoked_at: datetime | None, now: datetime) -> KeyState:
    """Return the state of a key; at ``expires_at`` itself it has ended."""
    if revoked_at is not None:
        return KeyState.REVOKED
    return KeyState.ENDED if now >= expires_at else KeyState.LIVE


def key_name(text: str) -> str:
    """Return what the owner calls a key; raise ``InvalidValue``."""
    name = one_line(text, NAME_LIMIT)
    if not name:
        raise Required
    return name


def key_scopes(chosen: Collection[str]) -> tuple[KeyScope, ...]:
    """Return the chosen scopes in their order; raise ``Required`` or ``NotAChoice``."""
    if not chosen:
        raise Required
    if not set(chosen) <= set(KeyScope):
        raise NotAChoice
    return tuple(scope for scope in KeyScope if scope in chosen)


def key_expiry(now: datetime, days: int) -> datetime:
    """Return when a key made ``now`` ends; raise ``NotAChoice`` for a life not offered."""
    if days not in LIFETIMES_DAYS:
        raise NotAChoice
    return now + timedelta(days=days)


class KeyRefused(NotSignedIn):
    """No such key, or one whose maker no longer answers for the organisation."""


class KeyEnded(KeyRefused):
    """The key's term is over."""


class KeyRevoked(KeyRefused):
    """The key was withdrawn."""


class ScopeMissing(NotPermitted):
    """The key was not made for this."""

    def __init__(self, scope: KeyScope) -> None:
        super().__init__(f"{scope} is missing")
        self.scope = scope


class TooManyKeys(Conflict):
    """There are ``limit`` live keys already."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} live keys")
        self.limit = limit
