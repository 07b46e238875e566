"""How dates, counts, sizes and hashes are written in Russian."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from emk_app.clock import MOSCOW
from emk_app.domain.people import FullName

NBSP: Final = "\u00a0"
"""Stands between a number and its unit, so that a narrow screen doesn't part them."""

LONGEST_IN_DAYS: Final = 366
"""Nobody pictures more days than a year has."""

_UNITS: Final = ("КБ", "МБ", "ГБ")


def day(on: date) -> str:
    """Write a date: «23.11.2026»."""
    return f"{on:%d.%m}.{on.year:04}"


def moment(at: datetime) -> str:
    """Write an aware time as Moscow's clock shows it: «23.11.2026 21:30»."""
    local = _in_moscow(at)
    return f"{day(local.date())} {local:%H:%M}"


def hour(at: datetime) -> str:
    """Write an aware time of day in Moscow: «12:05»."""
    return f"{_in_moscow(at):%H:%M}"


def clock_time(at: datetime) -> str:
    """Write an aware time of day in Moscow to the second: «21:30:05»."""
    return f"{_in_moscow(at):%H:%M:%S}"


def plural(n: int, one: str, few: str, many: str) -> str:
    """Return the word that goes with ``n``: 1 день, 2 дня, 5 дней."""
    n = abs(n)
    if 11 <= n % 100 <= 14:
        return many
    return one if n % 10 == 1 else few if 2 <= n % 10 <= 4 else many


def counted(n: int, one: str, few: str, many: str) -> str:
    """Write ``n`` with its word: «12 дней»."""
    return f"{n}{NBSP}{plural(n, one, few, many)}"


def days(n: int) -> str:
    """Write a number of days: «12 дней»."""
    return counted(n, "день", "дня", "дней")


def days_left(until: date, today: date) -> str:
    """Tell how far ``until``, itself still valid, is from ``today``.

    «осталось 12 дней», «остался 1 день», «сегодня последний день», «истёк 3 дня назад»; more
    than a year in whole months: «осталось 4 года 11 месяцев».
    """
    left = (until - today).days
    if left > LONGEST_IN_DAYS:
        months = 12 * (until.year - today.year) + until.month - today.month
        years, months = divmod(months - (until.day < today.day), 12)
        more = f" {counted(months, 'месяц', 'месяца', 'месяцев')}" if months else ""
        return (
            f"{plural(years, 'остался', 'осталось', 'осталось')} "
            f"{counted(years, 'год', 'года', 'лет')}{more}"
        )
    if left > 0:
        return f"{plural(left, 'остался', 'осталось', 'осталось')} {days(left)}"
    return f"истёк {days(-left)} назад" if left else "сегодня последний день"


def file_size(size: int) -> str:
    """Write a size in bytes with a binary unit and at most one decimal: «1,4 МБ»."""
    if size < 1024:
        return counted(size, "байт", "байта", "байт")
    amount = size / 1024
    unit = 0
    while round(amount, 1) >= 1024 and unit < len(_UNITS) - 1:
        amount /= 1024
        unit += 1
    return f"{amount:.1f}".removesuffix(".0").replace(".", ",") + NBSP + _UNITS[unit]


def initials(name: FullName) -> str:
    """Return the letters of a person's badge, surname first: «ИМ»."""
    return name.last[0].upper() + name.first[0].upper()


def short_person(person: str) -> str:
    """Write the name of a member of staff with initials: «Петров П. П.»."""
    last, *others = person.split() or [""]
    return " ".join((last, *(f"{other[0]}." for other in others)))


def short_hash(sha256: str | bytes) -> str:
    """Write the first 64 bits of a SHA-256, given as bytes or hex: «3F7A-91C0-5BE2-44D1»."""
    digits = (sha256 if isinstance(sha256, str) else sha256.hex())[:16].upper()
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))


def _in_moscow(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no place in Moscow")
    return at.astimezone(MOSCOW)
