"""The signed code in the fragment of a QR link: token EMK1 (verification.md, 2.1 and 2.4).

A token is a COSE_Sign1 (RFC 9052) over CWT claims (RFC 8392) in deterministic CBOR, written in
BASE32 without padding. There is exactly one way to write each token, so the reader follows the
grammar byte by byte and hands nothing unproven to a general decoder.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from unicodedata import is_normalized

import cbor2

from emk_app.crypto.signing import (
    KEY_ID_LENGTH,
    SIGNATURE_LENGTH,
    KeyStatus,
    KeyUse,
    Signer,
    TrustList,
    verify_bytes,
)

MAX_TOKEN: Final = 1024
"""Bytes of the longest token that is read."""
SKEW: Final = timedelta(minutes=5)
"""How far the issuer's clock may be ahead of the reader's."""

_EXPIRES: Final = 4
_ISSUED: Final = 6
_ID: Final = 7
_BOOK: Final = -70001

_SHARE_ID_LENGTH: Final = 10
_HASH_LENGTH: Final = 32
_MAX_NUMBER: Final = 40
_MAX_NAME: Final = 80
_MAX_CATEGORIES: Final = 32
_MAX_VERDICT: Final = 255
_LAST_SECOND: Final = 253_402_300_799
_MAX_TEXT: Final = (MAX_TOKEN * 8 + 4) // 5
_BASE32: Final = re.compile(r"[A-Z2-7]+")
_DIGITS: Final = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV"
)
# tag 18, array of four, byte string of 13: {1: -7, 4: a byte string of 8
_OPENING: Final = bytes.fromhex("d2844da201260448")
_NO_UNPROTECTED: Final = b"\xa0"
_SIGNATURE_HEAD: Final = b"\x58\x40"


class TokenOutcome(StrEnum):
    """The first thing found about a token, in the order of checking."""

    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    KEY_WITHDRAWN = "key_withdrawn"
    NOT_GENUINE = "not_genuine"
    EXPIRED = "expired"
    GENUINE = "genuine"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says; moments are whole seconds, an anonymous one has no name and no year."""

    expires_at: datetime
    issued_at: datetime
    share_id: bytes
    book_number: str
    version: int
    document_hash: bytes
    shown_name: str | None
    birth_year: int | None
    categories: tuple[int, ...]
    verdict: int


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """The outcome, and the claims once the signature has proved them."""

    outcome: TokenOutcome
    claims: Claims | None = None
    key_id: bytes | None = None

    @property
    def is_genuine(self) -> bool:
        """Say whether the token is ours and in its term; its status is another question."""
        return self.outcome is TokenOutcome.GENUINE


def latest_expiry(signer: Signer) -> datetime:
    """Return the last moment a token of this signer may name: no token outlives its key."""
    return signer.certificate.not_valid_after_utc


def issue_token(signer: Signer, claims: Claims) -> str:
    """Return the BASE32 of a signed token; raises ``ValueError`` for claims that it cannot say."""
    payload = _payload(claims)
    if _read_payload(payload) is None:
        raise ValueError("a claim is out of bounds")
    texts = (claims.book_number, claims.shown_name or "")
    if not all(is_normalized("NFC", text) and text.isprintable() for text in texts):
        raise ValueError("a text is not NFC or not printable")
    if claims.expires_at > latest_expiry(signer) or claims.expires_at <= claims.issued_at:
        raise ValueError("the term of the token is empty or outlives the signer")
    if claims.issued_at < signer.certificate.not_valid_before_utc:
        raise ValueError("issued before the signer was")
    protected = cbor2.dumps({1: -7, 4: signer.key_id}, canonical=True)
    signature = signer.sign(to_be_signed(protected, payload))
    token = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]), canonical=True)
    if len(token) > MAX_TOKEN:
        raise ValueError("the token is too long")
    return base64.b32encode(token).rstrip(b"=").decode()


