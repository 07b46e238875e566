"""Signatures inside a PDF: PAdES B-B, or B-T with a time-stamp server, certified and closed.

What is added to the file is written by pyHanko, the signature inside it by ourselves. The reader
is ours and reads only what we write: one signature over every byte of the file but its own, in one
fixed spelling, so that no byte can be changed unseen and a stranger's file meets no parser of PDF
at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import logging
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from asn1crypto import cms as _cms  # pyright: ignore[reportMissingTypeStubs]
from asn1crypto import tsp as _tsp  # pyright: ignore[reportMissingTypeStubs]
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from emk_app.crypto import der, signing
from emk_app.crypto.signing import (
    ALGORITHM,
    DetachedSignature,
    SignatureCheck,
    Signer,
    TrustList,
    der_signature,
)

if TYPE_CHECKING:
    # pyHanko takes half a second to import: it is, with the first file that is signed.
    from pyhanko.sign.timestamps import TimeStamper

MAX_FILE: Final = 5 * 1024 * 1024
"""Bytes of the longest file that is read."""
FIELD: Final = "EMK"
MARK: Final = "EMKEXTRACT1"
STAMP_SECONDS: Final = 5

_MAX_SIGNATURES: Final = 16
_MAX_DICTIONARY: Final = 4096
_MAX_CERTIFICATES: Final = 6
# The signed attributes, their signature and the wrapping, in bytes; measured at 700.
_OWN_ROOM: Final = 1536
_STAMP_ROOM: Final = 12 * 1024

_RANGE: Final = re.compile(
    rb"/ByteRange\s{0,9}\[\s{0,9}(\d{1,10})\s{1,9}(\d{1,10})\s{1,9}(\d{1,10})\s{1,9}(\d{1,10})\s{0,9}\]"
)
_CLOSED: Final = re.compile(
    rb"/TransformMethod /DocMDP\n/TransformParams <<\n/Type /TransformParams\n/V /1\.2\n/P 1\n>>"
)
_PADES: Final = b"/SubFilter /ETSI.CAdES.detached\n"
# What is not a letter or digit may come as an octal escape.
_MOMENT: Final = re.compile(rb"/M \(D(?::|\\072)(\d{14})Z\)")
_SAYS: Final = re.compile(
    rb"/ContactInfo \(" + MARK.encode() + rb" (\d{12}) (\d{1,9}) ([0-9a-f]{64}) ([A-Z2-7]{26}) "
    rb"([A-Z2-7]{1,1700})\)"
)

_SIGNED_DATA: Final = bytes.fromhex("06092a864886f70d010702")
_ONE: Final = bytes.fromhex("020101")
_DATA_TYPE: Final = bytes.fromhex("06092a864886f70d010701")
_DATA: Final = b"\x30\x0b" + _DATA_TYPE
_SHA256: Final = bytes.fromhex("300d06096086480165030402010500")
_ECDSA_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
_CONTENT_TYPE: Final = bytes.fromhex("06092a864886f70d010903")
_MESSAGE_DIGEST: Final = bytes.fromhex("06092a864886f70d010904")
_SIGNING_CERTIFICATE: Final = bytes.fromhex("060b2a864886f70d010910022f")
_STAMP: Final = bytes.fromhex("060b2a864886f70d010910020e")
_CONTEXT_0: Final = 0xA0
_CONTEXT_1: Final = 0xA1
_CONTEXT_4: Final = 0xA4

# What the general parsers may find wrong with the token of a time-stamp server.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    StopIteration,
    InvalidSignature,
    UnsupportedAlgorithm,
)

# The library is without types; what it finds is checked piece by piece.
cms: Any = _cms
tsp: Any = _tsp

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Extract:
    """Which version of a book an extract is of, and the code that is printed on it."""

    number: str
    """Twelve digits."""
    version: int
    version_hash: str
    """SHA-256 of the version's canonical bytes, 64 small hex digits."""
    share: str
    token: str
    """Both halves of the code (verification.md 0), in BASE32."""

    @property
    def said(self) -> str:
        """The line that carries it inside the signature's dictionary."""
        return f"{MARK} {self.number} {self.version} {self.version_hash} {self.share} {self.token}"


