"""What is switched off."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from emk_app.db.columns import choice, reference
from emk_app.domain.switches import Feature


class FeatureSwitch(SQLModel, table=True):
    """How one feature stands; one that nobody has ever switched has no row."""

    __tablename__ = "feature_switches"

    feature: Feature = choice(Feature, primary_key=True)
    is_on: bool
    reason: str = Field(max_length=300)
    """Why, for administrators; of nobody in particular."""
    changed_by: int = reference("users.id", nullable=False, index=False)
    changed_at: datetime
