"""The golden vectors of ``tests/vectors``: every form on the way and every verdict at its clock."""

from __future__ import annotations

import hashlib
import io
import json
import runpy
from base64 import b64decode
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from emk_app.crypto.canonical import canonical, parse, sha256
from emk_app.crypto.cose import Claims, TokenOutcome, check_token, issue_token, to_be_signed
from emk_app.crypto.qr import qr_png, share_url
from emk_app.crypto.sealing import blind_index, unseal, unseal_stream
from emk_app.crypto.signing import (
    DetachedSignature,
    FileSigner,
    KeyStatus,
    KeyUse,
    TrustedKey,
    TrustList,
    sign_document,
    verify_document,
)
from emk_app.crypto.tokens import share_digest, share_id

VECTORS = Path(__file__).parents[1] / "vectors"
TOKENS: dict[str, Any] = json.loads((VECTORS / "tokens.json").read_text())
DOCUMENTS: dict[str, Any] = json.loads((VECTORS / "documents.json").read_text())
SEALING: dict[str, Any] = json.loads((VECTORS / "sealing.json").read_text())


def certificate(text: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(b64decode(text))


def trust_list(listed: dict[str, Any]) -> TrustList:
    keys = tuple(
        TrustedKey(
            certificate(key["certificate"]),
            KeyUse(key["use"]),
            KeyStatus(key["status"]),
            datetime.fromisoformat(key["not_before"]),
            datetime.fromisoformat(key["not_after"]),
        )
        for key in listed["keys"]
    )
    assert [key.key_id.hex() for key in keys] == [key["kid"] for key in listed["keys"]]
    return TrustList(keys, tuple(certificate(root) for root in listed["roots"]))


TRUST_LISTS = {name: trust_list(listed) for name, listed in TOKENS["trust_lists"].items()}
USES = {"qr A": 0, "qr B": 1, "book": 2}


def signer(label: str) -> FileSigner:
    number = int(TOKENS["private_keys"][label], 16)
    return FileSigner(
        ec.derive_private_key(number, ec.SECP256R1()),
        TRUST_LISTS["main"].keys[USES[label]].certificate,
        (certificate(TOKENS["issuing"]),),
    )


def claims_of(vector: dict[str, Any]) -> Claims:
    claims = vector["claims"]
    return Claims(
        expires_at=datetime.fromisoformat(claims["expires_at"]),
        issued_at=datetime.fromisoformat(claims["issued_at"]),
        share_id=bytes.fromhex(claims["share_id"]),
        book_number=claims["book_number"],
        version=claims["version"],
        document_hash=bytes.fromhex(claims["document_hash"]),
        shown_name=claims["shown_name"],
        birth_year=claims["birth_year"],
        categories=tuple(claims["categories"]),
        verdict=claims["verdict"],
    )


def test_vectors_are_what_their_script_makes() -> None:
    made = runpy.run_path(str(VECTORS / "make.py"))["build"]()
    assert set(made) == {path.name for path in VECTORS.glob("*.json")}
    for name, text in made.items():
        assert (VECTORS / name).read_text() == text


@pytest.mark.parametrize("case", TOKENS["cases"], ids=lambda case: case["name"])
def test_token_gets_its_verdict_at_its_clock(case: dict[str, str]) -> None:
    now = datetime.fromisoformat(case["now"])
    check = check_token(case["token"], TRUST_LISTS[case["trust"]], now)
    assert check.outcome == case["outcome"]


def test_every_outcome_has_a_case() -> None:
    assert {case["outcome"] for case in TOKENS["cases"]} == set(TokenOutcome)
    names = [case["name"] for case in TOKENS["cases"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("vector", TOKENS["genuine"], ids=lambda vector: vector["name"])
def test_genuine_token_is_issued_and_read_as_written(vector: dict[str, Any]) -> None:
    claims = claims_of(vector)
    protected, payload = bytes.fromhex(vector["protected"]), bytes.fromhex(vector["payload"])
    assert to_be_signed(protected, payload).hex() == vector["sig_structure"]
    by = signer(vector["signer"])
    assert by.sign(bytes.fromhex(vector["sig_structure"])).hex() == vector["signature"]
    assert issue_token(by, claims) == vector["token"]
    check = check_token(vector["token"], TRUST_LISTS["main"], claims.issued_at)
    assert check.claims == claims
    assert share_id(vector["share"]) == claims.share_id


@pytest.mark.parametrize("vector", TOKENS["genuine"], ids=lambda vector: vector["name"])
def test_code_of_a_token_is_read_by_another_program(vector: dict[str, Any]) -> None:
    url = share_url("https://emk.example.ru", vector["share"], vector["token"])
    assert url == vector["url"]
    picture = Image.open(io.BytesIO(qr_png(url)))
    assert [
        code.text
        for code in zxingcpp.read_barcodes(
            picture, formats=zxingcpp.barcode_formats_from_str("QRCode")
        )
    ] == [url]
    modules = Image.open(io.BytesIO(qr_png(url, box=1))).convert("L")
    size = len(vector["code"])
    assert modules.size == (size, size)
    pixels = modules.tobytes()
    assert [
        "".join("." if pixels[size * y + x] else "#" for x in range(size)) for y in range(size)
    ] == vector["code"]


def test_document_has_its_bytes_hash_and_signature() -> None:
    raw = canonical(DOCUMENTS["document"])
    assert raw == DOCUMENTS["canonical"].encode()
    assert parse(raw) == DOCUMENTS["document"]
    assert sha256(raw).hex() == DOCUMENTS["sha256"]
    signature = sign_document(signer("book"), raw)
    assert signature.pack() == canonical(DOCUMENTS["signature"])
    assert DetachedSignature.unpack(canonical(DOCUMENTS["signature"])) == signature


def test_document_s_signature_is_valid_at_its_clock() -> None:
    raw, signed_at = DOCUMENTS["canonical"].encode(), DOCUMENTS["signed_at"]
    packed = canonical(DOCUMENTS["signature"])
    at = datetime.fromisoformat(signed_at)
    assert verify_document(raw, packed, TRUST_LISTS["main"], at).is_valid
    assert not verify_document(raw + b" ", packed, TRUST_LISTS["main"], at).is_valid
    assert not verify_document(raw, packed, TRUST_LISTS["empty"], at).is_valid


def test_sealed_values_open() -> None:
    key, place = bytes.fromhex(SEALING["key"]), SEALING["place"]
    blob = bytes.fromhex(SEALING["column"]["blob"])
    assert unseal(key, blob, place).decode() == SEALING["column"]["plaintext"]
    mark = SEALING["blind_index"]
    assert blind_index(key, mark["column"], mark["value"]) == mark["mark"]
    share = SEALING["share"]
    assert share_digest(share["share"]) == share["digest"]
    assert share_id(share["share"]).hex() == share["share_id"]


def test_sealed_file_opens() -> None:
    key, place = bytes.fromhex(SEALING["key"]), SEALING["place"]
    file = SEALING["file"]
    sealed: bytes = runpy.run_path(str(VECTORS / "make.py"))["sealed_file"]()
    assert hashlib.sha256(sealed).hexdigest() == file["sealed_sha256"]
    content = b"".join(unseal_stream(key, [sealed], place))
    assert content == bytes.fromhex(file["repeated"]) * 4096 + b"the end"