@dataclass(frozen=True, slots=True)
class PdfCheck:
    """What was found about a file, each fact on its own."""

    is_pdf: bool = False
    is_signed: bool = False
    claims_to_be_ours: bool = False
    """It carries our mark, whoever has set it."""
    is_whole: bool = False
    """The signature covers every byte of the file but its own, and is spelt in the one way."""
    has_later_changes: bool = False
    """Something was added behind what is signed."""
    intact: bool = False
    """What is signed is as it was when it was signed."""
    is_closed: bool = False
    """The signer has certified it and allows no change."""
    signature: SignatureCheck = field(default_factory=SignatureCheck)
    signed_at: datetime | None = None
    """The moment that the signer names."""
    stamped_at: datetime | None = None
    """The moment that a time-stamp server has sworn to; its own standing is not judged here."""
    stamp_broken: bool = False
    extract: Extract | None = None
    """What the file says it is; only where the signature over it is valid."""

    @property
    def is_genuine(self) -> bool:
        """Whether every fact speaks for the file."""
        return (
            self.is_whole
            and not self.has_later_changes
            and self.intact
            and self.is_closed
            and self.signature.is_valid
            and not self.stamp_broken
            and self.extract is not None
        )


def sign_pdf(
    content: bytes, signer: Signer, extract: Extract, *, now: datetime, stamp_url: str | None = None
) -> bytes:
    """Return our own PDF with the book's signature added; nothing in it may be changed then.

    Where a time-stamp server is named and does not answer, the signature goes without (B-B) and
    the log says so. Not for the event loop.
    """
    if stamp_url is not None:
        from pyhanko.sign.timestamps import HTTPTimeStamper

        try:
            stamper = HTTPTimeStamper(stamp_url, timeout=STAMP_SECONDS)
            return _sign(content, signer, extract, now, stamper)
        except Exception as error:
            # The network, the server and the reader of its answer fail with errors of every kind.
            _log.warning("no time stamp: %s", type(error).__name__)
    return _sign(content, signer, extract, now, None)


def check_pdf(content: bytes, trust: TrustList) -> PdfCheck:
    """Check a file and raise nothing for a bad one; no network, no clock, time linear in its size.

    The key is judged at the moment that the signed file names (``signing.verify_document``).
    """
    if not content.startswith(b"%PDF-") or len(content) > MAX_FILE:
        return PdfCheck()
    ranges = list(_RANGE.finditer(content))[-_MAX_SIGNATURES:]
    if not ranges:
        return PdfCheck(is_pdf=True, claims_to_be_ours=MARK.encode() in content)
    found = [_check(content, each, trust) for each in reversed(ranges)]
    # Somebody's signature on top of ours does not hide that ours has been added to.
    return next((each for each in found if each.signature.key_listed), found[0])


@dataclass(frozen=True, slots=True)
class _Identity:
    """What of the signer goes into each of its signatures, written once."""

    certificates: bytes
    """Its own and those above it, in the order of a SET."""
    who: bytes
    """Issuer and serial number of its own."""
    signing_certificate: bytes
    """The attribute that ties the signature to its certificate (RFC 5035)."""
    external: Any
    """The same for pyHanko, which asks of it no signature."""


@lru_cache(maxsize=16)
def _identity(certificate: x509.Certificate, chain: tuple[x509.Certificate, ...]) -> _Identity:
    from pyhanko.keys import internal as pyhanko_internal
    from pyhanko.sign.signers.pdf_cms import ExternalSigner

    internal: Any = pyhanko_internal
    raw = certificate.public_bytes(Encoding.DER)
    issuer, _, serial = _names(raw)
    named = der.write(
        der.SEQUENCE,
        der.write(der.OCTET_STRING, hashlib.sha256(raw).digest()),
        der.write(der.SEQUENCE, der.write(der.SEQUENCE, der.write(_CONTEXT_4, issuer)), serial),
    )
    attribute = der.write(der.SEQUENCE, der.write(der.SEQUENCE, named))
    return _Identity(
        certificates=b"".join(sorted((raw, *(each.public_bytes(Encoding.DER) for each in chain)))),
        who=der.write(der.SEQUENCE, issuer, serial),
        signing_certificate=der.write(
            der.SEQUENCE, _SIGNING_CERTIFICATE, der.write(der.SET, attribute)
        ),
        external=ExternalSigner(
            signing_cert=internal.translate_pyca_cryptography_cert_to_asn1(certificate),
            cert_registry=None,
            signature_value=bytes(64),
            embed_roots=False,
        ),
    )


