"""Who works in the service: one administrator asks, another one answers (docs/decisions/0036)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain import specialties
from emk_app.domain.actors import Position, Role
from emk_app.domain.contacts import Email
from emk_app.domain.errors import Conflict, InvalidValue, NotAChoice, NotPermitted, Required
from emk_app.domain.values import Problems, one_line, read_words

STAFF: Final = (Role.OPERATOR, Role.CLINIC, Role.SUPPORT, Role.ADMIN)
"""Roles that administrators give; holders and employers register themselves."""
LEAST_ADMINISTRATORS: Final = 2
"""One alone can confirm nothing, so a second one always stays."""
CONFIRM_WITHIN: Final = timedelta(hours=72)
"""How long a decision waits for the second administrator: a weekend and a day."""
REASON_LIMIT: Final = 300
NAME_LIMIT: Final = 120


class StaffOrderKind(StrEnum):
    """What is asked for."""

    INVITE = "invite"
    CHANGE = "change"
    BLOCK = "block"
    UNBLOCK = "unblock"
    TAKE_FACTORS = "take_factors"


class OwnAccount(NotPermitted):
    """Nobody decides about their own account."""


class SameAdministrator(NotPermitted):
    """Whoever asked for something does not confirm it."""


class StaffOrderPending(Conflict):
    """Something about this account waits for its answer already."""


class NothingAsked(Conflict):
    """There is nothing to answer: somebody has, or its time has run out."""


class NotAskable(Conflict):
    """The account does not stand so that this could be done with it."""


class TooFewAdministrators(Conflict):
    """After that there would be no second administrator left to confirm anything."""


class LoginKnown(InvalidValue):
    """Somebody signs in by this address already."""


class NoSuchClinic(InvalidValue):
    """The register has no clinic of this OID or ОКПО."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """A role and what belongs to it: of a clinic's staff the clinic and the position."""

    role: Role
    clinic_id: int | None = None
    position: Position | None = None
    specialties: str = ""
    """A physician's, as ``domain.specialties`` writes them."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form of an appointment; ``login`` and ``name`` are an invitation's."""

    role: str
    clinic: str = ""
    position: str = ""
    specialties: Collection[str] = ()
    login: str = ""
    name: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Invited:
    """Who is invited."""

    address: str
    name: str


def read_appointment(problems: Problems, typed: Typed, clinic_id: int | None) -> Appointment:
    """Return the role and what belongs to it, ``clinic_id`` being the one found; notes problems
    under ``role``, ``clinic``, ``position`` and ``specialties``.
    """
    role = problems.take("role", _read_role, typed.role)
    if role is not Role.CLINIC:
        return Appointment(role)
    if clinic_id is None:
        problems.fields["clinic"] = NoSuchClinic() if typed.clinic.strip() else Required()
    position = problems.take("position", _read_position, typed.position)
    own = ""
    if position is Position.PHYSICIAN:
        own = problems.take("specialties", _read_specialties, typed.specialties)
    return Appointment(role, clinic_id, position, own)


def read_invited(problems: Problems, typed: Typed) -> Invited:
    """Return who is invited; notes problems under ``login`` and ``name``."""
    address = problems.take("login", _read_address, typed.login)
    return Invited(address, problems.take("name", read_words, typed.name, 2, NAME_LIMIT))


def read_reason(text: str) -> str:
    """Return why; raise ``Required`` and ``TooLong``."""
    line = one_line(text, REASON_LIMIT)
    if not line:
        raise Required
    return line


def askable(role: Role, *, is_blocked: bool) -> tuple[StaffOrderKind, ...]:
    """Return what can be asked for about an account."""
    kinds: list[StaffOrderKind] = []
    if role in STAFF and not is_blocked:
        kinds.append(StaffOrderKind.CHANGE)
    if not is_blocked:
        kinds.append(StaffOrderKind.TAKE_FACTORS)
    kinds.append(StaffOrderKind.UNBLOCK if is_blocked else StaffOrderKind.BLOCK)
    return tuple(kinds)


def acts_at_once(kind: StaffOrderKind, role: Role) -> bool:
    """Whether the first administrator's word holds until the second one's.

    Somebody's stolen account is shut without waiting. Not an administrator's: whoever has taken
    over one of theirs would shut out all the others.
    """
    return kind is StaffOrderKind.BLOCK and role is not Role.ADMIN


def permit_asking(asked_by: int, subject_id: int) -> None:
    """Raise ``OwnAccount`` unless these are two people."""
    if asked_by == subject_id:
        raise OwnAccount("nobody decides about their own account")


def permit_answering(asked_by: int, answered_by: int, subject_id: int | None) -> None:
    """Raise ``SameAdministrator`` and ``OwnAccount`` unless a third person agrees."""
    if asked_by == answered_by:
        raise SameAdministrator("who asked does not confirm")
    if subject_id is not None:
        permit_asking(answered_by, subject_id)


def _read_role(text: str) -> Role:
    if not text:
        raise Required
    if text not in set(STAFF):
        raise NotAChoice
    return Role(text)


def _read_position(text: str) -> Position:
    if not text:
        raise Required
    try:
        return Position(text)
    except ValueError:
        raise NotAChoice from None


def _read_specialties(codes: Collection[str]) -> str:
    if not codes:
        raise Required
    return specialties.write(codes)


def _read_address(text: str) -> str:
    if not text.strip():
        raise Required
    return Email.parse(text).address
