"""Certificates of strangers: read, judged, and followed up to an issuer that is believed.

Proving a certificate takes under a millisecond for RSA and ECDSA, 50 to 250 ms of pure Python for
GOST. Whether it has been revoked is not asked of anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from emk_app.crypto import der, gost
from emk_app.crypto.der import NotDer
from emk_app.domain.esignature import Chain, Dates, Outcome

SMALLEST_RSA: Final = 2048
LARGEST_RSA: Final = 8192
SMALLEST_CURVE: Final = 256
MAX_CHAIN: Final = 5
MAX_ROOTS: Final = 1000

SHA1: Final = "1.3.14.3.2.26"
OUTDATED: Final = gost.OUTDATED | {
    SHA1,
    "1.2.840.113549.2.5",  # MD5
    "1.2.840.113549.1.1.4",  # MD5 with RSA
    "1.2.840.113549.1.1.5",  # SHA-1 with RSA
    "1.2.840.10045.4.1",  # SHA-1 with ECDSA
    "1.2.840.10040.4.1",  # DSA
    "1.2.840.10040.4.3",
}

_KNOWN_CRITICAL: Final = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}
CERTIFICATE_LABELS: Final = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
_ROOT_SUFFIXES: Final = {".cer", ".crt", ".der", ".pem"}
_ROOT_LIMIT: Final = 4 * 1024 * 1024
# Each costs up to 250 ms; a signature with more certificates to try is not anybody's real one.
_MAX_PROOFS: Final = 10

# Whatever the library may find wrong with a foreign certificate, read lazily part by part.
UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)

_E = TypeVar("_E", bound=x509.ExtensionType)
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | gost.GostKey


class Refused(Exception):
    """The files can't be used, for this reason."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass(frozen=True)
class Roots:
    """The issuers that are believed; an authority below a root may stand there by itself."""

    certificates: tuple[x509.Certificate, ...] = ()
    unread: tuple[str, ...] = ()
    """Names of files that hold no certificate that can be read."""

    @classmethod
    def read(cls, folder: Path) -> Roots:
        """Read every certificate file of the folder, DER or PEM; a missing folder has none."""
        found: list[x509.Certificate] = []
        unread: list[str] = []
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
        for path in paths:
            if path.suffix.lower() not in _ROOT_SUFFIXES or not path.is_file():
                continue
            try:
                if path.stat().st_size > _ROOT_LIMIT:
                    raise ValueError("too large")
                found += _certificates_of(path.read_bytes())
            except (OSError, *UNREADABLE):
                unread.append(path.name)
        if len(found) > MAX_ROOTS:
            raise ValueError("more trusted issuers than there can be")
        return cls(tuple(dict.fromkeys(found)), tuple(unread))

    @cached_property
    def by_name(self) -> Mapping[x509.Name, tuple[x509.Certificate, ...]]:
        """The certificates by whom they are of; one authority may have many keys."""
        named: dict[x509.Name, tuple[x509.Certificate, ...]] = {}
        for certificate in self.certificates:
            named[certificate.subject] = (*named.get(certificate.subject, ()), certificate)
        return named


def load(raw: bytes) -> x509.Certificate:
    """Load a certificate and touch what is read lazily, so that it breaks here or nowhere."""
    der.require_der(raw)
    certificate = x509.load_der_x509_certificate(raw)
    _ = (certificate.subject, certificate.issuer, certificate.extensions)
    _ = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    if certificate.version is not x509.Version.v3:
        raise NotDer("not a certificate of version 3")
    return certificate


def _certificates_of(raw: bytes) -> list[x509.Certificate]:
    if b"-----BEGIN " in raw:
        found = x509.load_pem_x509_certificates(raw)
        return [load(each.public_bytes(Encoding.DER)) for each in found]
    return [load(der.unarmoured(raw, CERTIFICATE_LABELS))]


def issuer_bytes(certificate: x509.Certificate) -> bytes:
    """Return the issuer's name byte for byte: names are compared as they stand."""
    return _tbs(certificate)[3].whole


def _tbs(certificate: x509.Certificate) -> tuple[der.Element, ...]:
    """Return version, serial, algorithm, issuer, dates, subject, key and what follows."""
    return der.element(certificate.tbs_certificate_bytes, der.SEQUENCE).children()


def public_key(certificate: x509.Certificate) -> PublicKey:
    """Return the key; raise ``Refused`` for one that nothing is checked by."""
    kind = certificate.public_key_algorithm_oid.dotted_string
    try:
        if kind in gost.KEY_BITS:
            return gost.read_key(_tbs(certificate)[6].whole)
        if kind in OUTDATED:
            raise Refused(Outcome.ALGORITHM_OUTDATED)
        key = certificate.public_key()
    except UNREADABLE:
        raise Refused(Outcome.ALGORITHM_UNSUPPORTED) from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size <= LARGEST_RSA:
        if key.key_size < SMALLEST_RSA:
            raise Refused(Outcome.ALGORITHM_OUTDATED)
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.key_size < SMALLEST_CURVE:
            raise Refused(Outcome.ALGORITHM_OUTDATED)
        return key
    raise Refused(Outcome.ALGORITHM_UNSUPPORTED)


