"""What is sought in the journal of acts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from emk_app.domain.errors import InvalidValue
from emk_app.domain.news import NotAMoment
from emk_app.domain.values import Problems, one_line

USUAL: Final = timedelta(days=7)
"""How far back is looked where nobody says how far."""
DENIED: Final = "denied"
REFUSAL: Final = "refuse"
"""How the names of acts begin that were refused."""
_MOMENT: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,? +(\d{1,2})[:.](\d{2}))?")
_CODE: Final = re.compile(r"[a-z0-9_]{1,40}")
_TARGET: Final = re.compile(r"[A-Za-z0-9_:./ -]{1,60}")


class EndBeforeStart(InvalidValue):
    """The span ends before it begins."""


class NotACode(InvalidValue):
    """No word of the journal looks so."""


class NobodyKnown(InvalidValue):
    """No account has this login."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What stands in the form, as typed."""

    since: str = ""
    until: str = ""
    who: str = ""
    """Login or number of the account that acted."""
    whose: str = ""
    """The same of whose records were touched."""
    action: str = ""
    target: str = ""
    result: str = ""
    """``done``, ``refused``, or both."""


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when, the latter not included."""

    since: datetime
    until: datetime


def read_span(problems: Problems, sought: Sought, *, now: datetime, zone: tzinfo) -> Span:
    """Return the span; notes problems under ``since`` and ``until``."""
    until = now + timedelta(minutes=1)
    if sought.until.strip():
        until = problems.take("until", _read_moment, sought.until, zone, is_end=True)
    since = now - USUAL
    if sought.since.strip():
        since = problems.take("since", _read_moment, sought.since, zone, is_end=False)
    elif sought.until.strip() and not problems.fields:
        since = until - USUAL
    if not problems.fields and until <= since:
        problems.fields["until"] = EndBeforeStart()
    return Span(since, until)


def read_action(text: str) -> str:
    """Return the beginning of an act's name; empty for any."""
    line = one_line(text, 40).lower()
    if line and not _CODE.fullmatch(line):
        raise NotACode
    return line


def read_target(text: str) -> str:
    """Return the beginning of an object's name, like «book:» or «book:5»; empty for any."""
    line = one_line(text, 60)
    if line and not _TARGET.fullmatch(line):
        raise NotACode
    return line


def is_refused(action: str) -> bool:
    """Whether the act was refused."""
    return action == DENIED or action.startswith(REFUSAL)


def _read_moment(text: str, zone: tzinfo, *, is_end: bool) -> datetime:
    found = _MOMENT.fullmatch(one_line(text, 40))
    if found is None:
        raise NotAMoment
    day, month, year, hour, minute = found.groups()
    try:
        at = datetime(int(year), int(month), int(day), tzinfo=zone)
        if hour is None:
            # A day without an hour is meant whole.
            return (at + timedelta(days=is_end)).astimezone(UTC)
        return datetime.combine(at, time(int(hour), int(minute)), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotAMoment from None
