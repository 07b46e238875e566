"""How the parts of the service do, and did."""

from __future__ import annotations

import datetime as dt
from datetime import datetime

from sqlmodel import Field, SQLModel

from emk_app.db.columns import choice, identity
from emk_app.domain.upkeep import Component, Standing


class ComponentStanding(SQLModel, table=True):
    """How one part did at the last check."""

    __tablename__ = "component_standings"

    component: Component = choice(Component, primary_key=True)
    standing: Standing = choice(Standing, nullable=False)
    checked_at: datetime


class ComponentDay(SQLModel, table=True):
    """Seconds of one day in which a part worked, worked badly, and did not."""

    __tablename__ = "component_days"

    component: Component = choice(Component, primary_key=True)
    day: dt.date = Field(primary_key=True)
    up: int = 0
    degraded: int = 0
    down: int = 0


class ComponentIncident(SQLModel, table=True):
    """A stretch of time in which a part did not work as it should."""

    __tablename__ = "component_incidents"

    id: int = identity()
    component: Component = choice(Component, nullable=False)
    worst: Standing = choice(Standing, nullable=False)
    began_at: datetime
    ended_at: datetime | None = Field(default=None, index=True)
