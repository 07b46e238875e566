"""When the holder was last reminded that an application waits.

Revision ID: 2026_11_25_reminders
Revises: 2026_11_23_foundation
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_reminders"
down_revision = "2026_11_23_foundation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("reminded_on", sa.Date(), nullable=True))


def downgrade() -> None:
    # Not in a batch: that would drop the table under the rows that refer to it.
    op.drop_column("applications", "reminded_on")
