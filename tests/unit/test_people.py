"""Names, birth dates and ages."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.errors import Invalid, InvalidValue, Required, TooLong
from emk_app.domain.people import (
    YEARS,
    YOUNGEST_HOLDER,
    ForeignLetter,
    FullName,
    InFuture,
    NameShape,
    NoSuchDay,
    NoSuchMonth,
    NotADate,
    NotInNames,
    TooOld,
    TooYoung,
    YearOutOfRange,
    age_on,
    birthday,
    parse_birth_date,
    parse_date,
    parse_name_part,
    parse_past_date,
)

TODAY = date(2026, 11, 23)
RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"

days = st.dates(date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31))
words = st.text(RUSSIAN, min_size=1, max_size=12)
names = st.builds(
    lambda parts, separator: separator.join(part.capitalize() for part in parts),
    st.lists(words, min_size=1, max_size=3),
    st.sampled_from("- "),
)


@pytest.mark.parametrize(
    ("text", "letter", "russian"),
    [
        ("Иванoва", "o", "о"),
        ("Anna", "A", "А"),
        ("Vасилий", "V", None),
        ("Олекс\u0456й", "\u0456", None),
        ("Θома", "Θ", None),
        ("משה", "מ", None),
    ],
)
def test_foreign_letter_is_named_with_its_russian_twin(
    text: str, letter: str, russian: str | None
) -> None:
    with pytest.raises(ForeignLetter) as caught:
        parse_name_part(text, required=True)
    assert (caught.value.letter, caught.value.russian) == (letter, russian)


@pytest.mark.parametrize(
    ("text", "character"), [("М.", "."), ("Иван2", "2"), ("Ива\u0301н", "\u0301")]
)
def test_sign_that_names_never_have_is_named(text: str, character: str) -> None:
    with pytest.raises(NotInNames) as caught:
        parse_name_part(text, required=True)
    assert caught.value.character == character


@pytest.mark.parametrize("text", ["-Иванов", "Иванов-", "Ива--нов", "'", "Д'", "-"])
def test_hyphen_and_apostrophe_stand_between_letters(text: str) -> None:
    with pytest.raises(NameShape):
        parse_name_part(text, required=True)


def test_name_has_at_most_sixty_characters() -> None:
    assert parse_name_part("Я" + "я" * 59, required=True) == "Я" + "я" * 59
    with pytest.raises(TooLong):
        parse_name_part("я" * 61, required=True)


def test_every_wrong_part_is_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        FullName.parse(last="", first="Мария1", patronymic="Cергеевна")
    assert {field: type(error) for field, error in caught.value.fields.items()} == {
        "last": Required,
        "first": NotInNames,
        "patronymic": ForeignLetter,
    }


@pytest.mark.parametrize("nothing", ["", " ", "-", "—", "нет", "Отсутствует"])
def test_patronymic_may_be_missing(nothing: str) -> None:
    name = FullName.parse(last="Ли", first="Анна", patronymic=nothing)
    assert name.patronymic is None
    assert (str(name), name.short, name.masked) == ("Ли Анна", "Ли А.", "Л*** Анна")


def test_three_forms_of_a_name() -> None:
    name = FullName.parse(last="Иванова", first="Мария", patronymic="Сергеевна")
    assert str(name) == "Иванова Мария Сергеевна"
    assert name.short == "Иванова М. С."
    assert name.masked == "И*** Мария С***"
    assert repr(name) == "FullName(И*** Мария С***)"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("ИВАНОВА", "Иванова"),
        ("ёлкин", "Ёлкин"),
        ("Мамин Сибиряк", "Мамин Сибиряк"),
        ("МАМИН - СИБИРЯК", "Мамин-Сибиряк"),
        ("Мамин\u2013Сибиряк", "Мамин-Сибиряк"),
        ("фон Мекк", "фон Мекк"),
        ("д’артаньян", "Д'Артаньян"),
        ("мар'яна", "Мар'яна"),
        ("гусейн оглы", "Гусейн оглы"),
        ("ГУСЕЙН-КЫЗЫ", "Гусейн-кызы"),
        ("Алекс\u0435\u0438\u0306", "Алексей"),
        (" Ян\u00a0\u00a0Ли ", "Ян Ли"),
        ("Э", "Э"),
    ],
)
def test_spelling_variants_read_as_one_name(typed: str, read: str) -> None:
    assert parse_name_part(typed, required=True) == read


@given(names)
def test_name_survives_capitals_and_a_second_reading(name: str) -> None:
    read = parse_name_part(name.upper(), required=True)
    assert read.lower() == name.lower()
    assert parse_name_part(read, required=True) == read


@pytest.mark.parametrize(
    "text",
    [
        "1.1.90",
        "23.11",
        "23.11.2026 г.",
        "ноябрь",
        "2026.11.23",
        "23-11-26",
        "\u0662\u0663.\u0661\u0661.\u0662\u0660\u0662\u0666",
        "1.112.2026",
    ],
)
def test_date_needs_day_month_and_four_digits_of_year(text: str) -> None:
    with pytest.raises(NotADate):
        parse_date(text)


def test_calendar_has_the_last_word() -> None:
    with pytest.raises(NoSuchDay) as caught:
        parse_date("29.02.2026")
    assert (caught.value.day, caught.value.month, caught.value.last) == (29, 2, 28)
    assert parse_date("29.02.2024") == date(2024, 2, 29)
    with pytest.raises(NoSuchMonth) as month:
        parse_date("11.23.2026")
    assert month.value.month == 23
    for zero in ("00.01.2026", "2026-01-00"):
        with pytest.raises(NoSuchDay):
            parse_date(zero)


@pytest.mark.parametrize("year", ["0000", "1899", "2101", "9999"])
def test_year_beyond_reason_is_refused(year: str) -> None:
    with pytest.raises(YearOutOfRange):
        parse_date(f"01.01.{year}")


@given(days)
def test_date_reads_the_same_in_every_spelling(day: date) -> None:
    spellings = ["%d.%m.%Y", "%d/%m/%Y", "%d %m %Y", "%d-%m-%Y", "%d%m%Y", "%Y-%m-%d"]
    assert {parse_date(f" {day:{spelling}}\u00a0") for spelling in spellings} == {day}
    assert parse_date(f"{day.day}.{day.month}.{day.year}") == day


def test_past_date_includes_today() -> None:
    assert parse_past_date("23.11.2026", TODAY) == TODAY
    with pytest.raises(InFuture):
        parse_past_date("24.11.2026", TODAY)


def test_born_tomorrow_or_before_the_oldest_is_refused() -> None:
    with pytest.raises(InFuture):
        parse_birth_date("24.11.2026", TODAY)
    with pytest.raises(TooOld) as caught:
        parse_birth_date("23.11.1905", TODAY)
    assert (caught.value.age, caught.value.oldest) == (121, 120)
    assert parse_birth_date("24.11.1905", TODAY) == date(1905, 11, 24)
    assert parse_birth_date("23.11.2026", TODAY) == TODAY


def test_holder_applies_from_the_fourteenth_birthday() -> None:
    assert parse_birth_date("23.11.2012", TODAY, youngest=YOUNGEST_HOLDER) == date(2012, 11, 23)
    with pytest.raises(TooYoung) as caught:
        parse_birth_date("24.11.2012", TODAY, youngest=YOUNGEST_HOLDER)
    assert (caught.value.age, caught.value.youngest) == (13, 14)


def test_who_is_born_on_leap_day_ages_on_the_first_of_march() -> None:
    leap = date(2004, 2, 29)
    assert age_on(leap, date(2026, 2, 28)) == 21
    assert age_on(leap, date(2026, 3, 1)) == 22
    assert birthday(leap, 22) == date(2026, 3, 1)
    assert birthday(leap, 24) == date(2028, 2, 29)


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(1, 120))
def test_age_changes_on_the_birthday(born_on: date, age: int) -> None:
    reached = birthday(born_on, age)
    assert age_on(born_on, reached) == age
    assert age_on(born_on, reached - timedelta(days=1)) == age - 1


@given(days)
def test_birth_date_is_accepted_exactly_from_zero_to_the_oldest(born_on: date) -> None:
    fits = born_on <= TODAY and age_on(born_on, TODAY) <= 120
    try:
        parse_birth_date(born_on.isoformat(), TODAY)
    except InvalidValue:
        assert not fits
    else:
        assert fits
