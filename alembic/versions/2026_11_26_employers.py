"""Employers' organisations, their members and their staff.

Revision ID: 2026_11_26_employers
Revises: 2026_11_26_news
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_employers"
down_revision = "2026_11_26_news"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORGANISATIONS, MEMBERS, STAFF = "organisations", "organisation_members", "staff_entries"


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([name], [f"{target}.id"], name=f"fk_{table}_{name}_{target}")
        for name, target in columns.items()
    ]


def upgrade() -> None:
    op.create_table(
        ORGANISATIONS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("inn_blind", sa.String(length=64), nullable=False),
        sa.Column("about_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{ORGANISATIONS}")),
        sa.UniqueConstraint("inn_blind", name=op.f(f"uq_{ORGANISATIONS}_inn_blind")),
    )
    op.create_table(
        MEMBERS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("post", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *_references(MEMBERS, organisation_id=ORGANISATIONS, user_id="users"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{MEMBERS}")),
        sa.UniqueConstraint("user_id", name=op.f(f"uq_{MEMBERS}_user_id")),
    )
    op.create_index(op.f(f"ix_{MEMBERS}_organisation_id"), MEMBERS, ["organisation_id"])
    op.create_table(
        STAFF,
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("holder_id", BIG, nullable=True),
        sa.Column("contact_blind", sa.String(length=64), nullable=True),
        sa.Column("said_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("department", sa.String(length=80), nullable=False),
        sa.Column("occupation", sa.String(length=40), nullable=False),
        sa.Column("added_by", sa.String(length=32), nullable=False),
        sa.Column("share_id", BIG, nullable=True),
        sa.Column("scope", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=32), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_stale", sa.Boolean(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("verdict", sa.String(length=32), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("occupation_group", sa.String(length=120), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        *_references(
            STAFF, organisation_id=ORGANISATIONS, holder_id="users", share_id="share_links"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{STAFF}")),
        sa.UniqueConstraint(
            "organisation_id", "holder_id", name=op.f(f"uq_{STAFF}_organisation_id")
        ),
        sa.UniqueConstraint("ref", name=op.f(f"uq_{STAFF}_ref")),
    )
    for column in ("organisation_id", "holder_id", "contact_blind", "ends_on"):
        op.create_index(op.f(f"ix_{STAFF}_{column}"), STAFF, [column])


def downgrade() -> None:
    op.drop_table(STAFF)
    op.drop_table(MEMBERS)
    op.drop_table(ORGANISATIONS)
