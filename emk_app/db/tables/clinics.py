"""The register of clinics, and what its search stands on."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from emk_app.db.columns import choice, identity
from emk_app.domain.clinics import ClinicKind, LicenceStatus


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
