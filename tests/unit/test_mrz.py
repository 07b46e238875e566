"""The zone of the passport: what is written is found again, what was misread is mended or not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain import mrz
from emk_app.domain.likeness import THRESHOLD, likeness
from emk_app.domain.passports import PASSPORT_AGE
from emk_app.domain.people import FullName, Sex, birthday

LETTERS = "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"
NAME = FullName("Подъячев", "Артём", "Сергеевич")
LINES = (
    "PNRUSPODX83EV<<ART2M<SERGEEVI3<<<<<<<<<<<<<<",
    "4144069334RUS7604267M<<<<<<<0240101563584<32",
)
"""The fictional person of the reference (domain.md 2.7)."""

words = st.text(LETTERS, min_size=1, max_size=9).map(str.capitalize)
parts = st.lists(words, min_size=1, max_size=2).map("-".join)
names = st.builds(FullName, parts, parts, st.none() | parts)
issued = st.dates(mrz.ZONES_SINCE, date(2099, 12, 31))


@st.composite
def passports(draw: st.DrawFn) -> dict[str, object]:
    issued_on = draw(issued)
    oldest = birthday(issued_on, -(PASSPORT_AGE + 90))
    youngest = birthday(issued_on, -PASSPORT_AGE)
    born_on = draw(st.dates(max(oldest, date(1900, 1, 1)), youngest - timedelta(days=1)))
    return {
        "series": draw(st.from_regex(r"[0-9]{4}", fullmatch=True)),
        "number": draw(st.from_regex(r"[0-9]{6}", fullmatch=True)),
        "born_on": born_on,
        "sex": draw(st.sampled_from(Sex)),
        "issued_on": issued_on,
        "unit_code": draw(st.from_regex(r"[0-9]{6}", fullmatch=True)),
    }


def written(name: FullName = NAME, **changed: object) -> tuple[str, str]:
    return mrz.encode(
        name,
        **{  # type: ignore[arg-type]
            "series": "4140",
            "number": "406933",
            "born_on": date(1976, 4, 26),
            "sex": Sex.MALE,
            "issued_on": date(2024, 1, 1),
            "unit_code": "563584",
            **changed,
        },
    )


def only(rows: tuple[str, ...]) -> mrz.Zone:
    (zone,) = mrz.find(rows)
    return zone


def test_reference_person_is_written_as_the_reference_says() -> None:
    assert written() == LINES


def test_reference_person_is_read_back() -> None:
    zone = only(LINES)
    assert (zone.series, zone.number, zone.unit_code) == ("4140", "406933", "563584")
    assert (zone.born_on, zone.sex, zone.issued_on) == (
        date(1976, 4, 26),
        Sex.MALE,
        date(2024, 1, 1),
    )
    assert zone.russian_name == "ПОДЪЯЧЕВ АРТЁМ СЕРГЕЕВИЧ"
    assert zone.lines == LINES


def test_check_digit_of_the_standard() -> None:
    # ICAO 9303-3, appendix A: the example of a date, and of an alphanumeric number.
    assert mrz.check_digit("520727") == "3"
    assert mrz.check_digit("AB2134<<<") == "5"
    assert mrz.check_digit("510509") == "2"


def test_letters_of_the_published_specimen() -> None:
    # The well-known specimen: only its name field is quoted here.
    assert mrz.latin("СЕРГЕЙ") == "SERGEQ"
    assert mrz.latin("АНАТОЛЬЕВИЧ") == "ANATOL9EVI3"


def test_table_is_reversible_and_leaves_out_what_readers_confuse() -> None:
    latin = [mrz.latin(letter) for letter in LETTERS]
    assert len(set(latin)) == len(LETTERS) == 33
    assert not {"0", "1", "5"} & set(latin)


@given(name=names, passport=passports())
def test_whatever_is_written_is_found_again(name: FullName, passport: dict[str, object]) -> None:
    first, second = written(name, **passport)
    assert len(first) == len(second) == mrz.LENGTH
    zone = only((first, second))
    assert {key: getattr(zone, key) for key in passport} == passport
    assert likeness(zone.name, name) == 100
    assert zone.lines[1] == second


@given(name=names)
def test_name_that_fits_is_decoded_letter_by_letter(name: FullName) -> None:
    parts = [name.last, name.first, *filter(None, [name.patronymic])]
    zone = only(written(name))
    if len("  ".join(parts)) < mrz.NAME_LENGTH - 2:
        assert zone.russian_name == " ".join(parts).upper().replace("-", " ")


@given(name=names, other=names)
def test_likeness_of_a_hundred_means_the_same_letters(name: FullName, other: FullName) -> None:
    alike = likeness(only(written(name)).name, other)
    assert 0 <= alike <= 100
    folded = [mrz.name_field(each).translate(FOLD).replace("<", "") for each in (name, other)]
    assert (alike == 100) == (folded[0] == folded[1])


FOLD = str.maketrans("0QD1L2EZ58467", "OOOIIZZZSBAGT")
"""Look-alikes, and Ё for Е: written out here, so that the rule can't be wrong with the code."""


@pytest.mark.parametrize(
    "misread",
    [
        "4I44O69334RUS76O4267M<<<<<<<O24OIOI563584<32",
        "4144069334RUS7604267M<<<<<<0240101563584<32",
        "4144069334RUS7604267M<<<<<<<<<0240101563584<<32",
        "4144069334RUS7604267M<<K<<K<0240101563584<32",
        "4144069334RUS7604267M0240101563584<32",
        "4144069334 RUS 7604267 M <<<<<<< 0240101563584 < 32",
        "4144069334RU57604267M««««0240101563584<32",
        "x 4144069334rus7604267m<<<<<<<0240101563584<32",
        "4144069334RUS7604Z67M<<<<<<<0Z40101563584<32",
        "41440G9334RUS76042G7M<<<<<<<02401015G3584<32",
    ],
)
def test_misreadings_that_can_be_mended_are(misread: str) -> None:
    zone = only((LINES[0], misread))
    assert zone.lines == LINES


