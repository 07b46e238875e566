"""Which papers belong to an application: a table over the answers of its form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from emk_app.domain.applications import REQUIRED_SCANS
from emk_app.domain.documents import ScanKind
from emk_app.domain.intake import (
    ATTORNEY,
    AppliedBy,
    CertificateTooOld,
    Condition,
    Field,
    HolderCategory,
    holds,
    problems_of,
)
from emk_app.domain.occupations import point_of
from emk_app.domain.representation import AttorneyExpired, Basis

MEDICAL_POINT: Final = "27"

_ALWAYS: Final[Condition] = {}
_REPRESENTED: Final = {Field.APPLIED_BY: frozenset({AppliedBy.REPRESENTATIVE})}

REQUIRED_IF: Final[Mapping[ScanKind, Condition]] = MappingProxyType(
    dict.fromkeys(REQUIRED_SCANS, _ALWAYS)
    | {
        # Told by the point: occupations come and go.
        ScanKind.DIPLOMA: _ALWAYS,
        ScanKind.STATUS_CERTIFICATE: {
            Field.CATEGORY: frozenset(HolderCategory) - {HolderCategory.NONE}
        },
        ScanKind.POWER_OF_ATTORNEY: _REPRESENTED
        | {Field.REPRESENTATIVE_BASIS: frozenset({Basis.ATTORNEY})},
        ScanKind.REPRESENTED_STATUS: _REPRESENTED
        | {Field.REPRESENTATIVE_BASIS: frozenset({Basis.PARENT, Basis.GUARDIAN})},
    }
)
"""When a paper must be there."""

OFFERED_IF: Final[Mapping[ScanKind, Condition]] = MappingProxyType(
    dict.fromkeys(
        (
            ScanKind.SNILS,
            ScanKind.CONSENT,
            ScanKind.WORK_CERTIFICATE,
            ScanKind.DIPLOMA,
            ScanKind.EXAM_CERTIFICATE,
        ),
        _ALWAYS,
    )
    | {ScanKind.REPRESENTED_STATUS: _REPRESENTED}
)
"""When a paper may be added that need not be."""


@dataclass(frozen=True, slots=True)
class Papers:
    """The papers of one application, each kind once, in the order of ``ScanKind``."""

    required: tuple[ScanKind, ...]
    offered: tuple[ScanKind, ...]
    """What may be added, and what is there though nothing asks for it."""


def papers(fields: Mapping[str, str], attached: Collection[ScanKind] = ()) -> Papers:
    """Return what a form with these answers needs and may have."""
    required = tuple(kind for kind in ScanKind if _is_required(kind, fields))
    return Papers(
        required,
        tuple(
            kind
            for kind in ScanKind
            if kind not in required and (kind in attached or _is_offered(kind, fields))
        ),
    )


def outdated(
    fields: Mapping[str, str], today: date
) -> tuple[frozenset[Field], frozenset[ScanKind]]:
    """Return the answers and papers that were good once and can't be handed in any more."""
    gone: frozenset[Field] = frozenset()
    kinds: frozenset[ScanKind] = frozenset()
    wrong = problems_of(fields, today)
    if isinstance(wrong.get(Field.ATTORNEY_UNTIL), AttorneyExpired):
        gone, kinds = gone | ATTORNEY, kinds | {ScanKind.POWER_OF_ATTORNEY}
    if isinstance(wrong.get(Field.EXAM_CERTIFICATE_ON), CertificateTooOld):
        gone, kinds = gone | {Field.EXAM_CERTIFICATE_ON}, kinds | {ScanKind.EXAM_CERTIFICATE}
    return gone, kinds


def _is_required(kind: ScanKind, fields: Mapping[str, str]) -> bool:
    if kind is ScanKind.EXAM_CERTIFICATE:
        # Nobody must show one, but its date alone says nothing.
        return bool(fields.get(Field.EXAM_CERTIFICATE_ON, "").strip())
    if kind is ScanKind.DIPLOMA:
        return point_of(fields.get(Field.OCCUPATION, "")) == MEDICAL_POINT
    return kind in REQUIRED_IF and holds(REQUIRED_IF[kind], fields)


def _is_offered(kind: ScanKind, fields: Mapping[str, str]) -> bool:
    return kind in OFFERED_IF and holds(OFFERED_IF[kind], fields)