def _sign(
    content: bytes, signer: Signer, extract: Extract, now: datetime, stamper: TimeStamper | None
) -> bytes:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

    identity = _identity(signer.certificate, signer.chain)
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        contact_info=extract.said,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    session: Any = PdfSigner(metadata, identity.external).init_signing_session(writer)
    session.system_time = now.astimezone(UTC).replace(microsecond=0)
    room = _OWN_ROOM + len(identity.certificates) + (_STAMP_ROOM if stamper else 0)
    prepared = session.prepare_tbs_document(
        validation_info=None, bytes_reserved=2 * room, appearance_text_params=None
    )
    output = io.BytesIO()
    gap, _ = prepared.digest_tbs_document(output=output)
    gap.fill_with_cms(output, _signature(gap.document_digest, signer, identity, stamper))
    return output.getvalue()


def _signature(
    digest: bytes, signer: Signer, identity: _Identity, stamper: TimeStamper | None
) -> bytes:
    """Return the CMS to the letter as pyHanko writes it, which takes some ten times as long."""
    said = (
        der.write(der.SEQUENCE, _CONTENT_TYPE, der.write(der.SET, _DATA_TYPE)),
        der.write(
            der.SEQUENCE, _MESSAGE_DIGEST, der.write(der.SET, der.write(der.OCTET_STRING, digest))
        ),
        identity.signing_certificate,
    )
    attributes = b"".join(sorted(said))
    value = der_signature(signer.sign(der.write(der.SET, attributes)))
    stamp = b"" if stamper is None else _stamp(value, stamper)
    return _written(identity.certificates, identity.who, attributes, value, stamp)


def _stamp(value: bytes, stamper: Any) -> bytes:
    """Return the unsigned attributes with the time-stamp server's token in them."""
    token = asyncio.run(stamper.async_timestamp(hashlib.sha256(value).digest(), "sha256"))
    attribute = der.write(der.SEQUENCE, _STAMP, der.write(der.SET, token.dump()))
    return der.write(_CONTEXT_1, attribute)


def _written(
    certificates: bytes, who: bytes, attributes: bytes, value: bytes, unsigned: bytes
) -> bytes:
    """Return a CMS signature in the one form that is ours."""
    info = der.write(
        der.SEQUENCE,
        _ONE,
        who,
        _SHA256,
        der.write(_CONTEXT_0, attributes),
        _ECDSA_SHA256,
        der.write(der.OCTET_STRING, value),
        unsigned,
    )
    signed = der.write(
        der.SEQUENCE,
        _ONE,
        der.write(der.SET, _SHA256),
        _DATA,
        der.write(_CONTEXT_0, certificates),
        der.write(der.SET, info),
    )
    return der.write(der.SEQUENCE, _SIGNED_DATA, der.write(_CONTEXT_0, signed))


