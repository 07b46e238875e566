"""A clinic's staff, and whose studies are whose."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import desks
from emk_app.db.tables.people import User
from emk_app.domain import specialties
from emk_app.domain.actors import Actor, Position, Role, permit_position
from emk_app.domain.errors import Invalid, NotAChoice, NotFound
from emk_app.services import auditing


@dataclass(frozen=True, slots=True)
class Member:
    """One of the clinic's staff; only physicians have specialties, a chair enters everything."""

    id: int
    name: str
    position: Position
    specialties: frozenset[str]


def staff(actor: Actor) -> tuple[Member, ...]:
    """Return the clinic's staff whose accounts are open: chairs, physicians, registrars."""
    clinic_id = permit_position(actor, Position.CHAIR)
    with reading() as db:
        return tuple(
            Member(row.id, name, row.position, specialties.read(row.specialties))
            for row, name in _members(db, clinic_id)
            if row.position is not None
        )


def set_specialties(actor: Actor, user_id: int, codes: Collection[str], *, now: datetime) -> None:
    """Say what a physician of the clinic enters; from the next entry on.

    Raises ``NotFound`` for who is no physician of the clinic, ``Invalid`` with ``specialties``.
    """
    clinic_id = permit_position(actor, Position.CHAIR)
    try:
        wanted = specialties.write(codes)
    except NotAChoice as error:
        raise Invalid({"specialties": error}) from None
    with unit_of_work() as db:
        found = db.get(User, user_id, with_for_update=True)
        if (
            found is None
            or found.role is not Role.CLINIC
            or found.clinic_id != clinic_id
            or found.position is not Position.PHYSICIAN
            or found.disabled_at is not None
        ):
            raise NotFound
        if specialties.read(found.specialties) == frozenset(codes):
            return
        found.specialties = wanted
        db.add(found)
        changes.announce(db, f"staff:{clinic_id}")
        auditing.record(
            db,
            actor,
            "set_specialties",
            f"user:{found.id}",
            subject_id=found.id,
            fields=wanted,
            now=now,
        )


def _members(db: Session, clinic_id: int) -> list[tuple[User, str]]:
    rows = db.exec(
        select(User)
        .where(
            User.clinic_id == clinic_id,
            User.role == Role.CLINIC,
            col(User.disabled_at).is_(None),
        )
        .order_by(col(User.id))
    ).all()
    names = desks.names_of(db, [row.id for row in rows])
    order = list(reversed(Position))
    return sorted(
        ((row, names.get(row.id, "")) for row in rows),
        key=lambda pair: (
            order.index(pair[0].position) if pair[0].position else len(order),
            pair[1],
        ),
    )
