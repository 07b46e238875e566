"""What an operator asks the holder to correct, and the names of the form's controls it uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import Conflict
from emk_app.domain.intake import Field

SCAN_PREFIX: Final = "scan_"
_SEPARATOR: Final = ","


class NotAsked(Conflict):
    """Once handed in, only what the operator asks for may be changed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Fields and scans to be corrected."""

    fields: frozenset[Field] = frozenset()
    scans: frozenset[ScanKind] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.fields or self.scans)


def scan_control(kind: ScanKind) -> str:
    """Return the name of the control that takes this scan: СНИЛС is both a field and a scan."""
    return SCAN_PREFIX + kind


def write(asked: Asked) -> str:
    """Return what to store: names of controls in the form's order, separated by commas."""
    fields: Iterable[str] = (field for field in Field if field in asked.fields)
    scans = (scan_control(kind) for kind in ScanKind if kind in asked.scans)
    return _SEPARATOR.join((*fields, *scans))


def read(text: str | None) -> Asked:
    """Return what was stored; names no longer known are left out."""
    names = (text or "").split(_SEPARATOR)
    kinds = {scan_control(kind): kind for kind in ScanKind}
    return Asked(
        frozenset(Field(name) for name in names if name in Field._value2member_map_),
        frozenset(kinds[name] for name in names if name in kinds),
    )
