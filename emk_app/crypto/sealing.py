"""Columns and files under AES-256-GCM, each bound to the place it was sealed for (D40, D41).

A sealed column is ``version | key id | nonce (12) | ciphertext and tag``. The place, the version
and the key id are authenticated: a blob moved to another row or column does not open.

A sealed file is ``version | key id | salt (16)`` and then chunks of 64 KiB and their tags. The salt
makes a key of its own for the file; the number of a chunk and whether it is the last are in its
nonce and authenticated, so that none can be cut off, repeated, moved or brought from another file.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from emk_app.crypto.errors import SealBroken

KEY_LENGTH: Final = 32
CHUNK: Final = 64 * 1024
MAX_STREAM: Final = 20 * 1024 * 1024
"""Bytes of the longest file that is sealed or opened."""

_COLUMN: Final = 1
_STREAM: Final = 2
_NONCE: Final = 12
_TAG: Final = 16
_SALT: Final = 16
_BODY: Final = 2 + _NONCE
OVERHEAD: Final = _BODY + _TAG
"""Bytes by which a sealed value is longer than its plaintext."""


def place(table: str, column: str, *row: object) -> str:
    """Return the name of one cell, ``table|column|row``, that a sealed value is bound to."""
    parts = [table, column, *(str(part) for part in row)]
    if any(not part or "|" in part for part in parts):
        raise ValueError("a part of a place is empty or has a bar")
    return "|".join(parts)


def new_data_key() -> bytes:
    """Return a random key for the columns of one subject."""
    return AESGCM.generate_key(bit_length=8 * KEY_LENGTH)


def seal(key: bytes, plaintext: bytes, place: str, kid: int = 1) -> bytes:
    """Encrypt one value for one place; ``kid`` (0..255) says under which key.

    Nonces are random: a key is replaced long before it has sealed 2**32 values.
    """
    head = bytes((_COLUMN, kid))
    nonce = os.urandom(_NONCE)
    return head + nonce + _cipher(key).encrypt(nonce, plaintext, _bound(head, place))


def unseal(key: bytes, blob: bytes, place: str) -> bytes:
    """Return the value that was sealed under this key for this place, or raise ``SealBroken``."""
    if len(blob) < _BODY + _TAG or blob[0] != _COLUMN:
        raise SealBroken("not a sealed value")
    try:
        return _cipher(key).decrypt(blob[2:_BODY], blob[_BODY:], _bound(blob[:2], place))
    except InvalidTag as error:
        raise SealBroken("another key, another place, or changed") from error


class Keyring:
    """Master keys by number: the current one seals, every one opens."""

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        if current not in keys:
            raise ValueError("the current key is not on the ring")
        for kid, key in keys.items():
            if not 0 < kid < 256 or len(key) != KEY_LENGTH:
                raise ValueError("a master key has a number 1..255 and 32 bytes")
        self._keys = dict(keys)
        self.current: Final = current

    @property
    def kids(self) -> tuple[int, ...]:
        """The numbers of its keys."""
        return tuple(sorted(self._keys))

    def wrap(self, data_key: bytes, place: str) -> bytes:
        """Seal a data key under the current master key."""
        return seal(self._keys[self.current], data_key, place, self.current)

    def unwrap(self, blob: bytes, place: str) -> bytes:
        """Open a data key with the master key it names, or raise ``SealBroken``."""
        key = self._keys.get(blob[1]) if len(blob) > 1 else None
        if key is None:
            raise SealBroken("sealed under a master key that is not on the ring")
        data_key = unseal(key, blob, place)
        if len(data_key) != KEY_LENGTH:
            raise SealBroken("what was wrapped is not a key")
        return data_key

    def needs_rewrap(self, blob: bytes) -> bool:
        """Say whether the blob still names an older master key."""
        return len(blob) < 2 or blob[1] != self.current


def blind_index(key: bytes, column: str, value: str) -> str:
    """Return the hex by which an encrypted column is looked up.

    Equal values of one column give equal marks; the caller normalises the value first (digits of a
    СНИЛС, E.164 of a phone, case of an address).
    """
    return hmac.digest(_column_key(key, column), normalize("NFC", value).encode(), "sha256").hex()


def seal_stream(
    key: bytes, pieces: Iterable[bytes], place: str, kid: int = 1, *, most: int = MAX_STREAM
) -> Iterator[bytes]:
    """Encrypt a file given in pieces of any size; raises ``ValueError`` above ``most`` bytes."""
    head = bytes((_STREAM, kid)) + os.urandom(_SALT)
    cipher = AESGCM(_file_key(key, head))
    yield head
    total = 0
    for number, (chunk, is_last) in enumerate(_chunks(pieces, CHUNK)):
        total += len(chunk)
        if total > most:
            raise ValueError("the file is too long to seal")
        yield cipher.encrypt(_chunk_nonce(number, is_last), chunk, _bound(head, place))


def unseal_stream(
    key: bytes, pieces: Iterable[bytes], place: str, *, most: int = MAX_STREAM
) -> Iterator[bytes]:
    """Decrypt a file chunk by chunk, or raise ``SealBroken``.

    A file cut at a chunk's edge shows only at the end: act on nothing before the last chunk.
    """
    source = _Pieces(pieces)
    head = source.take(2 + _SALT)
    if len(head) < 2 + _SALT or head[0] != _STREAM:
        raise SealBroken("not a sealed file")
    cipher = AESGCM(_file_key(key, head))
    total = 0
    for number, (chunk, is_last) in enumerate(_chunks(source, CHUNK + _TAG)):
        total += len(chunk) - _TAG
        if total > most:
            raise SealBroken("longer than any sealed file")
        try:
            yield cipher.decrypt(_chunk_nonce(number, is_last), chunk, _bound(head, place))
        except InvalidTag as error:
            raise SealBroken("another key, another place, cut or changed") from error


class _Pieces:
    """An iterable of bytes from which a head of exact length can be taken first."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""

    def take(self, length: int) -> bytes:
        while len(self._left) < length and (piece := next(self._pieces, None)) is not None:
            self._left += piece
        head, self._left = self._left[:length], self._left[length:]
        return head

    def __iter__(self) -> Iterator[bytes]:
        yield self._left
        yield from self._pieces


def _chunks(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut into chunks of ``size`` bytes and tell the last; an empty source is one empty chunk."""
    left = bytearray()
    for piece in pieces:
        left += piece
        start = 0
        # A full chunk is kept back until more comes: it may be the last.
        while len(left) - start > size:
            yield bytes(left[start : start + size]), False
            start += size
        del left[:start]
    yield bytes(left), True


def _cipher(key: bytes) -> AESGCM:
    if len(key) != KEY_LENGTH:  # AESGCM itself would take 16 bytes for AES-128
        raise ValueError("a sealing key has 32 bytes")
    return AESGCM(key)


def _chunk_nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(_NONCE - 1, "big") + bytes((is_last,))


def _bound(head: bytes, place: str) -> bytes:
    return head + place.encode()


def _file_key(key: bytes, head: bytes) -> bytes:
    return _derived(key, head[2:], b"emk file")


@lru_cache(maxsize=128)
def _column_key(key: bytes, column: str) -> bytes:
    return _derived(key, None, b"emk blind index|" + column.encode())


def _derived(key: bytes, salt: bytes | None, purpose: bytes) -> bytes:
    if len(key) != KEY_LENGTH:
        raise ValueError("a key has 32 bytes")
    return HKDF(hashes.SHA256(), KEY_LENGTH, salt, purpose).derive(key)
