"""What proves a person besides the password: which ways there are, and which may be taken away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from emk_app.domain.accounts import CODE_LIFE, WrongCode
from emk_app.domain.actors import Role
from emk_app.domain.errors import Conflict, DomainError, Required, TooLong

CHALLENGE_LIFE: Final = CODE_LIFE
MOST_PASSKEYS: Final = 10
LONGEST_NAME: Final = 40
"""Signs of the name that a person gives a key."""


class Way(StrEnum):
    """One way to prove oneself, the best first."""

    PASSKEY = "passkey"
    APP = "app"
    SMS = "sms"
    RECOVERY = "recovery"


class Purpose(StrEnum):
    """What a challenge was made for; it serves nothing else."""

    ENTER = "enter"
    """The second step of signing in."""
    ENROL = "enrol"
    """The first factor of an account, at the door."""
    RENEW = "renew"
    """A fresh factor for a sensitive act (D13)."""
    ADD = "add"
    """One more key for somebody who is signed in."""


class ChallengeGone(DomainError):
    """The challenge was used, replaced, made elsewhere, or is older than five minutes."""


class PasskeyRefused(WrongCode):
    """The key's answer proves nothing: another site, no person verified, a broken signature."""


class PasskeyUnknown(WrongCode):
    """No such key is on this account; whether it is on another one is never said."""


class PasskeyCopied(PasskeyRefused):
    """The key counts less than it did: somebody may hold a copy of it."""


class PasskeyKnown(Conflict):
    """This key is here already."""


class TooManyPasskeys(Conflict):
    """An account has ten keys at most."""


class LastFactor(Conflict):
    """Without it nothing but the password would guard the account."""


class SmsNotOffered(DomainError):
    """No code goes out by SMS: no telephone, switched off, or a role that needs better (D13)."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What an account has to prove its owner by."""

    role: Role
    app: bool = False
    """An authenticator was proved by a code."""
    passkeys: int = 0
    phone: bool = False
    """A telephone was proved at the registration, or since."""
    sms_proved: bool = False
    """A code sent by SMS was given as the second factor at least once."""
    sms_off: bool = False
    """The owner wants no codes by SMS."""

    @property
    def offers_sms(self) -> bool:
        """Whether a code may go out by SMS: to holders alone, the staff's keys open too much."""
        return self.role is Role.HOLDER and self.phone and not self.sms_off

    @property
    def is_enrolled(self) -> bool:
        """Whether anything but the password guards the account."""
        return self.app or self.passkeys > 0 or (self.offers_sms and self.sms_proved)

    @property
    def ways(self) -> tuple[Way, ...]:
        """How its owner proves themselves, the best first; what may be added where nothing is."""
        if not self.is_enrolled:
            first = (Way.APP, Way.PASSKEY)
            return (*first, Way.SMS) if self.offers_sms else first
        there = {Way.PASSKEY: self.passkeys > 0, Way.APP: self.app, Way.SMS: self.offers_sms}
        return (*(way for way, is_there in there.items() if is_there), Way.RECOVERY)

    def check_loss(self, way: Way) -> None:
        """Raise ``LastFactor`` if without this the password alone would guard the account (D13)."""
        left = {
            Way.PASSKEY: replace(self, passkeys=self.passkeys - 1),
            Way.APP: replace(self, app=False),
            Way.SMS: replace(self, sms_off=True),
        }[way]
        if not left.is_enrolled:
            raise LastFactor


def check_name(text: str) -> str:
    """Return the name of a key in one line; raise ``Required`` or ``TooLong``."""
    name = " ".join(text.split())
    if not name:
        raise Required
    if len(name) > LONGEST_NAME:
        raise TooLong(LONGEST_NAME)
    return name


def is_copied(stored: int, shown: int) -> bool:
    """Whether the counter stands still or goes back; keys that never count show zero (WebAuthn)."""
    return (stored > 0 or shown > 0) and shown <= stored
