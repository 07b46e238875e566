"""Signatures over canonical bytes, and the list of keys they are judged by."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Final, Protocol, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from emk_app.crypto.canonical import sha256

ALGORITHM: Final = "ES256"
KEY_ID_LENGTH: Final = 8
SIGNATURE_LENGTH: Final = 64

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# RFC 6979: no random number to go wrong, and the same bytes always give the same signature.
_SIGNING: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_VERIFYING: Final = ec.ECDSA(hashes.SHA256())
_VERIFYING_DIGEST: Final = ec.ECDSA(Prehashed(hashes.SHA256()))
_MAX_CHAIN: Final = 5
_KNOWN_CRITICAL: Final = {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE}

# Whatever the library may find wrong with a foreign certificate, read lazily part by part.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)

_E = TypeVar("_E", bound=x509.ExtensionType)


class KeyUse(StrEnum):
    """What a key of the trust list may sign; no key has two uses."""

    BOOK = "book"
    QR = "qr"
    LIST = "list"


class KeyStatus(StrEnum):
    """How far a key of the trust list is believed (verification.md, 6)."""

    ACTIVE = "active"
    RETIRED = "retired"
    COMPROMISED = "compromised"


class Signer(Protocol):
    """A private key that may lie in a file, a PKCS#12 container or a token."""

    @property
    def key_id(self) -> bytes:
        """The first 8 bytes of the SHA-256 of the certificate."""
        ...

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of the key."""
        ...

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The issuers from the nearest up, without the root."""
        ...

    def sign(self, payload: bytes) -> bytes:
        """Return the ES256 signature: r and s, 32 bytes each, s in the lower half."""
        ...


class FileSigner:
    """A signer whose key is in memory, loaded once."""

    def __init__(
        self,
        private_key: ec.EllipticCurvePrivateKey,
        certificate: x509.Certificate,
        chain: tuple[x509.Certificate, ...] = (),
    ) -> None:
        if private_key.public_key() != p256_key(certificate):
            raise ValueError("the certificate is of another key")
        self._private_key = private_key
        self.certificate: Final = certificate
        self.chain: Final = chain
        self.key_id: Final = key_id(certificate)

    def sign(self, payload: bytes) -> bytes:
        """Return the ES256 signature: r and s, 32 bytes each, s in the lower half."""
        r, s = decode_dss_signature(self._private_key.sign(payload, _SIGNING))
        return low_signature(r, s)


@dataclass(frozen=True)
class TrustedKey:
    """A key that may have signed from ``not_before`` to ``not_after``, both inclusive.

    A retired key's ``not_after`` is the moment of its retirement.
    """

    certificate: x509.Certificate
    use: KeyUse
    status: KeyStatus
    not_before: datetime
    not_after: datetime

    @cached_property
    def key_id(self) -> bytes:
        """The first 8 bytes of the SHA-256 of the certificate."""
        return key_id(self.certificate)

    @cached_property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The P-256 key, loaded once."""
        return p256_key(self.certificate)

    def covers(self, at: datetime) -> bool:
        """Say whether the key was in use at that moment."""
        return self.not_before <= at <= self.not_after


@dataclass(frozen=True)
class TrustList:
    """The signers' keys that are known, each once, and the roots above them."""

    keys: tuple[TrustedKey, ...]
    roots: tuple[x509.Certificate, ...]

    def __post_init__(self) -> None:
        if len({key.certificate for key in self.keys}) != len(self.keys):
            raise ValueError("a certificate is listed twice")

    @cached_property
    def _by_id(self) -> dict[tuple[bytes, KeyUse], tuple[TrustedKey, ...]]:
        index: dict[tuple[bytes, KeyUse], tuple[TrustedKey, ...]] = {}
        for key in self.keys:
            place = (key.key_id, key.use)
            index[place] = (*index.get(place, ()), key)
        return index

    def candidates(self, key_id: bytes, use: KeyUse) -> tuple[TrustedKey, ...]:
        """Return every key of that id and use: eight bytes may name more than one."""
        return self._by_id.get((key_id, use), ())

    @cached_property
    def find(self) -> Callable[[tuple[bytes, ...], bytes], tuple[_Path | None, TrustedKey | None]]:
        """Find the path of some certificates, and the key of documents that is listed for them.

        Both depend on nothing but the list: dates are judged by the caller, afresh each time.
        """
        return lru_cache(maxsize=64)(self._find)

    def _find(
        self, certificates: tuple[bytes, ...], key_id: bytes
    ) -> tuple[_Path | None, TrustedKey | None]:
        path = _path(certificates, self.roots)
        if path is None:
            return None, None
        listed = (
            key for key in self.candidates(key_id, KeyUse.BOOK) if key.certificate == path.signer
        )
        return path, next(listed, None)


