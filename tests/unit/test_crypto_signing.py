"""Detached signatures: every fact on its own, and no bad input raises."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from emk_app.crypto import certificates
from emk_app.crypto.canonical import canonical
from emk_app.crypto.signing import (
    DetachedSignature,
    FileSigner,
    KeyStatus,
    KeyUse,
    SignatureCheck,
    TrustedKey,
    TrustList,
    der_signature,
    key_id,
    sign_document,
    verify_bytes,
    verify_document,
)

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DOCUMENT = canonical({"number": "7707000000123", "version": 3, "holder": "Ёлкина Мария"})

ROOT_KEY, ISSUING_KEY = certificates.new_key(), certificates.new_key()
ROOT = certificates.root_certificate(ROOT_KEY, NOW)
ISSUING = certificates.issuing_certificate(ISSUING_KEY.public_key(), ROOT, ROOT_KEY, NOW)


def new_signer(
    name: str = certificates.BOOK_NAME,
    authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] = (ISSUING, ISSUING_KEY),
    chain: tuple[x509.Certificate, ...] = (ISSUING,),
) -> FileSigner:
    key = certificates.new_key()
    certificate = certificates.signer_certificate(name, key.public_key(), *authority, NOW)
    return FileSigner(key, certificate, chain)


def trusted(
    signer: FileSigner,
    use: KeyUse = KeyUse.BOOK,
    status: KeyStatus = KeyStatus.ACTIVE,
    until: datetime | None = None,
) -> TrustedKey:
    certificate = signer.certificate
    return TrustedKey(
        certificate,
        use,
        status,
        certificate.not_valid_before_utc,
        until or certificate.not_valid_after_utc,
    )


SIGNER = new_signer()
TRUST = TrustList((trusted(SIGNER),), (ROOT,))
SIGNATURE = sign_document(SIGNER, DOCUMENT)
FACTS = [field.name for field in dataclasses.fields(SignatureCheck) if field.type == "bool"]


def failed(check: SignatureCheck) -> list[str]:
    return [fact for fact in FACTS if not getattr(check, fact)]


def signed_by(signer: FileSigner) -> DetachedSignature:
    return sign_document(signer, DOCUMENT)


def test_every_changed_byte_of_the_document_is_seen() -> None:
    for place in range(len(DOCUMENT)):
        changed = bytearray(DOCUMENT)
        changed[place] ^= 1
        check = verify_document(bytes(changed), SIGNATURE, TRUST, NOW)
        assert failed(check) == ["intact", "signature_valid"]
        assert not check.is_valid


def test_every_changed_bit_of_the_signature_is_seen() -> None:
    for bit in range(8 * len(SIGNATURE.value)):
        value = bytearray(SIGNATURE.value)
        value[bit // 8] ^= 1 << bit % 8
        changed = dataclasses.replace(SIGNATURE, value=bytes(value))
        assert failed(verify_document(DOCUMENT, changed, TRUST, NOW)) == ["signature_valid"]


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_every_changed_character_of_the_packed_form_is_seen() -> None:
    packed = SIGNATURE.pack()
    for place in range(len(packed)):
        changed = bytearray(packed)
        changed[place] ^= 1
        assert not verify_document(DOCUMENT, bytes(changed), TRUST, NOW).is_valid


def test_digest_of_another_document_is_seen_alone() -> None:
    changed = dataclasses.replace(SIGNATURE, digest=bytes(32))
    assert failed(verify_document(DOCUMENT, changed, TRUST, NOW)) == ["intact"]


def test_twin_signature_is_refused() -> None:
    s = int.from_bytes(SIGNATURE.value[32:], "big")
    twin = SIGNATURE.value[:32] + (ORDER - s).to_bytes(32, "big")
    changed = dataclasses.replace(SIGNATURE, value=twin)
    assert failed(verify_document(DOCUMENT, changed, TRUST, NOW)) == ["signature_valid"]
    SIGNER.certificate.public_key().verify(  # type: ignore[call-arg, union-attr]
        der_signature(twin), DOCUMENT, ec.ECDSA(hashes.SHA256())
    )


@pytest.mark.parametrize("value", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_impossible_signature_is_refused(value: bytes) -> None:
    changed = dataclasses.replace(SIGNATURE, value=value)
    assert failed(verify_document(DOCUMENT, changed, TRUST, NOW)) == ["signature_valid"]
    assert not verify_bytes(TRUST.keys[0].public_key, value, DOCUMENT)


@pytest.mark.parametrize("algorithm", ["", "none", "ES384", "es256", "HS256"])
def test_another_algorithm_is_refused(algorithm: str) -> None:
    changed = dataclasses.replace(SIGNATURE, algorithm=algorithm)
    assert failed(verify_document(DOCUMENT, changed, TRUST, NOW)) == ["signature_valid"]


def test_key_id_of_another_certificate_is_refused() -> None:
    other = new_signer()
    trust = TrustList((trusted(SIGNER), trusted(other)), (ROOT,))
    changed = dataclasses.replace(SIGNATURE, key_id=other.key_id)
    check = verify_document(DOCUMENT, changed, trust, NOW)
    assert failed(check) == ["signature_valid", "key_listed", "key_in_term"]


def test_unlisted_signer_is_refused_though_his_chain_is_ours() -> None:
    check = verify_document(DOCUMENT, signed_by(new_signer()), TRUST, NOW)
    assert failed(check) == ["key_listed", "key_in_term"]
    assert check.key_status is None


def test_signer_of_codes_may_not_sign_documents() -> None:
    trust = TrustList((trusted(SIGNER, KeyUse.QR),), (ROOT,))
    check = verify_document(DOCUMENT, SIGNATURE, trust, NOW)
    assert failed(check) == ["key_listed", "key_in_term"]


def test_listed_signer_of_another_root_is_refused() -> None:
    check = verify_document(DOCUMENT, SIGNATURE, TrustList(TRUST.keys, ()), NOW)
    assert failed(check) == ["chain_trusted"]
    stranger = certificates.root_certificate(certificates.new_key(), NOW)
    check = verify_document(DOCUMENT, SIGNATURE, TrustList(TRUST.keys, (stranger,)), NOW)
    assert failed(check) == ["chain_trusted"]


def test_signature_outside_the_certificate_s_dates_is_refused() -> None:
    start = SIGNER.certificate.not_valid_before_utc
    end = SIGNER.certificate.not_valid_after_utc
    for at in (start, end):
        assert verify_document(DOCUMENT, SIGNATURE, TRUST, at).is_valid
    for at in (start - timedelta(seconds=1), end + timedelta(seconds=1)):
        check = verify_document(DOCUMENT, SIGNATURE, TRUST, at)
        assert failed(check) == ["certificate_in_dates", "key_in_term"]


def test_compromised_key_is_refused_whenever_it_signed() -> None:
    trust = TrustList((trusted(SIGNER, status=KeyStatus.COMPROMISED),), (ROOT,))
    check = verify_document(DOCUMENT, SIGNATURE, trust, NOW)
    assert failed(check) == []
    assert check.key_status is KeyStatus.COMPROMISED
    assert not check.is_valid


def test_retired_key_is_refused_for_what_it_signed_later() -> None:
    retired = TrustList((trusted(SIGNER, status=KeyStatus.RETIRED, until=NOW),), (ROOT,))
    assert verify_document(DOCUMENT, SIGNATURE, retired, NOW).is_valid
    check = verify_document(DOCUMENT, SIGNATURE, retired, NOW + timedelta(seconds=1))
    assert failed(check) == ["key_in_term"]
    assert not check.is_valid


def test_certificate_issued_by_a_signer_is_refused() -> None:
    key = certificates.new_key()
    below = certificates.signer_certificate(
        "ЭМК Онлайн: подделка",
        key.public_key(),
        SIGNER.certificate,
        SIGNER._private_key,  # pyright: ignore[reportPrivateUsage]
        NOW,
    )
    forger = FileSigner(key, below, (SIGNER.certificate, ISSUING))
    trust = TrustList((trusted(forger),), (ROOT,))
    assert failed(verify_document(DOCUMENT, signed_by(forger), trust, NOW)) == ["chain_trusted"]


def test_authority_below_the_allowed_depth_is_refused() -> None:
    key = certificates.new_key()
    deep = certificates.issuing_certificate(key.public_key(), ISSUING, ISSUING_KEY, NOW)
    signer = new_signer(authority=(deep, key), chain=(deep, ISSUING))
    trust = TrustList((trusted(signer),), (ROOT,))
    assert failed(verify_document(DOCUMENT, signed_by(signer), trust, NOW)) == ["chain_trusted"]


def issued(
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    *,
    ca: bool | None = False,
    cert_sign: bool | None = False,
    critical: x509.ExtensionType | None = None,
    algorithm: Any = None,
) -> x509.Certificate:
    """Issue a certificate as somebody careless might; ``None`` leaves the extension out."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ca {ca}")]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    if cert_sign is not None:
        usage = x509.KeyUsage(
            not cert_sign, not cert_sign, False, False, False, cert_sign, False, False, False
        )
        builder = builder.add_extension(usage, critical=True)
    if critical:
        builder = builder.add_extension(critical, critical=True)
    return builder.sign(issuer_key, algorithm or hashes.SHA256())


