"""A visit as a file for calendars (RFC 5545)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from icalendar import Alarm, Calendar, Event

from emk_app.domain.visits import VisitStatus
from emk_app.presenting.visits import VISITS
from emk_app.services.booking import VisitView
from emk_app.settings import settings

MEDIA_TYPE: Final = "text/calendar"
ALARM: Final = timedelta(hours=2)


def visit_file(visit: VisitView) -> bytes:
    """Return the visit for a calendar; a later file of the same visit takes the earlier's place.

    The name of the file's event never changes, ``SEQUENCE`` grows with each move, and a cancelled
    visit takes itself out of the calendar. No name of the holder and nothing medical is in it.
    """
    is_cancelled = visit.status is VisitStatus.CANCELLED
    number = visit.number.shown
    link = f"{settings().origin}{VISITS}/{visit.number.slug}"
    event = Event()
    event.add("uid", f"{visit.uid}@{urlsplit(settings().origin).hostname}")
    event.add("dtstamp", visit.changed_at)
    event.add("last-modified", visit.changed_at)
    event.add("sequence", visit.sequence)
    event.add("dtstart", visit.starts_at)
    event.add("dtend", visit.starts_at + timedelta(minutes=visit.minutes))
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("summary", f"Медосмотр: {visit.clinic.short_name}")
    event.add("location", visit.clinic.address)
    room = f"{visit.room}. " if visit.room else ""
    event.add("description", f"{room}Назовите в регистратуре номер заявки: {number}. {link}")
    event.add("url", link)
    if not is_cancelled:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", "Медосмотр через два часа")
        alarm.add("trigger", -ALARM)
        event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", "-//EMK Online//visits//RU")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if is_cancelled else "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return calendar.to_ical()