@dataclass(frozen=True, slots=True)
class DetachedSignature:
    """A signature kept beside its document; ``certificates`` are DER, the signer's first."""

    algorithm: str
    key_id: bytes
    digest: bytes
    value: bytes
    certificates: tuple[bytes, ...]

    def pack(self) -> bytes:
        """Return the signature as canonical JSON, to be stored or given away."""
        packed = {
            "algorithm": self.algorithm,
            "certificates": [_text(certificate) for certificate in self.certificates],
            "digest": self.digest.hex(),
            "key_id": self.key_id.hex(),
            "value": _text(self.value),
        }
        # Nothing but ASCII texts, for which this is RFC 8785 at a tenth of the time.
        return json.dumps(packed, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, raw: bytes) -> DetachedSignature:
        """Return what ``pack`` made; raises ``ValueError`` for anything else."""
        try:
            packed: dict[str, Any] = json.loads(raw)
            signature = cls(
                algorithm=packed["algorithm"],
                key_id=bytes.fromhex(packed["key_id"]),
                digest=bytes.fromhex(packed["digest"]),
                value=base64.b64decode(packed["value"]),
                certificates=tuple(base64.b64decode(text) for text in packed["certificates"]),
            )
            # Whatever was read loosely or not at all does not come out the same.
            is_packed = signature.pack() == raw
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            raise ValueError("not a packed signature") from error
        if not is_packed:
            raise ValueError("not the packed form")
        return signature


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """What was found about a signature, each fact on its own."""

    intact: bool = False
    """The document has the hash that the signature names."""
    signature_valid: bool = False
    """The key of the certificate made this signature over this document."""
    chain_trusted: bool = False
    """The certificate leads to a root of the trust list."""
    certificate_in_dates: bool = False
    """Every certificate of the path was in its dates at the moment of signing."""
    key_listed: bool = False
    """The certificate is in the trust list as a signer of documents."""
    key_in_term: bool = False
    """The list allows the key to have signed at that moment."""
    key_status: KeyStatus | None = None
    signer: str | None = None
    key_id: bytes | None = None

    @property
    def is_valid(self) -> bool:
        """Say whether every fact speaks for the document."""
        return (
            self.intact
            and self.signature_valid
            and self.chain_trusted
            and self.certificate_in_dates
            and self.key_listed
            and self.key_in_term
            and self.key_status in (KeyStatus.ACTIVE, KeyStatus.RETIRED)
        )

    @property
    def is_withdrawn(self) -> bool:
        """Say whether nothing speaks against the document but that its key is compromised."""
        return (
            self.key_status is KeyStatus.COMPROMISED
            and replace(self, key_status=KeyStatus.RETIRED).is_valid
        )


def sign_document(signer: Signer, canonical: bytes) -> DetachedSignature:
    """Sign the canonical bytes of a document."""
    return DetachedSignature(
        algorithm=ALGORITHM,
        key_id=signer.key_id,
        digest=sha256(canonical),
        value=signer.sign(canonical),
        certificates=tuple(
            certificate.public_bytes(Encoding.DER)
            for certificate in (signer.certificate, *signer.chain)
        ),
    )


def verify_document(
    canonical: bytes, signature: DetachedSignature | bytes, trust: TrustList, at: datetime
) -> SignatureCheck:
    """Check a document's signature, whole or packed, and raise nothing for a bad one.

    ``at`` is the moment of signing that is kept with the document: a book lives longer than the
    certificate that signed it, and a key whose dates can no longer be believed is ``COMPROMISED``.
    """
    if isinstance(signature, bytes):
        try:
            signature = DetachedSignature.unpack(signature)
        except ValueError:
            return SignatureCheck()
    digest = sha256(canonical)
    path, listed = trust.find(signature.certificates, signature.key_id)
    if path is None:
        return SignatureCheck(
            intact=hmac.compare_digest(digest, signature.digest), key_id=signature.key_id
        )
    return SignatureCheck(
        intact=hmac.compare_digest(digest, signature.digest),
        signature_valid=signature.algorithm == ALGORITHM
        and signature.key_id == path.key_id
        and _is_signature_of_digest(path.public_key, signature.value, digest),
        chain_trusted=path.is_trusted,
        certificate_in_dates=path.not_before <= at <= path.not_after,
        key_listed=listed is not None,
        key_in_term=listed is not None and listed.covers(at),
        key_status=listed.status if listed else None,
        signer=path.name,
        key_id=signature.key_id,
    )


def verify_bytes(public_key: ec.EllipticCurvePublicKey, signature: bytes, payload: bytes) -> bool:
    """Say whether the ES256 signature over the payload is right, and is the one of low s."""
    der = _strict_der(signature)
    if der is None:
        return False
    try:
        public_key.verify(der, payload, _VERIFYING)
    except InvalidSignature:
        return False
    return True


