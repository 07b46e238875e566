"""How alike two names are, once one of them was read off a paper by a machine."""

from __future__ import annotations

from typing import Final

from rapidfuzz import fuzz

from emk_app.domain import mrz
from emk_app.domain.people import FullName

THRESHOLD: Final = 80
"""Percent from which a difference may be the reader's: of strangers 57 is the most alike."""

_LOOK_ALIKES: Final = ("O0QD", "I1L", "Z2", "S5", "B8", "A4", "G6", "T7")
_FOLDED: Final = str.maketrans(
    {sign: group[0] for group in _LOOK_ALIKES for sign in group} | {"<": ""}
)
_YO, _YE = mrz.latin("Ё"), mrz.latin("Е")


def likeness(read: str, name: FullName) -> int:
    """Return how alike the name of a zone and a stated one are, in percent.

    100 means that all letters are the same, taking look-alikes for one and Ё for Е; less is the
    likeness of the part that differs most, surname or the rest, and never rounds up to 100.
    """
    stated = mrz.name_field(name)
    if _fold(read) in _spellings(stated) or _fold(_without_yo(read)) in _spellings(stated):
        return 100
    pairs = zip(_halves(read), _halves(stated), strict=True)
    return min(99, int(min(fuzz.ratio(_fold(ours), _fold(theirs)) for ours, theirs in pairs)))


def _spellings(field: str) -> tuple[str, str]:
    return _fold(field), _fold(_without_yo(field))


def _without_yo(field: str) -> str:
    return field.replace(_YO, _YE)


def _fold(field: str) -> str:
    return field.translate(_FOLDED)


def _halves(field: str) -> tuple[str, str]:
    surname, _, given = field.partition("<<")
    return surname, given
