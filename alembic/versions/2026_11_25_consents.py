"""Every consent with its version, time and channel, and when it was taken back.

Revision ID: 2026_11_25_consents
Revises: 2026_11_25_checks_by_reading
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_consents"
down_revision = "2026_11_25_checks_by_reading"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "consents",
        sa.Column("id", BIG, nullable=False),
        sa.Column("holder_id", BIG, nullable=False),
        sa.Column("application_id", BIG, nullable=True),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("screen", "paper", name="consentchannel", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_consents_application_id_applications"),
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["users.id"], name=op.f("fk_consents_holder_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_application_id"), "consents", ["application_id"])
    op.create_index(op.f("ix_consents_holder_id"), "consents", ["holder_id"])
    # What was agreed to before this table stood beside each application that was handed in.
    op.execute(
        sa.text(
            "INSERT INTO consents (holder_id, application_id, version, channel, given_at)"
            " SELECT holder_id, id, consent_version, 'screen', consented_at FROM applications"
            " WHERE submitted_at IS NOT NULL AND consent_version IS NOT NULL"
            " AND consented_at IS NOT NULL ORDER BY id"
        )
    )


def downgrade() -> None:
    op.drop_table("consents")
