"""Faults of keys and ciphertext: signs of damage or misuse, never somebody's typing error."""

from __future__ import annotations

from pathlib import Path


class CryptoError(Exception):
    """A mechanism refuses to go on; the caller must not either."""


class SealBroken(CryptoError):
    """The blob was not sealed under this key for this place, or has been changed since."""


class NotCanonical(CryptoError):
    """The document has no canonical form; ``path`` names the first offending value."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class KeyFolderBroken(CryptoError):
    """The key folder is missing, incomplete or unreadable."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class KeyFolderUnsafe(KeyFolderBroken):
    """Somebody besides the owner may enter the folder or read the file."""


class KeyRefused(CryptoError):
    """A key can't be put to use, or the register of keys can't be changed so; says why."""
