"""Our codes before other people's libraries: what is genuine passes there, what is changed fails.

The libraries read loosely where we read strictly (another way to write the same bytes, the twin of
a signature), so that only the refusals that are about signatures are asked of them.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cwt import COSE, COSEKey

from emk_app.crypto import trustlist
from emk_app.crypto.cose import Claims, TokenOutcome, check_token, issue_token
from emk_app.crypto.keystore import Keystore

Judge = Callable[[dict[str, Any]], dict[str, Any]]

VECTORS = Path(__file__).parents[1] / "vectors"
TOKENS: dict[str, Any] = json.loads((VECTORS / "tokens.json").read_text())
CHANGES = 200
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
BOOK = "-70001"


def bytes_of(token: str) -> bytes:
    return base64.b32decode(token + "=" * (-len(token) % 8))


def text_of(raw: bytes) -> str:
    return base64.b32encode(raw).rstrip(b"=").decode()


def keys_of(trust: str) -> list[dict[str, Any]]:
    return [
        key["jwk"] | {"kid": key["kid"]}
        for key in TOKENS["trust_lists"][trust]["keys"]
        if (key["use"], key["status"]) != ("qr", "compromised")
    ]


def asked_about(cases: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "tokens": [
            {"bytes": bytes_of(case["token"]).hex(), "keys": keys_of(case["trust"])}
            for case in cases
        ]
    }


def test_what_we_call_genuine_others_verify_and_read_the_same(judge: Judge) -> None:
    cases = [case for case in TOKENS["cases"] if case["outcome"] in ("genuine", "expired")]
    found = judge(asked_about(cases))["tokens"]
    assert all(found), [case["name"] for case, said in zip(cases, found, strict=True) if not said]
    vectors = TOKENS["genuine"]
    read = judge(asked_about([{"token": each["token"], "trust": "main"} for each in vectors]))
    for vector, said in zip(vectors, read["tokens"], strict=True):
        claims = vector["claims"]
        assert said["4"] == datetime.fromisoformat(claims["expires_at"]).timestamp()
        assert said["6"] == datetime.fromisoformat(claims["issued_at"]).timestamp()
        assert said["7"] == claims["share_id"]
        names = ("book_number", "version", "document_hash", "shown_name", "birth_year")
        expected = [claims[name] for name in (*names, "categories", "verdict")]
        assert said[BOOK] == expected, vector["name"]


def test_what_is_signed_by_another_or_changed_others_refuse_too(judge: Judge) -> None:
    lenient = {"twin signature"}
    refused = {"not_genuine", "unknown_key"}
    cases = [
        case
        for case in TOKENS["cases"]
        if case["outcome"] in refused - {"unknown_key"} and case["name"] not in lenient
    ] + [case for case in TOKENS["cases"] if case["name"] == "kid of a stranger"]
    assert len(cases) > 5
    found = judge(asked_about(cases))["tokens"]
    passed = [case["name"] for case, said in zip(cases, found, strict=True) if said]
    assert passed == []


def test_200_changes_of_one_byte_are_200_refusals_here_and_there(
    judge: Judge, tmp_path: Path
) -> None:
    store = Keystore.create(tmp_path / "keys", NOW - timedelta(days=1))
    signer = store.qr_signer
    claims = Claims(
        expires_at=NOW + timedelta(days=30),
        issued_at=NOW,
        share_id=b"0123456789",
        book_number="770100001226",
        version=3,
        document_hash=b"\x07" * 32,
        shown_name="Иванова М. С.",
        birth_year=1990,
        categories=(23,),
        verdict=0,
    )
    raw = bytes_of(issue_token(signer, claims))
    numbers: Any = signer.certificate.public_key()
    point = numbers.public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "kid": signer.key_id.hex(), "alg": "ES256"} | {
        name: base64.urlsafe_b64encode(value.to_bytes(32, "big")).rstrip(b"=").decode()
        for name, value in (("x", point.x), ("y", point.y))
    }
    pem = numbers.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    own = COSEKey.from_pem(pem, kid=signer.key_id, alg="ES256")
    dice = random.Random(20261126)
    changed: list[bytes] = []
    for _ in range(CHANGES):
        place = dice.randrange(len(raw))
        other = raw[place] ^ dice.randrange(1, 256)
        changed.append(raw[:place] + bytes((other,)) + raw[place + 1 :])
    assert check_token(text_of(raw), store.trust_list, NOW).outcome is TokenOutcome.GENUINE
    for each in changed:
        assert not check_token(text_of(each), store.trust_list, NOW).is_genuine, each.hex()
    # Tag, array and empty header before and after what is signed may be written in other ways.
    signed = [each for each in changed if each[:3] == raw[:3] and each[16] == raw[16]]
    asked = [{"bytes": each.hex(), "keys": [jwk]} for each in (raw, *signed)]
    first, *others = judge({"tokens": asked})["tokens"]
    assert first is not None and first["7"] == claims.share_id.hex()
    assert len(others) > CHANGES * 0.9 and not any(others)
    assert COSE.new().decode(raw, own)
    for each in signed:
        with pytest.raises(Exception, match=r"."):
            COSE.new().decode(each, own)


def test_published_list_of_keys_is_read_by_jose_and_a_changed_one_is_not(
    judge: Judge, tmp_path: Path
) -> None:
    store = Keystore.create(tmp_path / "keys", NOW - timedelta(days=1))
    published: dict[str, str] = json.loads(
        trustlist.publish(store.list_signer, store.trust_list, 7, NOW)
    )
    general = trustlist.jwk_set(store.trust_list, with_compromised=False)
    own = {"keys": [key for key in general["keys"] if key["purpose"] == "list"]}
    others = {"keys": [key for key in general["keys"] if key["purpose"] != "list"]}
    payload = published["payload"]
    changed = payload[:40] + ("A" if payload[40] != "A" else "B") + payload[41:]
    good, *refused = judge(
        {
            "lists": [
                {"jws": published, "jwks": own},
                {"jws": published | {"payload": changed}, "jwks": own},
                {"jws": published | {"signature": published["signature"][::-1]}, "jwks": own},
                {"jws": published, "jwks": others},
            ]
        }
    )["lists"]
    assert good is not None and good["version"] == 7
    assert {key["kid"] for key in good["keys"]} == {
        key.key_id.hex() for key in store.trust_list.keys
    }
    assert refused == [None, None, None]
