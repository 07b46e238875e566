"""Random tokens and share links: strict in, digests in the database."""

from __future__ import annotations

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.crypto.tokens import (
    digest,
    keyed_digest,
    new_share,
    new_token,
    numeric_code,
    parse_share,
    same,
    share_digest,
    share_id,
)

SHARE = "MFRGGZDFMZTWQ2LKNNWG23TPOA"


@pytest.mark.parametrize(
    "text",
    [
        "",
        SHARE[:-1],
        SHARE + "A",
        SHARE + "\n",
        " " + SHARE[1:],
        SHARE + "======",
        SHARE[:-1] + "B",  # a spare bit set
        SHARE[:-1] + "7",
        "1" + SHARE[1:],
        "0" + SHARE[1:],
        "А" + SHARE[1:],
        "\u0131" + SHARE[1:],
        "\u017f" + SHARE[1:],
        "ﬀ" + SHARE[2:],
        "../../../../../etc/passwd1",
    ],
)
def test_what_is_not_a_share_is_refused(text: str) -> None:
    assert parse_share(text) is None
    with pytest.raises(ValueError, match="share"):
        share_digest(text)


@given(st.text(min_size=26, max_size=26))
def test_any_text_of_the_right_length_raises_nothing(text: str) -> None:
    share = parse_share(text)
    assert share is None or share == text.upper()


def test_every_other_last_character_is_refused() -> None:
    accepted = {last for last in string.printable if parse_share("A" * 25 + last) is not None}
    assert accepted == set("AEIMQUY4aeimquy")


def test_new_shares_are_canonical_and_differ() -> None:
    shares = {new_share() for _ in range(200)}
    assert len(shares) == 200
    assert all(parse_share(share) == share for share in shares)


def test_share_is_read_in_any_case() -> None:
    assert parse_share(SHARE.lower()) == SHARE
    assert share_digest(SHARE.lower()) == share_digest(SHARE)


def test_share_id_is_the_beginning_of_its_digest() -> None:
    assert share_digest(SHARE) == hashlib.sha256(SHARE.encode()).hexdigest()
    assert share_id(SHARE).hex() == share_digest(SHARE)[:20]


def test_tokens_have_256_bits_and_differ() -> None:
    tokens = {new_token() for _ in range(200)}
    assert len(tokens) == 200
    assert {len(token) for token in tokens} == {43}


def test_digest_of_one_purpose_is_not_that_of_another() -> None:
    assert digest("token", "session") != digest("token", "reset")
    assert digest("token", "session") == hashlib.sha256(b"session:token").hexdigest()
    with pytest.raises(ValueError, match="colon"):
        digest("token", "session:x")


def test_keyed_digest_depends_on_key_text_and_purpose() -> None:
    marks = {
        keyed_digest(key, text, purpose)
        for key in (b"k" * 32, b"l" * 32)
        for text in ("123456", "123457")
        for purpose in ("sms", "state")
    }
    assert len(marks) == 8


def test_comparison_takes_any_text() -> None:
    assert same("ёж", "ёж")
    assert not same("ёж", "еж")
    assert not same("", "a")


def test_numeric_codes_keep_leading_zeros() -> None:
    codes = [numeric_code() for _ in range(500)]
    assert all(len(code) == 6 and code.isascii() and code.isdigit() for code in codes)
    assert any(code.startswith("0") for code in codes)
