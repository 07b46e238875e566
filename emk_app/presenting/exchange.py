"""The exchange in words: for clinics, holders, administrators and other systems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from emk_app.clock import day_of
from emk_app.domain.exchange import Doubt, ReceivedState, ShipmentState, Study
from emk_app.presenting.examinations import FITNESS
from emk_app.presenting.formats import NBSP, counted, day, moment
from emk_app.services.exchanging import Progress, StuckShipment
from emk_app.services.receiving import Foreign, Undecided

TOO_MANY: Final = "Слишком много запросов. Повторите через несколько секунд."

FAILURES: Final = {
    "unreachable": "получатель недоступен",
    "busy": "получатель просит подождать",
    "unauthorized": "получатель не узнаёт нас",
    "unclear": "ответ получателя непонятен",
    "receipt": "квитанция не подтверждена",
    "refused": "получатель отклонил документ",
    "fatal": "прерывало работу сервиса",
    "fault": "сбой сервиса",
    "": "—",
}

DOUBTS: Final = {
    Doubt.NAME: "имя не совпадает с паспортом",
    Doubt.BIRTH_DATE: "дата рождения не совпадает с паспортом",
    Doubt.SEX: "пол не совпадает с паспортом",
    Doubt.SEVERAL_HOLDERS: "СНИЛС указан у нескольких владельцев",
    Doubt.CLINIC_UNKNOWN: "медорганизации нет в реестре",
    Doubt.UNREADABLE: "документ не читается",
}


@dataclass(frozen=True, slots=True)
class ForeignLine:
    """One result of another system's conclusion."""

    name: str
    value: str
    made: str


@dataclass(frozen=True)
class ForeignRow:
    """A conclusion of another system, as its holder sees it."""

    key: str = ""
    fitness: str = ""
    tone: str = "neutral"
    clinic: str = ""
    signed: str = ""
    restrictions: str = ""
    lines: list[ForeignLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """A document that has not left or has come and waits, as the administrator sees it."""

    id: int
    what: str
    why: str
    tone: str
    at: str
    tries: str


def for_clinic(progress: Progress | None) -> str:
    """Say how far the signed conclusion has come; nothing before it."""
    if progress is None or progress.state is ShipmentState.DROPPED:
        return ""
    if progress.state is ShipmentState.DELIVERED and progress.delivered_at:
        return (
            f"Передано в систему ОМС {moment(progress.delivered_at)}, "
            f"квитанция №{NBSP}{progress.receipt}."
        )
    if progress.state is ShipmentState.DEAD:
        return "В систему ОМС не передано: документ не принят. Администратор сервиса это видит."
    if progress.is_failing:
        return "Система ОМС пока не отвечает. Заключение уйдёт само, делать ничего не нужно."
    return "Заключение передаётся в систему ОМС."


def for_holder(progress: Progress | None) -> str:
    """Say to the holder that the conclusion was passed on; nothing before it was."""
    if progress is None or progress.state is not ShipmentState.DELIVERED:
        return ""
    assert progress.delivered_at is not None
    return f"Справка передана в систему ОМС {day(day_of(progress.delivered_at))}."


def foreign_rows(found: list[Foreign]) -> list[ForeignRow]:
    """Return the conclusions of other systems, the last first."""
    return [_foreign(each) for each in found]


def _foreign(found: Foreign) -> ForeignRow:
    said = found.statement
    label = FITNESS[said.conclusion.fitness]
    return ForeignRow(
        key=said.uid,
        fitness=label.text,
        tone=label.tone,
        clinic=said.clinic.name,
        signed=day(day_of(said.signed_at)),
        restrictions=said.conclusion.restrictions,
        lines=[ForeignLine(each.name, each.shown, _made(each)) for each in said.studies],
    )


def _made(study: Study) -> str:
    made = day(study.performed_on)
    if study.valid_until is None:
        return made
    return f"{made}, действует до {day(study.valid_until)}"


def stuck_rows(found: list[StuckShipment]) -> list[ExchangeRow]:
    """Return documents that have not left."""
    return [
        ExchangeRow(
            each.id,
            f"Осмотр №{NBSP}{each.examination_id}, {each.format.value.upper()}",
            FAILURES.get(each.failure) or f"не проходит схему ({each.failure})",
            "danger" if each.state is ShipmentState.DEAD else "waiting",
            moment(each.created_at),
            counted(each.attempts, "попытка", "попытки", "попыток"),
        )
        for each in found
    ]


def undecided_rows(found: list[Undecided]) -> list[ExchangeRow]:
    """Return documents from other systems that wait."""
    return [
        ExchangeRow(
            each.id,
            f"{each.partner}, {each.clinic_oid}",
            DOUBTS[each.doubt] if each.doubt else "владельца пока нет",
            "danger" if each.state is ReceivedState.QUARANTINED else "waiting",
            moment(each.received_at),
            f"удалится {day(day_of(each.expires_at))}" if each.expires_at else "",
        )
        for each in found
    ]
