"""Tickets of support, their messages and files, codes by telephone, looks by two.

Revision ID: 2026_11_26_support
Revises: 2026_11_26_members
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_support"
down_revision = "2026_11_26_members"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TICKETS, MESSAGES, FILES = "support_tickets", "support_messages", "support_files"
CODES, GLASSES, ESCALATIONS = "support_codes", "support_glasses", "support_escalations"


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([name], [f"{target}.id"], name=f"fk_{table}_{name}_{target}")
        for name, target in columns.items()
    ]


def _uniques(table: str, *columns: str) -> list[sa.UniqueConstraint]:
    return [sa.UniqueConstraint(name, name=op.f(f"uq_{table}_{name}")) for name in columns]


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _word(name: str, length: int = 32, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _primary(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def upgrade() -> None:
    op.create_table(
        TICKETS,
        sa.Column("id", BIG, nullable=False),
        _word("number", 12),
        sa.Column("user_id", BIG, nullable=False),
        _word("role"),
        _word("subject"),
        _word("status"),
        _word("desk"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("application_id", BIG, nullable=True),
        _word("incident", 16),
        sa.Column("taken_by", BIG, nullable=True),
        _moment("taken_at", nullable=True),
        _moment("created_at"),
        _moment("changed_at"),
        sa.Column("due_on", sa.Date(), nullable=True),
        _moment("closed_at", nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("comment_sealed", sa.LargeBinary(), nullable=True),
        _moment("rated_at", nullable=True),
        sa.Column("person_seen", sa.Integer(), nullable=False),
        *_references(TICKETS, user_id="users", application_id="applications", taken_by="users"),
        _primary(TICKETS),
        *_uniques(TICKETS, "number"),
    )
    op.create_index(op.f(f"ix_{TICKETS}_user_id"), TICKETS, ["user_id"])
    op.create_index(op.f(f"ix_{TICKETS}_application_id"), TICKETS, ["application_id"])
    op.create_index(f"ix_{TICKETS}_queue", TICKETS, ["desk", "status", "due_on"])
    op.create_table(
        MESSAGES,
        sa.Column("id", BIG, nullable=False),
        _word("ref"),
        sa.Column("ticket_id", BIG, nullable=False),
        _word("said"),
        _word("by"),
        sa.Column("written_by", BIG, nullable=False),
        _moment("at"),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        _word("form_key", 64, nullable=True),
        *_references(MESSAGES, ticket_id=TICKETS, written_by="users"),
        _primary(MESSAGES),
        *_uniques(MESSAGES, "ref", "form_key"),
    )
    op.create_index(op.f(f"ix_{MESSAGES}_ticket_id"), MESSAGES, ["ticket_id"])
    op.create_table(
        FILES,
        sa.Column("id", BIG, nullable=False),
        _word("ref"),
        sa.Column("message_id", BIG, nullable=False),
        _word("media_type"),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        _word("blob", 80),
        _word("preview_blob", 80),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        _moment("added_at"),
        *_references(FILES, message_id=MESSAGES),
        _primary(FILES),
        *_uniques(FILES, "ref"),
    )
    op.create_index(op.f(f"ix_{FILES}_message_id"), FILES, ["message_id"])
    op.create_table(
        CODES,
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        _word("code_blind", 64),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=False),
        _moment("expires_at"),
        *_references(CODES, user_id="users"),
        _primary(CODES),
        *_uniques(CODES, "user_id", "code_blind"),
    )
    op.create_table(
        GLASSES,
        sa.Column("id", BIG, nullable=False),
        _word("ref"),
        sa.Column("ticket_id", BIG, nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", BIG, nullable=False),
        _moment("asked_at"),
        _word("answer", nullable=True),
        sa.Column("answered_by", BIG, nullable=True),
        _moment("answered_at", nullable=True),
        _moment("expires_at"),
        _moment("looked_at", nullable=True),
        *_references(GLASSES, ticket_id=TICKETS, asked_by="users", answered_by="users"),
        _primary(GLASSES),
        *_uniques(GLASSES, "ref"),
    )
    op.create_index(op.f(f"ix_{GLASSES}_ticket_id"), GLASSES, ["ticket_id"])
    op.create_table(
        ESCALATIONS,
        sa.Column("id", BIG, nullable=False),
        sa.Column("application_id", BIG, nullable=False),
        sa.Column("handed_by", BIG, nullable=False),
        _moment("handed_at"),
        *_references(ESCALATIONS, application_id="applications", handed_by="users"),
        _primary(ESCALATIONS),
        *_uniques(ESCALATIONS, "application_id"),
    )


def downgrade() -> None:
    for table in (ESCALATIONS, GLASSES, CODES, FILES, MESSAGES, TICKETS):
        op.drop_table(table)
