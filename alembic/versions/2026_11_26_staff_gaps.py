"""Vaccinations that a staff lacks: who agrees to be counted, and what may be told.

Revision ID: 2026_11_26_staff_gaps
Revises: 2026_11_26_employer_keys
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_staff_gaps"
down_revision = "2026_11_26_employer_keys"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GAPS, STAFF = "staff_gaps", "staff_entries"


def upgrade() -> None:
    with op.batch_alter_table(STAFF) as batch:
        batch.add_column(
            sa.Column("is_counted", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table(STAFF) as batch:
        batch.alter_column("is_counted", server_default=None)
    op.create_table(
        GAPS,
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=f"fk_{GAPS}_organisation_id_organisations",
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f(f"pk_{GAPS}")),
    )


def downgrade() -> None:
    op.drop_table(GAPS)
    with op.batch_alter_table(STAFF) as batch:
        batch.drop_column("is_counted")
