"""One-time codes: each once, one step of drift, six ASCII digits."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.crypto.totp import STEP, accept, new_secret, provisioning_uri

# The key of RFC 6238, appendix B, and the last six digits of its values.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_CODES = {
    59: "287082",
    1_111_111_109: "081804",
    1_111_111_111: "050471",
    1_234_567_890: "005924",
    2_000_000_000: "279037",
    20_000_000_000: "353130",
}


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "0",
        "28708",
        "2870820",
        "28708a",
        "-28708",
        "+28708",
        "\uff12\uff18\uff17\uff10\uff18\uff12",
        "٢٨٧٠٨٢",
        "287 08",
        "½87082",
    ],
)
def test_what_is_not_six_digits_is_refused(code: str) -> None:
    assert accept(RFC_SECRET, code, at(59), None) is None


@given(st.text())
def test_any_other_text_is_refused(code: str) -> None:
    if "".join(code.split()) not in {"287082", "755224", "359152"}:
        assert accept(RFC_SECRET, code, at(59), None) is None


def test_code_is_refused_the_second_time() -> None:
    counter = accept(RFC_SECRET, "287082", at(59), None)
    assert counter == 1
    assert accept(RFC_SECRET, "287082", at(59), counter) is None


def test_earlier_code_is_refused_after_a_later_one() -> None:
    assert accept(RFC_SECRET, "287082", at(59), last_counter=2) is None


@pytest.mark.parametrize("drift", [-2 * STEP, 2 * STEP])
def test_code_of_two_steps_away_is_refused(drift: int) -> None:
    assert accept(RFC_SECRET, "081804", at(1_111_111_109 + drift), None) is None


def test_moment_without_a_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="zone"):
        accept(RFC_SECRET, "287082", at(59).replace(tzinfo=None), None)


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES.items())
def test_codes_of_the_rfc_are_accepted(seconds: int, code: str) -> None:
    assert accept(RFC_SECRET, code, at(seconds), None) == seconds // STEP


@pytest.mark.parametrize("drift", [-STEP, 0, STEP])
def test_code_of_the_next_and_the_last_step_is_accepted(drift: int) -> None:
    counter = 1_111_111_109 // STEP
    assert accept(RFC_SECRET, "081804", at(1_111_111_109 + drift), None) == counter


def test_spaces_in_a_code_do_not_matter() -> None:
    assert accept(RFC_SECRET, " 287\u00a0082 ", at(59), None) == 1


def test_moment_may_be_in_any_zone() -> None:
    moscow = at(59).astimezone(tz=None) + timedelta(0)
    assert accept(RFC_SECRET, "287082", moscow, None) == 1


def test_secrets_have_160_bits_and_differ() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(base64.b32decode(secret)) for secret in secrets} == {20}


def test_authenticator_reads_the_address() -> None:
    address = urlsplit(provisioning_uri(RFC_SECRET, "ivanova@example.ru"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == "/ЭМК Онлайн:ivanova@example.ru"
    assert parse_qs(address.query) == {"secret": [RFC_SECRET], "issuer": ["ЭМК Онлайн"]}
