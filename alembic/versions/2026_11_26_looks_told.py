"""When the holder was last told of a look through a link.

Revision ID: 2026_11_26_looks_told
Revises: 2026_11_26_securing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_looks_told"
down_revision = "2026_11_26_securing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("share_links", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # Not in a batch: that would drop the table under the rows that refer to it.
    op.drop_column("share_links", "told_at")
