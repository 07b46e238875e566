"""News of the service.

Revision ID: 2026_11_26_news
Revises: 2026_11_26_contacts
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_news"
down_revision = "2026_11_26_contacts"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEWS = "news_items"


def upgrade() -> None:
    op.create_table(
        NEWS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{NEWS}")),
        sa.UniqueConstraint("slug", name=op.f(f"uq_{NEWS}_slug")),
    )
    op.create_index(op.f(f"ix_{NEWS}_published_at"), NEWS, ["published_at"])


def downgrade() -> None:
    op.drop_table(NEWS)
