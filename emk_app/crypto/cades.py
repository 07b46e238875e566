"""CAdES-BES signatures of strangers: bytes in, facts out, nothing raised for bad input.

A check takes a few milliseconds for RSA and ECDSA. For GOST it is pure Python: 50 to 250 ms for
each signature on the way to the root, and a quarter of a second for a text of 50 KB, so callers run
it in a thread. Whether a certificate has been revoked is not asked of anybody.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from asn1crypto import algos as _algos  # pyright: ignore[reportMissingTypeStubs]
from asn1crypto import cms as _cms  # pyright: ignore[reportMissingTypeStubs]
from asn1crypto import tsp as _tsp  # pyright: ignore[reportMissingTypeStubs]
from asn1crypto import x509 as _x509  # pyright: ignore[reportMissingTypeStubs]
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from emk_app.crypto import chains, der, gost
from emk_app.crypto.chains import PublicKey, Refused, Roots
from emk_app.crypto.der import NotDer
from emk_app.domain.esignature import (
    CERTIFICATE_LIMIT,
    SIGNATURE_LIMIT,
    TEXT_LIMIT,
    Algorithm,
    ESignatureCheck,
    Outcome,
    Subject,
    match_name,
    match_snils,
)
from emk_app.domain.numbers import Snils
from emk_app.domain.people import FullName

# Without stubs each use of the library would be an error of the types' checker.
cms: Any = _cms
tsp: Any = _tsp
algos: Any = _algos
asn1_x509: Any = _x509

MAX_CERTIFICATES: Final = 10
_DATA: Final = "1.2.840.113549.1.7.1"
_DATA_CONTENT: Final = bytes.fromhex("2a864886f70d010701")
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
_SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
_VERSIONS: Final = ("v1", "v2", "v3", "v4", "v5")
_ONCE: Final = {
    _CONTENT_TYPE,
    _MESSAGE_DIGEST,
    _SIGNING_TIME,
    _SIGNING_CERTIFICATE,
    _SIGNING_CERTIFICATE_V2,
}

_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_RSA_KEY: Final = "1.2.840.113549.1.1.1"
_RSA_PSS: Final = "1.2.840.113549.1.1.10"
_EC_KEY: Final = "1.2.840.10045.2.1"
_MGF1: Final = "1.2.840.113549.1.1.8"
# Signature algorithms that say their digest: it has to be the signer's.
_RSA_WITH: Final = {
    "1.2.840.113549.1.1.11": "2.16.840.1.101.3.4.2.1",
    "1.2.840.113549.1.1.12": "2.16.840.1.101.3.4.2.2",
    "1.2.840.113549.1.1.13": "2.16.840.1.101.3.4.2.3",
}
_ECDSA_WITH: Final = {
    "1.2.840.10045.4.3.2": "2.16.840.1.101.3.4.2.1",
    "1.2.840.10045.4.3.3": "2.16.840.1.101.3.4.2.2",
    "1.2.840.10045.4.3.4": "2.16.840.1.101.3.4.2.3",
}
# Many providers write the key's identifier where the signature's belongs.
_GOST_SIGNATURES: Final = {**gost.KEY_BITS, **gost.SIGNATURE_BITS}
_KNOWN_SIGNATURES: Final = {
    _RSA_KEY,
    _RSA_PSS,
    _EC_KEY,
    *_RSA_WITH,
    *_ECDSA_WITH,
    *_GOST_SIGNATURES,
}

_SNILS: Final = ObjectIdentifier("1.2.643.100.3")
_INN: Final = ObjectIdentifier("1.2.643.3.131.1.1")
_GOST_NAMES: Final = bytes.fromhex("2a850307")
"""How every identifier of the Russian algorithms begins: 1.2.643.7 in DER."""
_SIGNATURE_LABELS: Final = ("CMS", "PKCS7", "PKCS #7 SIGNED DATA", "SIGNATURE")
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def check(
    text: bytes,
    signature: bytes,
    certificate: bytes | None,
    *,
    name: FullName,
    snils: Snils,
    roots: Roots,
    at: datetime,
) -> ESignatureCheck:
    """Check a detached signature (.sig) over ``text`` by the person of the form.

    ``certificate`` is the .cer file; without it the signature has to carry its own. Never raises
    for bad input. GOST takes up to three seconds of pure Python: call it by ``in_thread`` only.
    """
    try:
        given = None if certificate is None else _read_certificate(certificate)
        signed = _read(text, signature)
        signer, is_given = _signer(signed, given)
        key = chains.public_key(signer)
    except Refused as refused:
        return ESignatureCheck(refusal=refused.outcome)
    facts = _facts_of(signer, key)
    if refusal := _refusal_of(signed, key):
        return replace(facts, refusal=refusal)
    chain, issuers = chains.follow(signer, signed.certificates, roots)
    subject = facts.subject or Subject()
    return replace(
        facts,
        intact=_is_digest(signed.digest, text, signed.message_digest),
        signature_valid=_is_signed_by(key, signed),
        signing_certificate_bound=_is_bound(signed, signer),
        certificate_given=is_given,
        may_sign=chains.may_sign(signer),
        chain=chain,
        dates=chains.dates(signer, issuers, at),
        name=match_name(subject, name),
        snils=match_snils(subject, snils),
        claimed_at=signed.claimed_at,
    )


def needs_gost(signature: bytes, certificate: bytes | None) -> bool:
    """Say whether checking takes GOST, and so seconds: its name stands in what has to be proven.

    Whoever is signed by GOST says so in its own bytes. Files that can't be read need nothing.
    """
    try:
        sent = [der.unarmoured(signature[:SIGNATURE_LIMIT], _SIGNATURE_LABELS)]
        if certificate:
            sent.append(der.unarmoured(certificate[:CERTIFICATE_LIMIT], chains.CERTIFICATE_LABELS))
    except chains.UNREADABLE:
        return False
    return any(_GOST_NAMES in each for each in sent)


def signer_certificate(signature: bytes, certificate: bytes | None) -> bytes:
    """Return the signer's certificate, DER, of files that ``check`` has found readable."""
    given = None if certificate is None else _read_certificate(certificate)
    return _signer(_read(b"", signature), given)[0].public_bytes(Encoding.DER)


