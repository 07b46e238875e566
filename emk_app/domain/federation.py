"""Sign-in by another system that knows who people are, like ЕСИА (OpenID Connect Core 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from emk_app.domain.errors import Conflict, DomainError, InvalidValue
from emk_app.domain.numbers import Snils
from emk_app.domain.values import Personal

FLIGHT_LIFE: Final = timedelta(minutes=15)
"""How long somebody may stay at the provider's pages."""
LONGEST_SUBJECT: Final = 255
"""OpenID Connect Core 1.0, section 2, ``sub``."""


class Purpose(StrEnum):
    """What somebody was sent to the provider for."""

    SIGN_IN = "sign_in"
    LINK = "link"


class Outcome(StrEnum):
    """What came of it; the screen has words for each."""

    CODE = "code"
    """The account is found: its own second factor comes next."""
    UNKNOWN = "unknown"
    """No account here has this СНИЛС."""
    UNPROVED = "unproved"
    """The account has no second factor yet, so that only its password leads in."""
    UNTRUSTED = "untrusted"
    """The provider has not made sure who the person is."""
    DECLINED = "declined"
    """The person went back, or the provider let nobody through."""
    STALE = "stale"
    """Too late, or in another browser, or for the second time."""
    UNAVAILABLE = "unavailable"
    """The provider did not answer, or not as it should."""
    LINKED = "linked"
    """The identity leads to this account from now on."""
    TAKEN = "taken"
    """The identity leads to another account."""
    ANOTHER = "another"
    """The account belongs to somebody with another СНИЛС."""


class ProviderUnavailable(DomainError):
    """The provider did not answer as OpenID Connect asks; ``why`` is for the log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class IdentityUntrusted(DomainError):
    """The provider has not made sure who the person is, or does not say the СНИЛС."""


class AlreadyLinked(Conflict):
    """The account has an identity of this provider already."""


@dataclass(frozen=True, slots=True, repr=False)
class Identity(Personal):
    """Somebody as the provider knows them."""

    subject: str
    snils: Snils

    @property
    def masked(self) -> str:
        """Nothing: who signs in stays out of logs."""
        return "***"


def read_identity(claims: Mapping[str, Any]) -> Identity:
    """Return whom ``claims`` of the provider are about; raise ``IdentityUntrusted``.

    ``trusted`` is ЕСИА's word for an account whose owner has shown a passport in person; without
    it anybody could have typed somebody else's СНИЛС.
    """
    subject, snils, trusted = claims.get("sub"), claims.get("snils"), claims.get("trusted")
    if trusted is not True and trusted != "true":
        raise IdentityUntrusted
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise IdentityUntrusted
    try:
        return Identity(subject, Snils.parse(snils if isinstance(snils, str) else ""))
    except InvalidValue:
        raise IdentityUntrusted from None
