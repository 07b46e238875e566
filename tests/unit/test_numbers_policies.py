"""Policies of ОМС, and the birth date and sex inside the unified number."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.errors import Invalid, InvalidValue, Required, TooLong
from emk_app.domain.numbers import WrongCheckDigit
from emk_app.domain.people import Sex
from emk_app.domain.policies import (
    BirthDiffers,
    BirthUnreadable,
    Enp,
    OmsPolicy,
    PolicyKind,
    SexDiffers,
    policy_warnings,
)
from emk_app.domain.values import NotDigits, UnexpectedCharacter, WrongLength

WORKED = [
    ("7754900835123450", 77, date(1990, 5, 14), Sex.MALE, 12345),
    ("5088699797000075", 50, date(2003, 11, 2), Sex.FEMALE, 7),
    ("7876150869902105", 78, date(1948, 3, 30), Sex.FEMALE, 90210),
]

births = st.dates(date(1900, 1, 1), date(2100, 12, 31))
enps = st.builds(Enp.issue, st.integers(1, 99), births, st.sampled_from(Sex), st.integers(0, 99999))


def test_check_digit_stops_a_wrong_number() -> None:
    for text in ("7754900835123451", "0" * 16):
        with pytest.raises(WrongCheckDigit):
            Enp.parse(text)


def test_unified_number_has_sixteen_digits() -> None:
    with pytest.raises(WrongLength) as caught:
        Enp.parse("775490083512345")
    assert (caught.value.found, caught.value.expected) == (15, (16,))


@pytest.mark.parametrize(("digits", "region", "born_on", "sex", "serial"), WORKED)
def test_worked_examples(digits: str, region: int, born_on: date, sex: Sex, serial: int) -> None:
    enp = Enp.parse(f"{digits[:4]} {digits[4:8]}-{digits[8:12]}\u00a0{digits[12:]}")
    assert (enp.digits, enp.born_on, enp.sex) == (digits, born_on, sex)
    assert Enp.issue(region, born_on, sex, serial) == enp


def test_number_is_shown_in_fours_and_hidden_but_for_the_last() -> None:
    enp = Enp.parse("7754900835123450")
    assert str(enp) == "7754 9008 3512 3450"
    assert enp.masked == "**** **** **** 3450"
    assert repr(enp) == "Enp(**** **** **** 3450)"


@given(births, st.sampled_from(Sex), st.integers(1, 99), st.integers(0, 99999))
def test_issued_number_tells_birth_and_sex(
    born_on: date, sex: Sex, region: int, serial: int
) -> None:
    enp = Enp.parse(str(Enp.issue(region, born_on, sex, serial)))
    assert (enp.born_on, enp.sex) == (born_on, sex)
    assert policy_warnings(enp, born_on, sex) == ()


@given(enps)
def test_unified_number_finds_every_single_error(enp: Enp) -> None:
    for place, right in enumerate(enp.digits):
        for wrong in set("0123456789") - {right}:
            with pytest.raises(WrongCheckDigit):
                Enp.parse(enp.digits[:place] + wrong + enp.digits[place + 1 :])


@given(enps)
def test_swapped_neighbours_are_found_unless_they_are_nine_and_zero(enp: Enp) -> None:
    digits = enp.digits
    for place in range(15):
        a, b = digits[place], digits[place + 1]
        if a == b or {a, b} == {"0", "9"}:
            continue
        with pytest.raises(WrongCheckDigit):
            Enp.parse(digits[:place] + b + a + digits[place + 2 :])


@given(st.text("0123456789", min_size=16, max_size=16))
def test_any_sixteen_digits_are_decoded_or_said_to_be_unreadable(digits: str) -> None:
    enp = Enp(digits)
    assert (enp.born_on is None) == (enp.sex is None)
    if enp.born_on is None:
        assert policy_warnings(enp, date(1990, 5, 14), Sex.MALE) == (BirthUnreadable(),)


def test_differences_from_the_form_warn_with_both_sides() -> None:
    enp = Enp("7754900835123450")
    stated = date(1990, 5, 15)
    assert policy_warnings(enp, stated, Sex.FEMALE) == (
        BirthDiffers(date(1990, 5, 14), stated),
        SexDiffers(Sex.MALE, Sex.FEMALE),
    )


def test_unknown_sex_is_not_compared() -> None:
    assert policy_warnings(Enp("7754900835123450"), date(1990, 5, 14), None) == ()


@pytest.mark.parametrize(
    ("kind", "number", "series", "problems"),
    [
        (PolicyKind.UNIFIED, "7754900835123451", "", {"number": WrongCheckDigit}),
        (PolicyKind.TEMPORARY, "12345678", "", {"number": WrongLength}),
        (PolicyKind.TEMPORARY, "", "", {"number": Required}),
        (PolicyKind.OLD, "12a😀", "x" * 11, {"number": UnexpectedCharacter, "series": TooLong}),
        (PolicyKind.OLD, "1" * 21, " - ", {"number": TooLong, "series": Required}),
        (PolicyKind.UNIFIED, "77549OO835123450", "", {"number": NotDigits}),
    ],
)
def test_each_kind_of_policy_has_its_own_refusals(
    kind: PolicyKind, number: str, series: str, problems: dict[str, type[InvalidValue]]
) -> None:
    with pytest.raises(Invalid) as caught:
        OmsPolicy.parse(kind, number=number, series=series)
    assert {field: type(error) for field, error in caught.value.fields.items()} == problems


def test_each_kind_of_policy_is_read() -> None:
    unified = OmsPolicy.parse(PolicyKind.UNIFIED, number="7754 9008 3512 3450", series="лишнее")
    assert (unified.number, unified.series) == ("7754900835123450", "")
    assert unified.enp == Enp("7754900835123450")
    assert str(unified) == "7754 9008 3512 3450"
    temporary = OmsPolicy.parse(PolicyKind.TEMPORARY, number="123-456-789")
    assert (str(temporary), temporary.enp) == ("123456789", None)
    old = OmsPolicy.parse(PolicyKind.OLD, number="12 345678", series="мск–77")
    assert str(old) == "МСК-77 12 345678"
    assert old.masked == "***5678"


@given(enps)
def test_read_policy_reads_as_itself(enp: Enp) -> None:
    policy = OmsPolicy.parse(PolicyKind.UNIFIED, number=str(enp))
    assert OmsPolicy.parse(policy.kind, number=policy.number, series=policy.series) == policy


@given(
    st.text("абвгдёАБВЁ0123456789", min_size=1, max_size=10),
    st.from_regex(r"[0-9]{1,20}", fullmatch=True),
)
def test_read_policy_of_before_reads_as_itself(series: str, number: str) -> None:
    policy = OmsPolicy.parse(PolicyKind.OLD, number=number, series=series)
    assert (policy.number, policy.series) == (number, series.upper())
    assert OmsPolicy.parse(policy.kind, number=policy.number, series=policy.series) == policy


@given(st.from_regex(r"[0-9]{1,12}", fullmatch=True))
def test_temporary_certificate_has_nine_digits_and_no_other_number(number: str) -> None:
    if len(number) == 9:
        assert OmsPolicy.parse(PolicyKind.TEMPORARY, number=number).number == number
        return
    with pytest.raises(Invalid) as caught:
        OmsPolicy.parse(PolicyKind.TEMPORARY, number=number)
    assert isinstance(caught.value.fields["number"], WrongLength)
