"""Which physician of a commission enters what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from emk_app.domain.errors import NotAChoice, NotPermitted
from emk_app.domain.refdata import load


@dataclass(frozen=True, slots=True)
class Specialty:
    """One specialty of physicians, as the order of 2015 names it."""

    code: str
    name: str
    short_name: str


SPECIALTIES: Final[Mapping[str, Specialty]] = MappingProxyType(
    {row["code"]: Specialty(**row) for row in load("specialties")["specialties"]}
)


class ForeignSpecialty(NotPermitted):
    """The study belongs to physicians of another ``specialty``."""

    def __init__(self, specialty: str) -> None:
        super().__init__(f"a study of {specialty}")
        self.specialty = specialty


def read(stored: str | None) -> frozenset[str]:
    """Return the codes of a column; a specialty that is no longer in the list is left out."""
    return frozenset(each for each in (stored or "").split(",") if each in SPECIALTIES)


def write(codes: Collection[str]) -> str:
    """Return codes as a column keeps them, in the list's order; raise ``NotAChoice``."""
    if any(code not in SPECIALTIES for code in codes):
        raise NotAChoice
    return ",".join(code for code in SPECIALTIES if code in codes)


def check_own(specialty: str, own: Collection[str]) -> None:
    """Raise ``ForeignSpecialty`` unless a physician of ``own`` specialties enters such a study."""
    if specialty not in own:
        raise ForeignSpecialty(specialty)
