"""The register of clinics."""

from __future__ import annotations

from datetime import date

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
    """Both names casefolded, ё as е, for the search."""
    kind: ClinicKind = choice(ClinicKind, nullable=False, index=True)
    region_code: str = Field(max_length=2, index=True)
    inn: str = Field(max_length=10)
    ogrn: str = Field(max_length=13)
    okpo: str = Field(max_length=14, index=True)
    address: str = Field(max_length=400)
    phone: str = Field(max_length=20)
    hours: str = Field(max_length=120)
    licence_number: str = Field(max_length=40)
    licence_status: LicenceStatus = choice(LicenceStatus, nullable=False)
    licensed_on: date
    has_electronic_policy: bool = False
    """The guide's filter «Электронный полис»."""
    is_connected: bool = False
    """Connected to the system of electronic medical records."""
    has_oms_contract: bool = False
    points: str = Field(max_length=20)
    """Points of order 29н it serves, like "23,25"."""
    is_demo: bool = False
    deleted_on: date | None = None
