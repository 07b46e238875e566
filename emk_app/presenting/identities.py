"""Changes of identity data in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from emk_app.domain.errors import Invalid, Required
from emk_app.domain.identities import REFUSALS, Basis, ChangeStatus, Identity
from emk_app.presenting.formats import counted, day, file_size, moment
from emk_app.presenting.texts import Label, field_sentences
from emk_app.services.renaming import ChangeCase, ChangeLine, ChangeView, Own

BASES: Final = {
    Basis.PASSPORT: "Новый паспорт",
    Basis.MARRIAGE: "Свидетельство о браке",
    Basis.DIVORCE: "Свидетельство о расторжении брака",
    Basis.NAME_CHANGE: "Свидетельство о перемене имени",
    Basis.CORRECTION: "Паспорт: в книжке ошибка",
}
STATUSES: Final = {
    ChangeStatus.ASKED: Label("на проверке", "info"),
    ChangeStatus.APPROVED: Label("изменено", "success"),
    ChangeStatus.REJECTED: Label("отказано", "danger"),
    ChangeStatus.WITHDRAWN: Label("отозвано"),
}
GROUNDS: Final = [(each.code, each.name) for each in REFUSALS.values()]
UNSAID: Final = {
    "last": "Напишите фамилию.",
    "first": "Напишите имя.",
    "born_on": "Напишите дату рождения.",
    "basis": "Выберите документ.",
    "ground": "Выберите причину.",
    "note": "Напишите, в чём дело.",
}
PAPER: Final = "paper"
"""The control of the paper."""
APPROVED: Final = "Данные изменены, вышла новая версия книжки."
REJECTED: Final = "Отказано. Владелец увидит причину."
WITHDRAWN: Final = "Вы отозвали просьбу. Документ удалён."


@dataclass(frozen=True)
class NowRow:
    """What the book says now, and whether a change may be asked for."""

    last: str = ""
    first: str = ""
    patronymic: str = ""
    born: str = ""
    name: str = ""
    may_ask: bool = False


@dataclass(frozen=True)
class ChangeRow:
    """One wish."""

    ref: str
    title: str
    was: str
    became: str
    basis: str
    status: str
    tone: str
    text: str
    at: str
    may_withdraw: bool


@dataclass(frozen=True)
class LineRow:
    """One line of the operators' list."""

    number: str
    href: str
    basis: str
    at: str


@dataclass(frozen=True)
class SideRow:
    """One fact before and after."""

    name: str
    was: str
    became: str
    mark: str
    tone: str


@dataclass(frozen=True)
class CaseRow:
    """A wish on an operator's screen."""

    number: str = ""
    basis: str = ""
    at: str = ""
    status: str = ""
    tone: str = "neutral"
    text: str = ""
    may_decide: bool = False


@dataclass(frozen=True)
class ProofRow:
    """The paper, as the viewer takes it."""

    ref: str
    label: str
    details: str
    file_url: str
    pages: list[str] = field(default_factory=list[str])


def now_row(own: Own) -> NowRow:
    """Return what the book says now."""
    if own.current is None:
        return NowRow()
    name = own.current.name
    return NowRow(
        last=name.last,
        first=name.first,
        patronymic=name.patronymic or "",
        born=day(own.current.born_on),
        name=str(name),
        may_ask=own.may_ask,
    )


def change_rows(own: Own) -> list[ChangeRow]:
    """Return the holder's wishes, newest first."""
    return [
        ChangeRow(
            ref=each.ref,
            title=f"{_words(each.wanted)}",
            was=_words(each.was),
            became=_words(each.wanted),
            basis=BASES[each.basis],
            status=STATUSES[each.status].text,
            tone=STATUSES[each.status].tone,
            text=_outcome(each),
            at=moment(each.asked_at),
            may_withdraw=each.status is ChangeStatus.ASKED,
        )
        for each in own.changes
    ]


def line_rows(lines: tuple[ChangeLine, ...]) -> list[LineRow]:
    """Return the operators' list."""
    return [
        LineRow(each.number.shown, f"/changes/{each.ref}", BASES[each.basis], moment(each.asked_at))
        for each in lines
    ]


def case_row(case: ChangeCase) -> CaseRow:
    """Return a wish for an operator."""
    change, label = case.change, STATUSES[case.change.status]
    is_open = change.status is ChangeStatus.ASKED
    text = ""
    if is_open and case.current is None:
        text = "Книжка аннулирована или её подпись не подтвердилась: изменить данные нельзя."
    elif not is_open:
        at = f", {moment(change.decided_at)}" if change.decided_at else ""
        text = f"{case.person}{at}. {change.reason}".strip()
    return CaseRow(
        number=case.number.shown,
        basis=BASES[change.basis],
        at=moment(change.asked_at),
        status=label.text,
        tone=label.tone,
        text=text,
        may_decide=is_open,
    )


def side_rows(case: ChangeCase) -> list[SideRow]:
    """Return old and new data side by side."""
    was, wanted = case.change.was, case.change.wanted
    pairs = (
        ("Фамилия", was.name.last, wanted.name.last),
        ("Имя", was.name.first, wanted.name.first),
        ("Отчество", was.name.patronymic or "нет", wanted.name.patronymic or "нет"),
        ("Дата рождения", day(was.born_on), day(wanted.born_on)),
    )
    return [
        SideRow(
            name,
            old,
            new,
            "меняется" if old != new else "то же",
            "waiting" if old != new else "neutral",
        )
        for name, old, new in pairs
    ]


def proof_rows(case: ChangeCase) -> list[ProofRow]:
    """Return the paper for the viewer."""
    change, base = case.change, f"/api/identities/{case.change.ref}"
    pages = counted(change.pages, "страница", "страницы", "страниц")
    return [
        ProofRow(
            ref=change.ref,
            label=BASES[change.basis],
            details=f"{pages}, {file_size(change.size)}",
            file_url=f"{base}/file",
            pages=[f"{base}/preview?page={page}" for page in range(1, change.pages + 1)],
        )
    ]


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each control that was filled in wrong."""
    said = field_sentences(error)
    return {
        name: UNSAID.get(name, text) if isinstance(error.fields[name], Required) else text
        for name, text in said.items()
    }


def _words(identity: Identity) -> str:
    return f"{identity.name}, {day(identity.born_on)}"


def _outcome(change: ChangeView) -> str:
    match change.status:
        case ChangeStatus.ASKED:
            return "Оператор сверит данные с документом за один-два рабочих дня."
        case ChangeStatus.APPROVED:
            return f"Книжка говорит это с версии {change.version}. Срок не изменился."
        case ChangeStatus.REJECTED:
            return change.reason
        case ChangeStatus.WITHDRAWN:
            return ""
