"""The published list of keys (verification.md, 6): a JWK set, signed under the root.

``/.well-known/emk/keys.json`` is a JWS in its flattened JSON form (RFC 7515, 7.2.2); its payload is
a JWK set with ``version``, ``issued`` and ``next_update``. A reader pins one certificate, the root.
The list is signed by a key that has a certificate for nothing else, so that whoever steals the key
of documents or of codes can't vouch for keys of his own. The same form in its compact serialization
carries the list of statuses.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from emk_app.crypto.certificates import LIST_PURPOSE
from emk_app.crypto.errors import CryptoError
from emk_app.crypto.signing import (
    ALGORITHM,
    KeyStatus,
    KeyUse,
    Signer,
    TrustedKey,
    TrustList,
    key_id,
    leads_to_root,
    p256_key,
    verify_bytes,
)

LIST_TYPE: Final = "emk-trust-list"
MAX_LENGTH: Final = 256 * 1024
"""Bytes of the longest list that is read."""
FRESH: Final = timedelta(days=7)
"""How long after ``issued`` a list is current: the next one comes every hour."""
STEP: Final = timedelta(hours=1)
SKEW: Final = timedelta(minutes=5)
"""How far the issuer's clock may be ahead of the reader's."""
# Whatever may be wrong with a foreign list and the certificates in it.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
)
_BASE64: Final = re.compile(r"[A-Za-z0-9_-]+")


class ListProblem(StrEnum):
    """Why a list is not believed."""

    MALFORMED = "malformed"
    NOT_GENUINE = "not_genuine"
    FROM_FUTURE = "from_future"
    OLDER = "older"
    EXPIRED = "expired"


class ListRefused(CryptoError):
    """The list is not one to go by; the one that was known before stays."""

    def __init__(self, problem: ListProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True)
class PublishedList:
    """A list that was proven; ``version`` and ``issued`` never go back. Moments are UTC."""

    version: int
    issued: datetime
    next_update: datetime
    trust: TrustList

    @property
    def edition(self) -> tuple[int, datetime]:
        """What has to grow: to be kept by the reader and given back as ``at_least``."""
        return self.version, self.issued

    def is_stale(self, now: datetime) -> bool:
        """Say whether a newer list ought to have come by now."""
        return now >= self.next_update


def publish(signer: Signer, trust: TrustList, version: int, now: datetime) -> bytes:
    """Return the signed list, JSON; the same bytes from every process within the same hour."""
    issued = _floor(now)
    payload = json.dumps(
        {
            **jwk_set(trust, with_compromised=True),
            "version": version,
            "issued": int(issued.timestamp()),
            "next_update": int((issued + FRESH).timestamp()),
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()
    protected, body, signature = sign_jws(signer, LIST_TYPE, payload).split(".")
    flattened = {"payload": body, "protected": protected, "signature": signature}
    return json.dumps(flattened, separators=(",", ":")).encode()


def read(
    raw: bytes,
    root: x509.Certificate,
    *,
    now: datetime,
    at_least: tuple[int, datetime] | None = None,
) -> PublishedList:
    """Return what a published list says; raises ``ListRefused``.

    ``root`` is the pinned certificate and ``at_least`` the ``edition`` of the newest list that was
    ever believed: an older one is refused, so that nobody brings back a key by an old list. A list
    past its ``next_update`` is returned: ``is_stale`` says so, and the caller tells people.
    """
    try:
        flattened = _object(raw)
        parts = [flattened[name] for name in ("protected", "payload", "signature")]
        if set(flattened) != {"protected", "payload", "signature"}:
            raise ListRefused(ListProblem.MALFORMED)
        payload = verify_jws(".".join(parts), LIST_TYPE, root, now)
        said = _object(payload)
        issued = _moment(said["issued"])
        found = PublishedList(
            _count(said["version"]),
            issued,
            _moment(said["next_update"]),
            TrustList(tuple(_trusted(each) for each in said["keys"]), _roots(said["roots"], root)),
        )
    except (*_UNREADABLE, OverflowError) as error:
        raise ListRefused(ListProblem.MALFORMED) from error
    if found.issued > now + SKEW:
        raise ListRefused(ListProblem.FROM_FUTURE)
    if at_least is not None and found.edition < at_least:
        raise ListRefused(ListProblem.OLDER)
    return found


def named_root(raw: bytes) -> x509.Certificate:
    """Return the first root a list names, for who trusts the file itself; not proven by this.

    Raises ``ListRefused``.
    """
    try:
        said = _object(_from_url64(_object(raw)["payload"]))
        return x509.load_der_x509_certificate(base64.b64decode(said["roots"][0], validate=True))
    except _UNREADABLE as error:
        raise ListRefused(ListProblem.MALFORMED) from error


def jwk_set(trust: TrustList, *, with_compromised: bool) -> dict[str, Any]:
    """Return the keys as a JWK set (RFC 7517); general readers know nothing of ``status``."""
    return {
        "keys": [
            _jwk(key)
            for key in trust.keys
            if with_compromised or key.status is not KeyStatus.COMPROMISED
        ],
        "roots": [_base64(root) for root in trust.roots],
    }


def sign_jws(signer: Signer, kind: str, payload: bytes) -> str:
    """Return the compact JWS of a payload, its certificates in the header."""
    header = {
        "alg": ALGORITHM,
        "kid": signer.key_id.hex(),
        "typ": kind,
        "x5c": [_base64(each) for each in (signer.certificate, *signer.chain)],
    }
    protected = _url64(json.dumps(header, separators=(",", ":")).encode())
    signed = f"{protected}.{_url64(payload)}"
    return f"{signed}.{_url64(signer.sign(signed.encode()))}"


def verify_jws(text: str, kind: str, root: x509.Certificate, now: datetime) -> bytes:
    """Return the payload that a key of lists has signed under ``root``; raises ``ListRefused``."""
    try:
        protected, payload, signature = text.split(".")
        header = _object(_from_url64(protected))
        value, body = _from_url64(signature), _from_url64(payload)
        if header["alg"] != ALGORITHM or header["typ"] != kind or "crit" in header:
            raise ListRefused(ListProblem.MALFORMED)
        chain = tuple(
            x509.load_der_x509_certificate(base64.b64decode(each, validate=True))
            for each in header["x5c"]
        )
        if not 0 < len(chain) <= 4:
            raise ListRefused(ListProblem.MALFORMED)
        key = p256_key(chain[0])
        is_genuine = (
            may_sign_lists(chain[0])
            and leads_to_root(chain, (root,))
            and all(each.not_valid_before_utc <= now + SKEW for each in (*chain, root))
            and all(now <= each.not_valid_after_utc for each in (*chain, root))
            and verify_bytes(key, value, f"{protected}.{payload}".encode())
        )
    except _UNREADABLE as error:
        raise ListRefused(ListProblem.MALFORMED) from error
    if not is_genuine:
        raise ListRefused(ListProblem.NOT_GENUINE)
    return body


def may_sign_lists(certificate: x509.Certificate) -> bool:
    """Say whether the certificate is of a key for lists; no other key's is."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return LIST_PURPOSE in usage.value


