"""Features that are switched off.

Revision ID: 2026_11_26_switches
Revises: 2026_11_26_jobs_tended
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_switches"
down_revision = "2026_11_26_jobs_tended"
branch_labels = None
depends_on = None

TABLE = "feature_switches"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column(
            "feature",
            sa.Enum(
                "registration",
                "sms_factor",
                "number_check",
                "appeals",
                name="feature",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("changed_by", BIG, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["users.id"], name=op.f(f"fk_{TABLE}_changed_by_users")
        ),
        sa.PrimaryKeyConstraint("feature", name=op.f(f"pk_{TABLE}")),
    )


def downgrade() -> None:
    op.drop_table(TABLE)
