"""Hours in which the service is worked on.

Revision ID: 2026_11_26_maintenance
Revises: 2026_11_26_upkeep
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_maintenance"
down_revision = "2026_11_26_upkeep"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WINDOWS = "maintenance_windows"


def upgrade() -> None:
    op.create_table(
        WINDOWS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{WINDOWS}")),
    )
    op.create_index(op.f(f"ix_{WINDOWS}_ends_at"), WINDOWS, ["ends_at"])


def downgrade() -> None:
    op.drop_table(WINDOWS)
