"""Files of staff that employers bring, and what became of each line.

Revision ID: 2026_11_26_staff_uploads
Revises: 2026_11_26_switches
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_staff_uploads"
down_revision = "2026_11_26_switches"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UPLOADS, LINES = "staff_uploads", "staff_upload_lines"


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([name], [f"{target}.id"], name=f"fk_{table}_{name}_{target}")
        for name, target in columns.items()
    ]


def upgrade() -> None:
    op.create_table(
        UPLOADS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("rows_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("brought_by", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", BIG, nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("bad", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        *_references(
            UPLOADS, organisation_id="organisations", brought_by="users", confirmed_by="users"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{UPLOADS}")),
        sa.UniqueConstraint("ref", name=op.f(f"uq_{UPLOADS}_ref")),
    )
    op.create_index(op.f(f"ix_{UPLOADS}_organisation_id"), UPLOADS, ["organisation_id"])
    op.create_index(
        f"uq_{UPLOADS}_open",
        UPLOADS,
        ["organisation_id"],
        unique=True,
        sqlite_where=sa.text("is_open"),
        postgresql_where=sa.text("is_open"),
    )
    op.create_table(
        LINES,
        sa.Column("id", BIG, nullable=False),
        sa.Column("upload_id", BIG, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("entry_id", BIG, nullable=True),
        *_references(LINES, upload_id=UPLOADS, entry_id="staff_entries"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{LINES}")),
        sa.UniqueConstraint("upload_id", "line", name=op.f(f"uq_{LINES}_upload_id")),
    )


def downgrade() -> None:
    op.drop_table(LINES)
    op.drop_table(UPLOADS)
