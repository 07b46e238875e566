"""What in the audit looked like a sweep."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel, text

from emk_app.db.columns import BIG, choice, identity
from emk_app.domain.alerts import Alarm


class Alert(SQLModel, table=True):
    """One alarm about one person; grows until an administrator has looked at it."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_open",
            "alarm",
            "actor_id",
            unique=True,
            sqlite_where=text("acknowledged_at IS NULL"),
            postgresql_where=text("acknowledged_at IS NULL"),
        ),
    )

    id: int = identity()
    alarm: Alarm = choice(Alarm, nullable=False)
    actor_id: int = Field(sa_type=BIG)
    """0 for those without an account."""
    role: str = Field(max_length=16)
    count: int
    raised_at: datetime
    last_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: int | None = Field(default=None, sa_type=BIG)
