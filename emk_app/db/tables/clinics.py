"""The register of clinics, and what its search stands on."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel, text

from emk_app.db.columns import BIG, choice, identity, reference
from emk_app.domain.clinics import ClinicKind, LicenceStatus
from emk_app.domain.imports import ImportState


class Clinic(SQLModel, table=True):
    """A medical organisation a holder may choose."""

    __tablename__ = "clinics"

    id: int = identity()
    oid: str = Field(max_length=35, unique=True)
    name: str = Field(max_length=400)
    short_name: str = Field(max_length=350)
    search_name: str = Field(max_length=760)
    """Words of names, town and region, made by ``domain.clinics.search_name``.

    The index over it is kept by triggers on SQLite (a table of trigrams, ``clinic_trigrams``) and
    by PostgreSQL itself; see the migration.
    """
    kind: ClinicKind = choice(ClinicKind, nullable=False, index=True)
    region_code: str = Field(max_length=2, index=True)
    inn: str = Field(max_length=12)
    kpp: str = Field(default="", max_length=9)
    ogrn: str = Field(max_length=15)
    okpo: str = Field(max_length=14, index=True)
    federal_id: str = Field(default="", max_length=20)
    """``id`` of the federal register."""
    subject_id: str = Field(default="", max_length=20)
    """``medicalSubjectId``: the legal person the clinic is part of."""
    subject_name: str = Field(default="", max_length=350)
    department: str = Field(default="", max_length=350)
    parent_oid: str = Field(default="", max_length=35)
    address: str = Field(max_length=400)
    phone: str = Field(max_length=60)
    hours: str = Field(max_length=120)
    licence_number: str = Field(max_length=40)
    licence_status: LicenceStatus = choice(LicenceStatus, nullable=False)
    licensed_on: date | None = None
    licensed_until: date | None = None
    """The last day, inclusive; licences of today have none."""
    has_electronic_policy: bool = False
    """The guide's filter «Электронный полис»."""
    is_connected: bool = False
    """Connected to the system of electronic medical records."""
    has_oms_contract: bool = False
    points: str = Field(max_length=20)
    """Points of order 29н it serves, like "23,25"."""
    is_demo: bool = False
    deleted_on: date | None = None
    imported_at: datetime | None = None
    row_hash: str = Field(default="", max_length=32)
    """Digest of what the register last said; the same row again changes nothing."""


class ClinicWord(SQLModel, table=True):
    """A word of the register under one of the keys by which a mistyped one finds it.

    Keys are the first letters with none or one left out (``domain.typos``). Words of clinics
    that are gone may stay: they lead to a search that finds nothing.
    """

    __tablename__ = "clinic_words"

    key: str = Field(max_length=8, primary_key=True)
    word: str = Field(max_length=60, primary_key=True)


class ClinicCount(SQLModel, table=True):
    """How many clinics stand in one cell of all filters: the counts before anything is typed.

    Made anew by whoever changes the register, in the same transaction.
    """

    __tablename__ = "clinic_counts"

    point: str = Field(max_length=4, primary_key=True)
    """"" counts each clinic once, a point those that serve it."""
    region_code: str = Field(max_length=2, primary_key=True)
    kind: ClinicKind = choice(ClinicKind, primary_key=True)
    has_electronic_policy: bool = Field(primary_key=True)
    in_force: bool = Field(primary_key=True)
    number: int


class RegisterImport(SQLModel, table=True):
    """One file of the register: who brought it, how far it is, what it has changed."""

    __tablename__ = "register_imports"
    __table_args__ = (
        # One at a time: a second file, or a double click, is refused.
        Index(
            "uq_register_imports_open",
            "is_open",
            unique=True,
            sqlite_where=text("is_open"),
            postgresql_where=text("is_open"),
        ),
    )

    id: int = identity()
    name: str = Field(max_length=120)
    """The file's, as the browser or the command line called it."""
    upload: str = Field(default="", max_length=32)
    """Name of the file and its report in storage; none for the command line."""
    size: int = Field(default=0, sa_type=BIG)
    state: ImportState = choice(ImportState, nullable=False)
    is_open: bool = False
    brought_by: int | None = reference("users.id", default=None, nullable=True)
    """None is the command line."""
    confirmed_by: int | None = reference("users.id", default=None, nullable=True)
    created_at: datetime
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    seen: int = 0
    """Rows gone through so far in the present state."""
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    bad: int = 0
