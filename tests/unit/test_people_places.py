"""Postal addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.errors import Invalid, InvalidValue, Required, TooLong
from emk_app.domain.places import (
    POST_REGIONS,
    NoSuchPostalIndex,
    PostalAddress,
    parse_address_text,
    parse_postal_index,
)
from emk_app.domain.values import NotDigits, TooShort, UnexpectedCharacter, WrongLength

REGIONS = frozenset(str(region) for region in POST_REGIONS)
indexes = st.builds(
    lambda region, rest: f"{region}{rest:03}",
    st.sampled_from(POST_REGIONS),
    st.integers(0, 999),
)


@pytest.mark.parametrize("index", ["000000", "100999", "695000", "700000", "999999"])
def test_index_of_no_region_is_refused(index: str) -> None:
    with pytest.raises(NoSuchPostalIndex):
        parse_postal_index(index)


@pytest.mark.parametrize(
    ("index", "problem"), [("", Required), ("10901", WrongLength), ("1O9012", NotDigits)]
)
def test_index_is_six_digits(index: str, problem: type[InvalidValue]) -> None:
    with pytest.raises(problem):
        parse_postal_index(index)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Required),
        ("д. 5", TooShort),
        ("я" * 301, TooLong),
        ("г. Москва 🏠", UnexpectedCharacter),
        ("<b>Москва</b>", UnexpectedCharacter),
    ],
)
def test_address_has_five_to_three_hundred_plain_characters(
    text: str, problem: type[InvalidValue]
) -> None:
    with pytest.raises(problem):
        parse_address_text(text)


def test_both_fields_are_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        PostalAddress.parse(index="12", text="")
    assert {field: type(error) for field, error in caught.value.fields.items()} == {
        "index": WrongLength,
        "text": Required,
    }


def test_address_stands_on_one_line_after_its_index() -> None:
    address = PostalAddress.parse(
        index="109 012", text="г. Москва,\n ул. Ильинка,\u00a0д. 3/8, стр. 5, кв. «А» — №2"
    )
    assert str(address) == "109012, г. Москва, ул. Ильинка, д. 3/8, стр. 5, кв. «А» - №2"
    assert repr(address) == "PostalAddress(109***)"


def test_index_repeated_in_the_address_is_not_doubled() -> None:
    address = PostalAddress.parse(index="109012", text="109012, г. Москва, ул. Ильинка, д. 3")
    assert address.text == "г. Москва, ул. Ильинка, д. 3"


@given(indexes)
def test_every_index_in_use_is_read(index: str) -> None:
    assert parse_postal_index(f" {index[:3]}\u00a0{index[3:]} ") == index


@given(st.from_regex(r"[0-9]{6}", fullmatch=True).filter(lambda text: text[:3] not in REGIONS))
def test_no_other_index_is_read(index: str) -> None:
    with pytest.raises(NoSuchPostalIndex):
        parse_postal_index(index)


@given(st.text("абвгдеёАБВЁ0123456789.,-/ №", min_size=5, max_size=300))
def test_read_address_reads_as_itself(text: str) -> None:
    try:
        line = parse_address_text(text)
    except (Required, TooShort):
        assert len(" ".join(text.split())) < 5
    else:
        assert parse_address_text(line) == line
