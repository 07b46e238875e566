"""A version of a book as one JSON file for its holder: ``emk-download/1`` (docs/formats.md).

The signed bytes stand in it as a text, untouched, with the detached signature in DER and the
certificates in PEM, so that OpenSSL alone can check them. A second signature, the seal, covers the
rest of the file, the moments and the state of the book included.
"""

from __future__ import annotations

import base64
import json
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from emk_app.crypto.canonical import canonical, sha256
from emk_app.crypto.errors import CryptoError, NotCanonical
from emk_app.crypto.signing import (
    ALGORITHM,
    KEY_ID_LENGTH,
    DetachedSignature,
    SignatureCheck,
    Signer,
    TrustList,
    der_signature,
    sign_document,
    verify_document,
)

FORMAT: Final = "emk-download/1"
MAX_LENGTH: Final = 1024 * 1024
"""Bytes of the longest file that is read."""
_KEYS: Final = {
    "format",
    "document",
    "signature",
    "signed_at",
    "exported_at",
    "current_version",
    "status",
    "seal",
}
_SIGNATURE_KEYS: Final = {"algorithm", "certificates", "sha256", "value"}


class NotADownload(CryptoError):
    """Not a file of this format, or not in its one form."""


@dataclass(frozen=True, slots=True)
class Download:
    """What the file holds. Moments are UTC, whole seconds.

    ``current_version`` and ``status`` are the book's at ``exported_at``; the server gave its word
    for them by the seal.
    """

    document: bytes = field(repr=False)
    signature: DetachedSignature
    signed_at: datetime
    exported_at: datetime
    current_version: int
    status: str


@dataclass(frozen=True, slots=True)
class DownloadCheck:
    """Two signatures, each fact on its own."""

    document: SignatureCheck
    """Of the issuer under the version itself, at the moment of signing."""
    seal: SignatureCheck
    """Of the server under the whole file, at the moment of the download."""

    @property
    def is_valid(self) -> bool:
        """Say whether both speak for the file."""
        return self.document.is_valid and self.seal.is_valid


def write(download: Download, signer: Signer) -> bytes:
    """Return the file, sealed by ``signer``: canonical JSON (RFC 8785) in UTF-8."""
    body = _body(download)
    seal = sign_document(signer, canonical(body))
    return canonical(body | {"seal": _packed(seal)})


def read(raw: bytes) -> tuple[Download, DetachedSignature, bytes]:
    """Return what the file holds, its seal, and the bytes that are sealed.

    Nothing is believed yet: see ``check``. Raises ``NotADownload``.
    """
    if len(raw) > MAX_LENGTH:
        raise NotADownload("too long")
    try:
        found = cast("dict[str, Any]", json.loads(raw.decode()))
        if found["format"] != FORMAT or set(found) != _KEYS:
            raise NotADownload("another format")
        download = Download(
            document=found["document"].encode(),
            signature=_unpacked(found["signature"]),
            signed_at=_moment(found["signed_at"]),
            exported_at=_moment(found["exported_at"]),
            current_version=_whole_number(found["current_version"]),
            status=_text(found["status"]),
        )
        seal = _unpacked(found["seal"])
        body = _body(download)
        # Whatever was read loosely or not at all does not come out the same.
        is_exact = canonical(body | {"seal": _packed(seal)}) == raw
    except (
        LookupError,
        TypeError,
        ValueError,
        OverflowError,
        AttributeError,
        RecursionError,
        NotCanonical,
    ) as error:
        raise NotADownload("not readable") from error
    if not is_exact:
        raise NotADownload("not in its one form")
    return download, seal, canonical(body)


def check(raw: bytes, trust: TrustList) -> tuple[Download, DownloadCheck]:
    """Check both signatures of a file against the trust list; raises ``NotADownload``."""
    download, seal, sealed = read(raw)
    return download, DownloadCheck(
        document=verify_document(download.document, download.signature, trust, download.signed_at),
        seal=verify_document(sealed, seal, trust, download.exported_at),
    )


def _body(download: Download) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "document": download.document.decode(),
        "signature": _packed(download.signature),
        "signed_at": _iso(download.signed_at),
        "exported_at": _iso(download.exported_at),
        "current_version": download.current_version,
        "status": download.status,
    }


def _packed(signature: DetachedSignature) -> dict[str, Any]:
    return {
        "algorithm": signature.algorithm,
        "certificates": [ssl.DER_cert_to_PEM_cert(each) for each in signature.certificates],
        "sha256": signature.digest.hex(),
        "value": base64.b64encode(der_signature(signature.value)).decode(),
    }


def _unpacked(found: dict[str, Any]) -> DetachedSignature:
    if set(found) != _SIGNATURE_KEYS or found["algorithm"] != ALGORITHM:
        raise ValueError("not a signature of ours")
    r, s = decode_dss_signature(base64.b64decode(found["value"], validate=True))
    certificates = tuple(ssl.PEM_cert_to_DER_cert(each) for each in found["certificates"])
    return DetachedSignature(
        algorithm=ALGORITHM,
        key_id=sha256(certificates[0])[:KEY_ID_LENGTH],
        digest=bytes.fromhex(found["sha256"]),
        value=r.to_bytes(32, "big") + s.to_bytes(32, "big"),
        certificates=certificates,
    )


def _whole_number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("not a whole number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
