"""СНИЛС, ИНН, ОКПО and ОГРН: check digits, and which typing errors they can and can't find."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.ru import inn as peer_inn
from stdnum.ru import ogrn as peer_ogrn

from emk_app.domain.errors import InvalidValue, Required
from emk_app.domain.numbers import (
    LAST_UNCHECKED_SNILS,
    Inn,
    InnNotPersonal,
    NotAnOgrn,
    Ogrn,
    Okpo,
    Snils,
    SnilsLength,
    WrongCheckDigit,
    inn10_check_digit,
    inn12_check_digits,
    ogrn_check_digit,
    okpo_check_digit,
    snils_control,
)
from emk_app.domain.values import NotDigits, WrongLength


def bodies(length: int, first: str = "0123456789") -> st.SearchStrategy[str]:
    """Digits before the check digit; nothing but zeros is nobody's number."""
    rest = st.text("0123456789", min_size=length - 1, max_size=length - 1)
    return st.builds(str.__add__, st.sampled_from(first), rest).filter(lambda b: b.strip("0"))


def corruptions(number: str) -> Iterator[tuple[int, str]]:
    """Every number that differs from ``number`` in one digit, with the place of that digit."""
    for place, right in enumerate(number):
        for wrong in "0123456789":
            if wrong != right:
                yield place, number[:place] + wrong + number[place + 1 :]


