"""register of clinics: what the federal register says, and the search

Names of clinics that stand already are brought into the form of the new search, and counted, when
the register is next put in (the demo's at every start).

Revision ID: 2026_11_25_register
Revises: 2026_11_25_notices
Create Date: 2026-11-25 23:10:00

"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_register"
down_revision = "2026_11_25_notices"
branch_labels = None
depends_on = None

TEXTS = {
    "kpp": 9,
    "federal_id": 20,
    "subject_id": 20,
    "subject_name": 350,
    "department": 350,
    "parent_oid": 35,
    "row_hash": 32,
}
WIDENED = {"inn": (10, 12), "ogrn": (13, 15), "phone": (20, 60)}

# Every mark has three characters, one trigram. "e#1" and "l#1" stand for the service and for a
# licence in force.
MARKS = """
    'r' || {row}.region_code || ' k' || substr({row}.kind, 1, 2)
    || CASE WHEN {row}.has_electronic_policy THEN ' e#1' ELSE '' END
    || CASE WHEN {row}.licence_status = 'active' THEN ' l#1' ELSE '' END
    || ' p' || replace({row}.points, ',', ' p')
"""
WORDS = "replace({row}.search_name, ' ', '  ')"
ADD = f"""
    INSERT INTO clinic_trigrams(rowid, words, filters)
    SELECT new.id, {WORDS.format(row="new")}, {MARKS.format(row="new")}
    WHERE new.deleted_on IS NULL;
"""
REMOVE = f"""
    INSERT INTO clinic_trigrams(clinic_trigrams, rowid, words, filters)
    SELECT 'delete', old.id, {WORDS.format(row="old")}, {MARKS.format(row="old")}
    WHERE old.deleted_on IS NULL;
"""
SEARCHED = (
    "search_name, region_code, kind, has_electronic_policy, licence_status, points, deleted_on"
)


def upgrade() -> None:
    with op.batch_alter_table("clinics", schema=None) as batch_op:
        for name, length in TEXTS.items():
            batch_op.add_column(
                sa.Column(name, sa.String(length=length), nullable=False, server_default="")
            )
        batch_op.add_column(sa.Column("licensed_until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.alter_column("licensed_on", existing_type=sa.Date(), nullable=True)
        for name, (old, new) in WIDENED.items():
            batch_op.alter_column(
                name, existing_type=sa.String(length=old), type_=sa.String(length=new)
            )
    with op.batch_alter_table("clinics", schema=None) as batch_op:
        for name, length in TEXTS.items():
            batch_op.alter_column(name, existing_type=sa.String(length=length), server_default=None)
    op.create_table(
        "clinic_words",
        sa.Column("key", sa.String(length=8), nullable=False),
        sa.Column("word", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("key", "word", name=op.f("pk_clinic_words")),
    )
    op.create_table(
        "clinic_counts",
        sa.Column("point", sa.String(length=4), nullable=False),
        sa.Column("region_code", sa.String(length=2), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "polyclinic", "hospital", "centre", name="clinickind", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("has_electronic_policy", sa.Boolean(), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "point",
            "region_code",
            "kind",
            "has_electronic_policy",
            "in_force",
            name=op.f("pk_clinic_counts"),
        ),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE clinic_trigrams USING fts5("
            "words, filters, content='', tokenize='trigram case_sensitive 1')"
        )
        op.execute(ADD.replace("new.", "clinics.").replace("WHERE", "FROM clinics WHERE"))
        op.execute(f"CREATE TRIGGER clinic_trigrams_add AFTER INSERT ON clinics BEGIN {ADD} END")
        op.execute(
            f"CREATE TRIGGER clinic_trigrams_change AFTER UPDATE OF {SEARCHED} ON clinics"
            f" BEGIN {REMOVE} {ADD} END"
        )
        op.execute(
            f"CREATE TRIGGER clinic_trigrams_remove AFTER DELETE ON clinics BEGIN {REMOVE} END"
        )
    else:
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute(
            "CREATE INDEX ix_clinics_trigrams ON clinics USING gin (search_name gin_trgm_ops)"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # The triggers go with the table that the next step makes anew.
        for name in ("add", "change", "remove"):
            op.execute(f"DROP TRIGGER clinic_trigrams_{name}")
        op.execute("DROP TABLE clinic_trigrams")
    else:
        # The extension stays: others in the database may use it.
        op.execute("DROP INDEX ix_clinics_trigrams")
    op.drop_table("clinic_counts")
    op.drop_table("clinic_words")
    op.execute("UPDATE clinics SET licensed_on = '1970-01-01' WHERE licensed_on IS NULL")
    for name, (old, _) in WIDENED.items():
        op.execute(f"UPDATE clinics SET {name} = substr({name}, 1, {old})")
    with op.batch_alter_table("clinics", schema=None) as batch_op:
        for name, (old, new) in WIDENED.items():
            batch_op.alter_column(
                name, existing_type=sa.String(length=new), type_=sa.String(length=old)
            )
        batch_op.alter_column("licensed_on", existing_type=sa.Date(), nullable=False)
        batch_op.drop_column("imported_at")
        batch_op.drop_column("licensed_until")
        for name in reversed(TEXTS):
            batch_op.drop_column(name)
