"""How the parts of the service do, and did.

Revision ID: 2026_11_26_upkeep
Revises: 2026_11_26_employers
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_upkeep"
down_revision = "2026_11_26_employers"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STANDINGS, DAYS, INCIDENTS = "component_standings", "component_days", "component_incidents"


def upgrade() -> None:
    op.create_table(
        STANDINGS,
        sa.Column("component", sa.String(length=32), nullable=False),
        sa.Column("standing", sa.String(length=32), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("component", name=op.f(f"pk_{STANDINGS}")),
    )
    op.create_table(
        DAYS,
        sa.Column("component", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("up", sa.Integer(), nullable=False),
        sa.Column("degraded", sa.Integer(), nullable=False),
        sa.Column("down", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("component", "day", name=op.f(f"pk_{DAYS}")),
    )
    op.create_table(
        INCIDENTS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("component", sa.String(length=32), nullable=False),
        sa.Column("worst", sa.String(length=32), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{INCIDENTS}")),
    )
    op.create_index(op.f(f"ix_{INCIDENTS}_ended_at"), INCIDENTS, ["ended_at"])


def downgrade() -> None:
    op.drop_table(INCIDENTS)
    op.drop_table(DAYS)
    op.drop_table(STANDINGS)
