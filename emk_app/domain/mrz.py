"""The machine-readable zone of the internal passport: written, and found in what was read.

Two lines of 44 characters stand under the photograph of passports issued since July 2011. Names
are transliterated reversibly, by a table of their own (not that of the foreign passport): the zone
gives the Russian name back letter by letter. Four check digits of the second line prove that it
was read right; the name in the first has none, so it is only ever compared (``likeness``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from emk_app.domain.passports import PASSPORT_AGE
from emk_app.domain.people import FullName, Sex, birthday
from emk_app.domain.refdata import load
from emk_app.domain.values import Personal

LENGTH: Final = 44
ZONES_SINCE: Final = date(2011, 7, 1)
"""Passports issued before have no zone."""
NAME_LENGTH: Final = 39
"""Characters of the first line that are left for the name."""

_HEAD: Final = "PNRUS"
_FULL_NAME: Final = 37
"""Up to this length of surname and name the patronymic follows, cut at the end of the line."""
_WEIGHTS: Final = (7, 3, 1)
_VALUES: Final = {sign: value for value, sign in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_LATIN: Final[dict[str, str]] = load("mrz_ru")["to_latin"]
_RUSSIAN: Final = {latin: russian for russian, latin in _LATIN.items()}
_SEXES: Final = {Sex.MALE: "M", Sex.FEMALE: "F"}

# The name has the digits 2 3 4 6 7 8 9 only, so these are always misread letters.
_TO_LETTERS: Final = str.maketrans("015", "OIS")
_TO_DIGITS: Final = str.maketrans("OQDILZSBAGT", "00011258467")
# What else a reader makes of the filler and of strokes.
_MARKS: Final = str.maketrans(
    {
        "«": "<<",
        "\u2039": "<",
        "\uff1c": "<",
        "(": "<",
        "{": "<",
        "[": "<",
        "|": "I",
        "!": "I",
        "》": "",
        " ": "",
    }
)
_FILLER: Final = "<KCLX"
_LENGTH_MISREAD: Final = 4
"""Characters by which a reader may miscount a row of fillers."""
_LONGEST_READ: Final = 200
"""Characters of a row that are looked at; a zone's line with both its neighbours is shorter."""

_FIRST: Final = re.compile(r"P[NHM]RU[S58](?P<name>[0-9A-Z][0-9A-Z<]*)")
_SECOND: Final = re.compile(
    r"(?P<number>[0-9A-Z]{9})(?P<number_check>[0-9A-Z])RU[S58]"
    r"(?P<born>[0-9A-Z]{6})(?P<born_check>[0-9A-Z])(?P<sex>[A-Z])"
    rf"[{_FILLER}]{{0,12}}?"
    r"(?P<rest>(?P<series>[0-9A-Z])(?P<issued>[0-9A-Z]{6})(?P<unit>[0-9A-Z]{6}))"
    rf"[{_FILLER}]{{0,3}}?(?P<rest_check>[0-9A-Z])(?P<check>[0-9A-Z])(?![0-9A-Z])"
)


@dataclass(frozen=True, slots=True, repr=False)
class Zone(Personal):
    """What the zone says; all four check digits of its second line hold."""

    series: str
    number: str
    born_on: date
    sex: Sex | None
    """Not covered by a check digit; ``None`` where the letter was not read."""
    issued_on: date
    unit_code: str
    name: str = ""
    """The name in the zone's letters, ``<`` between its parts; empty where the first line was not
    read, or where two were."""
    is_name_whole: bool = True
    """The first line was read in its length, so a difference is not a missing end."""

    @property
    def masked(self) -> str:
        """The last three digits of the number."""
        return f"** ** ***{self.number[-3:]}"

    @property
    def russian_name(self) -> str:
        """The name in Russian capitals, parts apart; hyphens of double names are lost."""
        parts = ("".join(_RUSSIAN.get(sign, "?") for sign in part) for part in self.name.split("<"))
        return " ".join(filter(None, parts))

    @property
    def lines(self) -> tuple[str, str]:
        """The two lines as the passport prints them, as far as they are known."""
        first = f"{_HEAD}{self.name}"[:LENGTH].ljust(LENGTH, "<") if self.name else ""
        sex = _SEXES[self.sex] if self.sex else "<"
        return first, _second(
            self.series, self.number, self.born_on, sex, self.issued_on, self.unit_code
        )


def encode(
    name: FullName,
    *,
    series: str,
    number: str,
    born_on: date,
    sex: Sex,
    issued_on: date,
    unit_code: str,
) -> tuple[str, str]:
    """Return the two lines of the zone of such a passport."""
    first = f"{_HEAD}{name_field(name)}"
    return first, _second(series, number, born_on, _SEXES[sex], issued_on, unit_code)


