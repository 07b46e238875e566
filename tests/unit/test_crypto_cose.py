"""The signed code: one way to write it, nothing said before the signature is proved."""

from __future__ import annotations

import base64
import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cwt import COSE, COSEKey
from hypothesis import given
from hypothesis import strategies as st

from emk_app.crypto import certificates
from emk_app.crypto.cose import (
    MAX_TOKEN,
    SKEW,
    Claims,
    TokenCheck,
    TokenOutcome,
    check_token,
    issue_token,
    latest_expiry,
)
from emk_app.crypto.signing import FileSigner, KeyStatus, KeyUse, TrustedKey, TrustList
from emk_app.crypto.tokens import new_share, share_id

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

ROOT_KEY, SIGNER_KEY = certificates.new_key(), certificates.new_key()
ROOT = certificates.root_certificate(ROOT_KEY, NOW)
SIGNER = FileSigner(
    SIGNER_KEY,
    certificates.signer_certificate(
        certificates.QR_NAME, SIGNER_KEY.public_key(), ROOT, ROOT_KEY, NOW
    ),
)
CLAIMS = Claims(
    expires_at=NOW + timedelta(days=365),
    issued_at=NOW,
    share_id=share_id(new_share()),
    book_number="7707000000123",
    version=3,
    document_hash=bytes(range(32)),
    shown_name="Иванова М. С.",
    birth_year=1990,
    categories=(23, 25),
    verdict=1,
)


def trust_of(
    status: KeyStatus = KeyStatus.ACTIVE, use: KeyUse = KeyUse.QR, until: datetime | None = None
) -> TrustList:
    certificate = SIGNER.certificate
    until = until or certificate.not_valid_after_utc
    key = TrustedKey(certificate, use, status, certificate.not_valid_before_utc, until)
    return TrustList((key,), (ROOT,))


TRUST = trust_of()
TOKEN = issue_token(SIGNER, CLAIMS)


def raw(token: str) -> bytes:
    return base64.b32decode(token + "=" * (-len(token) % 8))


def said(**changes: Any) -> Claims:
    return dataclasses.replace(CLAIMS, **changes)


def outcome(token: str, trust: TrustList = TRUST, now: datetime = NOW) -> TokenOutcome:
    check = check_token(token, trust, now)
    proved = check.outcome in (TokenOutcome.EXPIRED, TokenOutcome.GENUINE)
    assert (check.claims is not None) == proved
    assert check.is_genuine == (check.outcome is TokenOutcome.GENUINE)
    return check.outcome


def test_every_other_character_anywhere_is_refused() -> None:
    for place, letter in enumerate(TOKEN):
        for other in ALPHABET.replace(letter, ""):
            changed = TOKEN[:place] + other + TOKEN[place + 1 :]
            assert check_token(changed, TRUST, NOW).claims is None


def test_every_swap_of_neighbours_is_refused() -> None:
    for place in range(len(TOKEN) - 1):
        one, other = TOKEN[place : place + 2]
        if one != other:
            changed = TOKEN[:place] + other + one + TOKEN[place + 2 :]
            assert check_token(changed, TRUST, NOW).claims is None


def test_every_cut_is_malformed() -> None:
    for length in range(len(TOKEN)):
        assert outcome(TOKEN[:length]) is TokenOutcome.MALFORMED
        assert outcome(TOKEN[length + 1 :]) is TokenOutcome.MALFORMED


def test_every_addition_is_malformed() -> None:
    for letter in ALPHABET + "=abc19 \n\0":
        assert outcome(TOKEN + letter) is TokenOutcome.MALFORMED
        assert outcome(letter + TOKEN) is TokenOutcome.MALFORMED


@given(st.text())
def test_any_text_is_malformed(text: str) -> None:
    assert check_token(text, TRUST, NOW) == TokenCheck(TokenOutcome.MALFORMED)


