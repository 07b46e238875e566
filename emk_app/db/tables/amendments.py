"""Amendments of reference data and of the words of messages."""

from __future__ import annotations

import datetime as dt
from datetime import datetime

from sqlmodel import Field, Index, SQLModel, text

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.amending import AmendmentKind
from emk_app.domain.orders import OrderAnswer


class Amendment(SQLModel, table=True):
    """How something is from a day on, once a second administrator has agreed."""

    __tablename__ = "amendments"
    __table_args__ = (
        Index(
            "uq_amendments_open",
            "kind",
            "code",
            unique=True,
            sqlite_where=text("answer IS NULL"),
            postgresql_where=text("answer IS NULL"),
        ),
        Index("ix_amendments_standing", "kind", "answer", "valid_from"),
    )

    id: int = identity()
    kind: AmendmentKind = choice(AmendmentKind, nullable=False)
    code: str = Field(max_length=40)
    valid_from: dt.date
    content: str
    """JSON, as the domain of its kind reads it."""
    reason: str = Field(max_length=300)
    written_by: int = reference("users.id", nullable=False, index=False)
    written_at: datetime
    answer: OrderAnswer | None = choice(OrderAnswer, default=None, nullable=True)
    answered_by: int | None = reference("users.id", default=None, nullable=True, index=False)
    answered_at: datetime | None = None
