"""What administrators may switch off for a while, and what then refuses."""

from __future__ import annotations

from enum import StrEnum

from emk_app.domain.errors import DomainError


class Feature(StrEnum):
    """A part of the service that can be switched off; all are on until somebody does."""

    REGISTRATION = "registration"
    SMS_FACTOR = "sms_factor"
    NUMBER_CHECK = "number_check"
    APPEALS = "appeals"


class FeatureOff(DomainError):
    """An administrator has switched this off."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(f"{feature} is switched off")
        self.feature = feature
