"""Room for the names of all the controls that an operator may ask to correct.

Revision ID: 2026_11_25_asked_controls
Revises: 2026_11_25_reminders
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_asked_controls"
down_revision = "2026_11_25_reminders"
branch_labels = None
depends_on = None

BEFORE = 400
AFTER = 2000


def upgrade() -> None:
    """Widen the column."""
    resize(BEFORE, AFTER)


def downgrade() -> None:
    """Narrow the column; of a longer question the names that fit are kept."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT id, clarify_fields FROM applications WHERE length(clarify_fields) > :room"),
        {"room": BEFORE},
    ).all()
    for identity, names in rows:
        connection.execute(
            sa.text("UPDATE applications SET clarify_fields = :names WHERE id = :id"),
            {"id": identity, "names": names[: names.rindex(",", 0, BEFORE + 1)]},
        )
    resize(AFTER, BEFORE)


def resize(before: int, after: int) -> None:
    """Change the column's length; SQLite can't, so there a new column takes the old one's place."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column(
            "applications",
            "clarify_fields",
            existing_type=sa.String(before),
            type_=sa.String(after),
        )
        return
    op.add_column("applications", sa.Column("resized", sa.String(after), nullable=True))
    op.execute("UPDATE applications SET resized = clarify_fields")
    op.execute("ALTER TABLE applications DROP COLUMN clarify_fields")
    op.execute("ALTER TABLE applications RENAME COLUMN resized TO clarify_fields")