def accepts(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except InvalidValue:
        return False
    return True


snilses = bodies(9).filter(lambda b: b > LAST_UNCHECKED_SNILS).map(lambda b: b + snils_control(b))
company_inns = bodies(9).map(lambda b: b + inn10_check_digit(b))
personal_inns = bodies(10).map(lambda b: b + inn12_check_digits(b))
okpos = st.one_of(bodies(7), bodies(9)).map(lambda b: b + okpo_check_digit(b))
ogrns = st.one_of(bodies(12, "15"), bodies(14, "3")).map(lambda b: b + ogrn_check_digit(b))


@pytest.mark.parametrize("text", ["112-233-445 96", "087-654-303 01", "000-000-000 00"])
def test_snils_with_wrong_control_number_is_refused(text: str) -> None:
    with pytest.raises(WrongCheckDigit):
        Snils.parse(text)


def test_ten_digits_of_snils_get_the_lost_zero_suggested() -> None:
    with pytest.raises(SnilsLength) as caught:
        Snils.parse("87 654 303 00")
    assert caught.value.found == 10
    assert str(caught.value.suggestion) == "087-654-303 00"
    assert "087" not in str(caught.value)


@pytest.mark.parametrize("text", ["1122334459", "123", "1" * 12, "87654303"])
def test_nothing_is_suggested_where_a_zero_does_not_help(text: str) -> None:
    with pytest.raises(SnilsLength) as caught:
        Snils.parse(text)
    assert (caught.value.found, caught.value.suggestion) == (len(text), None)


def test_snils_is_asked_for_and_has_digits_only() -> None:
    with pytest.raises(Required):
        Snils.parse(" ")
    with pytest.raises(NotDigits):
        Snils.parse("112-233-44S 95")


@pytest.mark.parametrize(
    "text", ["112-233-445 95", "11223344595", "112 233 445‑95", " 112–233–445\u00a095\u200b"]
)
def test_snils_in_many_spellings(text: str) -> None:
    snils = Snils.parse(text)
    assert snils.digits == "11223344595"
    assert str(snils) == "112-233-445 95"
    assert snils.masked == "112***95"
    assert repr(snils) == "Snils(112***95)"


def test_control_number_of_202_is_00() -> None:
    assert snils_control("087654303") == "00"
    assert Snils.parse("087-654-303 00").digits == "08765430300"


def test_first_numbers_were_issued_without_control() -> None:
    assert Snils.parse("001-001-998 77")
    with pytest.raises(WrongCheckDigit):
        Snils.parse("001-001-999 77")


@given(st.integers(0, 999_999_999))
def test_control_number_equals_the_wording_of_the_rule(body: int) -> None:
    digits = f"{body:09}"
    total = sum(int(d) * w for d, w in zip(digits, range(9, 0, -1), strict=True))
    while total > 101:
        total %= 101
    assert snils_control(digits) == ("00" if total in (100, 101) else f"{total:02}")


@given(snilses)
def test_shown_snils_reads_as_itself(digits: str) -> None:
    snils = Snils.parse(digits)
    assert Snils.parse(str(snils)) == snils


@given(snilses)
def test_snils_finds_single_errors_but_for_the_known_gaps(digits: str) -> None:
    for place, wrong in corruptions(digits):
        if wrong[:9] <= LAST_UNCHECKED_SNILS or not accepts(Snils.parse, wrong):
            continue
        assert place == 8
        assert abs(int(wrong[8]) - int(digits[8])) == 1
        assert digits.endswith("00")


@given(bodies(9, "0"))
def test_every_snils_with_a_lost_zero_is_suggested(body: str) -> None:
    digits = body + snils_control(body)
    with pytest.raises(SnilsLength) as caught:
        Snils.parse(digits[1:])
    assert caught.value.suggestion == Snils(digits)


@pytest.mark.parametrize("text", ["7707083894", "500100732258", "500100732269", "0" * 10, "0" * 12])
def test_inn_with_wrong_check_digit_is_refused(text: str) -> None:
    with pytest.raises(WrongCheckDigit):
        Inn.parse(text)


def test_inn_has_ten_or_twelve_digits() -> None:
    with pytest.raises(WrongLength) as caught:
        Inn.parse("77070838931")
    assert (caught.value.found, caught.value.expected) == (11, (10, 12))


def test_company_inn_is_not_a_persons() -> None:
    with pytest.raises(InnNotPersonal):
        Inn.parse_personal("7707083893")


def test_known_inns_are_read() -> None:
    person = Inn.parse_personal("5001 0073 2259")
    assert (person.digits, person.is_personal, person.masked) == ("500100732259", True, "50***59")
    assert repr(person) == "Inn(50***59)"
    company = Inn.parse("7707083893")
    assert (str(company), company.is_personal) == ("7707083893", False)


@given(st.one_of(company_inns, personal_inns))
def test_every_built_inn_is_read_and_a_second_implementation_agrees(digits: str) -> None:
    assert Inn.parse(digits).digits == digits
    assert peer_inn.is_valid(digits)


@given(st.text("0123456789", min_size=9, max_size=13).filter(lambda t: t.strip("0")))
def test_inn_is_judged_as_by_a_second_implementation(digits: str) -> None:
    assert accepts(Inn.parse, digits) == peer_inn.is_valid(digits)


@given(personal_inns)
def test_personal_inn_finds_every_single_error(digits: str) -> None:
    assert not any(accepts(Inn.parse, wrong) for _, wrong in corruptions(digits))


@given(company_inns)
def test_company_inn_misses_errors_only_where_it_ends_in_zero(digits: str) -> None:
    missed = [place for place, wrong in corruptions(digits) if accepts(Inn.parse, wrong)]
    assert not missed or digits.endswith("0")
    assert 9 not in missed


@pytest.mark.parametrize("text", ["00032538", "79229600", "0" * 8])
def test_okpo_with_wrong_check_digit_is_refused(text: str) -> None:
    with pytest.raises(WrongCheckDigit):
        Okpo.parse(text)


@pytest.mark.parametrize("text", ["1234567", "123456789", "1" * 13])
def test_okpo_has_eight_ten_or_fourteen_digits(text: str) -> None:
    with pytest.raises(WrongLength):
        Okpo.parse(text)


@pytest.mark.parametrize(("body", "check"), [("0003253", "7"), ("0004077", "8"), ("7922960", "3")])
def test_known_okpos_are_read(body: str, check: str) -> None:
    assert okpo_check_digit(body) == check
    assert str(Okpo.parse(f"{body[:2]} {body[2:]}{check}")) == body + check


def test_branch_carries_the_code_of_its_head() -> None:
    assert Okpo.parse("00032537 001234").digits == "00032537001234"
    with pytest.raises(WrongCheckDigit):
        Okpo.parse("00032538001234")


@given(okpos)
def test_every_built_okpo_is_read(digits: str) -> None:
    assert Okpo.parse(digits).digits == digits


@given(bodies(8))
def test_second_weighting_of_ten_digits_is_read_both_ways(start: str) -> None:
    first = sum(int(d) * w for d, w in zip(start, range(1, 9), strict=True))
    ninth = (10 - first) * 5 % 11  # 9 * 5 = 1 modulo 11, so the first weighting gives 10
    assume(ninth < 10)
    for last_weight in (11, 1):
        weights = (3, 4, 5, 6, 7, 8, 9, 10, last_weight)
        digits = f"{start}{ninth}"
        check = sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11 % 10
        assert Okpo.parse(f"{digits}{check}")


@given(okpos)
def test_okpo_misses_an_error_only_through_the_second_weighting(digits: str) -> None:
    def first_remainder(number: str) -> int:
        return sum(int(d) * w for d, w in zip(number[:-1], range(1, 10), strict=False)) % 11

    for _, wrong in corruptions(digits):
        if accepts(Okpo.parse, wrong):
            assert 10 in (first_remainder(digits), first_remainder(wrong))


@pytest.mark.parametrize("text", ["1022200525810", "304500116000158"])
def test_ogrn_with_wrong_check_digit_is_refused(text: str) -> None:
    with pytest.raises(WrongCheckDigit):
        Ogrn.parse(text)


@pytest.mark.parametrize("text", ["2022200525819", "405500116000157", "0" * 13])
def test_number_of_a_register_entry_is_not_ogrn(text: str) -> None:
    with pytest.raises(NotAnOgrn):
        Ogrn.parse(text)


@pytest.mark.parametrize("text", ["1022200525819", "304500116000157"])
def test_known_ogrns_are_read(text: str) -> None:
    assert str(Ogrn.parse(text)) == text
    assert peer_ogrn.is_valid(text)


@given(ogrns)
def test_every_built_ogrn_is_read(digits: str) -> None:
    assert Ogrn.parse(digits).digits == digits
    if len(digits) == 13:
        assert peer_ogrn.is_valid(digits)


@given(ogrns)
def test_ogrn_misses_only_remainders_that_share_a_last_digit(digits: str) -> None:
    modulus = 11 if len(digits) == 13 else 13
    for place, wrong in corruptions(digits):
        if accepts(Ogrn.parse, wrong):
            assert place < len(digits) - 1
            assert abs(int(wrong[:-1]) % modulus - int(digits[:-1]) % modulus) == 10
