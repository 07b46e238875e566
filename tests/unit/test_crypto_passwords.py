"""Passwords: right ones pass, everything else costs the same and says no."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from passlib.hash import argon2

from emk_app.crypto.passwords import MAX_PASSWORD, hash_password, verify_password
from emk_app.domain.errors import InvalidValue, TooLong

PASSWORD = "верный конь батарейка скоба"
STORED = hash_password(PASSWORD)


@pytest.mark.parametrize(
    "wrong",
    ["", " ", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), "я" * 129, "я" * 100_000, "\ud800"],
)
def test_wrong_password_is_refused(wrong: str) -> None:
    check = verify_password(wrong, STORED)
    assert not check.ok
    assert not check.needs_rehash


def test_unknown_user_is_refused() -> None:
    assert not verify_password(PASSWORD, None).ok


@pytest.mark.parametrize(
    "broken",
    ["", "plain text", PASSWORD, STORED[:-8], STORED[:40], "$argon2id$"],
    ids=["empty", "text", "password", "end cut", "middle cut", "name only"],
)
def test_broken_hash_is_refused(broken: str) -> None:
    assert not verify_password(PASSWORD, broken).ok


def test_too_long_password_is_not_hashed() -> None:
    with pytest.raises(TooLong) as refusal:
        hash_password("я" * (MAX_PASSWORD + 1))
    assert refusal.value.limit == MAX_PASSWORD


def test_text_that_is_not_unicode_is_not_hashed() -> None:
    with pytest.raises(InvalidValue):
        hash_password("\udfff" * 12)


def test_right_password_passes() -> None:
    check = verify_password(PASSWORD, STORED)
    assert check.ok
    assert not check.needs_rehash


def test_longest_password_counts_to_its_last_character() -> None:
    stored = hash_password("ё" * MAX_PASSWORD)
    assert verify_password("ё" * MAX_PASSWORD, stored).ok
    assert not verify_password("ё" * (MAX_PASSWORD - 1) + "е", stored).ok


def test_letters_of_two_code_points_are_the_same_password() -> None:
    assert verify_password("е\u0308лка и и\u0306од", hash_password("ёлка и йод")).ok


def test_same_password_never_has_the_same_hash() -> None:
    assert hash_password(PASSWORD) != STORED


def test_hash_names_the_cost_of_owasp() -> None:
    assert STORED.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_cheaper_hash_passes_and_asks_to_be_renewed() -> None:
    cheap = argon2.using(memory_cost=1024, time_cost=1, parallelism=1).hash(PASSWORD)
    check = verify_password(PASSWORD, cheap)
    assert check.ok
    assert check.needs_rehash
    assert not verify_password("wrong", cheap).needs_rehash


def test_more_callers_than_turns_are_all_served() -> None:
    with ThreadPoolExecutor(12) as pool:
        checks = list(pool.map(lambda _: verify_password(PASSWORD, STORED).ok, range(12)))
    assert checks == [True] * 12
