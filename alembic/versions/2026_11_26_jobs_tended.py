"""Why a job was given up, and that it was laid aside; the journal of acts is found by time.

Revision ID: 2026_11_26_jobs_tended
Revises: 2026_11_26_staff_orders
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_jobs_tended"
down_revision = "2026_11_26_staff_orders"
branch_labels = None
depends_on = None

WORDS = {"failure": 40, "incident": 16, "dropped_why": 200}
INDEXES = ("at", "actor_id")
AUDIT = "audit_entries"


def upgrade() -> None:
    with op.batch_alter_table("jobs") as table:
        for name, length in WORDS.items():
            table.add_column(
                sa.Column(name, sa.String(length=length), nullable=False, server_default="")
            )
        table.add_column(sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("jobs") as table:
        for name in WORDS:
            table.alter_column(name, server_default=None)
    for name in INDEXES:
        op.create_index(op.f(f"ix_{AUDIT}_{name}"), AUDIT, [name])


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(op.f(f"ix_{AUDIT}_{name}"), AUDIT)
    with op.batch_alter_table("jobs") as table:
        for name in (*WORDS, "dropped_at"):
            table.drop_column(name)
