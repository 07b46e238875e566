"""Search by words in Russian texts: word forms, ё and е, capitals, beginnings of words, dates."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

QUERY_LIMIT: Final = 80
"""Characters of a query that are read."""
WORD_LIMIT: Final = 8
"""Words of a query that are read."""

_TOKEN: Final = re.compile(r"\d+(?:[.,/:-]\d+)*|[^\W\d_]+")
_BOUNDARY: Final = re.compile(r"[.,/:-]")
# Endings of nouns and adjectives, the longest first; a stem keeps three letters at least.
_ENDINGS: Final = tuple(
    sorted(
        (
            *("иями", "ями", "ами", "иях", "ях", "ах", "иям", "ям", "ам", "ией", "ей", "ой", "ий"),
            *("ия", "ию", "ие", "ии", "ью", "ья", "ье", "ов", "ев", "ем", "ом", "им", "ым", "ем"),
            *("ими", "ыми", "его", "ого", "ему", "ому", "их", "ых", "ую", "юю", "ая", "яя", "ое"),
            *("ее", "ые", "ый", "а", "я", "о", "е", "у", "ю", "ы", "и", "ь", "й"),
        ),
        key=len,
        reverse=True,
    )
)
_STEM: Final = 3
_SHORT: Final = 2
"""Letters of a word that is no beginning of others: the «В» of «гепатит В»."""
# «прививок» and «прививка», «анализов крови» and «кровь»: the vowel that comes and goes.
_FLEETING: Final = re.compile(r"[оеё](?=[кц]$)")
_MONTHS: Final = {
    "январ": 1,
    "феврал": 2,
    "март": 3,
    "апрел": 4,
    "май": 5,
    "мая": 5,
    "июн": 6,
    "июл": 7,
    "август": 8,
    "сентябр": 9,
    "октябр": 10,
    "ноябр": 11,
    "декабр": 12,
}
_DATE: Final = re.compile(r"\d{2}\.(\d{2})\.\d{4}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, in the order of the text; ``is_hit`` where the query is found."""

    text: str
    is_hit: bool


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    stem: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    """The words that are sought; a text is found when it holds each of them."""

    words: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Query:
        """Read what somebody typed, as far as the limits; it may have no words at all."""
        head = unicodedata.normalize("NFC", text[:QUERY_LIMIT])
        found = [_plain(each.group()) for each in _TOKEN.finditer(head)]
        return cls(tuple(dict.fromkeys(found[:WORD_LIMIT])))

    def missing(self, texts: Iterable[str]) -> frozenset[str]:
        """Return the words of the query that none of the texts holds."""
        words = [word for text in texts for word in _words(text)]
        return frozenset(
            sought for sought in self.words if not any(_fits(sought, word) for word in words)
        )

    def pieces(self, text: str) -> tuple[Piece, ...]:
        """Cut a text into what is found and what is not."""
        cuts: list[Piece] = []
        at = 0
        for word in _words(text):
            if any(_fits(sought, word) for sought in self.words):
                if word.start > at:
                    cuts.append(Piece(text[at : word.start], False))
                cuts.append(Piece(text[word.start : word.end], True))
                at = word.end
        if at < len(text) or not cuts:
            cuts.append(Piece(text[at:], False))
        return tuple(cuts)


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text as they are compared: small letters, е for ё."""
    return frozenset(word.text for word in _words(text))


def hits(query: Query, texts: Sequence[str]) -> int:
    """Return how many words of the texts are found, for the order of results."""
    return sum(piece.is_hit for text in texts for piece in query.pieces(text))


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Return a plain word (see ``_plain``) without its ending."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            word = word[: -len(ending)]
            break
    return _FLEETING.sub("", word) if len(word) > _STEM + 1 else word


def _fits(sought: str, word: _Word) -> bool:
    if word.text == sought or (len(sought) > _SHORT and word.text.startswith(sought)):
        return True
    if sought[0].isdigit():
        if len(sought) <= _SHORT:
            return sought in _BOUNDARY.split(word.text)
        # «11.2026» of «17.11.2026»: from any part of a number to the right.
        parts = [each.end() for each in _BOUNDARY.finditer(word.text)]
        return any(word.text.startswith(sought, start) for start in parts)
    root = stem(sought)
    if root == word.stem:
        return True
    # A longer root may stand before another ending than those above.
    if len(root) > _STEM and word.text.startswith(root):
        return True
    month = _MONTHS.get(root)
    date = _DATE.fullmatch(word.text)
    return month is not None and date is not None and int(date[1]) == month


def _words(text: str) -> list[_Word]:
    return [
        _Word(plain, stem(plain), each.start(), each.end())
        for each in _TOKEN.finditer(text)
        if (plain := _plain(each.group()))
    ]


def _plain(word: str) -> str:
    # One letter for one, so that places in the text stay where they are.
    return word.casefold().replace("ё", "е")
