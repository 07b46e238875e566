"""Papers a clinic adds to an examination: what they are, and how many."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from emk_app.domain.documents import LIMITS, ScanKind
from emk_app.domain.errors import Conflict

AS: Final = ScanKind.EXAM_CERTIFICATE
"""The holder's paper by whose bounds such a file is taken."""
SIZE_LIMIT: Final = LIMITS[AS]
"""Bytes, inclusive."""
COUNT_LIMIT: Final = 20


class AttachmentKind(StrEnum):
    """What paper it is."""

    LAB_REPORT = "lab_report"
    IMAGE = "image"
    FUNCTIONAL = "functional"
    CONSULTATION = "consultation"
    ATTESTATION = "attestation"
    OTHER = "other"


class TooManyAttachments(Conflict):
    """The case has ``limit`` of them already."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit}")
        self.limit = limit


class AttachmentSigned(Conflict):
    """The commission has signed with it: it is kept."""
