"""Notices on the screen, what people choose to be told, and an outbox that keeps order.

Revision ID: 2026_11_25_notices
Revises: 2026_11_25_esignatures
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_notices"
down_revision = "2026_11_25_esignatures"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHANNEL = sa.Enum("sms", "email", name="channel", native_enum=False, length=32)
KIND = sa.Enum(
    "security",
    "application",
    "appointments",
    "results",
    "looks",
    "terms",
    name="noticekind",
    native_enum=False,
    length=32,
)


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("notice_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("dedupe", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notices_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("user_id", "dedupe", name=op.f("uq_notices_user_id")),
    )
    op.create_index("ix_notices_unread", "notices", ["user_id", "read_at"])
    op.create_table(
        "notice_choices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("channel", CHANNEL, nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notice_choices_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_choices")),
        sa.UniqueConstraint("user_id", "kind", "channel", name=op.f("uq_notice_choices_user_id")),
    )
    # What waits keeps its place: the words of the release before can't be read by this one, so it
    # is shown to the administrator instead of sent.
    with op.batch_alter_table("outbox") as batch:
        batch.alter_column("text_sealed", new_column_name="notice_sealed")
        batch.add_column(sa.Column("lane", sa.String(length=80), nullable=False, server_default=""))
        batch.add_column(
            sa.Column("is_urgent", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.add_column(sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(
            sa.Column("failure", sa.String(length=40), nullable=False, server_default="")
        )
        batch.add_column(sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("outbox") as batch:
        for name in ("lane", "is_urgent", "failure"):
            batch.alter_column(name, server_default=None)
        batch.create_index("ix_outbox_lane", ["lane", "sent_at"])


def downgrade() -> None:
    with op.batch_alter_table("outbox") as batch:
        batch.drop_index("ix_outbox_lane")
    with op.batch_alter_table("outbox") as batch:
        for name in ("dropped_at", "failure", "expires_at", "is_urgent", "lane"):
            batch.drop_column(name)
        batch.alter_column("notice_sealed", new_column_name="text_sealed")
    op.drop_table("notice_choices")
    op.drop_index("ix_notices_unread", "notices")
    op.drop_table("notices")
