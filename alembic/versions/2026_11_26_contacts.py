"""A second contact, the change of one that waits for its code, and the browsers a person used.

Revision ID: 2026_11_26_contacts
Revises: 2026_11_26_alerts
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_contacts"
down_revision = "2026_11_26_alerts"
branch_labels = None
depends_on = None

CHANGES = "contact_changes"
BROWSERS = "browsers"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("spare_contact_sealed", sa.LargeBinary(), nullable=True))
    op.create_table(
        CHANGES,
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f(f"fk_{CHANGES}_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{CHANGES}")),
        sa.UniqueConstraint("user_id", name=op.f(f"uq_{CHANGES}_user_id")),
    )
    op.create_index(op.f(f"ix_{CHANGES}_user_id"), CHANGES, ["user_id"])
    op.create_table(
        BROWSERS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f(f"fk_{BROWSERS}_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{BROWSERS}")),
        sa.UniqueConstraint("user_id", "ref", name=op.f(f"uq_{BROWSERS}_user_id")),
    )
    op.create_index(op.f(f"ix_{BROWSERS}_user_id"), BROWSERS, ["user_id"])


def downgrade() -> None:
    op.drop_table(BROWSERS)
    op.drop_table(CHANGES)
    op.drop_column("users", "spare_contact_sealed")
