"""The holder's electronic signature under an application.

Revision ID: 2026_11_25_esignatures
Revises: 2026_11_25_asked_controls
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_esignatures"
down_revision = "2026_11_25_asked_controls"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "esignatures",
        sa.Column("id", BIG, nullable=False),
        sa.Column("application_id", BIG, nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("found_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_esignatures_application_id_applications"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_esignatures")),
        sa.UniqueConstraint("application_id", name=op.f("uq_esignatures_application_id")),
    )


def downgrade() -> None:
    op.drop_table("esignatures")
