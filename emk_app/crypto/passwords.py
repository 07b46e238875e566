"""Password hashes: argon2id, bounded in memory, the same cost for a known and an unknown user."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from threading import BoundedSemaphore
from typing import Final, Protocol, cast
from unicodedata import normalize

from passlib.context import CryptContext  # pyright: ignore[reportMissingTypeStubs]

from emk_app.domain.errors import InvalidValue, TooLong

MAX_PASSWORD: Final = 128
"""Characters after NFC (D14)."""


class _Context(Protocol):
    """The part of passlib's untyped ``CryptContext`` that is used."""

    def hash(self, secret: str) -> str: ...

    def verify_and_update(self, secret: str, hash: str) -> tuple[bool, str | None]: ...

    def identify(self, hash: str) -> str | None: ...


# OWASP's first choice: 19 MiB, two passes, one lane; 24 ms here.
_CONTEXT: Final = cast(
    _Context,
    CryptContext(
        schemes=["argon2"],
        argon2__type="ID",
        argon2__memory_cost=19_456,
        argon2__time_cost=2,
        argon2__parallelism=1,
    ),
)
# Four at once bound memory to 76 MiB and leave the other threads of the pool to everybody else.
_TURNS: Final = BoundedSemaphore(4)


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Whether the password is right, and whether its hash is older than today's cost."""

    ok: bool
    needs_rehash: bool = False


_REFUSED: Final = PasswordCheck(ok=False)


def hash_password(password: str) -> str:
    """Return the argon2id hash of the password in NFC.

    Takes 24 ms and 19 MiB: call it off the event loop. Raises ``TooLong`` above ``MAX_PASSWORD``
    characters and ``InvalidValue`` for text that is not Unicode (lone surrogates).
    """
    text = normalize("NFC", password)
    if len(text) > MAX_PASSWORD:
        raise TooLong(MAX_PASSWORD)
    if not _is_text(text):
        raise InvalidValue("not Unicode text")
    with _TURNS:
        return _CONTEXT.hash(text)


def verify_password(password: str, stored: str | None) -> PasswordCheck:
    """Compare the password with a stored hash; ``None`` stands for an unknown user.

    Costs the same whatever the outcome (D17), so it is never skipped, and raises nothing.
    """
    text = normalize("NFC", password)
    if stored is None or len(text) > MAX_PASSWORD or not _is_text(text) or not _is_hash(stored):
        _spend()
        return _REFUSED
    with _TURNS:
        try:
            ok, renewed = _CONTEXT.verify_and_update(text, stored)
        except ValueError:  # a hash cut short in the database
            return _REFUSED
    return PasswordCheck(ok=ok, needs_rehash=ok and renewed is not None)


def _spend() -> None:
    decoy = _decoy()
    with _TURNS:
        _CONTEXT.verify_and_update("never this one", decoy)


@cache
def _decoy() -> str:
    return hash_password("nobody's password")


def _is_hash(stored: str) -> bool:
    return _CONTEXT.identify(stored) is not None


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