CONSTRAINT = x509.NameConstraints([x509.DirectoryName(x509.Name([]))], None)


@pytest.mark.parametrize(
    ("authority", "end", "accepted"),
    [
        ({"ca": True, "cert_sign": True}, {}, True),
        ({"ca": False, "cert_sign": True}, {}, False),
        ({"ca": None, "cert_sign": True}, {}, False),
        ({"ca": True, "cert_sign": False}, {}, False),
        ({"ca": True, "cert_sign": None}, {}, False),
        ({"ca": True, "cert_sign": True, "critical": CONSTRAINT}, {}, False),
        ({"ca": True, "cert_sign": True, "algorithm": hashes.SHA224()}, {}, False),
        ({"ca": True, "cert_sign": True}, {"ca": True}, False),
        ({"ca": True, "cert_sign": True}, {"cert_sign": None}, False),
        ({"ca": True, "cert_sign": True}, {"cert_sign": True}, False),
        ({"ca": True, "cert_sign": True}, {"critical": CONSTRAINT}, False),
        ({"ca": True, "cert_sign": True}, {"algorithm": hashes.SHA224()}, False),
    ],
)
def test_careless_certificates_are_refused(
    authority: dict[str, Any], end: dict[str, Any], accepted: bool
) -> None:
    root_key, key, end_key = (certificates.new_key() for _ in range(3))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca True")])
    root = issued(name, root_key, root_key, ca=True, cert_sign=True)
    middle = issued(root.subject, root_key, key, **authority)
    signer = FileSigner(end_key, issued(middle.subject, key, end_key, **end), (middle,))
    trust = TrustList((trusted(signer),), (root,))
    expected = [] if accepted else ["chain_trusted"]
    assert failed(verify_document(DOCUMENT, signed_by(signer), trust, NOW)) == expected


