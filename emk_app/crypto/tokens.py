"""Random tokens, codes and share links, and the digests that are stored in their place."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final

SHARE_LENGTH: Final = 26
SHARE_ID_LENGTH: Final = 10
# 26 characters hold 130 bits: the last one carries three of the share and two zeros.
_SHARE: Final = re.compile(r"[A-Z2-7]{25}[AEIMQUY4]")


def new_token() -> str:
    """Return 256 random bits, URL-safe: the name of a session, a ticket, a reset."""
    return secrets.token_urlsafe(32)


def digest(token: str, purpose: str) -> str:
    """Return the SHA-256, in hex, that stands for a random token in the database.

    ``purpose`` keeps a token of one kind from passing for another.
    """
    return hashlib.sha256(_labelled(purpose, token)).hexdigest()


def keyed_digest(key: bytes, text: str, purpose: str) -> str:
    """Return the HMAC-SHA-256, in hex, of what could be guessed from a bare digest."""
    return hmac.digest(key, _labelled(purpose, text), "sha256").hex()


def same(one: str, other: str) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def numeric_code(digits: int = 6) -> str:
    """Return a random code for an SMS; leading zeros count."""
    return f"{secrets.randbelow(10**digits):0{digits}d}"


def new_share() -> str:
    """Return the 128 random bits of a share link as 26 characters of BASE32."""
    return base64.b32encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def parse_share(text: str) -> str | None:
    """Return the canonical upper-case share, ``None`` for anything that is not one."""
    # Only ASCII may be upper-cased: U+0131 and U+017F would turn into I and S.
    if len(text) != SHARE_LENGTH or not text.isascii():
        return None
    share = text.upper()
    return share if _SHARE.fullmatch(share) else None


def share_digest(share: str) -> str:
    """Return the SHA-256, in hex, by which the database knows a share."""
    return _share_hash(share).hex()


def share_id(share: str) -> bytes:
    """Return the first 10 bytes of the share's hash: ``cti``, which binds link and token."""
    return _share_hash(share)[:SHARE_ID_LENGTH]


def _share_hash(share: str) -> bytes:
    canonical = parse_share(share)
    if canonical is None:
        raise ValueError("not a share")
    return hashlib.sha256(canonical.encode()).digest()


def _labelled(purpose: str, text: str) -> bytes:
    if ":" in purpose:
        raise ValueError("a purpose has no colon")
    return f"{purpose}:{text}".encode()
