"""People who sign: keys of every kind, certificates for them, and CMS with any part of it changed.

The messages are put together by hand, element by element, so that each can be made wrong alone.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier
from gostcrypto import gosthash, gostsignature

from emk_app.crypto import gost
from emk_app.crypto.der import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    element,
    write,
)
from emk_app.domain.numbers import Snils
from emk_app.domain.people import FullName

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NAME = FullName("Ёлкина", "Мария", "Сергеевна")
SNILS = Snils("11223344595")
INN = "500100732259"
TEXT = '{"number":"000123","name":"Ёлкина Мария Сергеевна"}'.encode()

SHA256 = "2.16.840.1.101.3.4.2.1"
SHA384 = "2.16.840.1.101.3.4.2.2"
SHA512 = "2.16.840.1.101.3.4.2.3"
SHA1 = "1.3.14.3.2.26"
RSA_SHA256 = "1.2.840.113549.1.1.11"
RSA_PSS = "1.2.840.113549.1.1.10"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"
DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"

_HASHES = {SHA256: hashes.SHA256(), SHA384: hashes.SHA384(), SHA512: hashes.SHA512()}
_NAMED = {SHA256: "sha256", SHA384: "sha384", SHA512: "sha512", SHA1: "sha1"}
_STREEBOG = {gost.STREEBOG_256: "streebog256", gost.STREEBOG_512: "streebog512"}
NULL = b"\x05\x00"


@cache
def oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    content = b""
    for number in (40 * first + second, *rest):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(number & 0x7F | 0x80)
        content += bytes(reversed(septets))
    return write(OBJECT_IDENTIFIER, content)


def algorithm(kind: str, parameters: bytes = b"") -> bytes:
    return write(SEQUENCE, oid(kind), parameters)


def integer(value: int) -> bytes:
    return write(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def set_of(*parts: bytes) -> bytes:
    return write(SET, *sorted(parts))


def digest(kind: str, payload: bytes) -> bytes:
    if kind in _STREEBOG:
        return bytes(gosthash.new(_STREEBOG[kind], data=bytearray(payload)).digest())
    return hashlib.new(_NAMED[kind], payload).digest()


@dataclass(frozen=True)
class GostPrivateKey:
    """A private key of GOST, which only these tests have a use for."""

    parameter_set: str
    value: int

    @property
    def size(self) -> int:
        return gost.PARAMETER_SETS[self.parameter_set][0] // 8

    @property
    def _library(self) -> Any:
        bits, name = gost.PARAMETER_SETS[self.parameter_set]
        mode = gostsignature.MODE_256 if bits == 256 else gostsignature.MODE_512
        return gostsignature.new(mode, gostsignature.CURVES_R_1323565_1_024_2019[name])

    @property
    def hash(self) -> str:
        return gost.STREEBOG_256 if self.size == 32 else gost.STREEBOG_512

    def public_key_info(self) -> bytes:
        key = bytes(self._library.public_key_generate(self.value.to_bytes(self.size, "big")))
        point = key[: self.size][::-1] + key[self.size :][::-1]
        kind = gost.KEY_256 if self.size == 32 else gost.KEY_512
        return write(
            SEQUENCE,
            algorithm(kind, write(SEQUENCE, oid(self.parameter_set), oid(self.hash))),
            write(0x03, b"\0", write(OCTET_STRING, point)),
        )

    def sign(self, payload: bytes) -> bytes:
        hashed = digest(self.hash, payload)[::-1]
        made = bytes(self._library.sign(self.value.to_bytes(self.size, "big"), bytearray(hashed)))
        return made[self.size :] + made[: self.size]

    @property
    def algorithm(self) -> bytes:
        return algorithm(gost.SIGNATURE_256 if self.size == 32 else gost.SIGNATURE_512)


def gost_key(parameter_set: str) -> GostPrivateKey:
    bits, name = gost.PARAMETER_SETS[parameter_set]
    order = gostsignature.CURVES_R_1323565_1_024_2019[name]["q"]
    return GostPrivateKey(parameter_set, secrets.randbelow(min(order, 1 << bits) - 2) + 2)


Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | GostPrivateKey


@dataclass(frozen=True)
class Person:
    """Somebody with a key and a certificate."""

    key: Key
    certificate: bytes

    @property
    def x509(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.certificate)

    @property
    def issuer(self) -> bytes:
        return _tbs(self.certificate)[3]

    @property
    def serial(self) -> int:
        return self.x509.serial_number

    @property
    def hash(self) -> str:
        return self.key.hash if isinstance(self.key, GostPrivateKey) else SHA256

    @property
    def algorithm(self) -> bytes:
        if isinstance(self.key, GostPrivateKey):
            return self.key.algorithm
        if isinstance(self.key, rsa.RSAPrivateKey):
            return algorithm(RSA_SHA256, NULL)
        return algorithm(ECDSA_SHA256)

    def sign(self, payload: bytes) -> bytes:
        if isinstance(self.key, GostPrivateKey):
            return self.key.sign(payload)
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(payload, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(payload, ec.ECDSA(hashes.SHA256()))


def name_of(*pairs: tuple[ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in pairs])


SNILS_OID = ObjectIdentifier("1.2.643.100.3")
INN_OID = ObjectIdentifier("1.2.643.3.131.1.1")
SUBJECT = (
    (NameOID.SURNAME, "Ёлкина"),
    (NameOID.GIVEN_NAME, "Мария Сергеевна"),
    (NameOID.COMMON_NAME, "Ёлкина Мария Сергеевна"),
    (SNILS_OID, SNILS.digits),
    (INN_OID, INN),
)


def certify(
    key: Key,
    subject: Sequence[tuple[ObjectIdentifier, str]] = SUBJECT,
    issuer: Person | None = None,
    *,
    ca: bool = False,
    path_length: int | None = None,
    usage: str | None = "digital_signature",
    dates: tuple[datetime, datetime] = (NOW - 30 * DAY, NOW + 335 * DAY),
    key_identifier: bool = True,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    serial: int | None = None,
    issuer_name: x509.Name | None = None,
    hash_algorithm: hashes.HashAlgorithm | None = None,
) -> Person:
    """Make a certificate; without an issuer, a self-signed one."""
    stand_in = _STAND_IN if isinstance(key, GostPrivateKey) else key
    identifier = hashlib.sha1(str(secrets.randbits(128)).encode()).digest()
    name = name_of(*subject)
    above = issuer_name or (issuer.x509.subject if issuer else name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(above)
        .public_key(stand_in.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(dates[0])
        .not_valid_after(dates[1])
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    )
    if key_identifier:
        builder = builder.add_extension(x509.SubjectKeyIdentifier(identifier), critical=False)
        own = issuer.x509 if issuer else None
        named = (
            own.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
            if own
            else identifier
        )
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier(named, None, None), critical=False
        )
    if usage:
        flags = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "key_cert_sign",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = builder.add_extension(x509.KeyUsage(**flags | {usage: True}), critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    signer = issuer.key if issuer else key
    plain = builder.sign(
        _STAND_IN if isinstance(signer, GostPrivateKey) else signer,
        hash_algorithm or hashes.SHA256(),
    ).public_bytes(Encoding.DER)
    if not isinstance(key, GostPrivateKey) and not isinstance(signer, GostPrivateKey):
        return Person(key, plain)
    parts = list(_tbs(plain))
    if isinstance(key, GostPrivateKey):
        parts[6] = key.public_key_info()
    with_key = Person(signer, plain)
    parts[2] = with_key.algorithm
    body = write(SEQUENCE, *parts)
    return Person(key, write(SEQUENCE, body, parts[2], write(0x03, b"\0", with_key.sign(body))))


def _tbs(certificate: bytes) -> tuple[bytes, ...]:
    body = element(certificate).children()[0]
    return tuple(part.whole for part in body.children())


_STAND_IN = ec.generate_private_key(ec.SECP256R1())
AUTHORITY = ((NameOID.ORGANIZATION_NAME, "Проба"), (NameOID.COMMON_NAME, "Пробный центр"))


def authority(key: Key, issuer: Person | None = None, name: str = "", **changes: Any) -> Person:
    subject = (*AUTHORITY[:1], (NameOID.COMMON_NAME, name or "Пробный центр"))
    given = {"ca": True, "usage": "key_cert_sign", "dates": (NOW - 900 * DAY, NOW + 900 * DAY)}
    return certify(key, subject, issuer, **given | changes)


def attribute(kind: str, *values: bytes) -> bytes:
    return write(SEQUENCE, oid(kind), set_of(*values))


def issuer_serial(person: Person) -> bytes:
    return write(SEQUENCE, write(SEQUENCE, write(0xA4, person.issuer)), integer(person.serial))


def named_v2(person: Person, kind: str | None = None, numbered: bool = True) -> bytes:
    kind = kind or person.hash
    named = b"" if kind == SHA256 else algorithm(kind)
    hashed = write(OCTET_STRING, digest(kind, person.certificate))
    number = issuer_serial(person) if numbered else b""
    one = write(SEQUENCE, named, hashed, number)
    return attribute(SIGNING_CERTIFICATE_V2, write(SEQUENCE, write(SEQUENCE, one)))


def named_v1(person: Person) -> bytes:
    hashed = write(OCTET_STRING, digest(SHA1, person.certificate))
    one = write(SEQUENCE, hashed, issuer_serial(person))
    return attribute(SIGNING_CERTIFICATE, write(SEQUENCE, write(SEQUENCE, one)))


def attributes_of(
    person: Person,
    text: bytes = TEXT,
    *,
    kind: str | None = None,
    content_type: str = DATA,
    named: Sequence[bytes] | None = None,
) -> list[bytes]:
    hashed = digest(kind or person.hash, text)
    return [
        attribute(CONTENT_TYPE, oid(content_type)),
        attribute(MESSAGE_DIGEST, write(OCTET_STRING, hashed)),
        attribute(SIGNING_TIME, write(0x17, b"261123085900Z")),
        *([named_v2(person)] if named is None else named),
    ]


def signer_info(
    person: Person,
    attributes: Sequence[bytes] | None = None,
    *,
    kind: str | None = None,
    signature_algorithm: bytes | None = None,
    sid: bytes | None = None,
    sign: Callable[[bytes], bytes] | None = None,
    sent: Sequence[bytes] | None = None,
) -> bytes:
    """``sent`` are the attributes that are sent though others were signed."""
    signed = attributes_of(person) if attributes is None else attributes
    value = (sign or person.sign)(set_of(*signed))
    return write(
        SEQUENCE,
        integer(1 if sid is None else 3),
        sid or write(SEQUENCE, person.issuer, integer(person.serial)),
        algorithm(kind or person.hash),
        b"\xa0" + set_of(*(signed if sent is None else sent))[1:],
        signature_algorithm or person.algorithm,
        write(OCTET_STRING, value),
    )


def message(
    infos: Sequence[bytes],
    certificates: Sequence[bytes] = (),
    *,
    kind: str = SHA256,
    content: bytes = b"",
    content_type: str = DATA,
) -> bytes:
    carried = write(0xA0, *sorted(certificates)) if certificates else b""
    signed = write(
        SEQUENCE,
        integer(1),
        set_of(algorithm(kind)),
        write(SEQUENCE, oid(content_type), content),
        carried,
        set_of(*infos),
    )
    return write(SEQUENCE, oid(SIGNED_DATA), write(0xA0, signed))


def signature(person: Person, text: bytes = TEXT, *chain: Person, **changes: Any) -> bytes:
    """Return the ordinary .sig of a person."""
    info = signer_info(person, attributes_of(person, text), **changes)
    certificates = [person.certificate, *(each.certificate for each in chain)]
    return message([info], certificates, kind=person.hash)
