"""HTTP messages signed by a machine's own key (RFC 9421, ES256) and receipts signed the same way.

Of the standard only what the exchange needs: one signature, named ``emk``, over fixed parts.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from emk_app.crypto.canonical import canonical
from emk_app.crypto.errors import KeyFolderBroken
from emk_app.crypto.signing import verify_bytes

ALGORITHM: Final = "ecdsa-p256-sha256"
TAG: Final = "emk-exchange"
SENT: Final = ("@method", "@target-uri", "content-type", "content-digest", "idempotency-key")
"""What the signature of a request with a body covers."""
ASKED: Final = ("@method", "@target-uri")
"""What the signature of a request without a body covers."""

_INPUT: Final = re.compile(
    r'emk=\((?P<parts>"[^)]{1,200}")\)'
    r";created=(?P<created>\d{1,12})"
    r';nonce="(?P<nonce>[A-Za-z0-9_-]{16,64})"'
    r';keyid="(?P<key_id>[0-9a-f]{16})"'
    rf';alg="{ALGORITHM}";tag="{TAG}"'
)
_VALUE: Final = re.compile(r"emk=:([A-Za-z0-9+/=]{88}):")
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class NotSigned(ValueError):
    """No signature of the agreed form, or it does not belong to this message."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a signature is about; all of it for a POST, method and address for anything else."""

    method: str
    uri: str
    body: bytes = b""
    content_type: str = ""
    key: str = ""
    """The idempotency key."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Which parts its signature covers."""
        return SENT if self.method == "POST" else ASKED


@dataclass(frozen=True, slots=True)
class Claim:
    """What a message says of its own signature, not yet believed."""

    key_id: str
    nonce: str
    created: datetime
    given: str
    value: bytes


class ServiceKey:
    """The private key by which this service speaks to other machines."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        self.public: Final = public_bytes(private_key.public_key())
        self.key_id: Final = key_id(self.public)

    @classmethod
    def open_or_create(cls, file: Path) -> ServiceKey:
        """Load the key, making it first where there is none; of several processes one makes it."""
        if not file.exists():
            _write_once(file, cls.generate().pem)
        key = load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(
            key.curve, ec.SECP256R1
        ):
            raise KeyFolderBroken(file, "not a P-256 key")
        return cls(key)

    @classmethod
    def generate(cls) -> ServiceKey:
        """Make a key that is nowhere else."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> bytes:
        """The private key, for its file."""
        return self._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_pem(self) -> str:
        """The public key, to be given to the other side."""
        return (
            self._private_key.public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def sign(self, payload: bytes) -> bytes:
        """Return r and s, 32 bytes each, s in the lower half."""
        der = self._private_key.sign(payload, ec.ECDSA(SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        return r.to_bytes(32, "big") + min(s, _ORDER - s).to_bytes(32, "big")


def key_id(public: bytes) -> str:
    """Return the name of a public key: 8 bytes of the SHA-256 of its DER, in hex."""
    return hashlib.sha256(public).hexdigest()[:16]


def public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_public(pem: bytes) -> bytes:
    """Return the DER of a PEM public key; raise ``ValueError`` unless it is on P-256."""
    key = load_pem_public_key(pem)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a P-256 key")
    return public_bytes(key)


def content_digest(body: bytes) -> str:
    """Return the header that names the body (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signed_headers(key: ServiceKey, message: Message, now: datetime) -> dict[str, str]:
    """Return the headers that make a signed request of ``message``."""
    parts = " ".join(f'"{each}"' for each in message.parts)
    given = (
        f"({parts});created={int(now.timestamp())}"
        f';nonce="{secrets.token_urlsafe(18)}";keyid="{key.key_id}"'
        f';alg="{ALGORITHM}";tag="{TAG}"'
    )
    value = base64.b64encode(key.sign(_base(message, given))).decode()
    headers = {"signature-input": f"emk={given}", "signature": f"emk=:{value}:"}
    if message.parts == SENT:
        headers |= {
            "content-type": message.content_type,
            "content-digest": content_digest(message.body),
            "idempotency-key": message.key,
        }
    return headers


def read_claim(signature_input: str, signature: str) -> Claim:
    """Return what the two headers say; raise ``NotSigned`` for any other form."""
    said, value = _INPUT.fullmatch(signature_input), _VALUE.fullmatch(signature)
    if said is None or value is None:
        raise NotSigned
    try:
        raw = base64.b64decode(value[1], validate=True)
        created = datetime.fromtimestamp(int(said["created"]), UTC)
    except (binascii.Error, ValueError, OverflowError, OSError):
        raise NotSigned from None
    return Claim(said["key_id"], said["nonce"], created, signature_input.removeprefix("emk="), raw)


def check(message: Message, digest: str, claim: Claim, public: bytes) -> None:
    """Raise ``NotSigned`` unless the owner of ``public`` signed exactly this message.

    ``digest`` is the header as it came; it is compared with the body itself.
    """
    if message.parts == SENT and not secrets.compare_digest(
        digest.encode(), content_digest(message.body).encode()
    ):
        raise NotSigned
    parts = " ".join(f'"{each}"' for each in message.parts)
    if not claim.given.startswith(f"({parts});"):
        raise NotSigned
    if not verify_bytes(_load(public), claim.value, _base(message, claim.given)):
        raise NotSigned


def is_fresh(claim: Claim, now: datetime, window: timedelta) -> bool:
    """Whether the signature was made within ``window`` of now."""
    return abs(now - claim.created) <= window


def sign_receipt(key: ServiceKey, said: dict[str, str]) -> bytes:
    """Return a receipt that proves by itself what its signer has received."""
    value = base64.b64encode(key.sign(canonical(said))).decode()
    return canonical({"receipt": said, "key": key.key_id, "signature": value})


def read_receipt(raw: bytes, keys: dict[str, bytes]) -> dict[str, str]:
    """Return what a receipt says; raise ``NotSigned`` unless one of ``keys`` has signed it."""
    try:
        packed = cast("dict[str, Any]", json.loads(raw))
        said, public = packed["receipt"], keys[packed["key"]]
        value = base64.b64decode(packed["signature"], validate=True)
        if not all(isinstance(each, str) for each in (*said, *said.values())):
            raise NotSigned
        is_genuine = verify_bytes(_load(public), value, canonical(said))
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        raise NotSigned from None
    if not is_genuine:
        raise NotSigned
    return said


def _base(message: Message, given: str) -> bytes:
    values = {
        "@method": message.method,
        "@target-uri": message.uri,
        "content-type": message.content_type,
        "content-digest": content_digest(message.body),
        "idempotency-key": message.key,
    }
    lines = [f'"{part}": {values[part]}' for part in message.parts]
    return "\n".join([*lines, f'"@signature-params": {given}']).encode()


def _load(public: bytes) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(public)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def _write_once(file: Path, content: bytes) -> None:
    """Put a file there whole, unless somebody else has."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.parent / f".{file.name}.{secrets.token_hex(4)}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    try:
        os.link(draft, file)
    except OSError as error:
        if error.errno != errno.EEXIST:
            raise
    finally:
        draft.unlink()
