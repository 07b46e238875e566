"""Further studies, vaccinations, appeals, specialties; how a result came about.

Revision ID: 2026_11_25_examination
Revises: 2026_11_25_consents
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_examination"
down_revision = "2026_11_25_consents"
branch_labels = None
depends_on = None

SOURCES = ("book", "certificate")
REASONS = ("typo", "repeated", "refined", "mixed_up")
REOPENINGS = ("temporary", "correction", "appeal")


def choice(name: str, *values: str) -> sa.Enum:
    """Return a column type that keeps one of a few words."""
    return sa.Enum(*values, name=name, native_enum=False, length=32)


def upgrade() -> None:
    op.create_table(
        "vaccination_records",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "holder_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "done",
                "had_disease",
                "immune_by_serology",
                "medical_exemption",
                "refusal",
                name="recordkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "dose",
            sa.Enum("V1", "V2", "V3", "RV", name="dose", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("performed_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("details_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "clinic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "entered_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "withdrawn_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_vaccination_records_clinic_id_clinics")
        ),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["users.id"], name=op.f("fk_vaccination_records_entered_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["users.id"], name=op.f("fk_vaccination_records_holder_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["users.id"], name=op.f("fk_vaccination_records_withdrawn_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vaccination_records")),
    )
    with op.batch_alter_table("vaccination_records", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_vaccination_records_holder_id"), ["holder_id"], unique=False
        )

    op.create_table(
        "further_studies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "examination_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "ordered_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["examination_id"],
            ["examinations.id"],
            name=op.f("fk_further_studies_examination_id_examinations"),
        ),
        sa.ForeignKeyConstraint(
            ["ordered_by"], ["users.id"], name=op.f("fk_further_studies_ordered_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_further_studies")),
    )
    with op.batch_alter_table("further_studies", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_further_studies_examination_id"), ["examination_id"], unique=False
        )

    op.create_table(
        "appeals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "application_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "contested_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "clinic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "status",
            sa.Enum("filed", "taken", "decided", name="appealstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "decided_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_appeals_application_id_applications"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_appeals_clinic_id_clinics")
        ),
        sa.ForeignKeyConstraint(
            ["contested_id"],
            ["signed_conclusions.id"],
            name=op.f("fk_appeals_contested_id_signed_conclusions"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_id"],
            ["signed_conclusions.id"],
            name=op.f("fk_appeals_decided_id_signed_conclusions"),
        ),
        sa.ForeignKeyConstraint(["taken_by"], ["users.id"], name=op.f("fk_appeals_taken_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("application_id", name=op.f("uq_appeals_application_id")),
    )
    with op.batch_alter_table("appeals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appeals_clinic_id"), ["clinic_id"], unique=False)

    op.add_column(
        "examination_entries",
        sa.Column("source", choice("source", *SOURCES), nullable=True),
    )
    op.add_column(
        "examination_entries",
        sa.Column("reason", choice("correctionreason", *REASONS), nullable=True),
    )
    op.add_column("examination_entries", sa.Column("details_sealed", sa.LargeBinary()))
    op.add_column(
        "examinations", sa.Column("reopened_for", choice("reopening", *REOPENINGS), nullable=True)
    )
    op.add_column("users", sa.Column("specialties", sa.String(length=200), nullable=True))
    with op.batch_alter_table("signed_conclusions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("report_sealed", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("report_hash", sa.String(length=64), nullable=True))
        batch_op.add_column(
            sa.Column(
                "clinic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
            )
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_signed_conclusions_clinic_id_clinics"), "clinics", ["clinic_id"], ["id"]
        )
    op.execute(
        "UPDATE signed_conclusions SET clinic_id = (SELECT clinic_id FROM examinations"
        " WHERE examinations.id = signed_conclusions.examination_id)"
    )


def downgrade() -> None:
    for name in ("appeals", "further_studies", "vaccination_records"):
        op.drop_table(name)
    with op.batch_alter_table("signed_conclusions", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_signed_conclusions_clinic_id_clinics"), type_="foreignkey"
        )
        batch_op.drop_column("clinic_id")
        batch_op.drop_column("report_hash")
        batch_op.drop_column("report_sealed")
    op.drop_column("users", "specialties")
    op.drop_column("examinations", "reopened_for")
    for name in ("details_sealed", "reason", "source"):
        op.drop_column("examination_entries", name)
