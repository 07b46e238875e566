"""Decisions of two administrators about accounts, and invitations.

Revision ID: 2026_11_26_staff_orders
Revises: 2026_11_26_maintenance
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_staff_orders"
down_revision = "2026_11_26_maintenance"
branch_labels = None
depends_on = None

TABLE = "staff_orders"
RESETS = "password_resets"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFERENCES = {
    "user_id": "users",
    "clinic_id": "clinics",
    "asked_by": "users",
    "answered_by": "users",
}


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=32)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            _choice("stafforderkind", "invite", "change", "block", "unblock", "take_factors"),
            nullable=False,
        ),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("login_blind", sa.String(length=64), nullable=True),
        sa.Column("invited_sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "role",
            _choice(
                "role", "holder", "clinic", "operator", "employer", "support", "admin", "system"
            ),
            nullable=True,
        ),
        sa.Column("clinic_id", BIG, nullable=True),
        sa.Column(
            "position", _choice("position", "registrar", "physician", "chair"), nullable=True
        ),
        sa.Column("specialties", sa.String(length=200), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("acted", sa.Boolean(), nullable=False),
        sa.Column("asked_by", BIG, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "answer",
            _choice("orderanswer", "confirmed", "declined", "taken_back", "lapsed"),
            nullable=True,
        ),
        sa.Column("answered_by", BIG, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        *[
            sa.ForeignKeyConstraint([name], [f"{to}.id"], name=op.f(f"fk_{TABLE}_{name}_{to}"))
            for name, to in REFERENCES.items()
        ],
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("ref", name=op.f(f"uq_{TABLE}_ref")),
    )
    op.create_index(op.f(f"ix_{TABLE}_user_id"), TABLE, ["user_id"])
    for name in ("user_id", "login_blind"):
        op.create_index(
            f"uq_{TABLE}_open_{name}",
            TABLE,
            [name],
            unique=True,
            sqlite_where=sa.text("answer IS NULL"),
            postgresql_where=sa.text("answer IS NULL"),
        )
    with op.batch_alter_table(RESETS) as table:
        table.add_column(
            sa.Column("invites", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table(RESETS) as table:
        table.alter_column("invites", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table(RESETS) as table:
        table.drop_column("invites")
    op.drop_table(TABLE)
