"""Who may read the record, what was read, and what was handed over, in words."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from emk_app.crypto import qr
from emk_app.domain.actors import Role
from emk_app.domain.disclosures import (
    HANDOVER_DAYS,
    LIVE,
    MINUTES,
    GrantState,
    HandoverScope,
    HandoverState,
    Network,
    Purpose,
    RecordPart,
    RecordScope,
)
from emk_app.presenting.attachments import KINDS, AttachmentRow, attachment_rows
from emk_app.presenting.formats import counted, hour, moment
from emk_app.presenting.texts import Label
from emk_app.services.handing_over import HandoverView
from emk_app.services.showing import GrantView, Reading, ReadingView, RecordView

SCOPES: Final = {
    RecordScope.WHOLE: (
        "Всё, что есть",
        "Заключение, исследования, прививки и приложенные документы.",
    ),
    RecordScope.WITHOUT_PAPERS: (
        "Без приложений",
        "Заключение, исследования и прививки. Сканов и бланков врач не увидит.",
    ),
}
_LONG: Final = {15: "15 минут", 60: "1 час", 24 * 60: "1 сутки"}
LENGTHS: Final = [(str(minutes), _LONG[minutes]) for minutes in MINUTES]
DEFAULT_LENGTH: Final = str(MINUTES[0])
PARTS: Final = {
    RecordPart.CONCLUSION: "Заключение",
    RecordPart.STUDIES: "Исследования",
    RecordPart.VACCINATIONS: "Прививки",
    RecordPart.PAPERS: "Приложения",
    RecordPart.PAPER: "Документ",
}
STATES: Final = {
    GrantState.WAITING: Label("ждёт врача", "waiting"),
    GrantState.CLAIMED: Label("врач сверяет имя", "waiting"),
    GrantState.OPEN: Label("открыта", "success"),
    GrantState.ENDED: Label("закрыта"),
    GrantState.LAPSED: Label("код не пригодился"),
    GrantState.EXPIRED: Label("время вышло"),
}
_ENDED: Final = {
    Role.HOLDER: Label("закрыта вами"),
    Role.CLINIC: Label("закрыта врачом"),
    Role.SYSTEM: Label("код заменён"),
}
PURPOSES: Final = {
    Purpose.INSURANCE: "Оформление страховки",
    Purpose.CLAIM: "Страховой случай",
    Purpose.EMPLOYMENT: "Приём на работу",
    Purpose.TREATMENT: "Лечение в другой клинике",
    Purpose.OTHER: "Другая цель",
}
HANDOVER_SCOPES: Final = {
    HandoverScope.VERDICT: (
        "Только допуск",
        "Действует ли книжка, до какого числа и для какой работы. Без результатов.",
    ),
    HandoverScope.EXTRACT: (
        "Вся книжка с подписью",
        "Заключение, исследования и прививки одним подписанным файлом (JSON).",
    ),
    HandoverScope.FHIR: (
        "Вся книжка для медицинских систем",
        "Заключение, исследования и прививки в формате HL7 FHIR.",
    ),
}
HANDOVER_TERMS: Final = [
    (str(days), counted(days, "день", "дня", "дней")) for days in HANDOVER_DAYS
]
HANDOVER_STATES: Final = {
    HandoverState.WAITING: Label("ждёт получателя", "waiting"),
    HandoverState.FETCHED: Label("получено", "success"),
    HandoverState.REVOKED: Label("закрыта"),
    HandoverState.EXPIRED: Label("срок прошёл"),
}
NETWORKS: Final = {
    Network.INTERNAL: "из внутренней сети",
    Network.IPV4: "из интернета (IPv4)",
    Network.IPV6: "из интернета (IPv6)",
    Network.UNKNOWN: "откуда, неизвестно",
}


@dataclass(frozen=True)
class ReadRow:
    """One part that was read."""

    at: str
    what: str


@dataclass(frozen=True)
class GrantRow:
    """One grant on the holder's page."""

    id: int
    who: str
    clinic: str
    scope: str
    state: str
    tone: str
    when: str
    left: str
    is_live: bool
    is_open: bool
    reads: list[ReadRow] = field(default_factory=list[ReadRow])


@dataclass(frozen=True)
class HandoverRow:
    """One handover on the holder's page."""

    id: int
    receiver: str
    purpose: str
    scope: str
    state: str
    tone: str
    when: str
    url: str
    is_waiting: bool


