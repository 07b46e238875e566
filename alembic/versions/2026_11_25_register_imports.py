"""Imports of the register by the administrator's page: how far each is, and what it has changed.

Revision ID: 2026_11_25_register_imports
Revises: 2026_11_25_reversals
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_register_imports"
down_revision = "2026_11_25_reversals"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATE = sa.Enum(
    "checking",
    "checked",
    "applying",
    "done",
    "refused",
    "dropped",
    name="importstate",
    native_enum=False,
    length=32,
)
NUMBERS = ("seen", "rows", "added", "changed", "unchanged", "removed", "bad")
PEOPLE = ("brought_by", "confirmed_by")


def upgrade() -> None:
    op.create_table(
        "register_imports",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("upload", sa.String(length=32), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        *[sa.Column(name, BIG, nullable=True) for name in PEOPLE],
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *[sa.Column(name, sa.Integer(), nullable=False) for name in NUMBERS],
        *[
            sa.ForeignKeyConstraint(
                [name], ["users.id"], name=op.f(f"fk_register_imports_{name}_users")
            )
            for name in PEOPLE
        ],
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_imports")),
    )
    for name in PEOPLE:
        op.create_index(op.f(f"ix_register_imports_{name}"), "register_imports", [name])
    op.create_index(
        "uq_register_imports_open",
        "register_imports",
        ["is_open"],
        unique=True,
        sqlite_where=sa.text("is_open"),
        postgresql_where=sa.text("is_open"),
    )


def downgrade() -> None:
    op.drop_table("register_imports")