def describe(certificate: bytes) -> ESignatureCheck:
    """Return what a certificate says of itself, before or without a signature; never raises."""
    try:
        signer = _read_certificate(certificate)
        return _facts_of(signer, chains.public_key(signer))
    except Refused as refused:
        return ESignatureCheck(refusal=refused.outcome)


def sign(
    key: PrivateKey,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate],
    text: bytes,
    at: datetime,
) -> bytes:
    """Return a detached CAdES-BES signature over ``text``, DER; ``chain`` goes along with it."""
    digest = _digest_for(key)
    algorithm = _HASHES[digest]
    signer = certificate.public_bytes(Encoding.DER)
    raw = asn1_x509.Certificate.load(signer)
    hash_algorithm = {"algorithm": digest}
    attributes = cms.CMSAttributes(
        [
            _attribute(_CONTENT_TYPE, cms.ContentType(_DATA)),
            _attribute(_SIGNING_TIME, _time(at)),
            _attribute(_MESSAGE_DIGEST, cms.OctetString(_digest(digest, text))),
            _attribute(
                _SIGNING_CERTIFICATE_V2,
                tsp.SigningCertificateV2(
                    {
                        "certs": [
                            {
                                "hash_algorithm": hash_algorithm,
                                "cert_hash": _digest(digest, signer),
                            }
                        ]
                    }
                ),
            ),
        ]
    )
    payload = attributes.dump()
    if isinstance(key, rsa.RSAPrivateKey):
        value = key.sign(payload, padding.PKCS1v15(), algorithm)
        signing = {"algorithm": "rsassa_pkcs1v15"}
    else:
        value = key.sign(payload, ec.ECDSA(algorithm))
        with_digest = next(oid for oid, one in _ECDSA_WITH.items() if one == digest)
        signing = {"algorithm": with_digest}
    others = [asn1_x509.Certificate.load(each.public_bytes(Encoding.DER)) for each in chain]
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [hash_algorithm],
            "encap_content_info": {"content_type": "data"},
            "certificates": [raw, *others],
            "signer_infos": [
                {
                    "version": "v1",
                    "sid": cms.SignerIdentifier(
                        "issuer_and_serial_number",
                        {"issuer": raw.issuer, "serial_number": raw.serial_number},
                    ),
                    "digest_algorithm": hash_algorithm,
                    "signed_attrs": attributes,
                    "signature_algorithm": signing,
                    "signature": value,
                }
            ],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()


@dataclass(frozen=True, slots=True)
class _Names:
    """One certificate as a signed attribute names it."""

    digest: str
    value: bytes
    issuer: bytes | None
    serial: int | None


