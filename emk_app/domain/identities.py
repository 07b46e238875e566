"""Change of the name or the birth date in a book: what is asked, on what paper, how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from emk_app.domain.documents import LIMITS, ScanKind
from emk_app.domain.errors import Conflict, NotAChoice, Required
from emk_app.domain.people import FullName, parse_birth_date, parse_name_part
from emk_app.domain.values import Personal, Problems, one_line

NOTE_LIMIT: Final = 500
AS: Final = ScanKind.STATUS_CERTIFICATE
"""The holder's paper by whose bounds the proof is taken."""
SIZE_LIMIT: Final = LIMITS[AS]
"""Bytes, inclusive."""


class Basis(StrEnum):
    """What paper proves the change."""

    PASSPORT = "passport"
    MARRIAGE = "marriage"
    DIVORCE = "divorce"
    NAME_CHANGE = "name_change"
    CORRECTION = "correction"


class ChangeStatus(StrEnum):
    """Where a wish to change the data stands."""

    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class ChangePending(Conflict):
    """The holder has asked already, and nobody has answered."""


class NothingChanges(Conflict):
    """The book says so already."""


class ChangeDecided(Conflict):
    """The wish has been answered or taken back."""


class IdentityFixed(Conflict):
    """There is no book whose data could be changed: none, a revoked one, or not genuine words."""


@dataclass(frozen=True, slots=True, repr=False)
class Identity(Personal):
    """What of a person may change in a book; the СНИЛС never does."""

    name: FullName
    born_on: date

    @property
    def masked(self) -> str:
        """The name masked."""
        return self.name.masked


@dataclass(frozen=True, slots=True)
class RefusalGround:
    """Why a change is refused: its name for operators, the sentence for the holder."""

    code: str
    name: str
    text: str
    needs_note: bool = False


_GROUNDS: Final = (
    RefusalGround(
        "unreadable",
        "Документ не читается",
        "Документ на скане не читается. Пришлите чёткий скан всей страницы.",
    ),
    RefusalGround(
        "differs",
        "В документе другие данные",
        "Новые данные не совпадают с документом. Заполните их точно как в документе.",
    ),
    RefusalGround(
        "another_person",
        "Документ другого человека",
        "Документ выдан другому человеку. Пришлите свой.",
    ),
    RefusalGround(
        "proves_nothing",
        "Документ не подтверждает изменение",
        "Этот документ не подтверждает изменение. Пришлите новый паспорт или свидетельство.",
    ),
    RefusalGround("other", "Другая причина", "", needs_note=True),
)
REFUSALS: Final[Mapping[str, RefusalGround]] = MappingProxyType(
    {each.code: each for each in _GROUNDS}
)


def read_identity(
    *, last: str, first: str, patronymic: str, born_on: str, basis: str, today: date
) -> tuple[Identity, Basis]:
    """Read what was typed; raise ``Invalid`` by the names of the arguments."""
    problems = Problems()
    name = FullName(
        problems.take("last", _required_part, last),
        problems.take("first", _required_part, first),
        problems.take("patronymic", _optional_part, patronymic),
    )
    born = problems.take("born_on", parse_birth_date, born_on, today)
    proof = problems.take("basis", _basis, basis)
    problems.raise_any()
    return Identity(name, born), proof


def read_refusal(code: str) -> RefusalGround:
    """Return the ground; raise ``Required`` and ``NotAChoice``."""
    if not code:
        raise Required
    if (found := REFUSALS.get(code)) is None:
        raise NotAChoice
    return found


def refusal_words(note: str, ground: RefusalGround | None) -> str:
    """Return what the holder reads; raise ``Required`` where the ground says nothing without."""
    line = one_line(note, NOTE_LIMIT)
    if ground is None:
        return line
    if not line and ground.needs_note:
        raise Required
    return " ".join(part for part in (ground.text, line) if part)


def _required_part(text: str) -> str:
    return parse_name_part(text, required=True)


def _optional_part(text: str) -> str | None:
    return parse_name_part(text, required=False)


def _basis(text: str) -> Basis:
    if not text:
        raise Required
    try:
        return Basis(text)
    except ValueError:
        raise NotAChoice from None