def test_authority_may_not_sign_documents_itself() -> None:
    authority = FileSigner(ISSUING_KEY, ISSUING)
    trust = TrustList((trusted(authority),), (ROOT,))
    assert failed(verify_document(DOCUMENT, signed_by(authority), trust, NOW)) == ["chain_trusted"]


def test_chain_out_of_order_cut_or_too_long_is_refused() -> None:
    signer, issuing = SIGNATURE.certificates
    root = ROOT.public_bytes(Encoding.DER)
    for chain in ((signer,), (signer, root), (signer, issuing, issuing), (signer, root, issuing)):
        changed = dataclasses.replace(SIGNATURE, certificates=chain)
        assert failed(verify_document(DOCUMENT, changed, TRUST, NOW)) == ["chain_trusted"]
    for chain in ((), (b"",), (b"not DER",), (signer, b"not DER"), (signer,) * 6):
        changed = dataclasses.replace(SIGNATURE, certificates=chain)
        check = verify_document(DOCUMENT, changed, TRUST, NOW)
        assert failed(check) == FACTS[1:]
        assert check.signer is None


def test_chain_with_the_root_at_its_end_is_accepted() -> None:
    root = ROOT.public_bytes(Encoding.DER)
    changed = dataclasses.replace(SIGNATURE, certificates=(*SIGNATURE.certificates, root))
    assert verify_document(DOCUMENT, changed, TRUST, NOW).is_valid


def test_certificate_of_another_kind_of_key_is_refused() -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "RSA")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .sign(key, hashes.SHA256())
    )
    changed = dataclasses.replace(SIGNATURE, certificates=(certificate.public_bytes(Encoding.DER),))
    assert failed(verify_document(DOCUMENT, changed, TRUST, NOW)) == FACTS[1:]


@given(st.binary(max_size=300))
def test_foreign_bytes_instead_of_a_signature_are_refused(raw: bytes) -> None:
    check = verify_document(DOCUMENT, raw, TRUST, NOW)
    assert check == SignatureCheck()
    assert not check.is_valid


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[]",
        b"null",
        b'"ES256"',
        b"[" * 100_000,
        b'{"algorithm":1}',
        b'{"certificates":"A"}',
    ],
)
def test_foreign_json_instead_of_a_signature_is_refused(raw: bytes) -> None:
    assert verify_document(DOCUMENT, raw, TRUST, NOW) == SignatureCheck()


