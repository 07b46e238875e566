"""What the service says of itself."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from emk_app.db.columns import identity


class NewsItem(SQLModel, table=True):
    """One item of «Новости и обновления»."""

    __tablename__ = "news_items"

    id: int = identity()
    slug: str = Field(max_length=80, unique=True)
    """Its name in the address; it stays whatever becomes of the title."""
    title: str
    text: str
    published_at: datetime | None = Field(default=None, index=True)
    """From when everybody reads it; None for a draft."""
    version: int = 1
    """Counts changes; a change is made to what was seen."""
    created_at: datetime
    changed_at: datetime


class MaintenanceWindow(SQLModel, table=True):
    """Hours in which the service is worked on, told beforehand."""

    __tablename__ = "maintenance_windows"

    id: int = identity()
    starts_at: datetime
    ends_at: datetime = Field(index=True)
    text: str
    created_at: datetime
