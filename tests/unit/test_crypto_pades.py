"""The signature inside a PDF: what holds, what does not, and what outside judges say of it."""

from __future__ import annotations

import asyncio
import io
import random
import re
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
import typst
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.keys.internal import (
    translate_pyca_cryptography_cert_to_asn1,
    translate_pyca_cryptography_key_to_asn1,
)
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers, timestamps
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from emk_app.crypto import certificates, pades
from emk_app.crypto.pades import Extract, check_pdf, sign_pdf
from emk_app.crypto.signing import (
    FileSigner,
    KeyStatus,
    KeyUse,
    TrustedKey,
    TrustList,
    der_signature,
)

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
EXTRACT = Extract("770100000126", 3, "ab" * 32, "A" * 26, "ABC234")


class World:
    """An authority and its signer."""

    def __init__(self) -> None:
        root_key, issuing_key, self.key = (certificates.new_key() for _ in range(3))
        self.root = certificates.root_certificate(root_key, NOW)
        self.issuing = certificates.issuing_certificate(
            issuing_key.public_key(), self.root, root_key, NOW
        )
        certificate = certificates.signer_certificate(
            "Подпись", self.key.public_key(), self.issuing, issuing_key, NOW
        )
        self.signer = FileSigner(self.key, certificate, (self.issuing,))

    def trust(
        self, status: KeyStatus = KeyStatus.ACTIVE, use: KeyUse = KeyUse.BOOK, days: int = 300
    ) -> TrustList:
        key = TrustedKey(
            self.signer.certificate, use, status, NOW - timedelta(hours=1), NOW + timedelta(days)
        )
        return TrustList((key,), (self.root,))


@cache
def world() -> World:
    return World()


@cache
def page() -> bytes:
    return typst.compile(b'#set page(paper: "a4")\nHello', pdf_standards=["a-2b"], timestamp=0)


@cache
def signed() -> bytes:
    return sign_pdf(page(), world().signer, EXTRACT, now=NOW)


def test_every_fact_speaks_for_our_own_file():
    found = check_pdf(signed(), world().trust())
    assert found.is_genuine
    assert found.extract == EXTRACT
    assert found.signed_at == NOW
    assert (found.is_whole, found.intact, found.is_closed, found.has_later_changes) == (
        True,
        True,
        True,
        False,
    )
    assert found.stamped_at is None


def test_the_same_file_is_signed_the_same():
    assert signed()[: len(page())] == page()
    assert len(sign_pdf(page(), world().signer, EXTRACT, now=NOW)) == len(signed())


class _Unhurried(signers.Signer):
    """pyHanko with our key."""

    def __init__(self, signer: FileSigner) -> None:
        store = SimpleCertificateStore()
        store.register_multiple(map(translate_pyca_cryptography_cert_to_asn1, signer.chain))
        own = translate_pyca_cryptography_cert_to_asn1(signer.certificate)
        super().__init__(signing_cert=own, cert_registry=store, embed_roots=False)
        self._signer = signer

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        return der_signature(self._signer.sign(data))


def test_our_signature_is_what_pyhanko_would_write():
    found = re.search(rb"/Contents <([0-9A-F]+)>", signed())
    assert found is not None
    padded = bytes.fromhex(found[1].decode())
    info = cms.ContentInfo.load(padded)["content"]["signer_infos"][0]
    said = {each["type"].native: each["values"][0].native for each in info["signed_attrs"]}
    made = asyncio.run(
        _Unhurried(world().signer).async_sign(said["message_digest"], "sha256", use_pades=True)
    ).dump()
    assert padded == made.ljust(len(padded), b"\0")


def test_200_changes_of_one_byte_are_200_refusals():
    chance = random.Random(20261126)
    for _ in range(200):
        at = chance.randrange(len(signed()))
        changed = bytearray(signed())
        changed[at] ^= chance.randrange(1, 256)
        assert not check_pdf(bytes(changed), world().trust()).is_genuine, at


