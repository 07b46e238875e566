"""Visits in words: the holder's page of booking, the clinic's day and its schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from emk_app.clock import MOSCOW
from emk_app.domain.applications import TrackingNumber
from emk_app.domain.schedules import WEEKDAYS, Schedule, shown_hours
from emk_app.domain.visits import VisitStatus
from emk_app.presenting.formats import NBSP, counted, day, days
from emk_app.presenting.texts import Label
from emk_app.services.booking import Booking, Slot
from emk_app.services.scheduling import AffectedVisit, RoomView
from emk_app.services.welcoming import Line

VISITS: Final = "/cabinet/visits"
DAYS_AT_ONCE: Final = 10
"""Days of the strip that are shown together: two working weeks."""

STATUSES: Final = {
    VisitStatus.BOOKED: Label("Записаны", "info"),
    VisitStatus.ARRIVED: Label("Вы пришли", "success"),
    VisitStatus.MISSED: Label("Осмотр пропущен", "waiting"),
    VisitStatus.CANCELLED: Label("Запись отменена", "neutral"),
}
"""As the holder reads them."""
AT_DESK: Final = {
    VisitStatus.BOOKED: Label("ждём", "waiting"),
    VisitStatus.ARRIVED: Label("в клинике", "success"),
    VisitStatus.MISSED: Label("не пришёл", "danger"),
    VisitStatus.CANCELLED: Label("отменена"),
}
"""As the desk reads them."""
WEEKDAY_NAMES: Final = (
    "понедельник",
    "вторник",
    "среда",
    "четверг",
    "пятница",
    "суббота",
    "воскресенье",
)
SHORT_WEEKDAYS: Final = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")

BOOKED: Final = "Вы записаны. Напомним за сутки."
MOVED: Final = "Осмотр перенесён."
CANCELLED: Final = "Запись отменена. Время свободно для других."
NO_TIME_CHOSEN: Final = "Сначала выберите время."
ARRIVED: Final = "Отмечено: пациент пришёл."
MISSED: Final = "Отмечено: пациент не пришёл."
UNKNOWN_NUMBER: Final = (
    "Заявка с таким номером и датой рождения не найдена. Сверьте номер и паспорт."
)
BIRTH_NEEDED: Final = (
    "В заявке выбрана другая медорганизация. Чтобы принять пациента, введите дату рождения из "
    "паспорта."
)
SAVED: Final = "Расписание сохранено."
ROOM_CLOSED: Final = "Кабинет закрыт для записи."


@dataclass(frozen=True, slots=True)
class VisitRow:
    """The page of one application's visit."""

    number: str = ""
    slug: str = ""
    application_href: str = ""
    clinic_href: str = ""
    occupation: str = ""
    person: str = ""
    born: str = ""
    clinic: str = ""
    address: str = ""
    phone: str = ""
    hours: str = ""
    zone: str = ""
    """How the clock of the clinic differs from Moscow's; empty where it does not."""
    act_by: str = ""
    may_book: bool = False
    is_ahead: bool = False
    """There is a visit still to come."""
    has_visit: bool = False
    day: str = ""
    time: str = ""
    room: str = ""
    takes: str = ""
    """How long the visit is."""
    status: str = ""
    tone: str = "neutral"
    may_change: bool = False
    until: str = ""
    file: str = ""
    """Where the calendar file is."""
    code: str = ""
    """Where the picture of the number is."""
    referral: str = ""


@dataclass(frozen=True, slots=True)
class DayChoice:
    """A day of the strip."""

    value: str
    title: str
    text: str
    is_full: bool


@dataclass(frozen=True, slots=True)
class TimeChoice:
    """A time of the chosen day."""

    value: str
    title: str
    text: str
    is_full: bool