def _check(content: bytes, found: re.Match[bytes], trust: TrustList) -> PdfCheck:
    start, opens, closes, rest = (int(each) for each in found.groups())
    end = closes + rest
    if not (start == 0 and 0 < opens < closes <= found.start() <= end <= len(content)):
        return PdfCheck(is_pdf=True, is_signed=True, claims_to_be_ours=MARK.encode() in content)
    cms, is_spelt_strictly = _unwrapped(content[opens:closes])
    said = _dictionary(content, opens, closes, end)
    moment = _moment(said)
    parts = _read_cms(cms)
    digest = hashlib.sha256(content[:opens] + content[closes:end]).digest()
    if parts is None or moment is None:
        return PdfCheck(
            is_pdf=True,
            is_signed=True,
            claims_to_be_ours=_SAYS.search(said) is not None,
            has_later_changes=end < len(content),
            signed_at=moment,
        )
    signature = signing.verify_document(parts.attributes, parts.signature, trust, moment)
    intact = parts.digest is not None and hmac.compare_digest(parts.digest, digest)
    stamped_at, stamp_broken = _read_stamp(parts)
    return PdfCheck(
        is_pdf=True,
        is_signed=True,
        claims_to_be_ours=_SAYS.search(said) is not None,
        is_whole=is_spelt_strictly and end == len(content) and parts.is_strict,
        has_later_changes=end < len(content),
        intact=intact,
        is_closed=_PADES in said and _CLOSED.search(said) is not None,
        signature=signature,
        signed_at=moment,
        stamped_at=stamped_at,
        stamp_broken=stamp_broken,
        extract=_extract(said) if intact and signature.signature_valid else None,
    )


def _unwrapped(gap: bytes) -> tuple[bytes, bool]:
    """Return the CMS between the angle brackets, and whether it is written in our one way.

    Capitals only and zeros after the end: else a byte could be another and mean the same.
    """
    try:
        raw = bytes.fromhex(gap[1:-1].decode("ascii"))
    except ValueError:
        return b"", False
    is_ours = gap[:1] == b"<" and gap[-1:] == b">" and gap[1:-1] == raw.hex().upper().encode()
    length = _length(raw)
    return raw[:length], is_ours and not any(raw[length:])


def _length(raw: bytes) -> int:
    """Return how many bytes the first element takes, all of them where it has no length."""
    if len(raw) < 2 or raw[1] < 0x80:
        return min(len(raw), 2 + raw[1]) if len(raw) > 1 else len(raw)
    size = raw[1] & 0x7F
    if not 0 < size <= 4:
        return len(raw)
    return min(len(raw), 2 + size + int.from_bytes(raw[2 : 2 + size], "big"))


def _dictionary(content: bytes, opens: int, closes: int, end: int) -> bytes:
    """Return the words of the signature's dictionary around the signature, as far as signed."""
    before = content[max(0, opens - _MAX_DICTIONARY) : opens].rpartition(b" obj")[2]
    after = content[closes : min(end, closes + _MAX_DICTIONARY)].partition(b"endobj")[0]
    return before + after


def _moment(said: bytes) -> datetime | None:
    found = _MOMENT.search(said)
    try:
        return (
            datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            if found
            else None
        )
    except ValueError:
        return None


def _extract(said: bytes) -> Extract | None:
    found = _SAYS.search(said)
    if found is None:
        return None
    number, version, version_hash, share, token = (each.decode() for each in found.groups())
    return Extract(number, int(version), version_hash, share, token)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What matters of a CMS signature."""

    attributes: bytes
    """What is signed: the attributes as a SET."""
    digest: bytes | None
    """Of the document, as the attributes say."""
    signature: DetachedSignature
    signature_der: bytes
    stamp: bytes | None
    is_strict: bool
    """There is nothing in it but what is checked."""


def _read_cms(raw: bytes) -> _Parts | None:
    try:
        return _parts(raw)
    except (ValueError, IndexError):
        return None


def _parts(raw: bytes) -> _Parts:
    _, wrapped = der.element(raw, der.SEQUENCE).children()
    body = der.element(wrapped.content, der.SEQUENCE).children()
    _, _, _, certificates, signers = body
    (info,) = signers.children()
    _, who, _, attributes, _, value, *unsigned = info.children()
    chain = _ordered(tuple(each.whole for each in certificates.children()), who.whole)
    signed = b"\x31" + attributes.whole[1:]
    said = {each.children()[0].whole: each.children()[1] for each in attributes.children()}
    digest = said.get(_MESSAGE_DIGEST)
    own = hashlib.sha256(chain[0]).digest()
    names_certificate = _SIGNING_CERTIFICATE in said and own in said[_SIGNING_CERTIFICATE].content
    stamp = _stamp_in(unsigned[0]) if unsigned else None
    r, s = decode_dss_signature(value.content)
    if r >= 1 << 256 or s >= 1 << 256:
        raise ValueError("not a signature on P-256")
    raw_signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    # Written anew from what was checked, it must be the same to the last byte.
    rebuilt = _written(
        b"".join(each.whole for each in certificates.children()),
        who.whole,
        attributes.content,
        der_signature(raw_signature),
        unsigned[0].whole if stamp else b"",
    )
    return _Parts(
        attributes=signed,
        digest=der.element(digest.content, der.OCTET_STRING).content if digest else None,
        signature=DetachedSignature(
            algorithm=ALGORITHM,
            key_id=own[: signing.KEY_ID_LENGTH],
            digest=hashlib.sha256(signed).digest(),
            value=raw_signature,
            certificates=chain,
        ),
        signature_der=value.content,
        stamp=stamp,
        is_strict=names_certificate and rebuilt == raw,
    )


def _ordered(certificates: tuple[bytes, ...], who: bytes) -> tuple[bytes, ...]:
    """Return the certificates from the signer's up; CMS keeps them in any order."""
    if not 0 < len(certificates) <= _MAX_CERTIFICATES:
        raise ValueError("no certificates, or too many")
    left = {raw: _names(raw) for raw in certificates}
    chain = [
        raw
        for raw, (issuer, _, serial) in left.items()
        if der.write(der.SEQUENCE, issuer, serial) == who
    ]
    if len(chain) != 1:
        raise ValueError("the signer's certificate is missing")
    while True:
        issuer = left.pop(chain[-1])[0]
        above = next((raw for raw, (_, subject, _) in left.items() if subject == issuer), None)
        if above is None:
            # What leads nowhere stays in, and the chain is not trusted for it.
            return (*chain, *left)
        chain.append(above)


