"""The ground of the value types: what people type made comparable, problems collected by field."""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar, cast

from emk_app.domain.errors import Invalid, InvalidValue, Required, TooLong

P = ParamSpec("P")
T = TypeVar("T")

DIGITS: Final = frozenset("0123456789")
DASHES: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
RAW_LIMIT: Final = 1000
NUMBER_LIMIT: Final = 60


class UnexpectedCharacter(InvalidValue):
    """A character that such a value never has."""

    def __init__(self, character: str) -> None:
        super().__init__(f"unexpected {character!a}")
        self.character = character


class NotDigits(UnexpectedCharacter):
    """Something else than 0-9, blanks and dashes in a number."""


class TooShort(InvalidValue):
    """Fewer characters than ``limit``."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"shorter than {limit}")
        self.limit = limit


class WrongLength(InvalidValue):
    """A number of ``found`` digits where only the ``expected`` lengths exist."""

    def __init__(self, found: int, expected: tuple[int, ...]) -> None:
        super().__init__(f"{found} digits, not {' or '.join(map(str, expected))}")
        self.found = found
        self.expected = expected


class Personal:
    """A value whose ``repr`` is masked, so that logs and tracebacks don't tell it."""

    __slots__ = ()

    @property
    @abstractmethod
    def masked(self) -> str:
        """The value as a stranger may see it."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.masked})"


class Problems:
    """Collects one problem per field, so that a form tells all of them at once."""

    def __init__(self) -> None:
        self.fields: dict[str, InvalidValue] = {}

    def take(self, field: str, parse: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return ``parse(...)``, or note its problem under ``field``.

        The fields of a nested ``Invalid`` are noted as ``field_inner``. After a problem the result
        means nothing: call ``raise_any`` before using it.
        """
        try:
            return parse(*args, **kwargs)
        except InvalidValue as error:
            self.fields[field] = error
        except Invalid as error:
            self.fields |= {f"{field}_{inner}": why for inner, why in error.fields.items()}
        return cast("T", None)

    def raise_any(self) -> None:
        """Raise ``Invalid`` with everything noted, if anything was."""
        if self.fields:
            raise Invalid(self.fields)


def one_line(text: str, limit: int) -> str:
    """Return ``text`` in NFC on one line, without invisible marks and needless blanks.

    Raises ``TooLong`` above ``limit`` characters and ``UnexpectedCharacter`` for control and
    unassigned ones. Pasted zero-width and direction marks carry nothing here and are dropped.
    """
    if len(text) > RAW_LIMIT:  # before normalising, whose time is quadratic in stacked accents
        raise TooLong(limit)
    visible = "".join(each for each in text if unicodedata.category(each) != "Cf")
    line = " ".join(unicodedata.normalize("NFC", visible).split())
    for character in line:
        if unicodedata.category(character).startswith("C"):
            raise UnexpectedCharacter(character)
    if len(line) > limit:
        raise TooLong(limit)
    return line


def read_digits(text: str, *lengths: int) -> str:
    """Return the digits of a number typed with any blanks and dashes.

    Raises ``Required``, ``NotDigits`` or, where ``lengths`` are given, ``WrongLength``. Digits of
    other scripts are refused: they look like nothing on the person's document.
    """
    digits = one_line(text, NUMBER_LIMIT).translate(DASHES).replace("-", "").replace(" ", "")
    if not digits:
        raise Required
    for character in digits:
        if character not in DIGITS:
            raise NotDigits(character)
    if lengths and len(digits) not in lengths:
        raise WrongLength(len(digits), lengths)
    return digits


def read_code(text: str, limit: int) -> str:
    """Return a series or number whose alphabet its issuer chose: letters, digits, «-» and «/».

    In capitals, at most ``limit`` characters. Raises ``Required``, ``TooLong`` or
    ``UnexpectedCharacter``.
    """
    line = one_line(text, limit).translate(DASHES).upper()
    if not line.strip("-/ "):
        raise Required
    for character in line:
        if not (character.isascii() or "А" <= character <= "Я" or character == "Ё") or (
            not character.isalnum() and character not in "-/ "
        ):
            raise UnexpectedCharacter(character)
    return line


_IN_WORDS: Final = re.compile(r"[0-9A-Za-z\u0400-\u052f .,:;/\\()«»“”„\"'’№#&+-]")


def read_words(text: str, shortest: int, longest: int) -> str:
    """Return one line of letters, digits and usual punctuation, of such a length, both inclusive.

    Raises ``Required``, ``TooLong``, ``UnexpectedCharacter`` or ``TooShort``.
    """
    line = one_line(text, longest).translate(DASHES)
    if not line:
        raise Required
    for character in line:
        if not _IN_WORDS.match(character):
            raise UnexpectedCharacter(character)
    if len(line) < shortest:
        raise TooShort(shortest)
    return line