def test_every_byte_of_the_signature_itself_counts():
    # Another spelling of the same digits, and whatever stands behind the end.
    opens = signed().rindex(b"/Contents <") + len(b"/Contents <")
    closes = signed().index(b">", opens)
    for at in range(opens, closes, 7):
        for change in (0x20, 0x01):
            changed = bytearray(signed())
            changed[at] ^= change
            assert not check_pdf(bytes(changed), world().trust()).is_genuine, at


def test_what_is_added_behind_is_seen():
    writer = IncrementalPdfFileWriter(io.BytesIO(signed()))
    writer.root["/Note"] = writer.root["/Lang"]
    writer.update_root()
    output = io.BytesIO()
    writer.write(output)
    found = check_pdf(output.getvalue(), world().trust())
    assert found.has_later_changes
    assert found.intact
    assert not found.is_whole
    assert not found.is_genuine
    assert not check_pdf(signed() + b"\n", world().trust()).is_genuine


def test_anothers_signature_is_not_ours():
    other = World()
    found = check_pdf(sign_pdf(page(), other.signer, EXTRACT, now=NOW), world().trust())
    assert found.intact
    assert found.signature.signature_valid
    assert not found.signature.chain_trusted
    assert not found.signature.key_listed
    assert not found.is_genuine


def test_anothers_signature_on_top_does_not_hide_ours():
    on_top = signed() + b"\n90 0 obj\n<< /Contents <3000> /ByteRange [0 20 26 40] >>\nendobj\n"
    found = check_pdf(on_top, world().trust())
    assert found.signature.key_listed
    assert found.has_later_changes
    assert not found.is_genuine


def test_an_ordinary_signature_of_our_key_is_no_extract():
    """Not closed, and it says of no book that it is its extract."""
    store = SimpleCertificateStore()
    store.register(translate_pyca_cryptography_cert_to_asn1(world().issuing))
    plain = signers.SimpleSigner(
        translate_pyca_cryptography_cert_to_asn1(world().signer.certificate),
        translate_pyca_cryptography_key_to_asn1(world().key),
        store,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(page()))
    metadata = signers.PdfSignatureMetadata(field_name="Other", md_algorithm="sha256")
    found = check_pdf(
        signers.PdfSigner(metadata, plain).sign_pdf(writer).getvalue(), world().trust()
    )
    assert found.is_signed
    assert not found.is_closed
    assert found.extract is None
    assert not found.is_genuine


@pytest.mark.parametrize(
    ("trust", "fact"),
    [
        ({"status": KeyStatus.COMPROMISED}, "key_status"),
        ({"use": KeyUse.QR}, "key_listed"),
        ({"days": -1}, "key_in_term"),
    ],
)
def test_the_list_of_keys_is_obeyed(trust: dict, fact: str):
    found = check_pdf(signed(), world().trust(**trust))
    assert getattr(found.signature, fact) in (False, KeyStatus.COMPROMISED)
    assert not found.is_genuine


def test_a_retired_key_still_proves_what_it_signed():
    assert check_pdf(signed(), world().trust(KeyStatus.RETIRED)).is_genuine


@pytest.mark.parametrize(
    ("content", "is_pdf"),
    [
        (b"", False),
        (b"%PDF", False),
        (b"PK\x03\x04", False),
        (b"%PDF-1.7\n%%EOF", True),
        (b"%PDF-1.7 /ByteRange [0 1 2 3]", True),
        (b"%PDF-1.7 /ByteRange [9999999999 9999999999 9999999999 9999999999]", True),
        (b"%PDF-1.7 /Contents <30> /ByteRange [0 19 23 30]    ", True),
        (b"%PDF-1.7 /Contents <3084FFFFFFFF> /ByteRange [0 19 33 30]    ", True),
        (b"%PDF-1.7 " + b"/ByteRange [" * 100_000, True),
        (b"%PDF-1.7 " + b"/ByteRange [0 10 20 30] " * 100_000, True),
        (b"%PDF-1.7 /Contents <" + b"30" * 50_000 + b"> /ByteRange [0 19 100021 30]    ", True),
        (b"%PDF-" + b" " * pades.MAX_FILE, False),
    ],
)
def test_whatever_comes_is_answered(content: bytes, is_pdf: bool):
    found = check_pdf(content, world().trust())
    assert found.is_pdf is is_pdf
    assert not found.is_genuine
    assert found.extract is None


