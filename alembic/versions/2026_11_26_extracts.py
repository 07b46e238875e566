"""Signed extracts of books.

Revision ID: 2026_11_26_extracts
Revises: 2026_11_26_looks_told
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_extracts"
down_revision = "2026_11_26_looks_told"
branch_labels = None
depends_on = None

TABLE = "extracts"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIG, nullable=False),
        sa.Column("book_id", BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("link_id", BIG, nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f(f"fk_{TABLE}_book_id_books")),
        sa.ForeignKeyConstraint(
            ["link_id"], ["share_links.id"], name=op.f(f"fk_{TABLE}_link_id_share_links")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("link_id", name=op.f(f"uq_{TABLE}_link_id")),
    )
    op.create_index(op.f(f"ix_{TABLE}_book_id"), TABLE, ["book_id"])


def downgrade() -> None:
    op.drop_table(TABLE)
