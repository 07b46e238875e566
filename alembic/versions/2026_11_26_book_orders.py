"""What operators order about books, and what became of it.

Revision ID: 2026_11_26_book_orders
Revises: 2026_11_26_book_reminders
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_book_orders"
down_revision = "2026_11_26_book_reminders"
branch_labels = None
depends_on = None

TABLE = "book_orders"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFERENCES = {"book_id": "books", "ordered_by": "users", "answered_by": "users"}


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIG, nullable=False),
        sa.Column("book_id", BIG, nullable=False),
        sa.Column(
            "kind",
            sa.Enum("suspend", "resume", "revoke", name="orderkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("ordered_by", BIG, nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "answer",
            sa.Enum(
                "confirmed",
                "declined",
                "taken_back",
                "lapsed",
                name="orderanswer",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("answered_by", BIG, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        *[
            sa.ForeignKeyConstraint([name], [f"{to}.id"], name=op.f(f"fk_{TABLE}_{name}_{to}"))
            for name, to in REFERENCES.items()
        ],
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
    )
    op.create_index(op.f(f"ix_{TABLE}_book_id"), TABLE, ["book_id"])
    op.create_index(
        "uq_book_orders_open",
        TABLE,
        ["book_id"],
        unique=True,
        sqlite_where=sa.text("answer IS NULL"),
        postgresql_where=sa.text("answer IS NULL"),
    )


def downgrade() -> None:
    op.drop_table(TABLE)
