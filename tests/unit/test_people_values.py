"""Reading a field: what is forgiven, what is refused, and how a form's problems are collected."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.errors import Invalid, InvalidValue, Required, TooLong
from emk_app.domain.values import (
    NotDigits,
    Problems,
    UnexpectedCharacter,
    WrongLength,
    one_line,
    read_digits,
)


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x7f", "\ud800", "\ue000", "\U0010ffff"])
def test_control_and_unassigned_characters_are_refused(character: str) -> None:
    with pytest.raises(UnexpectedCharacter) as caught:
        one_line(f"ab{character}c", 10)
    assert caught.value.character == character


def test_too_long_text_is_refused_before_it_is_normalised() -> None:
    with pytest.raises(TooLong) as caught:
        one_line("a" + "\u0315\u0300" * 5_000_000, 60)
    assert caught.value.limit == 60


def test_limit_is_inclusive() -> None:
    assert one_line("я" * 60, 60) == "я" * 60
    with pytest.raises(TooLong):
        one_line("я" * 61, 60)


def test_pasted_text_loses_invisible_marks_and_needless_blanks() -> None:
    assert one_line("\ufeff \u202aул.\u00a0Мира,\t\n д.\u200b 5\u202c ", 60) == "ул. Мира, д. 5"


def test_letters_typed_in_two_parts_become_one() -> None:
    assert one_line("Андреи\u0306 Королё\u200dв е\u0308", 60) == "Андрей Королёв ё"


@given(st.text(max_size=80))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    try:
        line = one_line(text, 200)
    except InvalidValue:
        return
    assert one_line(line, 200) == line
    assert unicodedata.is_normalized("NFC", line)
    assert line == line.strip()


@pytest.mark.parametrize("empty", ["", "  ", "\u00a0", "—", "\u200b"])
def test_number_without_digits_is_asked_for(empty: str) -> None:
    with pytest.raises(Required):
        read_digits(empty)


@pytest.mark.parametrize("digit", ["\u0663", "\u0969", "\uff13", "²", "Ⅳ", "\U0001d7d9", "O", "З"])
def test_digits_of_other_scripts_and_look_alikes_are_named(digit: str) -> None:
    with pytest.raises(NotDigits) as caught:
        read_digits(f"12{digit}4")
    assert caught.value.character == digit


def test_wrong_length_tells_what_was_found_and_what_exists() -> None:
    with pytest.raises(WrongLength) as caught:
        read_digits("123", 10, 12)
    assert (caught.value.found, caught.value.expected) == (3, (10, 12))


@given(st.text("0123456789", min_size=1, max_size=16), st.sampled_from("-\u2011–— \u00a0\u202f"))
def test_any_grouping_reads_the_same(digits: str, separator: str) -> None:
    assert read_digits(f" {separator.join(digits)} ", len(digits)) == digits


def _nested() -> str:
    raise Invalid({"series": Required(), "number": NotDigits("x")})


def test_problems_of_all_fields_are_told_at_once() -> None:
    problems = Problems()
    assert problems.take("good", read_digits, "12") == "12"
    problems.take("empty", read_digits, "")
    problems.take("policy", _nested)
    with pytest.raises(Invalid) as caught:
        problems.raise_any()
    assert {name: type(error) for name, error in caught.value.fields.items()} == {
        "empty": Required,
        "policy_series": Required,
        "policy_number": NotDigits,
    }


def test_without_problems_nothing_is_raised() -> None:
    problems = Problems()
    problems.take("good", read_digits, "12")
    problems.raise_any()
