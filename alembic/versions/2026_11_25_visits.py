"""Schedules of the clinics, visits and their seats.

Revision ID: 2026_11_25_visits
Revises: 2026_11_25_exchange
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_visits"
down_revision = "2026_11_25_exchange"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BOOKED = sa.text("status = 'booked'")


def upgrade() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", BIG, nullable=False),
        sa.Column("clinic_id", BIG, nullable=False),
        sa.Column("schedule", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_rooms_clinic_id_clinics"),
        sa.PrimaryKeyConstraint("id", name="pk_rooms"),
    )
    op.create_index("ix_rooms_clinic_id", "rooms", ["clinic_id"])
    op.create_table(
        "visits",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("application_id", BIG, nullable=False),
        sa.Column("clinic_id", BIG, nullable=False),
        sa.Column("room_id", BIG, nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name="fk_visits_application_id_applications"
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_visits_clinic_id_clinics"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name="fk_visits_room_id_rooms"),
        sa.PrimaryKeyConstraint("id", name="pk_visits"),
        sa.UniqueConstraint("uid", name="uq_visits_uid"),
        sa.UniqueConstraint("application_id", "key", name="uq_visits_application_id"),
    )
    op.create_index("ix_visits_application_id", "visits", ["application_id"])
    op.create_index("ix_visits_room_id", "visits", ["room_id"])
    op.create_index("ix_visits_day", "visits", ["clinic_id", "starts_at"])
    op.create_index(
        "uq_visits_ahead",
        "visits",
        ["application_id"],
        unique=True,
        sqlite_where=_BOOKED,
        postgresql_where=_BOOKED,
    )
    op.create_index(
        "ix_visits_remind",
        "visits",
        ["remind_at"],
        sqlite_where=_BOOKED,
        postgresql_where=_BOOKED,
    )
    op.create_table(
        "seats",
        sa.Column("room_id", BIG, nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name="fk_seats_room_id_rooms"),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name="fk_seats_visit_id_visits"),
        sa.PrimaryKeyConstraint("room_id", "starts_at", "number", name="pk_seats"),
        sa.UniqueConstraint("visit_id", name="uq_seats_visit_id"),
    )


def downgrade() -> None:
    op.drop_table("seats")
    op.drop_table("visits")
    op.drop_table("rooms")