def _names(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Return issuer, subject and serial of a certificate as they are written in it."""
    fields = der.element(raw, der.SEQUENCE).children()[0].children()
    # The version, in a wrapping of its own, stands before the serial.
    serial = next((at for at, each in enumerate(fields) if each.tag == der.INTEGER), len(fields))
    return fields[serial + 2].whole, fields[serial + 4].whole, fields[serial].whole


def _stamp_in(unsigned: der.Element) -> bytes | None:
    """Return the time stamp's token where it is the one unsigned attribute."""
    attributes = unsigned.children()
    if unsigned.tag != _CONTEXT_1 or len(attributes) != 1:
        return None
    kind, values = attributes[0].children()
    return values.content if kind.whole == _STAMP else None


def _read_stamp(parts: _Parts) -> tuple[datetime | None, bool]:
    """Return the moment of the time stamp, and whether there is one that does not hold."""
    if parts.stamp is None:
        return None, False
    try:
        return _stamped_at(parts.stamp, parts.signature_der), False
    except _UNREADABLE:
        return None, True


def _stamped_at(token: bytes, stamped: bytes) -> datetime:
    data: Any = cms.ContentInfo.load(token, strict=True)["content"]
    content = data["encap_content_info"]["content"]
    info: Any = tsp.TSTInfo.load(bytes(content), strict=True)
    imprint = info["message_imprint"]
    made = hashlib.new(imprint["hash_algorithm"]["algorithm"].native, stamped).digest()
    (signer,) = data["signer_infos"]
    algorithm = signer["digest_algorithm"]["algorithm"].native
    attributes = {each["type"].native: each["values"] for each in signer["signed_attrs"]}
    said = attributes["message_digest"][0].native
    if made != imprint["hashed_message"].native or (
        said != hashlib.new(algorithm, bytes(content)).digest()
    ):
        raise ValueError("the stamp is of something else")
    serial = signer["sid"].chosen["serial_number"].native
    certificate: Any = next(
        each.chosen for each in data["certificates"] if each.chosen.serial_number == serial
    )
    key = x509.load_der_x509_certificate(certificate.dump()).public_key()
    method = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}[algorithm]
    signed = b"\x31" + signer["signed_attrs"].dump()[1:]
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signer["signature"].native, signed, padding.PKCS1v15(), method())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signer["signature"].native, signed, ec.ECDSA(method()))
    else:
        raise ValueError("a key of another kind")
    return info["gen_time"].native
