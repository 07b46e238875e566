"""Wishes to be forgotten, and copies of everything for their persons.

Revision ID: 2026_11_26_rights
Revises: 2026_11_26_audit_kept
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_rights"
down_revision = "2026_11_26_audit_kept"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("ground", sa.String(length=32), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("cancelled_at", MOMENT, nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("act", sa.String(), nullable=True),
        sa.Column("kept_until", sa.Date(), nullable=True),
        sa.Column("key_destroyed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_erasures_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index(op.f("ix_erasures_user_id"), "erasures", ["user_id"])
    op.create_index(
        "uq_erasures_asked",
        "erasures",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "data_exports",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("made_at", MOMENT, nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_data_exports_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_exports")),
        sa.UniqueConstraint("ref", name=op.f("uq_data_exports_ref")),
    )
    op.create_index(op.f("ix_data_exports_user_id"), "data_exports", ["user_id"])
    op.create_index(
        "uq_data_exports_standing",
        "data_exports",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("data_exports")
    op.drop_table("erasures")
