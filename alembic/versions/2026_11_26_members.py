"""Members of organisations are invited and warned; an ОГРН is looked for like an ИНН.

Revision ID: 2026_11_26_members
Revises: 2026_11_26_staff_uploads
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_members"
down_revision = "2026_11_26_staff_uploads"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORGANISATIONS, MEMBERS, STAFF = "organisations", "organisation_members", "staff_entries"
INVITATIONS = "member_invitations"


def upgrade() -> None:
    with op.batch_alter_table(ORGANISATIONS) as batch:
        batch.add_column(sa.Column("ogrn_blind", sa.String(length=64), nullable=True))
        batch.add_column(sa.Column("warned_on", sa.Date(), nullable=True))
        batch.create_unique_constraint(op.f(f"uq_{ORGANISATIONS}_ogrn_blind"), ["ogrn_blind"])
    with op.batch_alter_table(MEMBERS) as batch:
        batch.add_column(
            sa.Column("is_warned", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    with op.batch_alter_table(MEMBERS) as batch:
        batch.alter_column("is_warned", server_default=None)
    with op.batch_alter_table(STAFF) as batch:
        batch.add_column(sa.Column("warned_for", sa.Date(), nullable=True))
        batch.add_column(sa.Column("warned_mark", sa.Integer(), nullable=True))
    op.create_table(
        INVITATIONS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("email_blind", sa.String(length=64), nullable=False),
        sa.Column("post", sa.String(length=32), nullable=False),
        sa.Column("invited_by", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            [f"{ORGANISATIONS}.id"],
            name=f"fk_{INVITATIONS}_organisation_id_{ORGANISATIONS}",
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=f"fk_{INVITATIONS}_invited_by_users"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{INVITATIONS}")),
        sa.UniqueConstraint("ref", name=op.f(f"uq_{INVITATIONS}_ref")),
        sa.UniqueConstraint(
            "organisation_id", "email_blind", name=op.f(f"uq_{INVITATIONS}_organisation_id")
        ),
    )
    op.create_index(op.f(f"ix_{INVITATIONS}_email_blind"), INVITATIONS, ["email_blind"])


def downgrade() -> None:
    op.drop_table(INVITATIONS)
    with op.batch_alter_table(STAFF) as batch:
        batch.drop_column("warned_mark")
        batch.drop_column("warned_for")
    with op.batch_alter_table(MEMBERS) as batch:
        batch.drop_column("is_warned")
    with op.batch_alter_table(ORGANISATIONS) as batch:
        batch.drop_constraint(op.f(f"uq_{ORGANISATIONS}_ogrn_blind"), type_="unique")
        batch.drop_column("warned_on")
        batch.drop_column("ogrn_blind")