@given(st.binary(max_size=MAX_TOKEN))
def test_any_bytes_are_malformed(content: bytes) -> None:
    text = base64.b32encode(content).rstrip(b"=").decode()
    assert outcome(text) is TokenOutcome.MALFORMED


@given(st.data())
def test_any_payload_under_a_false_signature_says_nothing(data: st.DataObject) -> None:
    payload = data.draw(st.binary(max_size=300))
    protected = cbor2.dumps({1: -7, 4: SIGNER.key_id}, canonical=True)
    token = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, bytes(64)]))
    check = check_token(base64.b32encode(token).rstrip(b"=").decode(), TRUST, NOW)
    assert check.claims is None


def test_key_decides_before_the_signature_and_the_signature_before_the_term() -> None:
    late = CLAIMS.expires_at
    signature = raw(TOKEN)[-1]
    broken = base64.b32encode(raw(TOKEN)[:-1] + bytes((signature ^ 1,))).rstrip(b"=").decode()
    empty = TrustList((), (ROOT,))
    assert outcome(broken[:-1], empty, late) is TokenOutcome.MALFORMED
    assert outcome(broken, empty, late) is TokenOutcome.UNKNOWN_KEY
    assert outcome(broken, trust_of(use=KeyUse.BOOK), late) is TokenOutcome.UNKNOWN_KEY
    compromised = trust_of(KeyStatus.COMPROMISED)
    assert outcome(broken, compromised, late) is TokenOutcome.KEY_WITHDRAWN
    assert outcome(broken, TRUST, late) is TokenOutcome.NOT_GENUINE
    assert outcome(TOKEN, TRUST, late) is TokenOutcome.EXPIRED
    assert outcome(TOKEN) is TokenOutcome.GENUINE


def test_token_ends_at_the_second_of_exp() -> None:
    assert outcome(TOKEN, now=CLAIMS.expires_at - SECOND) is TokenOutcome.GENUINE
    assert outcome(TOKEN, now=CLAIMS.expires_at) is TokenOutcome.EXPIRED
    assert outcome(TOKEN, now=CLAIMS.expires_at + SECOND) is TokenOutcome.EXPIRED


def test_token_from_the_future_is_not_genuine_yet() -> None:
    assert outcome(TOKEN, now=NOW - SKEW) is TokenOutcome.GENUINE
    check = check_token(TOKEN, TRUST, NOW - SKEW - SECOND)
    assert check.outcome is TokenOutcome.EXPIRED
    assert check.claims == CLAIMS


