"""Accounts in the hands of administrators: search, staff, invitations, decisions by two."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, forms, tables
from emk_app.components.dialogs import close_button, dialog, dialog_button
from emk_app.components.links import link
from emk_app.components.markup import given, some, when
from emk_app.components.timeline import timeline, timeline_entry
from emk_app.domain.actors import Position, Role
from emk_app.domain.staff import REASON_LIMIT, StaffOrderKind
from emk_app.pages import frames
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import ADMIN_MENU
from emk_app.pages.table import Page
from emk_app.presenting import people as rows
from emk_app.presenting.people import PLACE, StaffOrderRow, StaffRow
from emk_app.states.people import InviteState, PeopleState, PersonDeskState, StaffOrderState
from emk_app.states.session import PersonState

INVITE: Final = f"{PLACE}/new"
CHANGE_FORM: Final = "change-rights"


def staff() -> rx.Component:
    """Return the search, what waits for a second administrator, and the staff."""
    state = PeopleState
    return frames.signed_in(
        forms.form(
            rx.el.div(
                forms.text_field(
                    "Найти учётную запись",
                    "login",
                    hint="Телефон, почта, ИНН или номер учётной записи. Поиск записывается.",
                    error=state.error,
                    max_length=200,
                ),
                buttons.secondary_button("Найти", type="submit", icon="search"),
                class_name="grid max-w-md gap-3",
            ),
            on_submit=state.find,
            reset_on_submit=False,
            role="search",
        ),
        cards.section(
            "Ждут второго администратора",
            tables.data_table(
                ["Что сделать", "С кем", "Почему", "Кто просит", "Ответить до"],
                state.waiting,
                _waiting,
                caption="Решения об учётных записях, которые ждут подтверждения, сначала давние",
                loading=~state.is_loaded,
                key=lambda row: row.href,
                empty=cards.empty_state(
                    "Никто не ждёт",
                    "Здесь появится просьба администратора, которую должен подтвердить другой.",
                    icon_name="check",
                ),
            ),
        ),
        cards.section(
            "Сотрудники",
            rx.el.div(
                forms.select_field(
                    "Роль",
                    "role",
                    rows.STAFF_ROLES,
                    value=state.role,
                    on_change=state.choose_role,
                    placeholder="Все роли",
                    width="long",
                ),
                forms.form(
                    forms.text_field(
                        "OID или ОКПО медорганизации",
                        "clinic",
                        error=state.clinic_error,
                        required=False,
                        max_length=60,
                        width="long",
                    ),
                    buttons.secondary_button("Показать", type="submit"),
                    on_submit=state.choose_clinic,
                    reset_on_submit=False,
                ),
                class_name="grid items-start gap-4 sm:grid-cols-2",
            ),
            when(given(state.found), rx.el.p(state.found, class_name="e-muted", role="status")),
            tables.data_table(
                ["Имя", "Роль", "Медорганизация", "Состояние"],
                state.rows,
                _member,
                caption="Сотрудники",
                loading=~state.is_loaded,
                key=lambda row: row.href,
                empty=cards.empty_state(
                    "Никого не нашли",
                    "Выберите другую роль или уберите медорганизацию.",
                    icon_name="person",
                ),
            ),
            when(
                state.pages > 1,
                tables.pager(state.page, state.pages, on_page=state.turn),
            ),
        ),
        title="Люди и роли",
        lead="Права дают и отнимают два администратора вместе.",
        menu=ADMIN_MENU,
        current=PLACE,
        actions=buttons.button_link("Пригласить сотрудника", INVITE, kind="primary"),
    )


def invite() -> rx.Component:
    """Return the form of an invitation."""
    state = InviteState
    return frames.signed_in(
        cards.card(
            forms.form(
                forms.text_field(
                    "Рабочая почта",
                    "login",
                    type="email",
                    hint="Сюда придёт приглашение, этой же почтой сотрудник будет входить.",
                    error=state.errors["login"],
                    max_length=200,
                ),
                forms.text_field(
                    "Фамилия, имя, отчество",
                    "name",
                    error=state.errors["name"],
                    max_length=120,
                ),
                *_rights(state),
                _reason(state, "reason"),
                _code(state, "code"),
                cards.notice(
                    "Приглашение отправится, когда согласится другой администратор.", tone="info"
                ),
                buttons.actions(
                    buttons.primary_button("Передать коллеге", type="submit"),
                    buttons.button_link("Отмена", PLACE, kind="quiet"),
                ),
                on_submit=state.invite,
                reset_on_submit=False,
            ),
        ),
        title="Пригласить сотрудника",
        menu=ADMIN_MENU,
        current=PLACE,
        back=("Люди и роли", PLACE),
    )


def person() -> rx.Component:
    """Return the page of one account."""
    state = PersonDeskState
    shown: Any = state.person
    return frames.signed_in(
        rx.cond(
            state.is_missing,
            _nobody("Такой учётной записи нет"),
            rx.cond(state.is_loaded, _desk(), cards.loading("Открываем учётную запись…")),
        ),
        title=rx.cond(given(shown.name), shown.name, "Учётная запись"),
        menu=ADMIN_MENU,
        current=PLACE,
        back=("Люди и роли", PLACE),
    )


def order() -> rx.Component:
    """Return the page of one decision."""
    state = StaffOrderState
    return frames.signed_in(
        rx.cond(
            state.is_missing,
            _nobody("Такого решения нет"),
            rx.cond(state.is_loaded, _order(), cards.loading("Открываем решение…")),
        ),
        title=rx.cond(given(state.order.kind), state.order.kind, "Решение"),
        menu=ADMIN_MENU,
        current=PLACE,
        back=("Люди и роли", PLACE),
    )


def _nobody(title: str) -> rx.Component:
    return cards.empty_state(
        title,
        "Проверьте номер в адресе.",
        buttons.button_link("К поиску", PLACE, kind="secondary"),
        icon_name="search",
    )


def _waiting(row: rx.Var[StaffOrderRow]) -> list[Any]:
    return [
        rx.fragment(link(row.kind, row.href), " ", when(row.acted, badges.badge("уже", "waiting"))),
        rx.el.span(row.about, class_name="[overflow-wrap:anywhere]"),
        rx.el.span(row.reason, class_name="[overflow-wrap:anywhere]"),
        row.by,
        row.until,
    ]


def _member(row: rx.Var[StaffRow]) -> list[Any]:
    return [
        link(row.name, row.href),
        row.role,
        row.clinic,
        badges.badge(row.state, row.tone),
    ]


def _desk() -> rx.Component:
    state = PersonDeskState
    shown: Any = state.person
    standing: Any = state.standing
    return rx.el.div(
        when(
            standing.id > 0,
            cards.notice(
                rx.el.p(standing.kind, ": ", standing.reason),
                rx.el.p(link("Открыть решение", standing.href)),
                title="Ждёт второго администратора",
                tone="waiting",
            ),
        ),
        when(
            shown.is_self,
            cards.notice(
                "Это ваша учётная запись. О ней решают другие администраторы, пароль и факторы "
                "меняйте на странице безопасности.",
                tone="info",
            ),
        ),
        cards.card(
            cards.summary_list(
                cards.summary_row("Номер", shown.id),
                cards.summary_row("Роль", shown.role),
                cards.summary_row("Медорганизация", shown.clinic, empty="нет"),
                cards.summary_row("Входит как", shown.logins, empty="входов не осталось"),
                cards.summary_row("Контакты", shown.contacts, empty="нет"),
                cards.summary_row("Второй фактор", shown.ways, empty="ещё не подключён"),
                cards.summary_row("Сейчас открыто", shown.sessions),
                cards.summary_row("Последний раз", shown.seen, empty="не входил"),
                cards.summary_row("Создана", shown.since),
            ),
            buttons.actions(
                when(shown.may_block, dialog_button("Закрыть доступ", "block", kind="danger")),
                when(shown.may_unblock, dialog_button("Вернуть доступ", "unblock", kind="primary")),
                when(shown.has_sessions, dialog_button("Закончить сеансы", "end")),
                when(shown.may_reset, dialog_button("Отправить ссылку для пароля", "reset")),
                when(shown.may_take, dialog_button("Снять факторы входа", "take_factors")),
            ),
            title="Учётная запись",
            actions=badges.badge(shown.state, shown.tone),
        ),
        when(
            shown.may_change,
            cards.card(
                forms.form(
                    *_rights(state),
                    _reason(state, "change_reason"),
                    _code(state, "change_code"),
                    buttons.actions(buttons.primary_button("Передать коллеге", type="submit")),
                    on_submit=state.change,
                    reset_on_submit=False,
                ),
                title="Изменить права",
            ),
        ),
        cards.section(
            "История решений",
            rx.cond(
                some(state.history),
                timeline(
                    rx.foreach(
                        state.history,
                        lambda each: timeline_entry(
                            each.kind,
                            each.at,
                            text=each.told,
                            by=each.by,
                            tone=each.outcome_tone,
                            key=each.href,
                        ),
                    )
                ),
                rx.el.p("Решений об этой учётной записи не было.", class_name="e-muted"),
            ),
        ),
        *(
            when(may, _asking(kind, handler, danger=danger))
            for kind, may, handler, danger in (
                (StaffOrderKind.BLOCK, shown.may_block, state.block, True),
                (StaffOrderKind.UNBLOCK, shown.may_unblock, state.unblock, False),
                (StaffOrderKind.TAKE_FACTORS, shown.may_take, state.take_factors, True),
            )
        ),
        when(
            shown.has_sessions,
            _alone(
                "end",
                "Закончить все сеансы?",
                "Человек сразу выйдет на всех устройствах и сможет войти снова.",
                "Закончить сеансы",
                state.end_sessions,
            ),
        ),
        when(
            shown.may_reset,
            _alone(
                "reset",
                "Отправить ссылку для нового пароля?",
                "Она уйдёт на подтверждённые контакты и действует 15 минут. Вы её не увидите.",
                "Отправить",
                state.start_reset,
            ),
        ),
        class_name="e-body",
    )


def _order() -> rx.Component:
    state = StaffOrderState
    shown: Any = state.order
    return rx.el.div(
        cards.card(
            cards.summary_list(
                cards.summary_row("С кем", shown.about),
                when(given(shown.wanted), cards.summary_row("Роль", shown.wanted)),
                cards.summary_row("Почему", shown.reason),
                cards.summary_row("Кто просит", shown.by),
                cards.summary_row("Когда", shown.at),
                when(shown.is_open, cards.summary_row("Ответить до", shown.until)),
            ),
            rx.el.p(shown.consequence, class_name="my-3"),
            when(
                shown.is_open & ~shown.may_confirm,
                cards.notice("Подтвердить должен другой администратор.", tone="info"),
            ),
            buttons.actions(
                when(shown.may_confirm, dialog_button("Подтвердить", "confirm", kind="primary")),
                when(
                    shown.is_open & (shown.may_confirm | shown.is_own),
                    dialog_button(rx.cond(shown.is_own, "Отозвать", "Отклонить"), "decline"),
                ),
                when(given(state.person), link("Открыть учётную запись", state.person)),
            ),
            title="Решение",
            actions=badges.badge(shown.outcome, shown.outcome_tone),
        ),
        *(
            dialog(
                name,
                title,
                rx.el.p(text),
                forms.form(
                    _code_of(state.needs_code, state.error, f"{name}_code"),
                    buttons.actions(
                        buttons.primary_button(act, type="submit"), close_button(kind="secondary")
                    ),
                    on_submit=handler,
                    reset_on_submit=False,
                ),
            )
            for name, title, text, act, handler in (
                (
                    "confirm",
                    "Подтвердить решение коллеги?",
                    "Вы проверили, кто это и зачем, и согласны.",
                    "Подтвердить",
                    state.confirm,
                ),
                (
                    "decline",
                    "Отказаться от решения?",
                    "Его не исполнят. Если доступ уже закрыт, он откроется снова.",
                    "Отказаться",
                    state.decline,
                ),
            )
        ),
        class_name="e-body",
    )


def _rights(state: Any) -> list[rx.Component]:
    """Ask for the role and what belongs to it."""
    chosen: Any = getattr(state, "person", None)
    is_clinic = state.role == Role.CLINIC.value
    return [
        forms.select_field(
            "Роль",
            "role",
            rows.STAFF_ROLES,
            value=state.role,
            on_change=state.choose_role,
            placeholder="Выберите роль",
            error=state.errors["role"],
            width="long",
        ),
        when(
            is_clinic,
            rx.el.div(
                forms.text_field(
                    "OID или ОКПО медорганизации",
                    "clinic",
                    default_value=chosen.clinic_oid if chosen is not None else "",
                    error=state.errors["clinic"],
                    max_length=60,
                ),
                forms.select_field(
                    "Должность",
                    "position",
                    rows.STAFF_POSITIONS,
                    value=state.position,
                    on_change=state.choose_position,
                    placeholder="Выберите должность",
                    error=state.errors["position"],
                    width="long",
                ),
                when(
                    state.position == Position.PHYSICIAN.value,
                    forms.fieldset(
                        "Специальности",
                        when(
                            given(state.errors["specialties"]),
                            rx.el.p(
                                state.errors["specialties"], class_name="e-error", role="alert"
                            ),
                        ),
                        rx.el.div(
                            *(
                                forms.checkbox_field(
                                    name,
                                    f"specialty_{code}",
                                    default_checked=chosen.specialties.contains(code)
                                    if chosen is not None
                                    else False,
                                )
                                for code, name in rows.STAFF_SPECIALTIES
                            ),
                            class_name="grid gap-x-8 sm:grid-cols-2",
                        ),
                    ),
                ),
                class_name="e-form",
            ),
        ),
    ]


def _asking(kind: StaffOrderKind, handler: Any, *, danger: bool) -> rx.Component:
    state = PersonDeskState
    make = buttons.danger_button if danger else buttons.primary_button
    return dialog(
        kind.value,
        f"{rows.KINDS[kind].text}?",
        rx.el.p(rows.CONSEQUENCES[kind]),
        rx.el.p(
            "Доступ закроется сразу; администратору — когда согласится коллега."
            if kind is StaffOrderKind.BLOCK
            else "Это исполнят, когда согласится другой администратор."
        ),
        forms.form(
            _reason(state, f"{kind}_reason"),
            _code(state, f"{kind}_code"),
            buttons.actions(
                make(rows.KINDS[kind].text, type="submit"), close_button(kind="secondary")
            ),
            on_submit=handler,
            reset_on_submit=False,
        ),
    )


def _alone(name: str, title: str, text: str, act: str, handler: Any) -> rx.Component:
    state = PersonDeskState
    return dialog(
        name,
        title,
        rx.el.p(text),
        forms.form(
            _code(state, f"{name}_code"),
            buttons.actions(
                buttons.primary_button(act, type="submit"), close_button(kind="secondary")
            ),
            on_submit=handler,
            reset_on_submit=False,
        ),
    )


def _reason(state: Any, name: str) -> rx.Component:
    return forms.textarea_field(
        "Почему",
        name,
        hint="Прочтёт второй администратор. Без медицинских сведений.",
        error=state.errors["reason"],
        rows=2,
        max_length=REASON_LIMIT,
    )


def _code(state: Any, name: str) -> rx.Component:
    return _code_of(state.needs_code, state.errors["code"], name)


def _code_of(needs: Any, error: Any, name: str) -> rx.Component:
    return when(
        needs,
        fresh_factor(name, hint="Шесть цифр. Решение подтверждается свежим кодом.", error=error),
    )


PAGES: Final = (
    Page(PLACE, "Люди и роли", staff, (PersonState.load, PeopleState.follow)),
    Page(INVITE, "Пригласить сотрудника", invite, (PersonState.load, InviteState.load)),
    Page(
        f"{PLACE}/[user_arg]", "Учётная запись", person, (PersonState.load, PersonDeskState.follow)
    ),
    Page(
        f"{PLACE}/orders/[order_arg]", "Решение", order, (PersonState.load, StaffOrderState.follow)
    ),
)
