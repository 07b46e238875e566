"""Recovery codes, the replacement of an authenticator, and when each factor was last used.

Revision ID: 2026_11_26_securing
Revises: 2026_11_26_disclosures
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_securing"
down_revision = "2026_11_26_disclosures"
branch_labels = None
depends_on = None

TABLE = "recovery_codes"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS = ("totp_used_at", "totp_next_sealed", "password_set_at")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{TABLE}_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
    )
    op.create_index(op.f(f"ix_{TABLE}_user_id"), TABLE, ["user_id"])
    op.add_column("users", sa.Column("totp_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("totp_next_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("users", sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("users", name)
    op.drop_table(TABLE)
