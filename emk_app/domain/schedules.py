"""When a clinic receives: the hours of a room or commission, and the visits that fit into them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from emk_app.domain.calendars import is_public_holiday
from emk_app.domain.errors import Conflict, InvalidValue, Required
from emk_app.domain.people import parse_date
from emk_app.domain.values import DASHES, Problems, one_line

NAME_LIMIT: Final = 80
HOURS_LIMIT: Final = 120
SLOT_MINUTES: Final = range(5, 241)
CAPACITY: Final = range(1, 51)
HORIZON_DAYS: Final = range(1, 91)
ROOMS_AT_MOST: Final = 20
EXCEPTIONS_AT_MOST: Final = 120
WEEKDAYS: Final = 7


class HoursMalformed(InvalidValue):
    """Not spans like «09:00–13:00, 14:00–18:00»."""


class HoursBackwards(InvalidValue):
    """A span that ends before it begins."""


class HoursOverlap(InvalidValue):
    """Two spans of one day that share time."""


class NumberOutOfRange(InvalidValue):
    """Not a whole number from ``low`` to ``high``, both inclusive."""

    def __init__(self, low: int, high: int) -> None:
        super().__init__(f"not in {low}-{high}")
        self.low = low
        self.high = high


class NoHours(InvalidValue):
    """A week on which nobody is received, and no day is added."""


class SlotLongerThanHours(InvalidValue):
    """A visit so long that it fits into no span between the breaks."""


class DayIsPast(InvalidValue):
    """An exception for a day that is over."""


class TooManyRooms(Conflict):
    """The clinic has as many rooms as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit}")
        self.limit = limit


