"""Wishes to change the name or the birth date in a book.

Revision ID: 2026_11_26_identity_changes
Revises: 2026_11_26_book_orders
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_identity_changes"
down_revision = "2026_11_26_book_orders"
branch_labels = None
depends_on = None

TABLE = "identity_changes"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFERENCES = {"holder_id": "users", "book_id": "books", "decided_by": "users"}


def choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=32)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("holder_id", BIG, nullable=False),
        sa.Column("book_id", BIG, nullable=False),
        sa.Column(
            "status",
            choice("changestatus", "asked", "approved", "rejected", "withdrawn"),
            nullable=False,
        ),
        sa.Column(
            "basis",
            choice("basis", "passport", "marriage", "divorce", "name_change", "correction"),
            nullable=False,
        ),
        sa.Column("said_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "media_type", choice("mediatype", "application/pdf", "image/jpeg"), nullable=False
        ),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("blob", sa.String(length=80), nullable=False),
        sa.Column("preview_blob", sa.String(length=80), nullable=False),
        sa.Column("file_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", BIG, nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        *[
            sa.ForeignKeyConstraint([name], [f"{to}.id"], name=op.f(f"fk_{TABLE}_{name}_{to}"))
            for name, to in REFERENCES.items()
        ],
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("ref", name=op.f(f"uq_{TABLE}_ref")),
    )
    op.create_index(op.f(f"ix_{TABLE}_holder_id"), TABLE, ["holder_id"])
    op.create_index(op.f(f"ix_{TABLE}_book_id"), TABLE, ["book_id"])
    op.create_index(
        "uq_identity_changes_open",
        TABLE,
        ["holder_id"],
        unique=True,
        sqlite_where=sa.text("status = 'asked'"),
        postgresql_where=sa.text("status = 'asked'"),
    )


def downgrade() -> None:
    op.drop_table(TABLE)
