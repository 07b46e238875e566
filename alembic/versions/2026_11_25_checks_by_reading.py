"""Checks that wait for a scan to be read, and the same person under another account.

Revision ID: 2026_11_25_checks_by_reading
Revises: 2026_11_25_register
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_checks_by_reading"
down_revision = "2026_11_25_register"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("snils_blind", sa.String(64), nullable=True))
    op.create_index("ix_applications_snils_blind", "applications", ["snils_blind"])
    op.create_index(
        "ix_check_results_pending",
        "check_results",
        ["checked_at"],
        sqlite_where=sa.text("outcome = 'pending'"),
        postgresql_where=sa.text("outcome = 'pending'"),
    )


def downgrade() -> None:
    # The older program knows neither what is pending nor the new reasons of these two checks.
    op.execute(
        "DELETE FROM check_results WHERE outcome = 'pending'"
        " OR code IN ('passport_name', 'no_duplicate')"
    )
    op.drop_index("ix_check_results_pending", "check_results")
    op.drop_index("ix_applications_snils_blind", "applications")
    op.drop_column("applications", "snils_blind")
