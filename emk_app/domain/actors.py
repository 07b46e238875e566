"""Who acts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain.errors import FreshFactorNeeded, NotPermitted


class Role(StrEnum):
    """The one role a session acts in (D24)."""

    HOLDER = "holder"
    CLINIC = "clinic"
    OPERATOR = "operator"
    EMPLOYER = "employer"
    SUPPORT = "support"
    ADMIN = "admin"
    SYSTEM = "system"


class Position(StrEnum):
    """What a member of a clinic's staff may do there."""

    REGISTRAR = "registrar"
    PHYSICIAN = "physician"
    CHAIR = "chair"


class Post(StrEnum):
    """What a member of an employer's organisation may do there."""

    OWNER = "owner"
    HR = "hr"
    VIEWER = "viewer"


FRESH_FACTOR: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Actor:
    """The person, or the system, on whose authority a service acts."""

    user_id: int
    role: Role
    session_id: int | None = None
    clinic_id: int | None = None
    position: Position | None = None
    organisation_id: int | None = None
    """The employer's organisation; with ``post``, as ``clinic_id`` with ``position``."""
    post: Post | None = None
    factor_at: datetime | None = None


SYSTEM: Final = Actor(user_id=0, role=Role.SYSTEM)


def permit(actor: Actor, *roles: Role) -> None:
    """Raise ``NotPermitted`` unless the actor has one of ``roles``."""
    if actor.role not in roles:
        raise NotPermitted(f"{actor.role} is none of {', '.join(roles)}")


def permit_position(actor: Actor, *positions: Position) -> int:
    """Return the clinic whose staff the actor is, in one of ``positions``."""
    permit(actor, Role.CLINIC)
    if actor.clinic_id is None or actor.position not in positions:
        raise NotPermitted(f"{actor.position} is none of {', '.join(positions)}")
    return actor.clinic_id


def permit_post(actor: Actor, *posts: Post) -> int:
    """Return the organisation that the actor is a member of, in one of ``posts``."""
    permit(actor, Role.EMPLOYER)
    if actor.organisation_id is None or actor.post not in posts:
        raise NotPermitted(f"{actor.post} is none of {', '.join(posts)}")
    return actor.organisation_id


def permit_fresh(actor: Actor, now: datetime) -> None:
    """Raise ``FreshFactorNeeded`` unless the second factor was given in the last five minutes."""
    if actor.factor_at is None or abs(now - actor.factor_at) > FRESH_FACTOR:
        raise FreshFactorNeeded
