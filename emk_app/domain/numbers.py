"""Registration numbers of people and organisations, and the check digits that guard them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from emk_app.domain.errors import InvalidValue
from emk_app.domain.values import Personal, WrongLength, read_digits

LAST_UNCHECKED_SNILS: Final = "001001998"
"""Bodies up to this one were issued without a control number."""


class WrongCheckDigit(InvalidValue):
    """The digits contradict their check digit: at least one of them is wrong."""


class SnilsLength(WrongLength):
    """Not 11 digits; ``suggestion`` is the number with a lost leading zero, where that fits."""

    def __init__(self, found: int, suggestion: Snils | None = None) -> None:
        super().__init__(found, (SNILS_DIGITS,))
        self.suggestion = suggestion


class InnNotPersonal(InvalidValue):
    """The ИНН of an organisation where a person's is needed."""


class NotAnOgrn(InvalidValue):
    """A register number of another kind: ОГРН begins with 1 or 5, ОГРНИП with 3."""


SNILS_DIGITS: Final = 11


@dataclass(frozen=True, slots=True, repr=False)
class Snils(Personal):
    """Number of the pension account: nine digits and a control number of two.

    The control number misses one kind of single-digit error: the ninth digit off by one where
    the weighted sum is 0 or 100 modulo 101.
    """

    digits: str

    @classmethod
    def parse(cls, text: str) -> Snils:
        """Read 11 digits typed in any grouping; raise ``SnilsLength`` or ``WrongCheckDigit``.

        Ten digits, as a spreadsheet leaves them, get the leading zero suggested if the control
        number then fits (by chance, once in 101).
        """
        digits = read_digits(text)
        if len(digits) != SNILS_DIGITS:
            suggestion = "0" + digits
            fits = len(suggestion) == SNILS_DIGITS and _is_snils(suggestion)
            raise SnilsLength(len(digits), cls(suggestion) if fits else None)
        if not _is_snils(digits):
            raise WrongCheckDigit
        return cls(digits)

    def __str__(self) -> str:
        d = self.digits
        return f"{d[:3]}-{d[3:6]}-{d[6:9]} {d[9:]}"

    @property
    def masked(self) -> str:
        """First three and last two digits, as the federal register shows it: «112***95»."""
        return f"{self.digits[:3]}***{self.digits[-2:]}"


@dataclass(frozen=True, slots=True, repr=False)
class Inn(Personal):
    """Taxpayer's number: 12 digits of a person, 10 of an organisation.

    Twelve digits detect every single-digit error; ten miss about one in sixty.
    """

    digits: str

    @classmethod
    def parse(cls, text: str) -> Inn:
        """Read 10 or 12 digits; raise ``WrongLength`` or ``WrongCheckDigit``."""
        digits = read_digits(text, 10, 12)
        check = inn10_check_digit if len(digits) == 10 else inn12_check_digits
        body_length = 9 if len(digits) == 10 else 10
        if not _guards(digits, body_length, check(digits[:body_length])):
            raise WrongCheckDigit
        return cls(digits)

    @classmethod
    def parse_personal(cls, text: str) -> Inn:
        """Read a person's ИНН; raise ``InnNotPersonal`` for an organisation's."""
        inn = cls.parse(text)
        if not inn.is_personal:
            raise InnNotPersonal
        return inn

    @property
    def is_personal(self) -> bool:
        """Whether it is a person's, of 12 digits."""
        return len(self.digits) == 12

    def __str__(self) -> str:
        return self.digits

    @property
    def masked(self) -> str:
        """First two and last two digits: «50***59»."""
        return f"{self.digits[:2]}***{self.digits[-2:]}"


@dataclass(frozen=True, slots=True)
class Okpo:
    """Code of an organisation (8 digits), entrepreneur (10) or branch (14, head's code first)."""

    digits: str

    @classmethod
    def parse(cls, text: str) -> Okpo:
        """Read 8, 10 or 14 digits; raise ``WrongLength`` or ``WrongCheckDigit``.

        Of a branch only the head organisation's code is checked. The search by ОКПО takes a
        prefix and does not come here.
        """
        digits = read_digits(text, 8, 10, 14)
        code = digits[:8] if len(digits) == 14 else digits
        body = code[:-1]
        if not any(_guards(code, len(body), check) for check in _okpo_check_digits(body)):
            raise WrongCheckDigit
        return cls(digits)

    def __str__(self) -> str:
        return self.digits


@dataclass(frozen=True, slots=True)
class Ogrn:
    """State registration number of an organisation (13 digits) or entrepreneur (15)."""

    digits: str

    @classmethod
    def parse(cls, text: str) -> Ogrn:
        """Read 13 or 15 digits; raise ``WrongLength``, ``NotAnOgrn`` or ``WrongCheckDigit``."""
        digits = read_digits(text, 13, 15)
        if digits[0] not in ("15" if len(digits) == 13 else "3"):
            raise NotAnOgrn
        if digits[-1] != ogrn_check_digit(digits[:-1]):
            raise WrongCheckDigit
        return cls(digits)

    def __str__(self) -> str:
        return self.digits


def snils_control(body: str) -> str:
    """Return the two control digits of a body of 9."""
    return f"{_weigh(body, range(9, 0, -1)) % 101 % 100:02}"


def inn10_check_digit(body: str) -> str:
    """Return the last digit of an organisation's ИНН for its first 9."""
    return str(_weigh(body, (2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10)


def inn12_check_digits(body: str) -> str:
    """Return the last two digits of a person's ИНН for its first 10."""
    first = str(_weigh(body, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10)
    return first + str(_weigh(body + first, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10)


def okpo_check_digit(body: str) -> str:
    """Return the last digit of an ОКПО for its first 7 or 9."""
    return _okpo_check_digits(body)[0]


def ogrn_check_digit(body: str) -> str:
    """Return the last digit of an ОГРН for its first 12, of an ОГРНИП for its first 14."""
    return str(int(body) % (11 if len(body) == 12 else 13) % 10)


def _okpo_check_digits(body: str) -> tuple[str, ...]:
    """Return the check digits in use for ``body``, the usual one first.

    A remainder of 10 is taken again with weights from 3; whether these then run to 11 or start
    anew from 1 is read both ways for nine digits.
    """
    remainder = _weigh(body, range(1, 10)) % 11
    if remainder < 10:
        return (str(remainder),)
    again = ((3, 4, 5, 6, 7, 8, 9, 10, 11), (3, 4, 5, 6, 7, 8, 9, 10, 1))
    return tuple(str(_weigh(body, weights) % 11 % 10) for weights in again)


def _weigh(digits: str, weights: Iterable[int]) -> int:
    """Return the sum of digits times weights; the shorter of the two decides."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _is_snils(digits: str) -> bool:
    body = digits[:9]
    return _guards(digits, 9, snils_control(body)) or "0" * 9 < body <= LAST_UNCHECKED_SNILS


def _guards(digits: str, body_length: int, check: str) -> bool:
    """Whether ``check`` ends ``digits``; nothing but zeros is nobody's number though it fits."""
    return digits[body_length:] == check and digits[:body_length].strip("0") != ""