@dataclass(frozen=True)
class RecordRow:
    """One record that stands open to a physician; nothing medical."""

    id: int = 0
    name: str = ""
    born: str = ""
    scope: str = ""
    duration: str = ""
    until: str = ""
    left: str = ""
    is_open: bool = False
    with_papers: bool = False


def code_words(code: str) -> str:
    """Return a code as it is said: «4821 9073»."""
    return f"{code[:4]} {code[4:]}"


def code_picture(origin: str, code: str) -> str:
    """Return the same to be scanned, as an address of its own."""
    drawn = qr.qr_svg(f"{origin}/clinic/records?code={code}", "M", "QR-код для врача")
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode()


def time_left(until: datetime, now: datetime) -> str:
    """Say how much time is left, never less than there is."""
    minutes = max(math.ceil((until - now).total_seconds() / 60), 0)
    if minutes >= 120:
        return "осталось " + counted(math.ceil(minutes / 60), "час", "часа", "часов")
    return "осталось " + counted(minutes, "минута", "минуты", "минут")


def grant_rows(grants: tuple[GrantView, ...], now: datetime) -> list[GrantRow]:
    """Return the grants as shown to the holder."""
    return [_grant(each, now) for each in grants]


def _grant(grant: GrantView, now: datetime) -> GrantRow:
    label = STATES[grant.state]
    if grant.state is GrantState.ENDED and grant.ended_by is not None:
        label = _ENDED.get(grant.ended_by, label)
        if grant.ended_by is Role.SYSTEM and grant.opened_at is not None:
            label = Label("закрыта вместе с согласием")
    is_open = grant.state is GrantState.OPEN and grant.expires_at is not None
    until = grant.expires_at if is_open else grant.code_expires_at
    assert until is not None
    is_live = grant.state in LIVE
    return GrantRow(
        id=grant.id,
        who=grant.physician or "Код ещё не ввели",
        clinic=grant.clinic,
        scope=f"{SCOPES[grant.scope][0]}, {_LONG[grant.minutes]}",
        state=label.text,
        tone=label.tone,
        when=moment(grant.opened_at or grant.claimed_at or grant.created_at),
        left=f"до {hour(until)}, {time_left(until, now)}" if is_live else "",
        is_live=is_live,
        is_open=is_open,
        reads=[ReadRow(moment(each.at), _read(each)) for each in reversed(grant.readings)],
    )


def _read(reading: ReadingView) -> str:
    if reading.paper is not None:
        return f"{PARTS[reading.part]}: {KINDS[reading.paper]}"
    return PARTS[reading.part]


def handover_rows(handovers: tuple[HandoverView, ...]) -> list[HandoverRow]:
    """Return the handovers as shown to the holder."""
    return [_handover(each) for each in handovers]


def _handover(each: HandoverView) -> HandoverRow:
    label = HANDOVER_STATES[each.state]
    if each.fetched_at is not None:
        origin = f", {NETWORKS[each.network]}" if each.network else ""
        when = f"{moment(each.fetched_at)}{origin}"
    elif each.state is HandoverState.WAITING:
        when = f"до {moment(each.expires_at)}"
    else:
        when = moment(each.created_at)
    return HandoverRow(
        id=each.id,
        receiver=each.receiver,
        purpose=PURPOSES[each.purpose],
        scope=HANDOVER_SCOPES[each.scope][0],
        state=label.text,
        tone=label.tone,
        when=when,
        url=each.url,
        is_waiting=each.state is HandoverState.WAITING,
    )


def record_row(record: RecordView, now: datetime) -> RecordRow:
    """Return whose record it is, and for how long."""
    return RecordRow(
        id=record.grant_id,
        name=record.name,
        born=f"{record.birth_year} г. р.",
        scope=SCOPES[record.scope][0],
        duration=_LONG[record.minutes],
        until=hour(record.until),
        left=time_left(record.until, now),
        is_open=record.state is GrantState.OPEN,
        with_papers=record.scope is RecordScope.WHOLE,
    )


def paper_rows(reading: Reading, grant_id: int) -> list[AttachmentRow]:
    """Return the papers, each page at the address where its reading is written down."""
    rows = attachment_rows(reading.papers)
    return [
        replace(
            row,
            pages=[
                f"/api/records/{grant_id}/papers/{paper.ref}?page={page + 1}"
                for page in range(paper.pages)
            ],
            file_url="",
        )
        for row, paper in zip(rows, reading.papers, strict=True)
    ]
