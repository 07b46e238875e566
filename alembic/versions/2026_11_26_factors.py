"""Passkeys, challenges to keys and by SMS, and whether codes by SMS are wanted.

Revision ID: 2026_11_26_factors
Revises: 2026_11_26_extracts
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_factors"
down_revision = "2026_11_26_extracts"
branch_labels = None
depends_on = None

KEYS = "passkeys"
ASKED = "challenges"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS = ("sms_proved_at", "sms_off_at")


def upgrade() -> None:
    op.create_table(
        KEYS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("blind", sa.String(length=64), nullable=False),
        sa.Column("credential_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{KEYS}_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{KEYS}")),
        sa.UniqueConstraint("blind", name=op.f(f"uq_{KEYS}_blind")),
    )
    op.create_index(op.f(f"ix_{KEYS}_user_id"), KEYS, ["user_id"])
    op.create_table(
        ASKED,
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{ASKED}_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{ASKED}")),
        sa.UniqueConstraint("place", "purpose", "way", name=op.f(f"uq_{ASKED}_place")),
    )
    op.create_index(op.f(f"ix_{ASKED}_user_id"), ASKED, ["user_id"])
    op.create_index(op.f(f"ix_{ASKED}_expires_at"), ASKED, ["expires_at"])
    for name in COLUMNS:
        op.add_column("users", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("users", name)
    op.drop_table(ASKED)
    op.drop_table(KEYS)
