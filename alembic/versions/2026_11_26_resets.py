"""Links that let a forgotten password be replaced, and the password that waits for the factor.

Revision ID: 2026_11_26_resets
Revises: 2026_11_26_factors
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_resets"
down_revision = "2026_11_26_factors"
branch_labels = None
depends_on = None

TABLE = "password_resets"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=43), nullable=False),
        sa.Column("login_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{TABLE}_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("ref", name=op.f(f"uq_{TABLE}_ref")),
        sa.UniqueConstraint("token_hash", name=op.f(f"uq_{TABLE}_token_hash")),
    )
    op.create_index(op.f(f"ix_{TABLE}_user_id"), TABLE, ["user_id"])
    op.create_index(op.f(f"ix_{TABLE}_expires_at"), TABLE, ["expires_at"])
    op.add_column("doorsteps", sa.Column("password_next_hash", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("doorsteps", "password_next_hash")
    op.drop_table(TABLE)
