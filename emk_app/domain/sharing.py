"""Links by which a holder shows the book: how long they live and what they tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from emk_app.domain.errors import Conflict, NotAChoice

LIFETIMES_DAYS: Final = (1, 7, 30, 90, 365)
DEFAULT_LIFETIME_DAYS: Final = 90
LOOKS: Final = (1, 5, 20, None)
"""How many looks a link may be made for; ``None`` is any number."""
LINKS_AT_ONCE: Final = 50
LABEL_LIMIT: Final = 80


class TooManyLinks(Conflict):
    """The holder has ``limit`` open links."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} open links")
        self.limit = limit


class ShareScope(StrEnum):
    """How much of the holder a link tells beside the verdict."""

    VERDICT_ONLY = "verdict_only"
    WITH_OCCUPATION = "with_occupation"
    ANONYMOUS = "anonymous"


class SharedField(StrEnum):
    """What a link may tell at all; verdict, dates, issuer, version and hash always go with it."""

    NAME = "name"
    BIRTH_YEAR = "birth_year"
    OCCUPATION = "occupation"


SHOWN: Final[Mapping[ShareScope, frozenset[SharedField]]] = MappingProxyType(
    {
        ShareScope.VERDICT_ONLY: frozenset({SharedField.NAME, SharedField.BIRTH_YEAR}),
        ShareScope.WITH_OCCUPATION: frozenset(SharedField),
        ShareScope.ANONYMOUS: frozenset(),
    }
)
"""The name is surname and initials, the occupation its group (D22)."""


class LinkState(StrEnum):
    """Whether a link still answers, and why not."""

    ALIVE = "alive"
    LINK_REVOKED = "link_revoked"
    LINK_EXPIRED = "link_expired"
    LINK_EXHAUSTED = "link_exhausted"


@dataclass(frozen=True, slots=True)
class ShareLink:
    """One link; ``looks_taken`` does not count the present look."""

    scope: ShareScope
    expires_at: datetime
    revoked_at: datetime | None = None
    looks_allowed: int | None = None
    looks_taken: int = 0


def expiry(now: datetime, days: int = DEFAULT_LIFETIME_DAYS) -> datetime:
    """Return when a link made ``now`` ends; raise ``NotAChoice`` for a lifetime not offered."""
    if days not in LIFETIMES_DAYS:
        raise NotAChoice
    return now + timedelta(days=days)


def allowed_looks(looks: int | None) -> int | None:
    """Return ``looks``, or raise ``NotAChoice`` for a number not offered."""
    if looks not in LOOKS:
        raise NotAChoice
    return looks


def link_state(link: ShareLink, now: datetime) -> LinkState:
    """Judge a link at the moment of a look; at ``expires_at`` itself it is over (RFC 8392)."""
    if link.revoked_at is not None:
        return LinkState.LINK_REVOKED
    if now >= link.expires_at:
        return LinkState.LINK_EXPIRED
    if link.looks_allowed is not None and link.looks_taken >= link.looks_allowed:
        return LinkState.LINK_EXHAUSTED
    return LinkState.ALIVE


def alive(link: ShareLink, now: datetime) -> bool:
    """Whether the link still answers."""
    return link_state(link, now) is LinkState.ALIVE
