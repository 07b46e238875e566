"""Entries of the audit can be added, and neither changed nor removed (D50).

Whoever has to change the table later drops the triggers first and makes them anew; a batch of
SQLite, which makes the table anew, takes them along.

Revision ID: 2026_11_26_audit_kept
Revises: 2026_11_26_federation
"""

from __future__ import annotations

from alembic import op

revision = "2026_11_26_audit_kept"
down_revision = "2026_11_26_federation"
branch_labels = None
depends_on = None

TABLE = "audit_entries"
REFUSAL = "entries of the audit are only added"
FUNCTION = f"{TABLE}_refuse"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {TABLE}_kept BEFORE UPDATE OR DELETE ON {TABLE} "
            f"FOR EACH ROW EXECUTE FUNCTION {FUNCTION}()"
        )
        return
    for act in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {TABLE}_no_{act} BEFORE {act.upper()} ON {TABLE} "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {TABLE}_kept ON {TABLE}")
        op.execute(f"DROP FUNCTION {FUNCTION}()")
        return
    for act in ("update", "delete"):
        op.execute(f"DROP TRIGGER {TABLE}_no_{act}")
