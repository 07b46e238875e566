"""The embedded authority: a root, an issuing CA and the signers below it (X.509 v3, P-256)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# X.520 allows 64 octets of a common name: 31 Russian letters or so.
ORGANISATION: Final = "ЭМК Онлайн"
ROOT_NAME: Final = "ЭМК Онлайн: корневой сертификат"
ISSUING_NAME: Final = "ЭМК Онлайн: удостоверяющий центр"
BOOK_NAME: Final = "ЭМК Онлайн: подпись медкнижек"
QR_NAME: Final = "ЭМК Онлайн: подпись QR-кодов"
LIST_NAME: Final = "ЭМК Онлайн: список ключей"

LIST_PURPOSE: Final = x509.ObjectIdentifier("2.25.147696103488112533815503251632996677025")
"""The extended use of the one kind of key that may say which keys are believed."""

# Each outlives what it signs; a signer is to be replaced after half of its term.
ROOT_YEARS: Final = 10
ISSUING_YEARS: Final = 4
SIGNER_YEARS: Final = 2

_YEAR: Final = timedelta(days=365, hours=6)
# Another machine's clock may be behind the one that makes the keys.
_BACKDATED: Final = timedelta(hours=1)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a random P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def root_certificate(
    key: ec.EllipticCurvePrivateKey, now: datetime, serial: int | None = None
) -> x509.Certificate:
    """Return the self-signed certificate of a root that allows one authority below it."""
    name = _name(ROOT_NAME)
    return _certificate(name, key.public_key(), name, key, now, ROOT_YEARS, serial, path_length=1)


def issuing_certificate(
    key: ec.EllipticCurvePublicKey,
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    serial: int | None = None,
) -> x509.Certificate:
    """Return the certificate of the authority that issues to signers."""
    name = _name(ISSUING_NAME)
    return _certificate(
        name, key, root.subject, root_key, now, ISSUING_YEARS, serial, path_length=0
    )


def signer_certificate(
    common_name: str,
    key: ec.EllipticCurvePublicKey,
    issuing: x509.Certificate,
    issuing_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    serial: int | None = None,
    purpose: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    """Return a certificate that may sign, and nothing else; ``purpose`` is an extended use."""
    return _certificate(
        _name(common_name),
        key,
        issuing.subject,
        issuing_key,
        now,
        SIGNER_YEARS,
        serial,
        purpose=purpose,
    )


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    years: int,
    serial: int | None,
    path_length: int | None = None,
    purpose: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    is_authority = path_length is not None
    start = now.replace(microsecond=0) - _BACKDATED
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + years * _YEAR)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=path_length), True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                # Without it readers of PDF do not take the signature for a person's will.
                content_commitment=not is_authority,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256(), ecdsa_deterministic=True)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "RU"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


@dataclass(frozen=True, slots=True)
class Described:
    """What people compare of a certificate; both dates are inclusive."""

    name: str
    issuer: str
    not_before: datetime
    not_after: datetime


def described(raw: bytes) -> Described:
    """Return what a certificate (DER) says of itself; raise ``ValueError`` for other bytes."""
    certificate = x509.load_der_x509_certificate(raw)
    return Described(
        _common_name(certificate.subject),
        _common_name(certificate.issuer),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()
