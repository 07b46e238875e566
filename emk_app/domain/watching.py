"""What a holder is shown of the audit: who else saw or changed their records (D51)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final


class Span(StrEnum):
    """How far back the list goes."""

    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    EVER = "ever"


SPANS: Final = {
    Span.WEEK: timedelta(days=7),
    Span.MONTH: timedelta(days=30),
    Span.YEAR: timedelta(days=365),
    Span.EVER: None,
}

VIEWS: Final = frozenset(
    {"view", "view_book", "view_identity", "claim_record", "read_record"}
    | {"look_up", "fetch_handover", "export_book", "download_extract"}
    | {"find_by_code", "break_glass"}
)
"""Acts by which somebody has seen something; every other one has changed something."""

FROM_OUTSIDE: Final = frozenset({"look_up", "fetch_handover"})
"""Acts of those who have no account here."""
