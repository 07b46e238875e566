"""What is only added can't be emptied at once either: entries of the audit, versions of books.

SQLite has no TRUNCATE: what empties a table there is a DELETE, which is refused already.

Revision ID: 2026_11_26_truncate_kept
Revises: 2026_11_26_support
"""

from __future__ import annotations

from alembic import op

revision = "2026_11_26_truncate_kept"
down_revision = "2026_11_26_support"
branch_labels = None
depends_on = None

TABLES = ("audit_entries", "book_versions")


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_not_emptied ON {table}")
