"""Vaccinations in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from emk_app.domain.errors import Invalid, Required
from emk_app.domain.vaccinations import (
    INFECTIONS,
    Dose,
    Protection,
    RecordKind,
    Standing,
    Vaccination,
)
from emk_app.presenting.formats import day, moment
from emk_app.presenting.texts import Label, field_sentences
from emk_app.services.vaccinating import Card, RecordView

KINDS: Final = {
    RecordKind.DONE: "прививка сделана",
    RecordKind.HAD_DISEASE: "переболел",
    RecordKind.IMMUNE: "найдены антитела",
    RecordKind.EXEMPTION: "медотвод",
    RecordKind.REFUSAL: "отказ",
}

DOSES: Final = {
    Dose.V1: "первая",
    Dose.V2: "вторая",
    Dose.V3: "третья",
    Dose.RV: "ревакцинация",
}

_NEXT: Final = {
    Dose.V1: "первая доза",
    Dose.V2: "вторая доза",
    Dose.V3: "третья доза",
    Dose.RV: "ревакцинация",
}

UNSAID: Final = {
    "code": "Выберите инфекцию.",
    "kind": "Выберите вид записи.",
    "on": "Укажите дату.",
    "dose": "Выберите дозу.",
    "vaccine": "Укажите вакцину.",
    "series": "Укажите серию.",
    "until": "Укажите последний день медотвода.",
}

RECORDED: Final = "Запись о прививке сохранена."
WITHDRAWN: Final = "Запись убрана."


@dataclass(frozen=True, slots=True)
class StandingRow:
    """How the person stands towards one infection."""

    code: str
    name: str
    text: str
    tone: str
    next: str


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record."""

    id: int
    name: str
    text: str
    by: str
    may_withdraw: bool


def standing_rows(standings: tuple[Standing, ...]) -> list[StandingRow]:
    """Return a row for each infection."""
    return [_standing(each) for each in standings]


def record_rows(card: Card) -> list[RecordRow]:
    """Return the records, newest first."""
    return [_record(each) for each in reversed(card.records)]


def infections() -> list[tuple[str, str]]:
    """Return code and name of every infection."""
    return [(each.code, each.name) for each in INFECTIONS.values()]


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each control that is not in order."""
    said = field_sentences(error)
    return said | {
        name: UNSAID[name]
        for name, why in error.fields.items()
        if isinstance(why, Required) and name in UNSAID
    }


def _standing(standing: Standing) -> StandingRow:
    label = _LABELS[standing.protection]
    name = standing.infection.name
    if standing.infection.by_order:
        name += " (по решению региона)"
        if standing.protection is Protection.NONE:
            label = Label("сведений нет", "neutral")
    return StandingRow(standing.infection.code, name, label.text, label.tone, _next(standing))


_LABELS: Final = {
    Protection.LASTING: Label("защита есть", "success"),
    Protection.IN_FORCE: Label("защита есть", "success"),
    Protection.NEXT_DOSE: Label("курс не окончен", "waiting"),
    Protection.OVERDUE: Label("пора прививаться", "waiting"),
    Protection.EXEMPT: Label("медотвод", "neutral"),
    Protection.REFUSED: Label("отказ", "neutral"),
    Protection.NONE: Label("сведений нет", "waiting"),
}


def _next(standing: Standing) -> str:
    dose = _NEXT[standing.next_dose] if standing.next_dose else ""
    match standing.protection:
        case Protection.LASTING:
            return "на всю жизнь"
        case Protection.EXEMPT if standing.due_on:
            return f"до {day(standing.due_on - timedelta(days=1))}"
        case _ if standing.due_on:
            return f"{dose} с {day(standing.due_on)}"
        case _:
            return ""


def _record(record: RecordView) -> RecordRow:
    infection = INFECTIONS.get(record.told.code)
    who = f"{record.person}, " if record.person else ""
    return RecordRow(
        record.id,
        infection.name if infection else "",
        _told(record.told),
        f"{who}{moment(record.entered_at)}",
        record.may_withdraw,
    )


def _told(told: Vaccination) -> str:
    on = day(told.on)
    match told.kind:
        case RecordKind.DONE:
            dose = DOSES[told.dose] if told.dose else ""
            return f"{on}, доза {dose}, {told.vaccine}, серия {told.series}"
        case RecordKind.EXEMPTION:
            until = f" до {day(told.until)}" if told.until else ""
            return f"медотвод с {on}{until}"
        case kind:
            return f"{KINDS[kind]}, {on}"