def test_a_page_without_a_signature_says_so():
    found = check_pdf(page(), world().trust())
    assert found.is_pdf
    assert not found.is_signed


def _stamper(_url: str, timeout: int) -> DummyTimeStamper:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TSA")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(1))
        .not_valid_after(NOW + timedelta(1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, hashes.SHA256())
    )
    return DummyTimeStamper(
        translate_pyca_cryptography_cert_to_asn1(certificate),
        translate_pyca_cryptography_key_to_asn1(key),
        fixed_dt=NOW + timedelta(seconds=2),
    )


def test_a_time_stamp_is_taken_along_and_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timestamps, "HTTPTimeStamper", _stamper)
    stamped = sign_pdf(page(), world().signer, EXTRACT, now=NOW, stamp_url="http://localhost:1")
    found = check_pdf(stamped, world().trust())
    assert found.is_genuine
    assert found.stamped_at == NOW + timedelta(seconds=2)
    # The server's own signature is the last thing in the token.
    changed = bytearray(stamped)
    at = _end_of_cms(stamped) - 8
    changed[at] = ord("0") if changed[at] != ord("0") else ord("1")
    found = check_pdf(bytes(changed), world().trust())
    assert found.stamp_broken
    assert found.intact
    assert not found.is_genuine


def _end_of_cms(content: bytes) -> int:
    closes = content.index(b">", content.rindex(b"/Contents <"))
    return len(content[:closes].rstrip(b"0"))


def test_a_silent_time_stamp_server_does_not_stop_the_signature(caplog: pytest.LogCaptureFixture):
    plain = sign_pdf(page(), world().signer, EXTRACT, now=NOW, stamp_url="http://127.0.0.1:9")
    assert check_pdf(plain, world().trust()).is_genuine
    assert "no time stamp" in caplog.text


def test_pdfsig_and_pyhanko_judge_alike(tmp_path: Path):
    good, root, later = tmp_path / "good.pdf", tmp_path / "root.pem", tmp_path / "later.pdf"
    good.write_bytes(signed())
    root.write_bytes(world().root.public_bytes(Encoding.PEM))
    nss = f"sql:{tmp_path / 'nss'}"
    (tmp_path / "nss").mkdir()
    _run("certutil", "-N", "-d", nss, "--empty-password")
    _run("certutil", "-A", "-d", nss, "-n", "root", "-t", "CT,CT,CT", "-i", str(root))
    said = _run("pdfsig", "-nssdir", nss, str(good)).stdout
    for line in ("Total document signed", "Signature is Valid.", "Certificate is Trusted."):
        assert line in said
    command = (".venv/bin/pyhanko", "sign", "validate", "--trust", str(root), "--trust-replace")
    command = (*command, "--no-revocation-check", "--pretty-print")
    assert "The signature is judged VALID." in _run(*command, str(good)).stdout
    changed = bytearray(signed())
    changed[changed.index(b"/Pages") + 2] ^= 1
    later.write_bytes(bytes(changed))
    assert "Signature is Valid." not in _run("pdfsig", "-nssdir", nss, str(later)).stdout
    assert "judged VALID" not in _run(*command, str(later), check=False).stdout


def _run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a judge; one that is missing is a failure: ``.ci/judges`` installs them."""
    return subprocess.run(command, capture_output=True, text=True, check=check)
