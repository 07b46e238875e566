"""Phones, e-mail addresses and logins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.contacts import (
    Email,
    Login,
    LoginKind,
    MixedAlphabets,
    NotALogin,
    NotAnEmail,
    NotAPhone,
    NotMobile,
    Phone,
    PhoneLength,
)
from emk_app.domain.errors import Required, TooLong
from emk_app.domain.numbers import WrongCheckDigit
from emk_app.domain.values import NotDigits, UnexpectedCharacter

ranges = st.sampled_from(["903", "912", "916", "921", "926", "985", "999"])
mobiles = st.builds(lambda code, rest: f"{code}{rest:07}", ranges, st.integers(0, 9_999_999))


@pytest.mark.parametrize(
    "text", ["+7 000 000-00-00", "+7 123 456-78-90", "+", "()", "+8 912 345 67 89"]
)
def test_number_nobody_has_is_refused(text: str) -> None:
    with pytest.raises(NotAPhone):
        Phone.parse(text)


@pytest.mark.parametrize(
    ("text", "found"), [("+7 912 345-67-8", 9), ("8 912 345 67 8", 9), ("+7 912 345-67-890", 11)]
)
def test_lost_or_extra_digit_is_counted(text: str, found: int) -> None:
    with pytest.raises(PhoneLength) as caught:
        Phone.parse(text)
    assert caught.value.found == found


@pytest.mark.parametrize(
    "text", ["8 800 FLOWERS", "+7 912 345-67-8\uff19", "8912345678\u0669", "+7912*3456789"]
)
def test_only_digits_make_a_phone(text: str) -> None:
    with pytest.raises(NotDigits):
        Phone.parse(text)


@pytest.mark.parametrize("text", ["8 495 123-45-67", "8 800 555-35-35"])
def test_line_and_service_numbers_get_no_sms(text: str) -> None:
    assert Phone.parse(text)
    with pytest.raises(NotMobile):
        Phone.parse_mobile(text)


@pytest.mark.parametrize(
    "text",
    [
        "+7 912 345-67-89",
        "8 (912) 345‑67‑89",
        "8 912 345 67 89",
        "9123456789",
        "79123456789",
        "\u202a+7\u00a0912\u00a0345\u00a067\u00a089\u202c",
        "+7.912.345.67.89",
    ],
)
def test_one_phone_in_many_spellings(text: str) -> None:
    phone = Phone.parse_mobile(text)
    assert phone.e164 == "+79123456789"
    assert str(phone) == "+7 912 345-67-89"
    assert phone.masked == "+7 *** ***-67-89"
    assert repr(phone) == "Phone(+7 *** ***-67-89)"


def test_foreign_phone_needs_its_plus() -> None:
    phone = Phone.parse_mobile("+375 29 123-45-67")
    assert phone.e164 == "+375291234567"
    assert phone.masked == "+375 ** ***-45-67"


@given(mobiles)
def test_shown_phone_reads_as_itself(national: str) -> None:
    phone = Phone.parse(f"8{national}")
    assert phone.e164 == f"+7{national}"
    assert Phone.parse(str(phone)) == Phone.parse(phone.e164) == phone
    assert national[:6] not in phone.masked.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "ivan",
        "@example.ru",
        "ivan@",
        "ivan@ru",
        "ivan@@example.ru",
        "i@van@example.ru",
        ".ivan@example.ru",
        "iv..an@example.ru",
        "ivan@example..ru",
        "ivan@-example.ru",
        "ivan@127.0.0.1",
        "ivan@xn--.ru",
        "ivan@" + "a" * 64 + ".ru",
        "a" * 65 + "@example.ru",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(NotAnEmail):
        Email.parse(text)


@pytest.mark.parametrize("character", [" ", ",", "<", '"', "\\", "(", ";", "ą", "你", "😀"])
def test_sign_that_addresses_never_have_is_named(character: str) -> None:
    with pytest.raises(UnexpectedCharacter) as caught:
        Email.parse(f"iv{character}an@example.ru")
    assert caught.value.character == character


@pytest.mark.parametrize("text", ["\u0430nna@example.ru", "anna@ex\u0430mple.ru"])
def test_look_alike_of_the_other_alphabet_is_named(text: str) -> None:
    with pytest.raises(MixedAlphabets) as caught:
        Email.parse(text)
    assert caught.value.letter == "\u0430"


def test_address_has_at_most_254_characters() -> None:
    with pytest.raises(TooLong):
        Email.parse("a@" + "b." * 130 + "ru")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Ivan.Petrov+emk@Example.RU ", "ivan.petrov+emk@example.ru"),
        ("ИВАН@Почта.РФ", "иван@почта.рф"),
        ("ivan@XN--80A1ACNY.xn--p1ai", "ivan@почта.рф"),
        ("ivan@почта.ru", "ivan@почта.ru"),
        ("андреи\u0306@почта.рф", "андрей@почта.рф"),
        ("müller@straße.de", "müller@strasse.de"),
    ],
)
def test_spellings_of_one_mailbox_are_equal(text: str, address: str) -> None:
    email = Email.parse(text)
    assert email.address == address
    assert Email.parse(str(email)) == Email.parse(email.ascii) == email


def test_envelope_and_mask_of_a_russian_address() -> None:
    email = Email.parse("иван@почта.рф")
    assert email.ascii == "иван@xn--80a1acny.xn--p1ai"
    assert email.masked == "и***@почта.рф"
    assert repr(email) == "Email(и***@почта.рф)"


@given(
    st.from_regex(r"[a-z0-9]([a-z0-9._+-]?[a-z0-9]){0,10}", fullmatch=True),
    st.from_regex(r"([a-z0-9]{1,8}\.){1,3}[a-z]{2,6}", fullmatch=True),
)
def test_latin_address_keeps_its_letters_in_any_case(local: str, domain: str) -> None:
    assert Email.parse(f"{local}@{domain}".upper()).address == f"{local}@{domain}"


@pytest.mark.parametrize(
    ("text", "digits"),
    [("ivanova", 0), ("Иванова Мария", 0), ("12345", 5), ("50010073225", 11), ("7707083893", 10)],
)
def test_login_is_one_of_three_things(text: str, digits: int) -> None:
    with pytest.raises(NotALogin) as caught:
        Login.parse(text)
    assert caught.value.digits == digits


def test_login_of_a_known_kind_tells_the_problem_of_that_kind() -> None:
    with pytest.raises(Required):
        Login.parse(" ")
    with pytest.raises(WrongCheckDigit):
        Login.parse("500100732258")
    with pytest.raises(NotAnEmail):
        Login.parse("ivan@example")
    with pytest.raises(NotMobile):
        Login.parse("8 495 123-45-67")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("8 (912) 345-67-89", LoginKind.PHONE, "+79123456789"),
        ("+375 29 123-45-67", LoginKind.PHONE, "+375291234567"),
        ("Ivan@Example.ru", LoginKind.EMAIL, "ivan@example.ru"),
        ("5001 0073 2259", LoginKind.INN, "500100732259"),
    ],
)
def test_login_knows_its_kind(text: str, kind: LoginKind, value: str) -> None:
    login = Login.parse(text)
    assert (login.kind, login.value) == (kind, value)
    assert Login.parse(str(login)) == login
    assert value not in repr(login)
