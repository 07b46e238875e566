"""Accounts and decisions about them, as administrators read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.domain import specialties
from emk_app.domain.actors import Role
from emk_app.domain.errors import Invalid, Required
from emk_app.domain.orders import OrderAnswer
from emk_app.domain.specialties import SPECIALTIES
from emk_app.domain.staff import CONFIRM_WITHIN, STAFF, Appointment, StaffOrderKind
from emk_app.presenting import factors
from emk_app.presenting.formats import counted, moment
from emk_app.presenting.texts import POSITIONS, ROLES, Label, field_sentences
from emk_app.services.entrusting import Line, Listing, Order, Person

PLACE: Final = "/admin/people"
HOURS: Final = int(CONFIRM_WITHIN.total_seconds() // 3600)

KINDS: Final = {
    StaffOrderKind.INVITE: Label("Пригласить сотрудника", "info"),
    StaffOrderKind.CHANGE: Label("Изменить права", "info"),
    StaffOrderKind.BLOCK: Label("Закрыть доступ", "danger"),
    StaffOrderKind.UNBLOCK: Label("Вернуть доступ", "success"),
    StaffOrderKind.TAKE_FACTORS: Label("Снять факторы входа", "waiting"),
}
CONSEQUENCES: Final = {
    StaffOrderKind.INVITE: "На почту уйдёт ссылка: человек задаст пароль и второй фактор.",
    StaffOrderKind.CHANGE: "Все сеансы закончатся, новые права подействуют при следующем входе.",
    StaffOrderKind.BLOCK: "Все сеансы закончатся, войти человек больше не сможет.",
    StaffOrderKind.UNBLOCK: "Человек снова сможет войти с прежними паролем и вторым фактором.",
    StaffOrderKind.TAKE_FACTORS: (
        "Пароль, ключи и коды перестанут действовать. Войти можно будет по ссылке на "
        "подтверждённый контакт. Сначала сверьте паспорт."
    ),
}
ASKED: Final = f"Передано второму администратору. Если за {HOURS} ч не ответят, просьба отпадёт."
SHUT: Final = (
    f"Доступ закрыт. Если за {HOURS} ч второй администратор этого не подтвердит, "
    "он откроется снова."
)
CONFIRMED: Final = {
    StaffOrderKind.INVITE: "Учётная запись создана, приглашение отправлено.",
    StaffOrderKind.CHANGE: "Права изменены, сеансы закончены.",
    StaffOrderKind.BLOCK: "Доступ закрыт.",
    StaffOrderKind.UNBLOCK: "Доступ возвращён.",
    StaffOrderKind.TAKE_FACTORS: "Факторы сняты. Человек войдёт по ссылке для нового пароля.",
}
DECLINED: Final = "Просьба отклонена. Всё осталось как было."
LIFTED: Final = "Просьба отклонена. Доступ снова открыт."
NOBODY: Final = "Такой учётной записи нет. Проверьте, что набрано."
RESET_SENT: Final = "Ссылка для нового пароля уйдёт на подтверждённые контакты."
ANSWERS: Final = {
    OrderAnswer.CONFIRMED: Label("подтверждено", "success"),
    OrderAnswer.DECLINED: Label("отклонено"),
    OrderAnswer.TAKEN_BACK: Label("отозвано"),
    OrderAnswer.LAPSED: Label("не подтверждено в срок"),
}
STAFF_ROLES: Final = [(role.value, ROLES[role].capitalize()) for role in STAFF]
STAFF_POSITIONS: Final = [(each.value, text.capitalize()) for each, text in POSITIONS.items()]
STAFF_SPECIALTIES: Final = [(each.code, each.short_name) for each in SPECIALTIES.values()]
UNSAID: Final = {
    "login": "Введите почту, на которую придёт приглашение.",
    "name": "Введите фамилию, имя и отчество.",
    "role": "Выберите роль.",
    "clinic": "Введите OID или ОКПО медорганизации.",
    "position": "Выберите должность.",
    "specialties": "Отметьте хотя бы одну специальность.",
    "reason": "Напишите, почему: это прочтёт второй администратор.",
}
UNSAID_SEARCH: Final = "Введите телефон, почту, ИНН или номер учётной записи."


@dataclass(frozen=True)
class StaffRow:
    """One of the staff."""

    id: int
    href: str
    name: str
    role: str
    clinic: str
    state: str
    tone: str


@dataclass(frozen=True)
class StaffOrderRow:
    """One decision; ``id`` is 0 where there is none."""

    id: int = 0
    href: str = ""
    kind: str = ""
    tone: str = "info"
    about: str = ""
    wanted: str = ""
    """The role asked for, in words."""
    reason: str = ""
    consequence: str = ""
    by: str = ""
    at: str = ""
    until: str = ""
    outcome: str = ""
    outcome_tone: str = "neutral"
    told: str = ""
    """Reason, wish and outcome on one line."""
    is_own: bool = False
    acted: bool = False
    may_confirm: bool = False
    is_open: bool = False


@dataclass(frozen=True)
class PersonRow:
    """One account."""

    id: int = 0
    name: str = ""
    logins: str = ""
    contacts: str = ""
    role: str = ""
    clinic: str = ""
    state: str = ""
    tone: str = "neutral"
    since: str = ""
    ways: str = ""
    sessions: str = ""
    seen: str = ""
    role_code: str = ""
    clinic_oid: str = ""
    position_code: str = ""
    specialties: list[str] = ()  # pyright: ignore[reportAssignmentType]
    is_self: bool = False
    has_sessions: bool = False
    may_change: bool = False
    may_block: bool = False
    may_unblock: bool = False
    may_take: bool = False
    may_reset: bool = False


def staff_rows(listing: Listing) -> list[StaffRow]:
    """Return a page of the staff."""
    return [_staff_row(line) for line in listing.lines]


def found_text(listing: Listing) -> str:
    """Say how many there are."""
    return f"Найдено: {counted(listing.found, 'человек', 'человека', 'человек')}."


def order_rows(orders: tuple[Order, ...]) -> list[StaffOrderRow]:
    """Return decisions as rows."""
    return [order_row(each) for each in orders]


def order_row(order: Order) -> StaffOrderRow:
    """Return one decision."""
    about = order.about or "приглашение"
    if order.invited is not None:
        about = f"{order.invited.name}, {order.invited.address}"
    outcome = Label("уже действует, ждёт подтверждения" if order.acted else "ждёт", "waiting")
    who = ""
    if order.answer is not None:
        outcome = ANSWERS[order.answer]
        at = f", {moment(order.answered_at)}" if order.answered_at else ""
        who = f"{': ' + order.answered_by if order.answered_by else ''}{at}"
    wanted = role_text(order.appointment, order.clinic) if order.appointment else ""
    wish = f" Новая роль: {wanted}." if wanted else ""
    return StaffOrderRow(
        id=order.id,
        href=f"{PLACE}/orders/{order.id}",
        kind=KINDS[order.kind].text,
        tone=KINDS[order.kind].tone,
        about=about,
        wanted=wanted,
        reason=order.reason,
        consequence=CONSEQUENCES[order.kind],
        by=f"{order.by} (вы)" if order.is_own else order.by,
        at=moment(order.at),
        until=moment(order.lapses_at),
        outcome=f"{outcome.text}{who}",
        outcome_tone=outcome.tone,
        told=f"{order.reason}.{wish} {outcome.text.capitalize()}{who}.".replace("..", "."),
        is_own=order.is_own,
        acted=order.acted,
        may_confirm=order.may_confirm,
        is_open=order.answer is None,
    )


def person_row(person: Person) -> PersonRow:
    """Return one account."""
    is_blocked = person.blocked_at is not None
    given, may = person.appointment, person.may
    own = specialties.read(given.specialties)
    return PersonRow(
        id=person.id,
        name=person.name,
        logins=", ".join(person.logins),
        contacts=", ".join(person.contacts),
        role=role_text(given, ""),
        clinic=person.clinic,
        state=f"доступ закрыт {moment(person.blocked_at)}" if person.blocked_at else "открыта",
        tone="danger" if is_blocked else "success",
        since=moment(person.since),
        ways=", ".join(factors.NAMES[way].lower() for way in person.ways),
        sessions=counted(person.sessions, "сеанс", "сеанса", "сеансов"),
        seen=moment(person.seen_at) if person.seen_at else "",
        role_code=given.role.value,
        clinic_oid=person.clinic_oid,
        position_code=given.position.value if given.position else "",
        specialties=[code for code in SPECIALTIES if code in own],
        is_self=person.is_self,
        has_sessions=person.sessions > 0,
        may_change=StaffOrderKind.CHANGE in may,
        may_block=StaffOrderKind.BLOCK in may,
        may_unblock=StaffOrderKind.UNBLOCK in may,
        may_take=StaffOrderKind.TAKE_FACTORS in may,
        may_reset=not is_blocked and bool(person.contacts),
    )


def role_text(given: Appointment, clinic: str) -> str:
    """Return a role with what belongs to it."""
    if given.role is not Role.CLINIC or given.position is None:
        return ROLES[given.role]
    own = specialties.read(given.specialties)
    kinds = ", ".join(each.short_name for code, each in SPECIALTIES.items() if code in own)
    parts = (POSITIONS[given.position] + (f" ({kinds})" if kinds else ""), clinic)
    return ", ".join(part for part in parts if part)


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each control that was filled in wrong."""
    said = field_sentences(error)
    return {
        name: UNSAID.get(name, text) if isinstance(error.fields[name], Required) else text
        for name, text in said.items()
    }


def _staff_row(line: Line) -> StaffRow:
    state = Label("доступ открыт", "success")
    if line.is_blocked:
        state = Label("доступ закрыт", "danger")
    elif not line.has_factor:
        state = Label("ещё не входил", "waiting")
    return StaffRow(
        line.id,
        f"{PLACE}/{line.id}",
        line.name or f"№ {line.id}",
        POSITIONS[line.position] if line.position else ROLES[line.role],
        line.clinic,
        state.text,
        state.tone,
    )
