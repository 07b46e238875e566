"""The calendar file and the number's code over HTTP, behind the real guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from starlette.applications import Starlette

from emk_app import clock
from emk_app.api import visits as api
from emk_app.api.routing import routes
from emk_app.db.engine import unit_of_work
from emk_app.db.tables.clinics import Clinic
from emk_app.domain.actors import Actor, Position
from emk_app.edge.guard import Guard
from emk_app.services import booking, scheduling
from tests.api.test_scans import ORIGIN, cookie_of
from tests.factories import make_clinic, make_holder, make_operator, make_physician, make_received

pytestmark = pytest.mark.usefixtures("world")

HOURS = {
    "name": "Кабинет 12",
    **{f"day_{n}": "00:00–23:50" for n in range(7)},
    "slot_minutes": "30",
    "capacity": "1",
    "horizon_days": "14",
    "works_on_holidays": "on",
}


@pytest.fixture
async def site() -> AsyncIterator[httpx.AsyncClient]:
    app = Guard(Starlette(routes=routes(api.ENDPOINTS)))
    transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}
    ) as client:
        yield client


@pytest.fixture
def moment() -> datetime:
    """The routes read the clock themselves."""
    return clock.now()


@pytest.fixture
def holder(moment: datetime) -> Actor:
    return make_holder(moment)


@pytest.fixture
def number(holder: Actor, moment: datetime) -> str:
    """An application at a clinic of Kamchatka."""
    clinic_id = make_clinic()
    with unit_of_work() as db:
        clinic = db.get(Clinic, clinic_id)
        assert clinic is not None
        clinic.region_code = "41"
        db.add(clinic)
    scheduling.add(make_physician(clinic_id, moment, Position.REGISTRAR), HOURS, now=moment)
    return make_received(holder, moment, clinic_id=clinic_id).number.slug


def times(holder: Actor, number: str, now: datetime) -> list[datetime]:
    return [each.starts_at for each in booking.booking(holder, number, now=now).slots]


async def saved(site: httpx.AsyncClient, holder: Actor, uid: str) -> tuple[Any, Any]:
    path = f"/api/visits/{uid}/visit.ics"
    answer = await site.get(path, headers=cookie_of(holder, clock.now()))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    calendar = Calendar.from_ical(answer.content)
    (event,) = calendar.walk("VEVENT")
    return calendar, event


async def test_one_visit_is_one_event_through_move_and_cancellation(
    site: httpx.AsyncClient, holder: Actor, number: str, moment: datetime
):
    first, second = times(holder, number, moment)[:2]
    made = booking.book(holder, number, first, key="k", now=moment)
    calendar, event = await saved(site, holder, made.uid)
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("PUBLISH", "CONFIRMED", 0)
    assert event["DTSTART"].dt == first and event["DTSTART"].params["TZID"] == "Asia/Kamchatka"
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(minutes=30)
    assert [each["TZID"] for each in calendar.walk("VTIMEZONE")] == ["Asia/Kamchatka"]
    assert len(event.walk("VALARM")) == 1
    uid = event["UID"]
    booking.move(holder, number, second, seen=0, now=moment)
    _, event = await saved(site, holder, made.uid)
    assert (event["UID"], event["SEQUENCE"], event["DTSTART"].dt) == (uid, 1, second)
    booking.cancel(holder, number, seen=1, now=moment)
    calendar, event = await saved(site, holder, made.uid)
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (uid, 2, "CANCELLED")
    assert calendar["METHOD"] == "CANCEL" and event.walk("VALARM") == []


async def test_calendar_learns_nothing_about_the_person(
    site: httpx.AsyncClient, holder: Actor, number: str, moment: datetime
):
    made = booking.book(holder, number, times(holder, number, moment)[0], key="k", now=moment)
    calendar, _ = await saved(site, holder, made.uid)
    text = calendar.to_ical().decode()
    assert not [each for each in ("Иванова", "Мария", "112-233", "Повар") if each in text]


async def test_foreign_visit_and_number_do_not_exist(
    site: httpx.AsyncClient, holder: Actor, number: str, moment: datetime
):
    made = booking.book(holder, number, times(holder, number, moment)[0], key="k", now=moment)
    paths = (f"/api/visits/{made.uid}/visit.ics", f"/api/visits/{number}/number.svg")
    for actor, status in ((make_holder(moment), 404), (make_operator(moment), 403)):
        cookie = cookie_of(actor, moment)
        for path in paths:
            assert (await site.get(path, headers=cookie)).status_code == status
    cookie = cookie_of(holder, moment)
    for path in ("/api/visits/нет/visit.ics", "/api/visits/нет/number.svg"):
        assert (await site.get(path, headers=cookie)).status_code == 404


async def test_number_is_a_drawing_that_runs_nothing(
    site: httpx.AsyncClient, holder: Actor, number: str, moment: datetime
):
    path = f"/api/visits/{number}/number.svg"
    answer = await site.get(path, headers=cookie_of(holder, moment))
    assert answer.status_code == 200 and answer.text.startswith("<svg")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
