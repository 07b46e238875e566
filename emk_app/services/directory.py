"""Finding a clinic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.db.engine import reading
from emk_app.db.repositories import clinics
from emk_app.db.tables.clinics import Clinic
from emk_app.domain.clinics import ClinicKind, LicenceStatus
from emk_app.domain.regions import REGIONS

FOUND_AT_ONCE: Final = 20
LONGEST_QUERY: Final = 120


@dataclass(frozen=True, slots=True)
class ClinicView:
    """A clinic as anybody may see it."""

    id: int
    oid: str
    name: str
    short_name: str
    kind: ClinicKind
    region_code: str
    region_name: str
    address: str
    phone: str
    hours: str
    okpo: str
    licence_number: str
    licence_status: LicenceStatus
    is_connected: bool
    has_electronic_policy: bool
    has_oms_contract: bool
    points: frozenset[str]
    is_demo: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The first clinics of a search, and how many there are."""

    clinics: tuple[ClinicView, ...]
    total: int


def search(
    query: str = "",
    *,
    region: str | None = None,
    kind: ClinicKind | None = None,
    with_electronic_policy: bool = False,
    point: str | None = None,
    limit: int = FOUND_AT_ONCE,
) -> Found:
    """Find clinics by words of the name, or by the beginning of an ОКПО (guide, «Шаг 3»)."""
    text = query[:LONGEST_QUERY].strip()
    bare = text.replace(" ", "")
    is_code = bare.isascii() and bare.isdigit() and len(bare) >= 4
    with reading() as db:
        rows, total = clinics.search(
            db,
            words=text.split(),
            okpo=bare if is_code else "",
            region=region,
            kind=kind,
            with_electronic_policy=with_electronic_policy,
            point=point,
            limit=limit,
        )
    return Found(tuple(view(row) for row in rows), total)


def get(clinic_id: int) -> ClinicView:
    """Return one clinic; raise ``NotFound``."""
    with reading() as db:
        return view(clinics.get(db, clinic_id))


def regions() -> tuple[tuple[str, str], ...]:
    """Return code and name of every region, by name."""
    return tuple(sorted(REGIONS.items(), key=lambda pair: pair[1]))


def view(row: Clinic) -> ClinicView:
    """Return what anybody may see of a clinic."""
    return ClinicView(
        id=row.id,
        oid=row.oid,
        name=row.name,
        short_name=row.short_name,
        kind=row.kind,
        region_code=row.region_code,
        region_name=REGIONS[row.region_code],
        address=row.address,
        phone=row.phone,
        hours=row.hours,
        okpo=row.okpo,
        licence_number=row.licence_number,
        licence_status=row.licence_status,
        is_connected=row.is_connected,
        has_electronic_policy=row.has_electronic_policy,
        has_oms_contract=row.has_oms_contract,
        points=frozenset(row.points.split(",")),
        is_demo=row.is_demo,
    )
