"""From the clinic's hours to an opened case: booked, moved, in a calendar, printed, received."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from icalendar import Calendar
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.keys import tab_to
from tests.e2e.screens import look, shown
from tests.e2e.test_desks import received, slug
from tests.running import HOLDER, REGISTRAR, Server


def saved_event(page: Page, button: str) -> Any:
    """Save the calendar file by its button; return the event in it."""
    with page.expect_download() as download:
        page.get_by_role("link", name=button).click()
    content = Path(download.value.path()).read_bytes()
    calendar = Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    return event


def test_visit_is_booked_moved_saved_printed_and_received(server: Server, visit: Visit):
    # The next free time falls away with each half an hour; one has just begun.
    server.move_clock(timedelta(minutes=30 - server.now().minute % 30))
    number = received(server)
    desk = visit("/clinic/schedule", person=REGISTRAR)
    look(desk, "schedule-empty")
    desk.get_by_role("button", name="Добавить кабинет").click()
    desk.get_by_label("Название").fill("Кабинет 12")
    for name in ("Понедельник", "Вторник", "Среда", "Четверг", "Пятница", "Суббота"):
        desk.get_by_label(name, exact=True).fill("00:00-23:50")
    desk.get_by_label("Воскресенье", exact=True).fill("днём")
    desk.get_by_label("Принимаем в праздничные дни").check()
    desk.get_by_role("button", name="Сохранить", exact=True).click()
    desk.get_by_role("link", name=re.compile("Воскресенье. Укажите часы так")).wait_for()
    look(desk, "schedule-form-wrong")
    desk.get_by_label("Воскресенье", exact=True).fill("0-23:50")
    desk.get_by_role("button", name="Сохранить", exact=True).click()
    desk.get_by_text("Расписание сохранено.").wait_for()
    look(desk, "schedule")

    page = visit("/cabinet/visits", person=HOLDER)
    page.get_by_text("Ближайшее свободное").wait_for()
    look(page, "visit-choose")
    # By the keyboard: a day by the arrows, a time by the arrows, the button by Tab.
    chosen = page.locator("input[name=visit-day]:checked")
    tab_to(page, chosen)
    was = chosen.get_attribute("value")
    page.keyboard.press("ArrowRight")
    expect(page.locator("input[name=visit-day]:checked")).not_to_have_value(was or "")
    page.get_by_role("radio", name=re.compile("^08:00")).wait_for()
    tab_to(page, page.locator("input[name=visit-time]").first)
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Записаться"))
    page.keyboard.press("Enter")
    page.get_by_text("Вы записаны. Напомним за сутки.").wait_for()
    look(page, "visit-booked")
    first = saved_event(page, "В календарь")
    assert first["SEQUENCE"] == 0 and first["STATUS"] == "CONFIRMED"
    assert first["DTSTART"].dt.utcoffset() == timedelta(hours=3)

    page.get_by_role("button", name="Перенести").click()
    page.get_by_role("button", name="Выбрать его").click()
    page.get_by_role("button", name="Перенести на это время").click()
    page.get_by_text("Осмотр перенесён.").first.wait_for()
    moved = saved_event(page, "В календарь")
    assert (moved["UID"], moved["SEQUENCE"]) == (first["UID"], 1)
    starts_at: datetime = moved["DTSTART"].dt
    assert starts_at < first["DTSTART"].dt

    page.get_by_role("link", name="Направление").click()
    page.get_by_role("heading", name="Программа осмотра").wait_for()
    look(page, "visit-referral")

    server.move_clock(starts_at - server.now() + timedelta(minutes=1))
    desk = visit("/clinic", person=REGISTRAR)
    row = desk.get_by_role("table", name="Записанные на приём").get_by_role("row")
    row = row.filter(has_text=number)
    row.wait_for()
    look(desk, "clinic-day-visits")
    row.get_by_role("button", name=re.compile("^Пришёл")).click()
    row.get_by_text("в клинике").wait_for()
    holder = visit(f"/cabinet/visits/{slug(number)}", person=HOLDER)
    holder.get_by_text("Заявка").first.wait_for()
    row.get_by_role("button", name=re.compile("^Открыть осмотр")).click()
    dialog = desk.get_by_role("dialog").filter(has_text="Открыть осмотр?")
    shown(
        "a case is opened",
        lambda: dialog.get_by_role("button", name="Открыть осмотр").click(),
        desk.get_by_role("button", name=re.compile("^Паспорт показан")),
    )
