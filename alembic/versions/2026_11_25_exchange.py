"""Conclusions leaving for other systems and arriving from them.

Revision ID: 2026_11_25_exchange
Revises: 2026_11_25_register_imports
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_exchange"
down_revision = "2026_11_25_register_imports"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def choice(name: str, *values: str) -> sa.Enum:
    """Return a column type that keeps one of a few words."""
    return sa.Enum(*values, name=name, native_enum=False, length=32)


FORMAT = choice("format", "cda", "fhir")


def upgrade() -> None:
    op.create_table(
        "exchange_shipments",
        sa.Column("id", BIG, nullable=False),
        sa.Column("signed_id", BIG, nullable=False),
        sa.Column("examination_id", BIG, nullable=False),
        sa.Column("format", FORMAT, nullable=False),
        sa.Column(
            "state",
            choice("shipmentstate", "waiting", "delivered", "dead", "dropped"),
            nullable=False,
        ),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("document_uid", sa.String(length=160), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=80), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.Column("receipt_number", sa.String(length=40), nullable=False),
        sa.Column("delivered_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["signed_id"],
            ["signed_conclusions.id"],
            name=op.f("fk_exchange_shipments_signed_id_signed_conclusions"),
        ),
        sa.ForeignKeyConstraint(
            ["examination_id"],
            ["examinations.id"],
            name=op.f("fk_exchange_shipments_examination_id_examinations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_shipments")),
        sa.UniqueConstraint("signed_id", name=op.f("uq_exchange_shipments_signed_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_exchange_shipments_idempotency_key")),
    )
    op.create_index(
        op.f("ix_exchange_shipments_examination_id"), "exchange_shipments", ["examination_id"]
    )
    op.create_index(op.f("ix_exchange_shipments_digest"), "exchange_shipments", ["digest"])
    op.create_index("ix_exchange_shipments_due", "exchange_shipments", ["state", "due_at"])
    op.create_table(
        "exchange_partners",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("oids", sa.String(length=2000), nullable=False),
        sa.Column("signs_receipts", sa.Boolean(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_partners")),
        sa.UniqueConstraint("key_id", name=op.f("uq_exchange_partners_key_id")),
    )
    op.create_table(
        "exchange_nonces",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "nonce", name=op.f("pk_exchange_nonces")),
    )
    op.create_index(op.f("ix_exchange_nonces_expires_at"), "exchange_nonces", ["expires_at"])
    op.create_table(
        "exchange_received",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("format", FORMAT, nullable=False),
        sa.Column("document_uid", sa.String(length=160), nullable=False),
        sa.Column("series", sa.String(length=160), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("clinic_oid", sa.String(length=60), nullable=False),
        sa.Column(
            "state",
            choice(
                "receivedstate", "own", "linked", "pending", "quarantined", "expired", "dropped"
            ),
            nullable=False,
        ),
        sa.Column(
            "doubt",
            choice(
                "doubt",
                "name",
                "birth_date",
                "sex",
                "several_holders",
                "clinic_unknown",
                "unreadable",
            ),
            nullable=True,
        ),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("snils_blind", sa.String(length=64), nullable=True),
        sa.Column("holder_id", BIG, nullable=True),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("linked_at", MOMENT, nullable=True),
        sa.Column("superseded_at", MOMENT, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["users.id"], name=op.f("fk_exchange_received_holder_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_received")),
        sa.UniqueConstraint("ref", name=op.f("uq_exchange_received_ref")),
        sa.UniqueConstraint("key_id", "idempotency_key", name=op.f("uq_exchange_received_key_id")),
        sa.UniqueConstraint("document_uid", name=op.f("uq_exchange_received_document_uid")),
    )
    for column in ("series", "snils_blind", "holder_id"):
        op.create_index(op.f(f"ix_exchange_received_{column}"), "exchange_received", [column])
    op.create_index("ix_exchange_received_waiting", "exchange_received", ["state", "expires_at"])


def downgrade() -> None:
    for table in (
        "exchange_received",
        "exchange_nonces",
        "exchange_partners",
        "exchange_shipments",
    ):
        op.drop_table(table)
