"""Time-based one-time codes (RFC 6238), each accepted once."""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest
from typing import Final

from pyotp import random_base32
from pyotp.totp import TOTP

DIGITS: Final = 6
STEP: Final = 30
"""Seconds that one code lives."""


def new_secret() -> str:
    """Return a 160-bit secret in BASE32, to be stored sealed and shown once (D15)."""
    return random_base32(32)


def provisioning_uri(secret: str, account: str, issuer: str = "ЭМК Онлайн") -> str:
    """Return the ``otpauth:`` address that an authenticator reads from a QR code."""
    return TOTP(secret, digits=DIGITS, interval=STEP).provisioning_uri(
        name=account, issuer_name=issuer
    )


def accept(secret: str, code: str, now: datetime, last_counter: int | None) -> int | None:
    """Return the counter of a code that is right and fresh, ``None`` for any other.

    One step of clock drift either way. The counter is above ``last_counter``; the caller stores it
    by compare-and-set, so that two sign-ins at once cannot spend the same code.
    """
    if now.tzinfo is None:
        raise ValueError("a moment without a zone")
    digits = "".join(code.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    generator = TOTP(secret, digits=DIGITS, interval=STEP)
    current = int(now.timestamp()) // STEP
    accepted: int | None = None
    # All three are compared, so that the time taken says nothing about the drift.
    for counter in (current + 1, current, current - 1):
        right = compare_digest(generator.generate_otp(counter), digits)
        if right and (last_counter is None or counter > last_counter):
            accepted = counter
    return accepted
