"""The internal passport."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.errors import Invalid, InvalidValue, Required
from emk_app.domain.passports import REPLACED_AT, IssuedTooEarly, Passport
from emk_app.domain.people import InFuture, NotADate, birthday
from emk_app.domain.values import NotDigits, WrongLength

BORN_ON = date(1990, 5, 14)
TODAY = date(2026, 11, 23)


def read(
    series: str = "4110",
    number: str = "406933",
    issued_on: str = "20.06.2010",
    unit: str = "563-584",
) -> Passport:
    return Passport.parse(
        series=series,
        number=number,
        issued_on=issued_on,
        unit=unit,
        born_on=BORN_ON,
        today=TODAY,
    )


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("series", "411", WrongLength),
        ("series", "41IO", NotDigits),
        ("number", "", Required),
        ("number", "4069333", WrongLength),
        ("unit", "563", WrongLength),
        ("issued_on", "2010", NotADate),
        ("issued_on", "24.11.2026", InFuture),
        ("issued_on", "13.05.2004", IssuedTooEarly),
    ],
)
def test_problem_stands_beside_its_field(
    field: str, text: str, problem: type[InvalidValue]
) -> None:
    with pytest.raises(Invalid) as caught:
        read(**{field: text})
    assert {name: type(error) for name, error in caught.value.fields.items()} == {field: problem}


def test_too_early_issue_tells_the_earliest_day() -> None:
    with pytest.raises(Invalid) as caught:
        read(issued_on="13.05.2004")
    problem = caught.value.fields["issued_on"]
    assert isinstance(problem, IssuedTooEarly)
    assert problem.earliest == date(2004, 5, 14)
    assert read(issued_on="14.05.2004").issued_on == date(2004, 5, 14)


def test_passport_in_its_forms() -> None:
    passport = read(series="41 10", number="406 933", unit="563584")
    assert str(passport) == "41 10 406933"
    assert passport.unit == "563-584"
    assert repr(passport) == "Passport(** ** ***933)"


def test_passport_is_replaced_at_twenty_and_forty_five_with_ninety_days_of_grace() -> None:
    first = read(issued_on="20.05.2004")
    twentieth = birthday(BORN_ON, 20)
    assert first.outlived_at(BORN_ON, twentieth + timedelta(days=90)) is None
    assert first.outlived_at(BORN_ON, twentieth + timedelta(days=91)) == 20
    second = read(issued_on="20.06.2010")
    assert second.outlived_at(BORN_ON, TODAY) is None
    for passport in (first, second):
        assert passport.outlived_at(BORN_ON, date(2035, 8, 13)) == 45


@given(
    st.from_regex(r"[0-9]{4}", fullmatch=True),
    st.from_regex(r"[0-9]{6}", fullmatch=True),
    st.dates(date(2004, 5, 14), TODAY),
    st.from_regex(r"[0-9]{6}", fullmatch=True),
)
def test_shown_passport_reads_as_itself(
    series: str, number: str, issued_on: date, unit_code: str
) -> None:
    passport = read(series, number, f"{issued_on:%d.%m.%Y}", unit_code)
    assert passport == Passport(series, number, issued_on, unit_code)
    shown = str(passport)
    assert read(shown[:5], shown[6:], issued_on.isoformat(), passport.unit) == passport


@given(
    st.dates(date(1940, 1, 1), date(2010, 1, 1)),
    st.sampled_from(REPLACED_AT),
    st.integers(-400, 400),
)
def test_passport_is_warned_of_from_the_ninety_first_day_on(
    born_on: date, age: int, days: int
) -> None:
    due = birthday(born_on, age)
    before = Passport("4110", "406933", due - timedelta(days=1), "563584")
    seen_on = due + timedelta(days=days)
    assert (before.outlived_at(born_on, seen_on) == age) is (days > 90)
    exchanged = Passport("4110", "406934", due, "563584")
    assert exchanged.outlived_at(born_on, seen_on) is None