def test_packed_form_with_anything_more_is_refused() -> None:
    packed = SIGNATURE.pack()
    for changed in (packed + b"\n", packed.replace(b":", b": ", 1), packed[:-1] + b',"z":1}'):
        with pytest.raises(ValueError, match="packed"):
            DetachedSignature.unpack(changed)


def test_key_of_another_certificate_makes_no_signer() -> None:
    with pytest.raises(ValueError, match="another key"):
        FileSigner(certificates.new_key(), SIGNER.certificate)


def test_certificate_is_listed_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        TrustList((trusted(SIGNER), trusted(SIGNER, KeyUse.QR)), (ROOT,))


def test_good_signature_speaks_for_itself_in_every_fact() -> None:
    check = verify_document(DOCUMENT, SIGNATURE, TRUST, NOW)
    assert failed(check) == []
    assert check.is_valid
    assert check.key_status is KeyStatus.ACTIVE
    assert check.signer == certificates.BOOK_NAME
    assert check.key_id == key_id(SIGNER.certificate)


def test_packed_signature_is_as_good() -> None:
    assert DetachedSignature.unpack(SIGNATURE.pack()) == SIGNATURE
    assert verify_document(DOCUMENT, SIGNATURE.pack(), TRUST, NOW).is_valid


def test_old_document_verifies_after_rotation() -> None:
    newer = new_signer()
    retired = trusted(SIGNER, status=KeyStatus.RETIRED, until=NOW + DAY)
    trust = TrustList((retired, trusted(newer)), (ROOT,))
    assert verify_document(DOCUMENT, SIGNATURE, trust, NOW).is_valid
    assert verify_document(DOCUMENT, signed_by(newer), trust, NOW + 30 * DAY).is_valid
    compromised = trusted(SIGNER, status=KeyStatus.COMPROMISED)
    trust = TrustList((compromised, trusted(newer)), (ROOT,))
    assert not verify_document(DOCUMENT, SIGNATURE, trust, NOW).is_valid
    assert verify_document(DOCUMENT, signed_by(newer), trust, NOW + 30 * DAY).is_valid


@given(st.binary(max_size=200))
def test_signatures_are_of_low_s_and_repeat_themselves(payload: bytes) -> None:
    signature = SIGNER.sign(payload)
    assert len(signature) == 64
    assert int.from_bytes(signature[32:], "big") <= ORDER // 2
    assert signature == SIGNER.sign(payload)
    assert verify_bytes(TRUST.keys[0].public_key, signature, payload)


def test_every_key_of_one_id_is_tried() -> None:
    newer = new_signer()
    listed, same_id = trusted(SIGNER), trusted(newer)
    same_id.__dict__["key_id"] = SIGNER.key_id
    trust = TrustList((same_id, listed), (ROOT,))
    assert trust.candidates(SIGNER.key_id, KeyUse.BOOK) == (same_id, listed)
    assert verify_document(DOCUMENT, SIGNATURE, trust, NOW).is_valid


def judged_by_cryptography(_: Path, payload: bytes, signature: bytes) -> bool:
    key = SIGNER.certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    try:
        key.verify(signature, payload, ec.ECDSA(hashes.SHA256()))
    except Exception:
        return False
    return True


def judged_by_openssl(place: Path, payload: bytes, signature: bytes) -> bool:
    (place / "key.pem").write_bytes(
        SIGNER.certificate.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
    )
    (place / "payload").write_bytes(payload)
    (place / "signature").write_bytes(signature)
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature"]
    verdict = subprocess.run([*command, "payload"], cwd=place, capture_output=True, check=False)
    return verdict.returncode == 0 and verdict.stdout == b"Verified OK\n"


Judge = Callable[[Path, bytes, bytes], bool]
JUDGES: list[Judge] = [judged_by_cryptography]
if shutil.which("openssl"):
    JUDGES.append(judged_by_openssl)


@pytest.mark.parametrize("judge", JUDGES)
def test_another_program_agrees(judge: Judge, tmp_path: Path) -> None:
    signature = der_signature(SIGNATURE.value)
    assert judge(tmp_path, DOCUMENT, signature)
    assert not judge(tmp_path, DOCUMENT + b" ", signature)
