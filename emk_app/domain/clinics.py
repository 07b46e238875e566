"""What a clinic is, as far as choosing one goes."""

from __future__ import annotations

from enum import StrEnum

from emk_app.domain.errors import Conflict


class ClinicKind(StrEnum):
    """The three types of the guide's filter («Шаг 3»)."""

    POLYCLINIC = "polyclinic"
    HOSPITAL = "hospital"
    CENTRE = "centre"


class LicenceStatus(StrEnum):
    """State of a medical licence."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class ClinicNotAvailable(Conflict):
    """The clinic has no licence in force, or does not examine for this occupation."""

    def __init__(self, licence: LicenceStatus, *, serves_point: bool) -> None:
        super().__init__(f"licence {licence}, serves the point: {serves_point}")
        self.licence = licence
        self.serves_point = serves_point


def check_available(licence: LicenceStatus, points: frozenset[str], point: str | None) -> None:
    """Raise ``ClinicNotAvailable`` unless the clinic may examine somebody for ``point`` of 29н.

    ``point`` is None while the holder has not chosen an occupation.
    """
    serves = point is None or point in points
    if licence is not LicenceStatus.ACTIVE or not serves:
        raise ClinicNotAvailable(licence, serves_point=serves)