def name_field(name: FullName) -> str:
    """Return the 39 characters of a name: compound parts by one ``<``, cut as the rules say."""
    field = f"{latin(name.last)}<<{latin(name.first)}"
    if name.patronymic and len(field) <= _FULL_NAME:
        field += f"<{latin(name.patronymic)}"
    return field[:NAME_LENGTH].ljust(NAME_LENGTH, "<")


def latin(part: str) -> str:
    """Return a part of a name in the zone's letters; hyphens and blanks become ``<``."""
    return "".join(_LATIN.get(letter, "<") for letter in part.upper() if letter != "'")


def check_digit(text: str) -> str:
    """Return the check digit: weights 7, 3, 1; letters from 10, ``<`` is 0 (ICAO 9303-3, 4.9)."""
    return str(sum(_VALUES.get(sign, 0) * _WEIGHTS[at % 3] for at, sign in enumerate(text)) % 10)


def find(rows: Iterable[str]) -> tuple[Zone, ...]:
    """Return the zones among rows of text as a reader gave them, each once, in their order.

    Look-alike characters are repaired where the zone can have only digits or only letters; a zone
    counts only when all four check digits hold after that and its dates exist.
    """
    texts = [_tidy(row) for row in rows]
    names = {name for text in texts for name in _names(text)}
    found = {zone.series + zone.number: zone for text in texts for zone in _zones(text)}
    if len(names) == len(found) == 1:
        name, is_whole = names.pop()
        return tuple(replace(zone, name=name, is_name_whole=is_whole) for zone in found.values())
    # Of two names nobody can tell whose each is.
    return tuple(found.values())


def _tidy(row: str) -> str:
    return row[:_LONGEST_READ].upper().translate(_MARKS)


def _names(text: str) -> Iterator[tuple[str, bool]]:
    for match in _FIRST.finditer(text):
        surname, _, given = match["name"].translate(_TO_LETTERS).partition("<<")
        # Between the parts of a given name stands one filler; behind more there is only filler,
        # misread here and there.
        first, *behind = [each for each in re.split("<{2,}", given) if each] or [""]
        parts = [first.strip("<"), *(each for each in behind if each.strip(_FILLER))]
        name = f"{surname.strip('<')}<<{'<'.join(parts)}".rstrip("<")
        yield name, abs(len(match[0]) - LENGTH) <= _LENGTH_MISREAD


def _zones(text: str) -> Iterator[Zone]:
    for match in _SECOND.finditer(text):
        said = {
            part: value if part == "sex" else value.translate(_TO_DIGITS)
            for part, value in match.groupdict().items()
        }
        if _second_checks(said["number"], said["born"], said["rest"]) != tuple(
            said[part] for part in ("number_check", "born_check", "rest_check", "check")
        ):
            continue
        issued_on = _date(said["issued"], 2000)
        born_on = issued_on and _born(said["born"], issued_on)
        if born_on is None or issued_on is None:
            continue
        yield Zone(
            series=said["number"][:3] + said["series"],
            number=said["number"][3:],
            born_on=born_on,
            sex=next((sex for sex, letter in _SEXES.items() if letter == said["sex"]), None),
            issued_on=issued_on,
            unit_code=said["unit"],
        )


def _born(digits: str, issued_on: date) -> date | None:
    """Return the latest birth date with these two digits of the year that a passport can have."""
    for century in (2000, 1900):
        born_on = _date(digits, century)
        if born_on is not None and birthday(born_on, PASSPORT_AGE) <= issued_on:
            return born_on
    return None


def _date(digits: str, century: int) -> date | None:
    try:
        return date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None


def _second(
    series: str, number: str, born_on: date, sex: str, issued_on: date, unit_code: str
) -> str:
    numbered, born = f"{series[:3]}{number}", f"{born_on:%y%m%d}"
    rest = f"{series[3]}{issued_on:%y%m%d}{unit_code}"
    checks = _second_checks(numbered, born, rest)
    return f"{numbered}{checks[0]}RUS{born}{checks[1]}{sex}<<<<<<<{rest}<{checks[2]}{checks[3]}"


def _second_checks(numbered: str, born: str, rest: str) -> tuple[str, str, str, str]:
    """Return the check digits of positions 1-9, 14-19, 29-42, and of 1-10, 14-20, 22-43."""
    parts = (numbered, born, f"{rest}<")
    first, second, third = (check_digit(part) for part in parts)
    whole = check_digit(f"{numbered}{first}{born}{second}<<<<<<<{rest}<{third}")
    return first, second, third, whole
