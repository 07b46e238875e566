"""Identities of a provider that lead to accounts, and those who are on their way.

Revision ID: 2026_11_26_federation
Revises: 2026_11_26_resets
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_federation"
down_revision = "2026_11_26_resets"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LINKS, FLIGHTS = "federated_identities", "federated_flights"


def upgrade() -> None:
    op.create_table(
        LINKS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("blind", sa.String(length=64), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{LINKS}_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{LINKS}")),
        sa.UniqueConstraint("blind", name=op.f(f"uq_{LINKS}_blind")),
        sa.UniqueConstraint("user_id", name=op.f(f"uq_{LINKS}_user_id")),
    )
    op.create_table(
        FLIGHTS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("door", sa.String(length=64), nullable=False),
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("secrets_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("blind", sa.String(length=64), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f(f"fk_{FLIGHTS}_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{FLIGHTS}")),
        sa.UniqueConstraint("state_hash", name=op.f(f"uq_{FLIGHTS}_state_hash")),
    )
    op.create_index(op.f(f"ix_{FLIGHTS}_door"), FLIGHTS, ["door"])
    op.create_index(op.f(f"ix_{FLIGHTS}_user_id"), FLIGHTS, ["user_id"])
    op.create_index(op.f(f"ix_{FLIGHTS}_expires_at"), FLIGHTS, ["expires_at"])


def downgrade() -> None:
    op.drop_table(FLIGHTS)
    op.drop_table(LINKS)