def dates(signer: x509.Certificate, issuers: Iterable[x509.Certificate], at: datetime) -> Dates:
    """Judge the dates of the certificate first, and of its issuers then."""
    if at < signer.not_valid_before_utc:
        return Dates.NOT_YET
    if at > signer.not_valid_after_utc:
        return Dates.EXPIRED
    if all(each.not_valid_before_utc <= at <= each.not_valid_after_utc for each in issuers):
        return Dates.IN_FORCE
    return Dates.ISSUER_OUT_OF_DATES


def may_sign(certificate: x509.Certificate) -> bool:
    """Say whether the certificate lets its key sign documents."""
    constraints = extension(certificate, x509.BasicConstraints)
    usage = extension(certificate, x509.KeyUsage)
    return (
        _only_known_critical(certificate)
        and (constraints is None or not constraints.ca)
        # Without the extension a key may do everything (RFC 5280, 4.2.1.3).
        and (usage is None or usage.digital_signature or usage.content_commitment)
    )


def follow(
    signer: x509.Certificate, carried: Iterable[x509.Certificate], roots: Roots
) -> tuple[Chain, tuple[x509.Certificate, ...]]:
    """Return who vouches for the signer, and the issuers up to the trusted one."""
    if signer in roots.certificates:
        return Chain.TRUSTED, ()
    search = _Search(tuple(dict.fromkeys(carried)), roots)
    issuers = search.upwards(signer, ())
    if issuers is not None:
        return Chain.TRUSTED, issuers
    return Chain.FORGED if search.is_forged else Chain.UNKNOWN_ISSUER, ()


class _Search:
    """The way up from a certificate to a trusted one, with a bound on what it may cost."""

    def __init__(self, carried: tuple[x509.Certificate, ...], roots: Roots) -> None:
        self._carried = carried
        self._roots = roots
        self._proofs = _MAX_PROOFS
        self.is_forged = False

    def upwards(
        self, subject: x509.Certificate, below: tuple[x509.Certificate, ...]
    ) -> tuple[x509.Certificate, ...] | None:
        """Return the issuers from the nearest to a trusted one, or None if none leads there."""
        for root in self._roots.by_name.get(subject.issuer, ()):
            if _names_another_key(subject, root):
                continue
            is_issued = self._has_issued(root, subject, len(below))
            if is_issued:
                return (root,)
            self.is_forged |= is_issued is False and _names_key(subject, root)
        if len(below) >= MAX_CHAIN:
            return None
        for issuer in self._carried:
            if issuer.subject != subject.issuer or issuer in (subject, *below):
                continue
            if _names_another_key(subject, issuer):
                continue
            if self._has_issued(issuer, subject, len(below)):
                above = self.upwards(issuer, (*below, subject))
                if above is not None:
                    return (issuer, *above)
        return None

    def _has_issued(
        self, issuer: x509.Certificate, subject: x509.Certificate, below: int
    ) -> bool | None:
        """Say whether it has; None if that can't be told."""
        if not _may_issue(issuer, below) or self._proofs <= 0:
            return None
        self._proofs -= 1
        return _is_issued_by(issuer, subject)


def _names_key(subject: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Say whether the certificate names the very key of the issuer."""
    named = extension(subject, x509.AuthorityKeyIdentifier)
    own = extension(issuer, x509.SubjectKeyIdentifier)
    return (
        named is not None
        and own is not None
        and named.key_identifier is not None
        and named.key_identifier == own.digest
    )


def _names_another_key(subject: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Say whether it names another key: authorities renew theirs and keep their name."""
    named = extension(subject, x509.AuthorityKeyIdentifier)
    own = extension(issuer, x509.SubjectKeyIdentifier)
    if named is None or own is None or named.key_identifier is None:
        return False
    return named.key_identifier != own.digest


def _may_issue(issuer: x509.Certificate, below: int) -> bool:
    """Say whether the certificate is an authority's, with ``below`` authorities under it."""
    constraints = extension(issuer, x509.BasicConstraints)
    usage = extension(issuer, x509.KeyUsage)
    return (
        _only_known_critical(issuer)
        and constraints is not None
        and constraints.ca
        and (constraints.path_length is None or below <= constraints.path_length)
        and (usage is None or usage.key_cert_sign)
    )


# The way from an authority up is the same for all its certificates, and 250 ms a step.
@lru_cache(maxsize=256)
def _is_issued_by(issuer: x509.Certificate, subject: x509.Certificate) -> bool | None:
    """Say whether the issuer's key has signed it; None where its algorithms can't tell."""
    try:
        key = public_key(issuer)
    except Refused:
        return None
    algorithm = subject.signature_algorithm_oid.dotted_string
    if isinstance(key, gost.GostKey):
        if gost.SIGNATURE_BITS.get(algorithm) != key.bits:
            return None
        return gost.is_signed(key, subject.signature, subject.tbs_certificate_bytes)
    try:
        digest = subject.signature_hash_algorithm
        if not isinstance(digest, (hashes.SHA256, hashes.SHA384, hashes.SHA512)):
            return None
        subject.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    except UNREADABLE:
        return None
    return True


def _only_known_critical(certificate: x509.Certificate) -> bool:
    return all(
        extension.oid in _KNOWN_CRITICAL
        for extension in certificate.extensions
        if extension.critical
    )


def extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    """Return the extension of that kind, if the certificate has it."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
