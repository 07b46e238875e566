"""When a book has last reminded its holder of what ends.

Revision ID: 2026_11_26_book_reminders
Revises: 2026_11_26_versions_kept
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_book_reminders"
down_revision = "2026_11_26_versions_kept"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("books", sa.Column("reminded_on", sa.Date(), nullable=True))


def downgrade() -> None:
    # Not in a batch: that would drop the table under the rows that refer to it.
    op.drop_column("books", "reminded_on")
