"""What in the audit looks like a sweep, and from how much on (D51)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain.watching import FROM_OUTSIDE, VIEWS


class Alarm(StrEnum):
    """Something an administrator has to look at."""

    MASS_VIEWING = "mass_viewing"
    DENIALS = "denials"
    SEARCH_SWEEP = "search_sweep"
    OFF_HOURS_EXPORT = "off_hours_export"


@dataclass(frozen=True, slots=True)
class Rule:
    """When an alarm is raised: so many acts of one person within the window."""

    actions: frozenset[str]
    window: timedelta
    threshold: int
    by_people: bool = False
    """Whether different people are counted whose records were touched, not acts."""
    only_off_hours: bool = False


RULES: Final = {
    Alarm.MASS_VIEWING: Rule(
        VIEWS - FROM_OUTSIDE, timedelta(hours=1), threshold=60, by_people=True
    ),
    Alarm.DENIALS: Rule(
        frozenset({"denied", "refuse_record_code"}), timedelta(minutes=15), threshold=10
    ),
    Alarm.SEARCH_SWEEP: Rule(
        frozenset({"look_up"}), timedelta(hours=1), threshold=100, by_people=True
    ),
    Alarm.OFF_HOURS_EXPORT: Rule(
        frozenset({"export_book", "download_extract", "view_act"}),
        timedelta(hours=1),
        threshold=1,
        only_off_hours=True,
    ),
}
"""A physician sees some forty people a day, an operator decides some forty cases an hour."""

MORNING: Final = time(6)
EVENING: Final = time(22)


def is_off_hours(local: datetime) -> bool:
    """Whether nobody is at work at this time of day."""
    return not MORNING <= local.time() < EVENING