def etag_of(raw: bytes) -> str:
    """Return the strong validator of an answer."""
    return f'"{hashlib.sha256(raw).hexdigest()[:32]}"'


def _jwk(key: TrustedKey) -> dict[str, Any]:
    numbers = key.public_key.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _url64(numbers.x.to_bytes(32, "big")),
        "y": _url64(numbers.y.to_bytes(32, "big")),
        "kid": key.key_id.hex(),
        "use": "sig",
        "alg": ALGORITHM,
        "x5c": [_base64(key.certificate)],
        "nbf": int(key.not_before.timestamp()),
        "exp": int(key.not_after.timestamp()),
        "purpose": key.use.value,
        "status": key.status.value,
    }


def _trusted(said: Any) -> TrustedKey:
    certificate = x509.load_der_x509_certificate(base64.b64decode(said["x5c"][0], validate=True))
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(_from_url64(said["x"]), "big"),
        int.from_bytes(_from_url64(said["y"]), "big"),
        ec.SECP256R1(),
    )
    is_whole = (said["kty"], said["crv"], said["alg"], said["use"]) == (
        "EC",
        "P-256",
        ALGORITHM,
        "sig",
    )
    if (
        not is_whole
        or said["kid"] != key_id(certificate).hex()
        or p256_key(certificate).public_numbers() != numbers
    ):
        raise ValueError("a key that is not the one of its certificate")
    return TrustedKey(
        certificate,
        KeyUse(said["purpose"]),
        KeyStatus(said["status"]),
        _moment(said["nbf"]),
        _moment(said["exp"]),
    )


def _roots(said: list[str], pinned: x509.Certificate) -> tuple[x509.Certificate, ...]:
    """Return the roots of documents: the pinned one vouches for the others by its list."""
    others = [x509.load_der_x509_certificate(base64.b64decode(each)) for each in said]
    return tuple(dict.fromkeys((pinned, *others)))


def _floor(now: datetime) -> datetime:
    return datetime.fromtimestamp(now.timestamp() // STEP.total_seconds() * 3600, UTC)


def _moment(said: Any) -> datetime:
    return datetime.fromtimestamp(_count(said), UTC)


def _count(said: Any) -> int:
    if type(said) is not int or said < 0:
        raise ValueError("not a count")
    return said


def _object(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_LENGTH:
        raise ValueError("too long")
    try:
        said: object = json.loads(raw, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(said, dict):
        raise ValueError("not an object")
    return cast("dict[str, Any]", said)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError("a name that comes twice")
    return said


def _base64(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _from_url64(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        raise ValueError("not base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _url64(raw) != text:
        raise ValueError("not the one form of these bytes")
    return raw
