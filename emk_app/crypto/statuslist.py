"""The signed list of statuses of codes: Token Status List, two bits each, as a JWT.

A code's place in the list is the first 24 bits of its id (``cti``), which are random: so the code
itself needs no index, and a list of some marked places tells strangers nothing but their number.
No two living links share a place. What is not marked is not known to be bad, and no more than that.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final

from cryptography import x509

from emk_app.crypto.signing import Signer
from emk_app.crypto.trustlist import (
    SKEW,
    ListProblem,
    ListRefused,
    sign_jws,
    verify_jws,
)

LIST_TYPE: Final = "statuslist+jwt"
BITS: Final = 2
PLACES: Final = 2**24
LIFETIME: Final = timedelta(days=1)
TTL: Final = timedelta(minutes=5)
MAX_LENGTH: Final = 8 * 1024 * 1024
"""Bytes of the longest list that is read."""


class TokenStatus(IntEnum):
    """What the list says of a code; the last is of our own meaning, the rest of the draft's."""

    NOT_MARKED = 0
    INVALID = 1
    SUSPENDED = 2
    SUPERSEDED = 3


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list that was proven; moments are UTC."""

    issued: datetime
    expires: datetime
    packed: bytes = field(repr=False)

    def status(self, share_id: bytes) -> TokenStatus:
        """Return what the list says of the code with this id."""
        return TokenStatus(unpack(self.packed, place_of(share_id)))


def place_of(share_id: bytes) -> int:
    """Return the place of a code in the list."""
    return int.from_bytes(share_id[:3], "big")


def pack(marked: Mapping[int, int], places: int = PLACES) -> bytes:
    """Return the statuses, four to a byte, the first in the lowest bits."""
    packed = bytearray(places * BITS // 8)
    for place, status in marked.items():
        packed[place >> 2] |= status << (place & 3) * BITS
    return bytes(packed)


def unpack(packed: bytes, place: int) -> int:
    """Return the status at a place."""
    return packed[place >> 2] >> (place & 3) * BITS & 3


def publish(signer: Signer, address: str, packed: bytes, now: datetime) -> bytes:
    """Return the signed list; ``address`` is where it is read."""
    issued = int(now.timestamp())
    payload = {
        "sub": address,
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "ttl": int(TTL.total_seconds()),
        "status_list": {
            "bits": BITS,
            "lst": base64.urlsafe_b64encode(zlib.compress(packed, 9)).rstrip(b"=").decode(),
        },
    }
    return sign_jws(signer, LIST_TYPE, json.dumps(payload, separators=(",", ":")).encode()).encode()


def read(
    raw: bytes, root: x509.Certificate, *, now: datetime, at_least: datetime | None = None
) -> StatusList:
    """Return a published list; raises ``ListRefused``, also if it is older than ``at_least``."""
    if len(raw) > MAX_LENGTH:
        raise ListRefused(ListProblem.MALFORMED)
    try:
        payload = verify_jws(raw.decode("ascii"), LIST_TYPE, root, now)
        said: dict[str, Any] = json.loads(payload)
        issued = datetime.fromtimestamp(said["iat"], UTC)
        expires = datetime.fromtimestamp(said["exp"], UTC)
        listed = said["status_list"]
        text: str = listed["lst"]
        unpacker = zlib.decompressobj()
        packed = unpacker.decompress(
            base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), PLACES * BITS // 8
        )
        if listed["bits"] != BITS or unpacker.unconsumed_tail or len(packed) != PLACES * BITS // 8:
            raise ListRefused(ListProblem.MALFORMED)
    except (ValueError, TypeError, LookupError, OverflowError, zlib.error) as error:
        raise ListRefused(ListProblem.MALFORMED) from error
    if issued > now + SKEW:
        raise ListRefused(ListProblem.FROM_FUTURE)
    if at_least is not None and issued < at_least:
        raise ListRefused(ListProblem.OLDER)
    return StatusList(issued, expires, packed)