@dataclass(frozen=True, slots=True)
class BringRow:
    """A thing to take along."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """A visit of the clinic's day."""

    uid: str
    slug: str
    time: str
    name: str
    born: str
    number: str
    occupation: str
    room: str
    status: str
    tone: str
    may_arrive: bool
    may_miss: bool
    may_open: bool
    href: str


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room of the schedule."""

    id: int = 0
    version: int = 0
    name: str = ""
    week: tuple[str, ...] = ()
    rules: str = ""
    ahead: str = ""
    exceptions: tuple[tuple[str, str, str], ...] = ()
    """Value, day and hours of each day that goes otherwise, from today on."""


@dataclass(frozen=True, slots=True)
class AffectedRow:
    """A visit that a change meets."""

    when: str
    name: str
    number: str


def visit_row(found: Booking) -> VisitRow:
    """Return the page of an application's visit."""
    slug, visit, clinic = found.number.slug, found.visit, found.clinic
    if visit is not None and visit.is_ahead:
        clinic = visit.clinic
    row = VisitRow(
        number=found.number.shown,
        slug=slug,
        application_href=f"/cabinet/applications/{slug}",
        clinic_href=f"/cabinet/applications/{slug}/clinic",
        occupation=found.occupation.name if found.occupation else "",
        person=str(found.person) if found.person else "",
        born=day(found.born_on) if found.born_on else "",
        clinic=clinic.short_name if clinic else "",
        address=clinic.address if clinic else "",
        phone=clinic.phone if clinic else "",
        hours=clinic.hours if clinic else "",
        zone=_zone(found.slots[0].starts_at) if found.slots else "",
        act_by=f"Пройти осмотр нужно до {day(found.act_by)}." if found.act_by else "",
        may_book=found.may_book,
        code=f"/api/visits/{slug}/number.svg",
        referral=f"{VISITS}/{slug}/referral",
    )
    if visit is None:
        return row
    status = STATUSES[visit.status]
    return replace(
        row,
        zone=_zone(visit.starts_at),
        is_ahead=visit.is_ahead,
        has_visit=True,
        day=_long_day(visit.starts_at.date()),
        time=f"{visit.starts_at:%H:%M}",
        room=visit.room,
        takes=counted(visit.minutes, "минута", "минуты", "минут") if visit.minutes else "",
        status=status.text,
        tone=status.tone,
        may_change=visit.may_change,
        until=f"{day(visit.change_until.date())} {visit.change_until:%H:%M}",
        file=f"/api/visits/{visit.uid}/visit.ics",
    )


def bring_rows(found: Booking) -> list[BringRow]:
    """Return what to take along."""
    return [BringRow(each.what, each.why) for each in found.bring]


def day_choices(slots: Iterable[Slot]) -> list[DayChoice]:
    """Return the days on which the clinic receives, each with the number of free places."""
    free: dict[date, int] = {}
    for slot in slots:
        on = slot.starts_at.date()
        free[on] = free.get(on, 0) + max(slot.free, 0)
    return [
        DayChoice(
            on.isoformat(),
            f"{SHORT_WEEKDAYS[on.weekday()]},{NBSP}{on:%d.%m}",
            counted(count, "место", "места", "мест") if count else "мест нет",
            count == 0,
        )
        for on, count in free.items()
    ]


def time_choices(slots: Iterable[Slot], chosen: str) -> list[TimeChoice]:
    """Return the times of the chosen day."""
    return [
        TimeChoice(
            slot.starts_at.isoformat(),
            f"{slot.starts_at:%H:%M}",
            "занято" if slot.free <= 0 else "",
            slot.free <= 0,
        )
        for slot in slots
        if slot.starts_at.date().isoformat() == chosen
    ]


def slot_words(slot: Slot) -> str:
    """Return a time in words: «вторник, 24.11.2026, 10:00»."""
    return f"{_long_day(slot.starts_at.date())}, {slot.starts_at:%H:%M}"


def day_title(on: date, today: date) -> str:
    """Return the heading of a day at the desk."""
    near = {0: "Сегодня, ", 1: "Завтра, ", -1: "Вчера, "}.get((on - today).days, "")
    name = WEEKDAY_NAMES[on.weekday()]
    return f"{near}{name if near else name.capitalize()}, {day(on)}"


def line_row(line: Line) -> LineRow:
    """Return a visit of the clinic's day."""
    patient = line.patient
    status = AT_DESK[line.status]
    return LineRow(
        uid=line.uid,
        slug=line.number.slug,
        time=f"{line.starts_at:%H:%M}",
        name=str(patient.name) if patient.name else "Имя исправляется",
        born=day(patient.born_on) if patient.born_on else "",
        number=line.number.shown,
        occupation=patient.occupation.name if patient.occupation else "",
        room=line.room or "без записи",
        status=status.text,
        tone=status.tone,
        may_arrive=line.may_arrive,
        may_miss=line.may_miss,
        may_open=line.may_open,
        href=f"/clinic/exams/{line.examination_id}" if line.examination_id else "",
    )