@pytest.mark.parametrize("at", [*range(20), *range(28, 41), 42, 43])
def test_one_wrong_digit_of_the_second_line_is_always_noticed(at: int) -> None:
    digit = LINES[1][at]
    if not digit.isdecimal():
        return
    for wrong in set("0123456789") - {digit}:
        assert mrz.find((LINES[0], LINES[1][:at] + wrong + LINES[1][at + 1 :])) == ()


def test_swapped_neighbours_are_noticed() -> None:
    line = LINES[1]
    for at in (*range(9), *range(13, 19), *range(28, 40)):
        if line[at] != line[at + 1]:
            swapped = line[:at] + line[at + 1] + line[at] + line[at + 2 :]
            assert mrz.find((LINES[0], swapped)) == (), at


def test_dates_that_do_not_exist_are_no_zone() -> None:
    born = "760231"
    numbered = "414406933"
    rest = "0240101563584<"
    checks = [mrz.check_digit(part) for part in (numbered, born, rest)]
    whole = mrz.check_digit(f"{numbered}{checks[0]}{born}{checks[1]}<<<<<<<{rest}{checks[2]}")
    line = f"{numbered}{checks[0]}RUS{born}{checks[1]}M<<<<<<<{rest}{checks[2]}{whole}"
    assert mrz.find((line,)) == ()


def test_sex_that_was_not_read_is_left_open() -> None:
    assert only((LINES[0], LINES[1].replace("M", "H"))).sex is None


def test_zone_without_its_first_line_has_no_name() -> None:
    assert only((LINES[1],)).name == ""


def test_of_two_names_none_is_taken() -> None:
    other = written(FullName("Иванов", "Иван"))[0]
    assert only((LINES[0], other, LINES[1])).name == ""


def test_two_passports_are_two_zones_without_names() -> None:
    other = written(FullName("Иванов", "Иван"), number="123456")
    zones = mrz.find((*LINES, *other))
    assert [zone.number for zone in zones] == ["406933", "123456"]
    assert [zone.name for zone in zones] == ["", ""]


def test_century_of_birth_is_the_latest_possible() -> None:
    for born_on in (date(2010, 1, 1), date(1911, 1, 2), date(1999, 12, 31)):
        assert only(written(born_on=born_on)).born_on == born_on


@pytest.mark.parametrize(
    ("read", "kept"),
    [
        ("PNRUSP0DX83EV<<ART2M<5ERGEEV13<<<<<<<<<<<<<<", True),
        ("PNRUSPODX83EV<<ART2M<SERGEEVI3<<<<<K<<<<C<<<", True),
        ("PNRUSPODX83EV<ART2M<SERGEEVI3<<<<<<<<<<<<<<", True),
        ("PNRUSPODX83EV<<ART2M<SERG", False),
    ],
)
def test_first_line_misread_as_readers_do(read: str, kept: bool) -> None:
    zone = only((read, LINES[1]))
    assert (likeness(zone.name, NAME) == 100) is kept
    assert zone.is_name_whole is kept


STRANGERS = [
    FullName("Кузнецова", "Ольга", "Ивановна"),
    FullName("Шевченко", "Тарас", "Григорьевич"),
    FullName("Щукина", "Юлия", "Эдуардовна"),
    FullName("Ёлкин", "Пётр", "Ильич"),
    FullName("Хафизов", "Ильдар", "Маратович"),
    FullName("Цой", "Виктор"),
]


def test_strangers_are_far_from_alike() -> None:
    for one in STRANGERS:
        for other in STRANGERS:
            alike = likeness(only(written(one)).name, other)
            assert alike == 100 if one is other else alike < THRESHOLD


@pytest.mark.parametrize(
    ("passport", "form"),
    [
        (FullName("Иванов", "Иван", "Петрович"), FullName("Иванова", "Иван", "Петрович")),
        (FullName("Ким", "Мария", "Сергеевна"), FullName("Ким", "Марина", "Сергеевна")),
        (FullName("Ким", "Анна", "Ильинична"), FullName("Ким", "Анна")),
    ],
)
def test_near_namesakes_are_never_taken_for_one(passport: FullName, form: FullName) -> None:
    assert likeness(only(written(passport)).name, form) < 100


def test_yo_and_a_hyphen_make_no_difference() -> None:
    zone = only(written(FullName("Королёва-Семёнова", "Алёна")))
    assert likeness(zone.name, FullName("Королева Семенова", "Алена")) == 100
    zone = only(written(FullName("Королева", "Алена")))
    assert likeness(zone.name, FullName("Королёва", "Алёна")) == 100


@given(st.lists(st.text(max_size=300), max_size=8))
def test_any_text_can_be_searched(rows: list[str]) -> None:
    mrz.find(rows)


@given(st.text("0123456789RUSMF<KPN", min_size=30, max_size=200))
def test_what_looks_like_a_zone_counts_only_with_its_check_digits(row: str) -> None:
    for zone in mrz.find((row,)):
        assert mrz.find(zone.lines)


def test_number_is_kept_out_of_logs() -> None:
    assert "406" not in repr(only(LINES))
    assert "PODX" not in repr(only(LINES))
