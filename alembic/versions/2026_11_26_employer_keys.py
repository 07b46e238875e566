"""Keys of employers' own systems.

Revision ID: 2026_11_26_employer_keys
Revises: 2026_11_26_truncate_kept
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_employer_keys"
down_revision = "2026_11_26_truncate_kept"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEYS = "employer_keys"


def upgrade() -> None:
    op.create_table(
        KEYS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("made_by", BIG, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("scopes", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=f"fk_{KEYS}_organisation_id_organisations",
        ),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=f"fk_{KEYS}_made_by_users"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{KEYS}")),
        sa.UniqueConstraint("digest", name=op.f(f"uq_{KEYS}_digest")),
    )
    op.create_index(op.f(f"ix_{KEYS}_organisation_id"), KEYS, ["organisation_id"])


def downgrade() -> None:
    op.drop_table(KEYS)