class TooManyExceptions(Conflict):
    """The room has as many exceptions as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit}")
        self.limit = limit


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Minutes of a day from ``opens`` up to and without ``closes``."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return f"{_clock(self.opens)}–{_clock(self.closes)}"


Hours = tuple[Span, ...]
"""The spans of one day in their order; empty on a day off."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The hours of one room or commission, by the clock of the clinic's region."""

    name: str
    week: tuple[Hours, ...]
    """Seven days from Monday on."""
    breaks: Hours
    slot_minutes: int
    capacity: int
    """How many people are received at one time."""
    horizon_days: int
    """How many days ahead of today may be booked."""
    works_on_holidays: bool = False
    exceptions: Mapping[date, Hours] = field(default_factory=dict[date, Hours])
    """Days that go otherwise than the week and the holidays say."""

    def hours_on(self, day: date) -> Hours:
        """Return when people are received on ``day``, the breaks left out."""
        if day in self.exceptions:
            spans = self.exceptions[day]
        elif is_public_holiday(day) and not self.works_on_holidays:
            spans = ()
        else:
            spans = self.week[day.weekday()]
        return tuple(_without(spans, self.breaks))

    def starts_on(self, day: date) -> tuple[time, ...]:
        """Return when the visits of ``day`` begin; each ends before a break and the closing."""
        return tuple(
            time(*divmod(start, 60))
            for span in self.hours_on(day)
            for start in range(span.opens, span.closes - self.slot_minutes + 1, self.slot_minutes)
        )

    def slots_on(self, day: date, zone: ZoneInfo) -> tuple[datetime, ...]:
        """Return the same as moments."""
        return tuple(datetime.combine(day, start, zone) for start in self.starts_on(day))

    def last_day(self, today: date) -> date:
        """Return the last day that may be booked; inclusive."""
        return today + timedelta(days=self.horizon_days)

    def offers(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Whether a visit begins at ``moment``, however far ahead."""
        local = moment.astimezone(zone)
        return local in self.slots_on(local.date(), zone)

    @property
    def length(self) -> timedelta:
        """How long a visit takes."""
        return timedelta(minutes=self.slot_minutes)

    def except_on(self, day: date, hours: Hours) -> Schedule:
        """Return the schedule with other hours on one day."""
        if len(self.exceptions) >= EXCEPTIONS_AT_MOST and day not in self.exceptions:
            raise TooManyExceptions(EXCEPTIONS_AT_MOST)
        return replace(self, exceptions={**self.exceptions, day: hours})

    def as_usual_on(self, day: date) -> Schedule:
        """Return the schedule with the usual hours on one day."""
        rest = {each: hours for each, hours in self.exceptions.items() if each != day}
        return replace(self, exceptions=rest)

    def pack(self) -> str:
        """Return the schedule as text, for ``read``."""
        return json.dumps(
            {
                "name": self.name,
                "week": [_packed(hours) for hours in self.week],
                "breaks": _packed(self.breaks),
                "slot": self.slot_minutes,
                "capacity": self.capacity,
                "horizon": self.horizon_days,
                "holidays": self.works_on_holidays,
                "exceptions": {
                    day.isoformat(): _packed(hours) for day, hours in self.exceptions.items()
                },
            },
            ensure_ascii=False,
        )

    @classmethod
    def read(cls, text: str) -> Schedule:
        """Return what ``pack`` wrote."""
        said: dict[str, Any] = json.loads(text)
        return cls(
            name=said["name"],
            week=tuple(_unpacked(hours) for hours in said["week"]),
            breaks=_unpacked(said["breaks"]),
            slot_minutes=said["slot"],
            capacity=said["capacity"],
            horizon_days=said["horizon"],
            works_on_holidays=said["holidays"],
            exceptions={
                date.fromisoformat(day): _unpacked(hours)
                for day, hours in said["exceptions"].items()
            },
        )


def parse_schedule(fields: Mapping[str, str], exceptions: Mapping[date, Hours]) -> Schedule:
    """Read the form of a room; ``exceptions`` are kept as they are.

    Raises ``Invalid`` with ``name``, ``day_0`` to ``day_6``, ``breaks``, ``slot_minutes``,
    ``capacity``, ``horizon_days``.
    """
    problems = Problems()
    schedule = Schedule(
        name=problems.take("name", _name, fields.get("name", "")),
        week=tuple(
            problems.take(f"day_{n}", parse_hours, fields.get(f"day_{n}", "")) or ()
            for n in range(WEEKDAYS)
        ),
        breaks=problems.take("breaks", parse_hours, fields.get("breaks", "")) or (),
        slot_minutes=problems.take(
            "slot_minutes", _number, fields.get("slot_minutes", ""), SLOT_MINUTES
        ),
        capacity=problems.take("capacity", _number, fields.get("capacity", ""), CAPACITY),
        horizon_days=problems.take(
            "horizon_days", _number, fields.get("horizon_days", ""), HORIZON_DAYS
        ),
        works_on_holidays=bool(fields.get("works_on_holidays")),
        exceptions=exceptions,
    )
    problems.raise_any()
    if not any(schedule.week) and not any(exceptions.values()):
        problems.fields["day_0"] = NoHours()
    elif not _fits_anywhere(schedule):
        problems.fields["slot_minutes"] = SlotLongerThanHours()
    problems.raise_any()
    return schedule


def parse_hours(text: str) -> Hours:
    """Read spans like «9-13, 14:00–18:00»; an empty text is a day off.

    Raises ``HoursMalformed``, ``HoursBackwards``, ``HoursOverlap``.
    """
    line = one_line(text, HOURS_LIMIT).translate(DASHES)
    if not line:
        return ()
    spans: list[Span] = []
    for part in re.split(r"[,;]", line):
        found = _SPAN.fullmatch(part.strip())
        if found is None:
            raise HoursMalformed
        opens, closes = _minutes(found[1], found[2]), _minutes(found[3], found[4])
        if opens >= closes:
            raise HoursBackwards
        spans.append(Span(opens, closes))
    spans.sort()
    if any(one.closes > other.opens for one, other in pairwise(spans)):
        raise HoursOverlap
    return tuple(spans)


def parse_exception_day(text: str, today: date) -> date:
    """Read the day of an exception; raise ``DayIsPast`` for one that is over."""
    day = parse_date(text)
    if day < today:
        raise DayIsPast
    return day


def shown_hours(hours: Hours) -> str:
    """Return spans as ``parse_hours`` reads them: «09:00–13:00, 14:00–18:00»."""
    return ", ".join(map(str, hours))


_SPAN: Final = re.compile(r"([0-9]{1,2})(?:[:.]([0-9]{2}))? ?- ?([0-9]{1,2})(?:[:.]([0-9]{2}))?")
_LAST_MINUTE: Final = 23 * 60 + 59


def _name(text: str) -> str:
    line = one_line(text, NAME_LIMIT)
    if not line:
        raise Required
    return line


def _number(text: str, within: range) -> int:
    line = one_line(text, HOURS_LIMIT)
    if not line:
        raise Required
    if not (line.isascii() and line.isdigit() and len(line) < 6 and int(line) in within):
        raise NumberOutOfRange(within.start, within.stop - 1)
    return int(line)


def _minutes(hour: str, minute: str | None) -> int:
    total = int(hour) * 60 + int(minute or 0)
    if int(minute or 0) > 59 or total > _LAST_MINUTE:
        raise HoursMalformed
    return total


def _without(spans: Iterable[Span], breaks: Iterable[Span]) -> Iterator[Span]:
    """Cut ``breaks`` out of ``spans``."""
    for span in spans:
        opens = span.opens
        for rest in breaks:
            if rest.closes <= opens or rest.opens >= span.closes:
                continue
            if rest.opens > opens:
                yield Span(opens, rest.opens)
            opens = rest.closes
        if opens < span.closes:
            yield Span(opens, span.closes)


def _fits_anywhere(schedule: Schedule) -> bool:
    days = (*schedule.week, *schedule.exceptions.values())
    return any(
        span.closes - span.opens >= schedule.slot_minutes
        for hours in days
        for span in _without(hours, schedule.breaks)
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _packed(hours: Hours) -> list[list[int]]:
    return [[span.opens, span.closes] for span in hours]


def _unpacked(hours: list[list[int]]) -> Hours:
    return tuple(Span(*pair) for pair in hours)
