"""Amendments of reference data and of the words of messages.

Revision ID: 2026_11_26_amendments
Revises: 2026_11_26_staff_gaps
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_amendments"
down_revision = "2026_11_26_staff_gaps"
branch_labels = None
depends_on = None

TABLE = "amendments"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=32)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", _choice("amendmentkind", "occupation", "template"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("written_by", BIG, nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "answer",
            _choice("orderanswer", "confirmed", "declined", "taken_back", "lapsed"),
            nullable=True,
        ),
        sa.Column("answered_by", BIG, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        *[
            sa.ForeignKeyConstraint([name], ["users.id"], name=op.f(f"fk_{TABLE}_{name}_users"))
            for name in ("written_by", "answered_by")
        ],
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
    )
    op.create_index(
        "uq_amendments_open",
        TABLE,
        ["kind", "code"],
        unique=True,
        sqlite_where=sa.text("answer IS NULL"),
        postgresql_where=sa.text("answer IS NULL"),
    )
    op.create_index("ix_amendments_standing", TABLE, ["kind", "answer", "valid_from"])


def downgrade() -> None:
    op.drop_table(TABLE)
