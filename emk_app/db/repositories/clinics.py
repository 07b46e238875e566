"""The register of clinics: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db.tables.clinics import Clinic
from emk_app.domain.clinics import ClinicKind, LicenceStatus
from emk_app.domain.errors import NotFound


def get(db: Session, clinic_id: int) -> Clinic:
    """Return the clinic; raise ``NotFound``."""
    found = db.get(Clinic, clinic_id)
    if found is None or found.deleted_on is not None:
        raise NotFound
    return found


def folded(text: str) -> str:
    """Return the text as the search compares it: small letters, ё as е, single blanks."""
    return " ".join(text.casefold().replace("ё", "е").split())


def search(
    db: Session,
    *,
    words: Sequence[str],
    okpo: str,
    region: str | None,
    kind: ClinicKind | None,
    with_electronic_policy: bool,
    point: str | None,
    limit: int,
) -> tuple[Sequence[Clinic], int]:
    """Return clinics that have all ``words`` in their name, and how many there are in all.

    ``okpo`` is the beginning of a code; where it is given the words are ignored. Clinics with a
    licence in force come first.
    """
    conditions: list[sa.ColumnElement[bool]] = [col(Clinic.deleted_on).is_(None)]
    if okpo:
        conditions.append(col(Clinic.okpo).startswith(okpo, autoescape=True))
    else:
        conditions += [
            col(Clinic.search_name).contains(folded(word), autoescape=True) for word in words
        ]
    if region:
        conditions.append(col(Clinic.region_code) == region)
    if kind:
        conditions.append(col(Clinic.kind) == kind)
    if with_electronic_policy:
        conditions.append(col(Clinic.has_electronic_policy).is_(True))
    if point:
        conditions.append(col(Clinic.points).contains(point, autoescape=True))
    in_force = sa.case((col(Clinic.licence_status) == LicenceStatus.ACTIVE, 0), else_=1)
    found = db.exec(
        select(Clinic)
        .where(*conditions)
        .order_by(in_force, col(Clinic.short_name), col(Clinic.id))
        .limit(limit)
    ).all()
    total = db.exec(select(sa.func.count()).select_from(Clinic).where(*conditions)).one()
    return found, total
