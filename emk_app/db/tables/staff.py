"""What administrators decide about accounts."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel, text

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.actors import Position, Role
from emk_app.domain.orders import OrderAnswer
from emk_app.domain.staff import StaffOrderKind


class StaffOrder(SQLModel, table=True):
    """One decision about an account, or an invitation to one; two administrators make it."""

    __tablename__ = "staff_orders"
    __table_args__ = (
        *(
            Index(
                f"uq_staff_orders_open_{name}",
                name,
                unique=True,
                sqlite_where=text("answer IS NULL"),
                postgresql_where=text("answer IS NULL"),
            )
            for name in ("user_id", "login_blind")
        ),
    )

    id: int = identity()
    ref: str = Field(max_length=32, unique=True)
    """Random name, fixed before the row exists: the place of what is sealed."""
    kind: StaffOrderKind = choice(StaffOrderKind, nullable=False)
    user_id: int | None = reference("users.id", default=None, nullable=True)
    """None until an invitation is confirmed."""
    login_blind: str | None = Field(default=None, max_length=64)
    invited_sealed: bytes | None = None
    """Address and name of an invitation, until it is answered."""
    role: Role | None = choice(Role, default=None, nullable=True)
    clinic_id: int | None = reference("clinics.id", default=None, nullable=True, index=False)
    position: Position | None = choice(Position, default=None, nullable=True)
    specialties: str | None = Field(default=None, max_length=200)
    reason_sealed: bytes
    acted: bool = False
    """Whether it holds already."""
    asked_by: int = reference("users.id", nullable=False, index=False)
    asked_at: datetime
    lapses_at: datetime
    answer: OrderAnswer | None = choice(OrderAnswer, default=None, nullable=True)
    answered_by: int | None = reference("users.id", default=None, nullable=True, index=False)
    answered_at: datetime | None = None
