"""The state of the service in words that tell people enough and attackers nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from emk_app.domain.upkeep import FAILING, KEPT, Component, Standing
from emk_app.presenting.formats import NBSP, counted, day, hour, moment
from emk_app.services.upkeep import Board, Day, Incident, Line

TITLE: Final = "Техническое обслуживание"
LEAD: Final = "Как работает сервис сейчас и как работал последние 90 дней."
NAMES: Final = {
    Component.SITE: "Сайт и личные кабинеты",
    Component.DATABASE: "База данных",
    Component.STORAGE: "Хранилище документов",
    Component.MESSAGES: "Очередь сообщений и заданий",
    Component.SMS: "СМС",
    Component.EMAIL: "Электронная почта",
    Component.EXCHANGE: "Обмен с медицинскими системами",
    Component.SIGNING: "Электронная подпись книжек",
}
STANDINGS: Final = {
    Standing.UP: ("Работает", "success"),
    Standing.DEGRADED: ("Работает с задержками", "waiting"),
    Standing.DOWN: ("Не работает", "danger"),
    Standing.OFF: ("Не подключено", "neutral"),
}
TROUBLES: Final = {Standing.DEGRADED: "задержки", Standing.DOWN: "перерыв в работе"}
UNKNOWN: Final = ("Нет свежих данных", "neutral")
OUTAGE: Final = (
    "Сервис временно недоступен",
    "Мы уже разбираемся. Всё, что вы сохранили, на месте. Обновите страницу через минуту.",
)
MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the service."""

    name: str
    state: str
    tone: str
    share: str
    """How much of the time it worked."""
    days: tuple[tuple[str, str], ...]
    """Tone and words of each day, oldest first."""


@dataclass(frozen=True, slots=True)
class Said:
    """The whole page."""

    headline: str
    text: str
    tone: str
    parts: tuple[Part, ...]
    incidents: tuple[tuple[str, str], ...]
    """What, and from when till when."""


def said(board: Board, today: date) -> Said:
    """Return the words of the page."""
    failing = [line for line in board.lines if line.standing in FAILING]
    if board.checked_at is None:
        headline, tone, text = "Проверок ещё не было", "neutral", "Первая — через несколько минут."
    elif not board.is_fresh:
        headline, tone = "Нет свежих данных", "waiting"
        text = f"Последняя проверка: {moment(board.checked_at)}."
    else:
        text = f"Проверено {moment(board.checked_at)} по Москве. Проверяем каждые пять минут."
        if not failing:
            headline, tone = "Всё работает", "success"
        elif any(line.standing is Standing.DOWN for line in failing):
            headline, tone = "Часть сервиса не работает", "danger"
        else:
            headline, tone = "Сервис работает с задержками", "waiting"
        if failing:
            text = f"Мы уже разбираемся. Сохранённое на месте. {text}"
    return Said(
        headline,
        text,
        tone,
        tuple(_part(line, today) for line in board.lines),
        tuple(_incident(each) for each in board.incidents),
    )


def _part(line: Line, today: date) -> Part:
    state, tone = UNKNOWN if line.standing is None else STANDINGS[line.standing]
    known = {each.on: each for each in line.days}
    all_days = [today - timedelta(days=n) for n in range(KEPT.days - 1, -1, -1)]
    return Part(
        NAMES[line.component],
        state,
        tone,
        share(line.days),
        tuple(_day(on, known.get(on)) for on in all_days),
    )


def share(days: tuple[Day, ...]) -> str:
    """Return the share of time in which a part worked; rounded down, 100 means always."""
    up = sum(each.up + each.degraded for each in days)
    total = up + sum(each.down for each in days)
    if not total:
        return ""
    hundredths = up * 10_000 // total
    text = f"{hundredths // 100},{hundredths % 100:02}".removesuffix(",00")
    return f"доступно {text}{NBSP}% времени"


def _day(on: date, found: Day | None) -> tuple[str, str]:
    if found is None:
        return "neutral", f"{day(on)}: нет данных"
    if found.down >= MINUTE:
        return "danger", f"{day(on)}: не работало {_long(found.down)}"
    if found.degraded >= MINUTE:
        return "waiting", f"{day(on)}: задержки {_long(found.degraded)}"
    return "success", f"{day(on)}: без сбоев"


def _long(seconds: int) -> str:
    minutes = seconds // MINUTE
    if minutes < 60:
        return counted(minutes, "минуту", "минуты", "минут")
    hours = counted(minutes // 60, "час", "часа", "часов")
    return f"{hours} {minutes % 60}{NBSP}мин" if minutes % 60 else hours


def _incident(each: Incident) -> tuple[str, str]:
    what = f"{NAMES[each.component]}: {TROUBLES[each.worst]}"
    if each.ended_at is None:
        return what, f"с {moment(each.began_at)}, ещё не закончилось"
    is_same_day = moment(each.began_at)[:10] == moment(each.ended_at)[:10]
    ended = hour(each.ended_at) if is_same_day else moment(each.ended_at)
    return what, f"{moment(each.began_at)} — {ended}"
