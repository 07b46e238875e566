"""How dates, counts, sizes and hashes are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.people import FullName, parse_date
from emk_app.presenting import formats

TODAY = date(2026, 11, 23)


def plain(text: str) -> str:
    return text.replace(formats.NBSP, " ")


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        formats.moment(datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None))


def test_moment_is_moscows() -> None:
    assert formats.moment(datetime(2026, 11, 23, 18, 30, tzinfo=UTC)) == "23.11.2026 21:30"
    assert formats.moment(datetime(2026, 11, 23, 22, 5, tzinfo=UTC)) == "24.11.2026 01:05"
    omsk = timezone(timedelta(hours=6))
    assert formats.clock_time(datetime(2026, 11, 23, 21, 30, 5, tzinfo=omsk)) == "18:30:05"


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_written_date_reads_as_itself(on: date) -> None:
    assert parse_date(formats.day(on)) == on


@pytest.mark.parametrize(
    ("n", "word"),
    [
        *((n, "день") for n in (1, 21, 101, 1001, -1)),
        *((n, "дня") for n in (2, 3, 4, 22, 104, -3)),
        *((n, "дней") for n in (0, 5, 10, 11, 12, 14, 19, 20, 111, 112, 1011, -11)),
    ],
)
def test_word_goes_with_its_number(n: int, word: str) -> None:
    assert formats.plural(n, "день", "дня", "дней") == word
    assert formats.days(n) == f"{n}{formats.NBSP}{word}"


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (12, "осталось 12 дней"),
        (2, "осталось 2 дня"),
        (1, "остался 1 день"),
        (21, "остался 21 день"),
        (11, "осталось 11 дней"),
        (366, "осталось 366 дней"),
        (0, "сегодня последний день"),
        (-1, "истёк 1 день назад"),
        (-3, "истёк 3 дня назад"),
        (-30, "истёк 30 дней назад"),
    ],
)
def test_days_left_in_words(left: int, words: str) -> None:
    assert plain(formats.days_left(TODAY + timedelta(days=left), TODAY)) == words


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (date(2027, 11, 25), "остался 1 год"),
        (date(2027, 12, 22), "остался 1 год"),
        (date(2027, 12, 23), "остался 1 год 1 месяц"),
        (date(2028, 11, 22), "остался 1 год 11 месяцев"),
        (date(2028, 11, 23), "осталось 2 года"),
        (date(2031, 11, 22), "осталось 4 года 11 месяцев"),
        (date(2031, 11, 23), "осталось 5 лет"),
    ],
)
def test_years_left_in_words(until: date, words: str) -> None:
    assert plain(formats.days_left(until, date(2026, 11, 23))) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 байт"),
        (1, "1 байт"),
        (2, "2 байта"),
        (1023, "1023 байта"),
        (1024, "1 КБ"),
        (1536, "1,5 КБ"),
        (1_048_575, "1 МБ"),
        (1_468_006, "1,4 МБ"),
        (2 * 1_048_576, "2 МБ"),
        (5_368_709_120, "5 ГБ"),
        (2**50, "1048576 ГБ"),
    ],
)
def test_size_in_words(size: int, words: str) -> None:
    assert plain(formats.file_size(size)) == words


def test_badge_has_two_letters() -> None:
    assert formats.initials(FullName("фон Мекк", "Надежда", "Филаретовна")) == "ФН"


def test_short_hash_of_hex_and_of_bytes() -> None:
    sha256 = bytes.fromhex("3f7a91c05be244d1" + "00" * 24)
    assert formats.short_hash(sha256) == "3F7A-91C0-5BE2-44D1"
    assert formats.short_hash(sha256.hex()) == "3F7A-91C0-5BE2-44D1"
