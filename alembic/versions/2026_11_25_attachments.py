"""Papers that a clinic adds to an examination.

Revision ID: 2026_11_25_attachments
Revises: 2026_11_25_visits
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_attachments"
down_revision = "2026_11_25_visits"
branch_labels = None
depends_on = None

TABLE = "examination_attachments"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = ("lab_report", "image", "functional", "consultation", "attestation", "other")
REFERENCES = {
    "examination_id": "examinations",
    "clinic_id": "clinics",
    "added_by": "users",
    "removed_by": "users",
}


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("examination_id", BIG, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="attachmentkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "media_type",
            sa.Enum(
                "application/pdf", "image/jpeg", name="mediatype", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("blob", sa.String(length=80), nullable=False),
        sa.Column("preview_blob", sa.String(length=80), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("clinic_id", BIG, nullable=False),
        sa.Column("added_by", BIG, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_by", BIG, nullable=True),
        *[
            sa.ForeignKeyConstraint([name], [f"{to}.id"], name=op.f(f"fk_{TABLE}_{name}_{to}"))
            for name, to in REFERENCES.items()
        ],
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("ref", name=op.f(f"uq_{TABLE}_ref")),
    )
    op.create_index(op.f(f"ix_{TABLE}_examination_id"), TABLE, ["examination_id"])


def downgrade() -> None:
    op.drop_table(TABLE)