def check_token(text: str, trust: TrustList, now: datetime) -> TokenCheck:
    """Judge a token by the trust list and the clock, and raise nothing.

    Valid while ``now < exp`` (RFC 8392, 3.1.4). Issued more than ``SKEW`` after ``now`` counts as
    ``EXPIRED`` too: the claims tell the two apart. A key that was retired before the token was
    issued is ``KEY_WITHDRAWN``.
    """
    token = _read_token(text)
    claims = _read_payload(token.payload) if token else None
    if token is None or claims is None:
        return TokenCheck(TokenOutcome.MALFORMED)
    candidates = trust.candidates(token.key_id, KeyUse.QR)
    if not candidates:
        return TokenCheck(TokenOutcome.UNKNOWN_KEY, key_id=token.key_id)
    believed = [key for key in candidates if key.status is not KeyStatus.COMPROMISED]
    if not believed:
        return TokenCheck(TokenOutcome.KEY_WITHDRAWN, key_id=token.key_id)
    signed = to_be_signed(token.protected, token.payload)
    key = next((k for k in believed if verify_bytes(k.public_key, token.signature, signed)), None)
    if key is None:
        return TokenCheck(TokenOutcome.NOT_GENUINE, key_id=token.key_id)
    if not key.covers(claims.issued_at):
        return TokenCheck(TokenOutcome.KEY_WITHDRAWN, key_id=token.key_id)
    is_in_term = claims.issued_at <= now + SKEW and now < claims.expires_at
    outcome = TokenOutcome.GENUINE if is_in_term else TokenOutcome.EXPIRED
    return TokenCheck(outcome, claims, token.key_id)


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Return the Sig_structure of RFC 9052, 4.4."""
    return cbor2.dumps(["Signature1", protected, b"", payload])


def _payload(claims: Claims) -> bytes:
    book = [
        claims.book_number,
        claims.version,
        claims.document_hash,
        claims.shown_name,
        claims.birth_year,
        list(claims.categories),
        claims.verdict,
    ]
    return cbor2.dumps(
        {
            _EXPIRES: int(claims.expires_at.timestamp()),
            _ISSUED: int(claims.issued_at.timestamp()),
            _ID: claims.share_id,
            _BOOK: book,
        },
        canonical=True,
    )


@dataclass(frozen=True, slots=True)
class _Token:
    key_id: bytes
    protected: bytes
    payload: bytes
    signature: bytes


def _read_token(text: str) -> _Token | None:
    raw = _from_base32(text)
    if raw is None:
        return None
    reader = _Reader(raw)
    try:
        reader.literal(_OPENING)
        key_id = reader.take(KEY_ID_LENGTH)
        reader.literal(_NO_UNPROTECTED)
        payload = reader.octets()
        reader.literal(_SIGNATURE_HEAD)
        signature = reader.take(SIGNATURE_LENGTH)
        reader.end()
    except _Malformed:
        return None
    # The protected header starts after the tag, the array and its own head.
    return _Token(key_id, _OPENING[3:] + key_id, payload, signature)


def _read_payload(payload: bytes) -> Claims | None:
    reader = _Reader(payload)
    try:
        reader.head(_MAP, exactly=4)
        reader.key(_EXPIRES)
        expires_at = reader.moment()
        reader.key(_ISSUED)
        issued_at = reader.moment()
        reader.key(_ID)
        share_id = reader.octets(exactly=_SHARE_ID_LENGTH)
        reader.key(_BOOK)
        reader.head(_ARRAY, exactly=7)
        claims = Claims(
            expires_at=expires_at,
            issued_at=issued_at,
            share_id=share_id,
            book_number=reader.text(_MAX_NUMBER),
            version=reader.number(2**31 - 1),
            document_hash=reader.octets(exactly=_HASH_LENGTH),
            shown_name=None if reader.null() else reader.text(_MAX_NAME),
            birth_year=None if reader.null() else reader.number(9999),
            categories=tuple(reader.number(0xFFFF) for _ in range(reader.count(_MAX_CATEGORIES))),
            verdict=reader.number(_MAX_VERDICT),
        )
        reader.end()
    except _Malformed:
        return None
    return claims


def _from_base32(text: str) -> bytes | None:
    """Return the bytes of canonical BASE32: upper case, no padding, spare bits zero."""
    if len(text) > _MAX_TEXT or _BASE32.fullmatch(text) is None:
        return None
    length, spare = divmod(5 * len(text), 8)
    # Read as one number in base 32: in C, and unlike the library's decoder, spare bits show.
    number = int(text.translate(_DIGITS), 32)
    if spare >= 5 or number & ((1 << spare) - 1):
        return None
    return (number >> spare).to_bytes(length, "big")


_UNSIGNED: Final = 0
_NEGATIVE: Final = 1
_OCTETS: Final = 2
_TEXT: Final = 3
_ARRAY: Final = 4
_MAP: Final = 5
_NULL: Final = 0xF6
# Additional information: how many bytes follow, and the least number that needs them.
_WIDTHS: Final = {24: (1, 24), 25: (2, 2**8), 26: (4, 2**16), 27: (8, 2**32)}


class _Malformed(Exception):
    """The bytes leave the grammar."""


class _Reader:
    """Reads deterministic CBOR (RFC 8949, 4.2.1): definite lengths, shortest heads, no tags."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._raw):
            raise _Malformed
        taken = self._raw[self._at : end]
        self._at = end
        return taken

    def end(self) -> None:
        if self._at != len(self._raw):
            raise _Malformed

    def literal(self, expected: bytes) -> None:
        if self.take(len(expected)) != expected:
            raise _Malformed

    def head(self, major: int, exactly: int | None = None) -> int:
        first = self.take(1)[0]
        argument = first & 31
        if first >> 5 != major:
            raise _Malformed
        if argument >= 24:
            width, least = _WIDTHS.get(argument, (0, 0))
            argument = int.from_bytes(self.take(width), "big")
            if not width or argument < least:
                raise _Malformed
        if exactly is not None and argument != exactly:
            raise _Malformed
        return argument

    def key(self, key: int) -> None:
        if key >= 0:
            self.head(_UNSIGNED, exactly=key)
        else:
            self.head(_NEGATIVE, exactly=-1 - key)

    def number(self, limit: int) -> int:
        number = self.head(_UNSIGNED)
        if number > limit:
            raise _Malformed
        return number

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.number(_LAST_SECOND), UTC)

    def octets(self, exactly: int | None = None) -> bytes:
        return self.take(self.head(_OCTETS, exactly))

    def text(self, limit: int) -> str:
        try:
            text = self.take(self.head(_TEXT)).decode()
        except UnicodeDecodeError as error:
            raise _Malformed from error
        if not 0 < len(text) <= limit:
            raise _Malformed
        return text

    def count(self, limit: int) -> int:
        count = self.head(_ARRAY)
        if count > limit:
            raise _Malformed
        return count

    def null(self) -> bool:
        """Take a null if it comes next, and say whether it did."""
        if self._raw[self._at : self._at + 1] != bytes((_NULL,)):
            return False
        self._at += 1
        return True
