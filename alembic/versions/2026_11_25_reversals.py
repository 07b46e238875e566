"""Undoing of decisions, and the last day for the papers of each application.

Revision ID: 2026_11_25_reversals
Revises: 2026_11_25_examination
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op

from emk_app.domain.deadlines import Wait, papers_due_on

revision = "2026_11_25_reversals"
down_revision = "2026_11_25_examination"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOSCOW = timezone(timedelta(hours=3))

applications = sa.table(
    "applications",
    sa.column("id", BIG),
    sa.column("submitted_at", sa.DateTime(timezone=True)),
    sa.column("due_on", sa.Date()),
)
changes = sa.table(
    "status_changes",
    sa.column("id", BIG),
    sa.column("application_id", BIG),
    sa.column("event", sa.String()),
    sa.column("at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    op.create_table(
        "reversals",
        sa.Column("id", BIG, nullable=False),
        sa.Column("application_id", BIG, nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "waiting",
                "taken",
                "returned",
                "approved",
                "rejected",
                name="paperstrack",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", BIG, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "answer",
            sa.Enum("confirmed", "declined", name="answer", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("answered_by", BIG, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_reversals_application_id_applications"),
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["users.id"], name=op.f("fk_reversals_asked_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["users.id"], name=op.f("fk_reversals_answered_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reversals")),
    )
    with op.batch_alter_table("reversals", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reversals_application_id"), ["application_id"], unique=False
        )
        batch_op.create_index(
            "uq_reversals_open",
            ["application_id"],
            unique=True,
            sqlite_where=sa.text("answer IS NULL"),
            postgresql_where=sa.text("answer IS NULL"),
        )
    op.add_column("applications", sa.Column("due_on", sa.Date(), nullable=True))
    op.create_index(
        "ix_applications_papers",
        "applications",
        ["papers", "status", "submitted_at", "due_on", "reviewer_id"],
    )
    _fill()


def downgrade() -> None:
    op.drop_index("ix_applications_papers", table_name="applications")
    op.drop_column("applications", "due_on")
    op.drop_table("reversals")


def _fill() -> None:
    """Give what was handed in before its last day for the papers."""
    db = op.get_bind()
    asked: defaultdict[int, list[Wait]] = defaultdict(list)
    happened = db.execute(
        sa.select(changes.c.application_id, changes.c.event, changes.c.at)
        .where(changes.c.event.in_(("clarification_requested", "corrected")))
        .order_by(changes.c.id)
    )
    for application_id, event, at in happened:
        waits, on = asked[application_id], _day(at)
        if event == "clarification_requested":
            waits.append(Wait(on, None))
        elif waits and waits[-1].answered_on is None:
            waits[-1] = Wait(waits[-1].asked_on, on)
    today = _day(datetime.now(UTC))
    submitted = sa.select(applications.c.id, applications.c.submitted_at).where(
        applications.c.submitted_at.is_not(None)
    )
    for application_id, at in db.execute(submitted).all():
        due = papers_due_on(_day(at), asked[application_id], today)
        db.execute(
            sa.update(applications).where(applications.c.id == application_id).values(due_on=due)
        )


def _day(at: datetime) -> date:
    """Return Moscow's day of a moment, which SQLite hands out without its zone."""
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at).astimezone(MOSCOW).date()
