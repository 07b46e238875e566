"""What holders have agreed to."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.consent import ConsentChannel


class Consent(SQLModel, table=True):
    """One consent of a holder to one version of the text; kept after it is taken back (D52)."""

    __tablename__ = "consents"

    id: int = identity()
    holder_id: int = reference("users.id", nullable=False)
    application_id: int | None = reference("applications.id", default=None, nullable=True)
    """With which it was given, if with any."""
    version: str = Field(max_length=20)
    channel: ConsentChannel = choice(ConsentChannel, nullable=False)
    given_at: datetime
    withdrawn_at: datetime | None = None
