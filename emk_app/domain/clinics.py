"""What a clinic is, as far as choosing one goes."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from emk_app.domain.errors import Conflict

_WORD: Final = re.compile(r"[^\W_]+")
_KEYS: Final = str.maketrans("абвгдежзийклмнопрстуфхцчшщъыьэюя", "abvgdejziiklmnoprstufhcqwwyiyeux")
_TOWN: Final = re.compile(r"(?:^|[ ,])(?:г|пгт|рп|пос|с|ст-ца)\. ?([^,]+)")


class ClinicKind(StrEnum):
    """The three types of the guide's filter («Шаг 3»)."""

    POLYCLINIC = "polyclinic"
    HOSPITAL = "hospital"
    CENTRE = "centre"


class LicenceStatus(StrEnum):
    """State of a medical licence."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """The register says nothing of it; as good as none."""


class ClinicNotAvailable(Conflict):
    """The clinic has no licence in force, or does not examine for this occupation."""

    def __init__(self, licence: LicenceStatus, *, serves_point: bool) -> None:
        super().__init__(f"licence {licence}, serves the point: {serves_point}")
        self.licence = licence
        self.serves_point = serves_point


def check_available(licence: LicenceStatus, points: frozenset[str], point: str | None) -> None:
    """Raise ``ClinicNotAvailable`` unless the clinic may examine somebody for ``point`` of 29н.

    ``point`` is None while the holder has not chosen an occupation.
    """
    serves = point is None or point in points
    if licence is not LicenceStatus.ACTIVE or not serves:
        raise ClinicNotAvailable(licence, serves_point=serves)


def words_of(text: str) -> list[str]:
    """Return the words that a search compares: small letters, ё as е, no marks between."""
    return _WORD.findall(text.casefold().replace("ё", "е"))


def found_by(name: str, short_name: str, address: str, region: str) -> list[str]:
    """Return the words that a clinic is found by, each once.

    Of the address only the town counts: streets and numbers of houses would find everybody.
    """
    town = _TOWN.search(address)
    return list(dict.fromkeys(words_of(f"{short_name} {name} {town[1] if town else ''} {region}")))


def key_of(word: str) -> str:
    """Return a word in the 26 letters of the search, in which й is и, щ is ш and э is е.

    Databases know these letters for such in every locale, they take half the room, and «Мед» is
    found as «Med».
    """
    return word.translate(_KEYS)


def search_name(words: list[str]) -> str:
    """Return the words as the search keeps them, each between blanks."""
    return f" {' '.join(map(key_of, words))} "
