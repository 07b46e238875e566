"""What of a holder each one may be shown (D22): one table, role by field.

Screens, routes, files and notices read it; authority over *whose* data is asked for is elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.errors import NotPermitted
from emk_app.domain.people import FullName


class Viewer(StrEnum):
    """In what capacity somebody looks: a role, within a clinic a position, or with what in hand."""

    HOLDER = "holder"
    """The person themselves."""
    REGISTRAR = "registrar"
    PHYSICIAN = "physician"
    CHAIR = "chair"
    OPERATOR = "operator"
    EMPLOYER = "employer"
    SUPPORT = "support"
    BREAK_GLASS = "break_glass"
    """Support, for a while, by the leave of the holder or of a second person (D25)."""
    ADMIN = "admin"
    BY_LINK = "by_link"
    """Whoever was given a link; its scope may tell less and never more."""
    BY_NUMBER = "by_number"
    """Whoever knows the number of the book and the СНИЛС."""


class HolderField(StrEnum):
    """What there is to be known of a holder."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    IDENTITY = "identity"
    """Passport or another paper of identity."""
    SNILS = "snils"
    POLICY = "policy"
    ADDRESS = "address"
    PHONE = "phone"
    EMAIL = "email"
    OCCUPATION = "occupation"
    APPLICATION = "application"
    """Number, status and dates of an application."""
    SCANS = "scans"
    """Papers brought with an application."""
    RESULTS = "results"
    """Studies, vaccinations, diagnoses."""
    CONCLUSION = "conclusion"
    """Fitness, restrictions, notes, appeals against it."""
    EXAMINATION_PAPERS = "examination_papers"
    BOOK_NUMBER = "book_number"
    TERM = "term"
    """Whether the book is valid, and until when."""


class Sight(StrEnum):
    """How much of a field is shown."""

    SHOWN = "shown"
    MASKED = "masked"
    """Name: never in full; birth date: its year; occupation: its group; conclusion: whether it is
    signed, and whether the person comes again; numbers and contacts: a few of their characters."""
    HIDDEN = "hidden"


_LETTERS: Final = {"+": Sight.SHOWN, "*": Sight.MASKED, "-": Sight.HIDDEN}
_COLUMNS: Final = tuple(Viewer)
_TABLE: Final = """
                  holder registrar physician chair operator employer support glass admin link number
name                +        +         +       +      +        *        *      +     -    *     *
birth_date          +        +         +       +      +        -        -      *     -    *     -
sex                 +        +         +       +      +        -        -      -     -    -     -
identity            +        -         -       -      +        -        -      -     -    -     -
snils               +        +         +       +      +        -        -      *     -    -     -
policy              +        -         -       -      +        -        -      -     -    -     -
address             +        -         -       -      +        -        -      -     -    -     -
phone               +        -         -       -      +        -        -      *     *    -     -
email               +        -         -       -      -        -        -      *     *    -     -
occupation          +        +         +       +      +        *        -      +     -    *     -
application         +        +         +       +      +        -        +      +     -    -     -
scans               +        +         +       +      +        -        -      -     -    -     -
results             +        -         +       +      -        -        -      -     -    -     -
conclusion          +        *         +       +      -        -        -      -     -    -     -
examination_papers  +        -         +       +      -        -        -      -     -    -     -
book_number         +        -         +       +      +        -        -      +     -    -     -
term                +        -         +       +      +        +        -      +     -    +     +
"""


def _read(table: str) -> Mapping[Viewer, Mapping[HolderField, Sight]]:
    found: dict[Viewer, dict[HolderField, Sight]] = {viewer: {} for viewer in _COLUMNS}
    for line in table.strip().splitlines()[1:]:
        field, *letters = line.split()
        for viewer, letter in zip(_COLUMNS, letters, strict=True):
            found[viewer][HolderField(field)] = _LETTERS[letter]
    return MappingProxyType({each: MappingProxyType(found[each]) for each in found})


POLICY: Final = _read(_TABLE)

_POSITIONS: Final = {
    Position.REGISTRAR: Viewer.REGISTRAR,
    Position.PHYSICIAN: Viewer.PHYSICIAN,
    Position.CHAIR: Viewer.CHAIR,
}
_ROLES: Final = {
    Role.HOLDER: Viewer.HOLDER,
    Role.OPERATOR: Viewer.OPERATOR,
    Role.EMPLOYER: Viewer.EMPLOYER,
    Role.SUPPORT: Viewer.SUPPORT,
    Role.ADMIN: Viewer.ADMIN,
}
_NAME_MASKS: Final[Mapping[Viewer, Callable[[FullName], str]]] = MappingProxyType(
    {
        Viewer.SUPPORT: lambda name: name.brief,
        # They may have guessed at the number, and learn no surname by it.
        Viewer.BY_NUMBER: lambda name: name.masked,
    }
)


def viewer_of(actor: Actor) -> Viewer:
    """Return in what capacity the actor looks; raise ``NotPermitted`` for one without any."""
    if actor.role is Role.CLINIC and actor.position is not None:
        return _POSITIONS[actor.position]
    if actor.role not in _ROLES:
        raise NotPermitted(f"{actor.role} looks at nothing")
    return _ROLES[actor.role]


def sight_of(viewer: Viewer, field: HolderField) -> Sight:
    """Return how much of the field the viewer is shown."""
    return POLICY[viewer][field]


def sees(viewer: Viewer, field: HolderField) -> bool:
    """Whether the viewer is shown the field in full."""
    return POLICY[viewer][field] is Sight.SHOWN


def permit_sight(actor: Actor, field: HolderField) -> None:
    """Raise ``NotPermitted`` unless the actor is shown the field in full."""
    if not sees(viewer_of(actor), field):
        raise NotPermitted(f"{field} is hidden from {actor.role}")


def name_for(viewer: Viewer, name: FullName) -> str:
    """Return the name as the viewer is shown it; empty where it is hidden."""
    match sight_of(viewer, HolderField.NAME):
        case Sight.SHOWN:
            return str(name)
        case Sight.MASKED:
            return _NAME_MASKS.get(viewer, _short)(name)
        case Sight.HIDDEN:
            return ""


def birth_for(viewer: Viewer, born_on: date) -> date | int | None:
    """Return the birth date as the viewer is shown it: the day, its year, or None."""
    match sight_of(viewer, HolderField.BIRTH_DATE):
        case Sight.SHOWN:
            return born_on
        case Sight.MASKED:
            return born_on.year
        case Sight.HIDDEN:
            return None


def _short(name: FullName) -> str:
    return name.short