def test_token_issued_after_its_key_retired_is_withdrawn() -> None:
    assert outcome(TOKEN, trust_of(KeyStatus.RETIRED, until=NOW)) is TokenOutcome.GENUINE
    retired = trust_of(KeyStatus.RETIRED, until=NOW - SECOND)
    assert outcome(TOKEN, retired) is TokenOutcome.KEY_WITHDRAWN


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": NOW},
        {"expires_at": NOW - SECOND},
        {"expires_at": latest_expiry(SIGNER) + SECOND},
        {"issued_at": NOW - timedelta(hours=1, seconds=1)},
        {"share_id": bytes(9)},
        {"share_id": bytes(16)},
        {"book_number": ""},
        {"book_number": "7" * 41},
        {"book_number": "77\n07"},
        {"version": -1},
        {"version": 2**31},
        {"document_hash": bytes(31)},
        {"document_hash": bytes(64)},
        {"shown_name": ""},
        {"shown_name": "И" * 81},
        {"shown_name": "Ие\u0308лкина"},
        {"shown_name": "Иванова\u202eМ. С."},
        {"birth_year": -1},
        {"birth_year": 10_000},
        {"categories": (-1,)},
        {"categories": tuple(range(33))},
        {"categories": (65_536,)},
        {"verdict": 256},
        {"verdict": -1},
    ],
)
def test_impossible_claims_are_not_issued(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        issue_token(SIGNER, said(**changes))


def test_moment_without_a_zone_is_not_issued() -> None:
    with pytest.raises(TypeError):
        issue_token(SIGNER, said(expires_at=CLAIMS.expires_at.replace(tzinfo=None)))


def test_genuine_token_says_its_claims() -> None:
    assert check_token(TOKEN, TRUST, NOW) == TokenCheck(TokenOutcome.GENUINE, CLAIMS, SIGNER.key_id)


def test_anonymous_token_says_neither_name_nor_year() -> None:
    anonymous = said(shown_name=None, birth_year=None)
    token = issue_token(SIGNER, anonymous)
    assert check_token(token, TRUST, NOW).claims == anonymous
    assert "Иванова".encode() not in raw(token)
    assert len(token) < len(TOKEN)


def test_token_is_short_enough_for_its_code() -> None:
    assert len(raw(TOKEN)) <= 200


@given(
    st.builds(
        Claims,
        expires_at=st.integers(1, 600 * 86_400).map(lambda s: NOW + s * SECOND),
        issued_at=st.integers(-3600, 0).map(lambda s: NOW + s * SECOND),
        share_id=st.binary(min_size=10, max_size=10),
        book_number=st.text("0123456789-АЯ", min_size=1, max_size=40),
        version=st.integers(0, 2**31 - 1),
        document_hash=st.binary(min_size=32, max_size=32),
        shown_name=st.none() | st.text("АБЁёйъ. -'", min_size=1, max_size=80),
        birth_year=st.none() | st.integers(0, 9999),
        categories=st.lists(st.integers(0, 65_535), max_size=32).map(tuple),
        verdict=st.integers(0, 255),
    )
)
def test_any_possible_claims_come_back(claims: Claims) -> None:
    token = issue_token(SIGNER, claims)
    assert check_token(token, TRUST, NOW) == TokenCheck(TokenOutcome.GENUINE, claims, SIGNER.key_id)
    decoded = cbor2.loads(raw(token))
    assert cbor2.dumps(decoded, canonical=True) == raw(token)
    payload = cbor2.loads(decoded.value[2])
    assert cbor2.dumps(payload, canonical=True) == decoded.value[2]


def test_fractions_of_a_second_are_dropped() -> None:
    fraction = timedelta(microseconds=999_999)
    token = issue_token(SIGNER, said(issued_at=NOW + fraction))
    assert check_token(token, TRUST, NOW).claims == CLAIMS


def oracle_key(signing: bool) -> Any:
    pem = (
        SIGNER_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        if signing
        else SIGNER_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return COSEKey.from_pem(pem, kid=SIGNER.key_id, alg="ES256")


def test_python_cwt_accepts_our_token_and_reads_the_same() -> None:
    payload = COSE.new().decode(raw(TOKEN), oracle_key(signing=False))
    claims = cbor2.loads(payload)
    assert claims == {
        4: int(CLAIMS.expires_at.timestamp()),
        6: int(CLAIMS.issued_at.timestamp()),
        7: CLAIMS.share_id,
        -70001: [
            "7707000000123", 3, bytes(range(32)), "Иванова М. С.", 1990, [23, 25], 1
        ],
    }  # fmt: skip


def test_python_cwt_refuses_our_token_once_changed() -> None:
    for place in range(len(raw(TOKEN)) - 64, len(raw(TOKEN))):
        changed = bytearray(raw(TOKEN))
        changed[place] ^= 1
        with pytest.raises(Exception, match="verify"):
            COSE.new().decode(bytes(changed), oracle_key(signing=False))


def test_token_of_python_cwt_is_genuine_once_its_s_is_low() -> None:
    payload = cbor2.loads(raw(TOKEN)).value[2]
    outcomes: set[TokenOutcome] = set()
    for _ in range(40):
        made = COSE.new().encode(
            payload, oracle_key(signing=True), protected={1: -7, 4: SIGNER.key_id}, unprotected={}
        )
        outcomes.add(outcome(base64.b32encode(made).rstrip(b"=").decode()))
    assert outcomes == {TokenOutcome.GENUINE, TokenOutcome.NOT_GENUINE}