@dataclass(frozen=True, slots=True)
class _Signed:
    """The one signature of a file, read; nothing of it is proven."""

    certificates: tuple[x509.Certificate, ...]
    is_all_read: bool
    """Whether every certificate of the file is among them."""
    issuer: bytes | None
    serial: int | None
    key_identifier: bytes | None
    digest: str
    algorithm: str
    parameters: bytes | None
    value: bytes
    attributes: bytes
    """As they were signed: the DER of a SET."""
    message_digest: bytes
    named: tuple[_Names, ...]
    claimed_at: datetime | None


def _read_certificate(raw: bytes) -> x509.Certificate:
    """Read a .cer file: one certificate in DER, base64 or PEM."""
    if not raw:
        raise Refused(Outcome.FILE_EMPTY)
    if len(raw) > CERTIFICATE_LIMIT:
        raise Refused(Outcome.CERTIFICATE_TOO_LARGE)
    if b"PRIVATE KEY-----" in raw:
        raise Refused(Outcome.PRIVATE_KEY_SENT)
    try:
        return chains.load(der.unarmoured(raw, chains.CERTIFICATE_LABELS))
    except chains.UNREADABLE:
        raise Refused(Outcome.CERTIFICATE_NOT_READABLE) from None


def _read(text: bytes, raw: bytes) -> _Signed:
    if len(text) > TEXT_LIMIT:
        raise Refused(Outcome.TEXT_TOO_LARGE)
    if not raw:
        raise Refused(Outcome.FILE_EMPTY)
    if len(raw) > SIGNATURE_LIMIT:
        raise Refused(Outcome.SIGNATURE_TOO_LARGE)
    if b"PRIVATE KEY-----" in raw:
        raise Refused(Outcome.PRIVATE_KEY_SENT)
    try:
        whole = der.unarmoured(raw, _SIGNATURE_LABELS)
        der.require_der(whole)
        return _read_cms(whole)
    except Refused:
        raise
    except Exception:
        # The general parser reads lazily and answers broken input with errors of every kind.
        raise Refused(Outcome.SIGNATURE_NOT_READABLE) from None


def _read_cms(whole: bytes) -> _Signed:
    wrapped = cms.ContentInfo.load(whole, strict=True)
    _require(wrapped["content_type"].dotted == _SIGNED_DATA)
    signed = wrapped["content"]
    signers = list(signed["signer_infos"])
    if len(signers) > 1:
        raise Refused(Outcome.SEVERAL_SIGNERS)
    if not signers:
        raise Refused(Outcome.NO_SIGNER)
    content = signed["encap_content_info"]
    if len(der.element(content.dump()).children()) != 1:
        raise Refused(Outcome.ATTACHED)
    _require(content["content_type"].dotted == _DATA)
    certificates, is_all = _carried(list(signed["certificates"] or ()))
    signer = signers[0]
    _require(signed["version"].native in _VERSIONS and signer["version"].native in _VERSIONS)
    if signer["signed_attrs"].native is None:
        raise Refused(Outcome.NOT_BOUND)
    attributes = _attributes(signer["signed_attrs"])
    _require(_only(attributes, _CONTENT_TYPE) == der.write(der.OBJECT_IDENTIFIER, _DATA_CONTENT))
    identifier = signer["sid"]
    by_number = identifier.name == "issuer_and_serial_number"
    algorithm = signer["signature_algorithm"]
    signing_time = attributes.get(_SIGNING_TIME)
    return _Signed(
        certificates=certificates,
        is_all_read=is_all,
        issuer=identifier.chosen["issuer"].dump() if by_number else None,
        serial=identifier.chosen["serial_number"].native if by_number else None,
        key_identifier=None if by_number else identifier.chosen.native,
        digest=signer["digest_algorithm"]["algorithm"].dotted,
        algorithm=algorithm["algorithm"].dotted,
        parameters=_parameters(algorithm),
        value=signer["signature"].native,
        attributes=_as_signed(whole),
        message_digest=der.element(_only(attributes, _MESSAGE_DIGEST), der.OCTET_STRING).content,
        named=_named(attributes),
        claimed_at=None if signing_time is None else cms.Time.load(signing_time).native,
    )


def _as_signed(whole: bytes) -> bytes:
    """Return the signed attributes byte for byte: the parser would put them in order first.

    They are signed as a SET and sent under a tag of their own (RFC 5652, 5.4).
    """
    signed = der.element(whole).children()[1].children()[0].children()
    attributes = signed[-1].children()[0].children()[3]
    _require(attributes.tag == 0xA0)
    return bytes((der.SET,)) + attributes.whole[1:]


