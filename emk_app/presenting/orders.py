"""Orders about books in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.domain.books import BookStatus
from emk_app.domain.errors import Invalid, Required
from emk_app.domain.orders import (
    ORDER_GROUNDS,
    OrderAnswer,
    OrderKind,
    grounds_for,
)
from emk_app.presenting.formats import day, moment
from emk_app.presenting.texts import Label, field_sentences
from emk_app.services.stopping import BookDesk, OrderView, Waiting

KINDS: Final = {
    OrderKind.SUSPEND: Label("Приостановить", "waiting"),
    OrderKind.RESUME: Label("Вернуть в действие", "success"),
    OrderKind.REVOKE: Label("Аннулировать", "danger"),
}
STATUSES: Final = {
    BookStatus.FORMED: Label("ждёт получения", "info"),
    BookStatus.ACTIVE: Label("в действии", "success"),
    BookStatus.SUSPENDED: Label("приостановлена", "waiting"),
    BookStatus.REVOKED: Label("аннулирована", "danger"),
}
ANSWERS: Final = {
    OrderAnswer.CONFIRMED: Label("подтверждено", "success"),
    OrderAnswer.DECLINED: Label("отклонено"),
    OrderAnswer.TAKEN_BACK: Label("отозвано"),
    OrderAnswer.LAPSED: Label("не подтверждено в срок"),
}
ORDERED: Final = {
    OrderKind.SUSPEND: (
        "Книжка приостановлена. В течение 72 часов это должен подтвердить другой оператор, иначе "
        "она снова заработает."
    ),
    OrderKind.RESUME: "Передано на подтверждение. Книжка заработает, когда согласится коллега.",
    OrderKind.REVOKE: "Передано на подтверждение. Книжку аннулируют, когда согласится коллега.",
}
CONFIRMED: Final = {
    OrderKind.SUSPEND: "Подтверждено. Книжка останется приостановленной.",
    OrderKind.RESUME: "Подтверждено. Книжка снова действует.",
    OrderKind.REVOKE: "Подтверждено. Книжка аннулирована.",
}
DECLINED: Final = {
    OrderKind.SUSPEND: "Приостановка снята. Книжка снова действует.",
    OrderKind.RESUME: "Отклонено. Книжка остаётся приостановленной.",
    OrderKind.REVOKE: "Отклонено. Книжка остаётся как была.",
}
GROUNDS: Final = {
    kind: [(each.code, each.name) for each in grounds_for([kind])] for kind in OrderKind
}
UNSAID: Final = {
    "number": "Введите номер книжки.",
    "kind": "Выберите действие.",
    "ground": "Выберите причину.",
    "note": "Напишите, в чём дело: без этого причина непонятна.",
}
NO_BOOK: Final = "Книжки с таким номером нет. Проверьте цифры."
_ASKED: Final = {
    OrderKind.SUSPEND: "Приостановлена, нужно подтверждение",
    OrderKind.RESUME: "Предложено вернуть в действие",
    OrderKind.REVOKE: "Предложено аннулировать",
}


@dataclass(frozen=True)
class DeskRow:
    """A book on an operator's screen."""

    number: str = ""
    status: str = ""
    tone: str = "neutral"
    holder: str = ""
    born: str = ""
    term: str = ""
    version: str = ""
    note: str = ""
    may_suspend: bool = False
    may_resume: bool = False
    may_revoke: bool = False


@dataclass(frozen=True)
class OpenRow:
    """The order that waits; ``title`` is empty where there is none."""

    title: str = ""
    text: str = ""
    reason: str = ""
    may_confirm: bool = False
    is_own: bool = False
    confirm: str = ""
    decline: str = ""


@dataclass(frozen=True)
class OrderRow:
    """One answered order."""

    key: str
    title: str
    at: str
    by: str
    text: str
    tone: str


@dataclass(frozen=True)
class WaitingRow:
    """One line of what waits for a second operator."""

    number: str
    href: str
    what: str
    tone: str
    ground: str
    by: str
    at: str
    until: str


def desk_row(desk: BookDesk) -> DeskRow:
    """Return a book for an operator."""
    label = STATUSES[desk.status]
    note = ""
    if not desk.is_genuine:
        note = "Подпись нынешней версии не подтвердилась. Сообщите администратору."
    elif desk.by_commission:
        note = "Приостановлена заключением комиссии. Снимет её только следующее заключение."
    return DeskRow(
        number=desk.number.shown,
        status=label.text,
        tone=label.tone,
        holder=desk.holder,
        born=day(desk.born_on) if desk.born_on else "",
        term=f"{day(desk.issued_on)} – {day(desk.valid_until)}",
        version=str(desk.version),
        note=note,
        may_suspend=OrderKind.SUSPEND in desk.may,
        may_resume=OrderKind.RESUME in desk.may,
        may_revoke=OrderKind.REVOKE in desk.may,
    )


def open_row(desk: BookDesk) -> OpenRow:
    """Return the order that waits."""
    if desk.open is None:
        return OpenRow()
    order = desk.open
    until = f" Подтвердить нужно до {moment(order.lapses_at)}." if order.lapses_at else ""
    acts = order.kind is OrderKind.SUSPEND
    return OpenRow(
        title=_ASKED[order.kind],
        text=f"{order.by}, {moment(order.at)}.{until}",
        reason=_reason(order),
        may_confirm=desk.may_confirm,
        is_own=desk.is_own,
        confirm="Оставить приостановленной" if acts else KINDS[order.kind].text,
        decline=("Снять приостановку" if acts else "Отозвать" if desk.is_own else "Отклонить"),
    )


def order_rows(desk: BookDesk) -> list[OrderRow]:
    """Return what was ordered before, newest first."""
    rows: list[OrderRow] = []
    for order in desk.history:
        assert order.answer is not None
        answer = ANSWERS[order.answer]
        who = f": {order.answered_by}" if order.answered_by else ""
        at = f", {moment(order.answered_at)}" if order.answered_at else ""
        rows.append(
            OrderRow(
                key=f"{order.kind}:{order.at.isoformat()}",
                title=KINDS[order.kind].text,
                at=moment(order.at),
                by=order.by,
                text=f"{_reason(order)} {answer.text.capitalize()}{who}{at}.",
                tone=answer.tone,
            )
        )
    return rows


def waiting_rows(found: tuple[Waiting, ...]) -> list[WaitingRow]:
    """Return the list of what waits for a second operator."""
    return [
        WaitingRow(
            number=each.number.shown,
            href=f"/books/{each.number.digits}",
            what=KINDS[each.kind].text,
            tone=KINDS[each.kind].tone,
            ground=ORDER_GROUNDS[each.ground].name,
            by=f"{each.by} (вы)" if each.is_own else each.by,
            at=moment(each.at),
            until=moment(each.lapses_at) if each.lapses_at else "без срока",
        )
        for each in found
    ]


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each control that was filled in wrong."""
    said = field_sentences(error)
    return {
        name: UNSAID.get(name, text) if isinstance(error.fields[name], Required) else text
        for name, text in said.items()
    }


def _reason(order: OrderView) -> str:
    name = ORDER_GROUNDS[order.ground].name
    return f"{name}. {order.note}" if order.note else f"{name}."