def key_id(certificate: x509.Certificate) -> bytes:
    """Return the first 8 bytes of the SHA-256 of the certificate's DER."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()[:KEY_ID_LENGTH]


def leads_to_root(
    certificates: tuple[x509.Certificate, ...], roots: tuple[x509.Certificate, ...]
) -> bool:
    """Say whether a P-256 signer's certificates, its own first, lead to a root; dates aside."""
    path = _path(tuple(each.public_bytes(Encoding.DER) for each in certificates), roots)
    return path is not None and path.is_trusted


def low_signature(r: int, s: int) -> bytes:
    """Return r and s as 64 bytes, s in the lower half."""
    return r.to_bytes(32, "big") + min(s, _ORDER - s).to_bytes(32, "big")


def der_signature(raw: bytes) -> bytes:
    """Return a raw signature as the DER sequence that CMS and OpenSSL expect."""
    if len(raw) != SIGNATURE_LENGTH:
        raise ValueError("a raw signature has 64 bytes")
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


def p256_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """Return the certificate's key; raises ``ValueError`` unless it is on P-256."""
    public_key = certificate.public_key()
    if isinstance(public_key, ec.EllipticCurvePublicKey) and isinstance(
        public_key.curve, ec.SECP256R1
    ):
        return public_key
    raise ValueError("not a P-256 key")


def _strict_der(signature: bytes) -> bytes | None:
    """Return the DER of a signature, ``None`` for a wrong length or the twin (r, n - s)."""
    if len(signature) != SIGNATURE_LENGTH or int.from_bytes(signature[32:], "big") > _ORDER // 2:
        return None
    return der_signature(signature)


def _is_signature_of_digest(
    public_key: ec.EllipticCurvePublicKey, signature: bytes, digest: bytes
) -> bool:
    der = _strict_der(signature)
    if der is None:
        return False
    try:
        public_key.verify(der, digest, _VERIFYING_DIGEST)
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Path:
    """A signer's certificate, and how far up its issuers lead."""

    signer: x509.Certificate
    key_id: bytes
    name: str | None
    public_key: ec.EllipticCurvePublicKey
    is_trusted: bool
    not_before: datetime
    not_after: datetime


# Depends on nothing but its arguments: dates are judged by the caller, afresh each time.
@lru_cache(maxsize=64)
def _path(certificates: tuple[bytes, ...], roots: tuple[x509.Certificate, ...]) -> _Path | None:
    """Return the path of the certificates, ``None`` if they cannot be read."""
    if not 0 < len(certificates) <= _MAX_CHAIN:
        return None
    try:
        chain = [x509.load_der_x509_certificate(der) for der in certificates]
        public_key = p256_key(chain[0])
        if len(chain) > 1 and chain[-1] in roots:
            chain.pop()
        root = next((root for root in roots if _has_issued(root, chain[-1], len(chain) - 1)), None)
        is_trusted = (
            root is not None
            and _may_sign_documents(chain[0])
            and all(
                _has_issued(issuer, subject, below)
                for below, (subject, issuer) in enumerate(pairwise(chain))
            )
        )
        path = chain if root is None else [*chain, root]
        return _Path(
            signer=chain[0],
            key_id=key_id(chain[0]),
            name=_common_name(chain[0]),
            public_key=public_key,
            is_trusted=is_trusted,
            not_before=max(certificate.not_valid_before_utc for certificate in path),
            not_after=min(certificate.not_valid_after_utc for certificate in path),
        )
    except _UNREADABLE:
        return None


def _has_issued(issuer: x509.Certificate, subject: x509.Certificate, below: int) -> bool:
    """Say whether ``issuer`` may issue and has issued, with ``below`` authorities under it."""
    if not isinstance(
        subject.signature_hash_algorithm, (hashes.SHA256, hashes.SHA384, hashes.SHA512)
    ):
        return False
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    if not _only_known_critical(issuer):
        return False
    constraints = _extension(issuer, x509.BasicConstraints)
    usage = _extension(issuer, x509.KeyUsage)
    if constraints is None or not constraints.ca or usage is None or not usage.key_cert_sign:
        return False
    return constraints.path_length is None or below <= constraints.path_length


def _may_sign_documents(certificate: x509.Certificate) -> bool:
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    return (
        _only_known_critical(certificate)
        and (constraints is None or not constraints.ca)
        and usage is not None
        and (usage.digital_signature or usage.content_commitment)
    )


def _only_known_critical(certificate: x509.Certificate) -> bool:
    return all(
        extension.oid in _KNOWN_CRITICAL
        for extension in certificate.extensions
        if extension.critical
    )


def _extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _common_name(certificate: x509.Certificate) -> str | None:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