def _carried(found: list[Any]) -> tuple[tuple[x509.Certificate, ...], bool]:
    """Return the certificates that can be read; somebody else's odd one harms no signature."""
    _require(len(found) <= MAX_CERTIFICATES)
    read: list[x509.Certificate] = []
    for each in found:
        try:
            read.append(chains.load(each.chosen.dump()))
        except chains.UNREADABLE:
            continue
    return tuple(dict.fromkeys(read)), len(read) == len(found)


def _attributes(found: Any) -> dict[str, bytes]:
    """Return the one value of each attribute; those that matter may not come twice."""
    values: dict[str, bytes] = {}
    for attribute in found:
        kind = attribute["type"].dotted
        if kind not in _ONCE:
            continue
        _require(kind not in values and len(attribute["values"]) == 1)
        values[kind] = attribute["values"][0].dump()
    return values


def _only(attributes: Mapping[str, bytes], kind: str) -> bytes:
    _require(kind in attributes)
    return attributes[kind]


def _named(attributes: Mapping[str, bytes]) -> tuple[_Names, ...]:
    """Return how each version of the attribute names the signer's certificate: the first one."""
    named: list[_Names] = []
    for kind, reader in (
        (_SIGNING_CERTIFICATE, tsp.SigningCertificate),
        (_SIGNING_CERTIFICATE_V2, tsp.SigningCertificateV2),
    ):
        if kind not in attributes:
            continue
        first = reader.load(attributes[kind], strict=True)["certs"][0]
        is_second = kind == _SIGNING_CERTIFICATE_V2
        number = first["issuer_serial"]
        is_numbered = number.native is not None
        named.append(
            _Names(
                digest=first["hash_algorithm"]["algorithm"].dotted if is_second else chains.SHA1,
                value=first["cert_hash"].native,
                issuer=number["issuer"][0].chosen.untag().dump() if is_numbered else None,
                serial=number["serial_number"].native if is_numbered else None,
            )
        )
    return tuple(named)


def _parameters(algorithm: Any) -> bytes | None:
    parameters = algorithm["parameters"]
    return None if parameters.native is None else parameters.dump()


def _require(condition: bool) -> None:
    if not condition:
        raise NotDer("not a signature of the kind expected")


def _signer(signed: _Signed, given: x509.Certificate | None) -> tuple[x509.Certificate, bool]:
    """Return the signer's certificate, and whether it is the given one, if one was given."""
    carried = [each for each in signed.certificates if _is_identified(signed, each)]
    if len(carried) > 1:
        raise Refused(Outcome.SIGNATURE_NOT_READABLE)
    if given is not None and _is_identified(signed, given) and carried in ([], [given]):
        return given, True
    if carried:
        return carried[0], given is None
    if given is not None:
        raise Refused(Outcome.OTHER_CERTIFICATE)
    raise Refused(
        Outcome.CERTIFICATE_MISSING if signed.is_all_read else Outcome.CERTIFICATE_NOT_READABLE
    )


def _is_identified(signed: _Signed, certificate: x509.Certificate) -> bool:
    if signed.key_identifier is not None:
        identifier = chains.extension(certificate, x509.SubjectKeyIdentifier)
        return identifier is not None and identifier.digest == signed.key_identifier
    return (
        certificate.serial_number == signed.serial
        and chains.issuer_bytes(certificate) == signed.issuer
    )


def _refusal_of(signed: _Signed, key: PublicKey) -> Outcome | None:
    """Say why the signature's algorithms can't be checked, if so."""
    used = {signed.digest, signed.algorithm}
    if used & chains.OUTDATED:
        return Outcome.ALGORITHM_OUTDATED
    known = signed.digest in _HASHES or signed.digest in gost.DIGEST_BITS
    if not known or signed.algorithm not in _KNOWN_SIGNATURES:
        return Outcome.ALGORITHM_UNSUPPORTED
    return None


def _facts_of(certificate: x509.Certificate, key: PublicKey) -> ESignatureCheck:
    issuers = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return ESignatureCheck(
        algorithm=_algorithm(key),
        subject=_subject(certificate.subject),
        issuer=str(issuers[0].value) if issuers else None,
        serial=f"{certificate.serial_number:x}",
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
    )


def _algorithm(key: PublicKey) -> Algorithm:
    match key:
        case rsa.RSAPublicKey():
            return Algorithm.RSA
        case gost.GostKey(bits=256):
            return Algorithm.GOST_256
        case gost.GostKey():
            return Algorithm.GOST_512
        case _:
            return Algorithm.ECDSA


