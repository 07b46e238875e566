"""Physicians who may read a record, what they have read, and links for other systems.

Revision ID: 2026_11_26_disclosures
Revises: 2026_11_26_identity_changes
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_disclosures"
down_revision = "2026_11_26_identity_changes"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([name], [f"{target}.id"], name=f"fk_{table}_{name}_{target}")
        for name, target in columns.items()
    ]


def upgrade() -> None:
    op.create_table(
        "record_grants",
        sa.Column("id", BIG, nullable=False),
        sa.Column("book_id", BIG, nullable=False),
        sa.Column("holder_id", BIG, nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("physician_id", BIG, nullable=True),
        sa.Column("clinic_id", BIG, nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=32), nullable=True),
        *_references(
            "record_grants",
            book_id="books",
            holder_id="users",
            physician_id="users",
            clinic_id="clinics",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_record_grants"),
        sa.UniqueConstraint("code_digest", name="uq_record_grants_code_digest"),
    )
    op.create_index("ix_record_grants_holder_id", "record_grants", ["holder_id"])
    op.create_index("ix_record_grants_physician_id", "record_grants", ["physician_id"])
    op.create_table(
        "record_readings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("grant_id", BIG, nullable=False),
        sa.Column("part", sa.String(length=32), nullable=False),
        sa.Column("attachment_id", BIG, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_references(
            "record_readings", grant_id="record_grants", attachment_id="examination_attachments"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_record_readings"),
    )
    op.create_index("ix_record_readings_grant_id", "record_readings", ["grant_id"])
    op.create_table(
        "handovers",
        sa.Column("id", BIG, nullable=False),
        sa.Column("book_id", BIG, nullable=False),
        sa.Column("holder_id", BIG, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("receiver_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("consent_version", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("network", sa.String(length=32), nullable=True),
        *_references("handovers", book_id="books", holder_id="users"),
        sa.PrimaryKeyConstraint("id", name="pk_handovers"),
        sa.UniqueConstraint("digest", name="uq_handovers_digest"),
    )
    op.create_index("ix_handovers_holder_id", "handovers", ["holder_id"])


def downgrade() -> None:
    op.drop_table("handovers")
    op.drop_table("record_readings")
    op.drop_table("record_grants")