def room_row(room: RoomView, today: date) -> RoomRow:
    """Return a room of the schedule."""
    schedule = room.schedule
    holidays = "работает" if schedule.works_on_holidays else "не работает"
    rules = [
        f"приём {counted(schedule.slot_minutes, 'минута', 'минуты', 'минут')}",
        f"{counted(schedule.capacity, 'человек', 'человека', 'человек')} на одно время",
        f"запись на {days(schedule.horizon_days)} вперёд",
        f"в праздники {holidays}",
    ]
    if schedule.breaks:
        rules.insert(0, f"перерыв {shown_hours(schedule.breaks)}")
    return RoomRow(
        id=room.id,
        version=room.version,
        name=schedule.name,
        week=tuple(
            f"{SHORT_WEEKDAYS[n]}: {shown_hours(schedule.week[n]) or 'выходной'}"
            for n in range(WEEKDAYS)
        ),
        rules=", ".join(rules).capitalize() + ".",
        ahead=(
            f"Впереди {counted(room.ahead, 'запись', 'записи', 'записей')}."
            if room.ahead
            else "Записей впереди нет."
        ),
        exceptions=tuple(
            (on.isoformat(), _long_day(on), shown_hours(hours) or "выходной")
            for on, hours in sorted(schedule.exceptions.items())
            if on >= today
        ),
    )


def form_of(schedule: Schedule) -> dict[str, str]:
    """Return the fields of a room's form."""
    return {
        "name": schedule.name,
        **{f"day_{n}": shown_hours(schedule.week[n]) for n in range(WEEKDAYS)},
        "breaks": shown_hours(schedule.breaks),
        "slot_minutes": str(schedule.slot_minutes),
        "capacity": str(schedule.capacity),
        "horizon_days": str(schedule.horizon_days),
        "works_on_holidays": "on" if schedule.works_on_holidays else "",
    }


LABELS: Final = {
    "name": "Название",
    **{f"day_{n}": name.capitalize() for n, name in enumerate(WEEKDAY_NAMES)},
    "breaks": "Перерывы",
    "slot_minutes": "Длительность приёма",
    "capacity": "Человек на одно время",
    "horizon_days": "Запись вперёд",
}


def summary(said: Mapping[str, str]) -> list[list[str]]:
    """Return name and sentence of each field that is wrong; each is understood by itself."""
    return [[name, f"{LABELS[name]}. {sentence}"] for name, sentence in said.items()]


NEW_ROOM: Final = {
    "name": "",
    **{f"day_{n}": "09:00–17:00" if n < 5 else "" for n in range(WEEKDAYS)},
    "breaks": "13:00–14:00",
    "slot_minutes": "30",
    "capacity": "1",
    "horizon_days": "30",
    "works_on_holidays": "",
}
"""What the form of a new room begins with."""


def affected_row(visit: AffectedVisit) -> AffectedRow:
    """Return a visit that a change meets."""
    return AffectedRow(
        f"{_long_day(visit.starts_at.date())}, {visit.starts_at:%H:%M}",
        str(visit.name) if visit.name else "Имя исправляется",
        visit.number.shown,
    )


def others(numbers: Sequence[TrackingNumber], shown: str) -> list[list[str]]:
    """Return number and address of the other applications to book for."""
    return [[each.shown, f"{VISITS}/{each.slug}"] for each in numbers if each.slug != shown]


def _long_day(on: date) -> str:
    return f"{WEEKDAY_NAMES[on.weekday()]}, {day(on)}"


def _zone(at: datetime) -> str:
    """Return how the clock of the moment differs from Moscow's: «МСК+4»; empty where it doesn't."""
    own, moscow = at.utcoffset(), at.astimezone(MOSCOW).utcoffset()
    assert own is not None and moscow is not None
    hours = round((own - moscow).total_seconds() / 3600)
    return f"МСК{hours:+d}" if hours else ""