def _subject(name: x509.Name) -> Subject:
    def only(kind: ObjectIdentifier) -> str | None:
        values = [str(each.value).strip() for each in name.get_attributes_for_oid(kind)]
        return values[0] or None if len(values) == 1 else None

    return Subject(only(NameOID.SURNAME), only(NameOID.GIVEN_NAME), only(_SNILS), only(_INN))


def _digest(kind: str, payload: bytes) -> bytes:
    if kind in gost.DIGEST_BITS:
        return gost.streebog(gost.DIGEST_BITS[kind], payload)
    return hashlib.new(_HASHES[kind].name, payload).digest()


def _is_digest(kind: str, payload: bytes, value: bytes) -> bool:
    return hmac.compare_digest(_digest(kind, payload), value)


def _digest_for(key: PrivateKey) -> str:
    """Return the digest as strong as the curve; SHA-256 for RSA."""
    size = 256 if isinstance(key, rsa.RSAPrivateKey) else key.curve.key_size
    sha256, sha384, sha512 = _HASHES
    return sha256 if size <= 256 else sha384 if size <= 384 else sha512


def _time(at: datetime) -> Any:
    form = "utc_time" if at.year < 2050 else "general_time"
    return cms.Time(form, at.replace(microsecond=0))


def _attribute(kind: str, value: Any) -> Any:
    return cms.CMSAttribute({"type": kind, "values": [value]})


def _is_signed_by(key: PublicKey, signed: _Signed) -> bool:
    if isinstance(key, gost.GostKey):
        goes_together = (
            gost.DIGEST_BITS.get(signed.digest) == key.bits
            and _GOST_SIGNATURES.get(signed.algorithm) == key.bits
        )
        return goes_together and gost.is_signed(key, signed.value, signed.attributes)
    algorithm = _HASHES.get(signed.digest)
    if algorithm is None:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            scheme = _rsa_padding(signed, algorithm)
            if scheme is None:
                return False
            key.verify(signed.value, signed.attributes, scheme, algorithm)
        else:
            if _ECDSA_WITH.get(signed.algorithm, signed.digest) != signed.digest:
                return False
            if signed.algorithm not in (_EC_KEY, *_ECDSA_WITH):
                return False
            key.verify(signed.value, signed.attributes, ec.ECDSA(algorithm))
    except (InvalidSignature, *chains.UNREADABLE):
        return False
    return True


def _rsa_padding(
    signed: _Signed, algorithm: hashes.HashAlgorithm
) -> padding.PKCS1v15 | padding.PSS | None:
    """Return the padding that the signature declares, if it goes with its digest."""
    if signed.algorithm == _RSA_KEY or _RSA_WITH.get(signed.algorithm) == signed.digest:
        return padding.PKCS1v15()
    if signed.algorithm != _RSA_PSS or signed.parameters is None:
        # The defaults of PSS are SHA-1.
        return None
    try:
        found = algos.RSASSAPSSParams.load(signed.parameters, strict=True)
        mask = found["mask_gen_algorithm"]
        goes_together = (
            found["hash_algorithm"]["algorithm"].dotted == signed.digest
            and mask["algorithm"].dotted == _MGF1
            and mask["parameters"]["algorithm"].dotted == signed.digest
            and found["trailer_field"].native == "trailer_field_bc"
        )
        salt = found["salt_length"].native
    except Exception:
        # As in ``_read``: the general parser has errors of every kind.
        return None
    if not goes_together or not 0 <= salt <= chains.LARGEST_RSA // 8:
        return None
    return padding.PSS(padding.MGF1(algorithm), salt)


def _is_bound(signed: _Signed, signer: x509.Certificate) -> bool:
    """Say whether the signed attributes name the certificate, and no version of them another."""
    raw = signer.public_bytes(Encoding.DER)
    return bool(signed.named) and all(_is_named(names, signer, raw) for names in signed.named)


def _is_named(names: _Names, signer: x509.Certificate, raw: bytes) -> bool:
    if names.digest == chains.SHA1:
        # The only digest that the first version of the attribute has.
        found = hashlib.sha1(raw, usedforsecurity=False).digest()
    elif names.digest in _HASHES or names.digest in gost.DIGEST_BITS:
        found = _digest(names.digest, raw)
    else:
        return False
    return (
        hmac.compare_digest(found, names.value)
        and names.serial in (None, signer.serial_number)
        and names.issuer in (None, chains.issuer_bytes(signer))
    )
