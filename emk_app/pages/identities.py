"""Change of identity data: the holder's page, and the operators' desk."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, forms
from emk_app.components.badges import badge
from emk_app.components.dialogs import (
    close_button,
    confirm_dialog,
    dialog,
    dialog_button,
)
from emk_app.components.links import link
from emk_app.components.markup import given, some, when
from emk_app.components.tables import data_table
from emk_app.components.viewer import viewer
from emk_app.domain.identities import SIZE_LIMIT
from emk_app.pages import frames
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import HOLDER_MENU, OPERATOR_MENU
from emk_app.pages.table import Page
from emk_app.presenting import identities as rows
from emk_app.presenting.formats import file_size
from emk_app.presenting.identities import PAPER
from emk_app.states.identities import CHANGES, ChangesState, ChangeState, IdentityState
from emk_app.states.session import PersonState

BOOK: Final = "/cabinet/book"
MINE: Final = f"{BOOK}/changes"
APPROVE: Final = "approve-change"
REJECT: Final = "reject-change"


def mine() -> rx.Component:
    """Return the holder's page."""
    state = IdentityState
    now: Any = state.now
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.el.div(
                rx.cond(
                    now.name != "",
                    cards.card(
                        cards.summary_list(
                            cards.summary_row("Имя", now.name),
                            cards.summary_row("Дата рождения", now.born),
                        ),
                        title="Сейчас в книжке",
                    ),
                    cards.empty_state(
                        "Менять пока нечего",
                        "Данные меняют в действующей книжке.",
                        buttons.button_link("К книжке", BOOK, kind="secondary"),
                    ),
                ),
                when(some(state.changes), _wishes()),
                when(now.may_ask, _form()),
                class_name="e-body",
            ),
            cards.loading(),
        ),
        title="Изменение личных данных",
        lead="Срок книжки не меняется, СНИЛС остаётся прежним, выйдет новая версия.",
        menu=HOLDER_MENU,
        current=BOOK,
        back=("Медицинская книжка", BOOK),
    )


def _wishes() -> rx.Component:
    return cards.section(
        "Ваши просьбы",
        rx.foreach(IdentityState.changes, _wish),
    )


def _wish(change: Any) -> rx.Component:
    name = "withdraw-" + change.ref.to(str)
    return rx.el.div(
        cards.card(
            cards.summary_list(
                cards.summary_row("Было", change.was),
                cards.summary_row("Должно стать", change.became),
                cards.summary_row("Документ", change.basis),
                cards.summary_row("Отправлено", change.at),
            ),
            when(given(change.text), rx.el.p(change.text)),
            when(
                change.may_withdraw,
                rx.fragment(
                    buttons.actions(dialog_button("Отозвать", name, kind="quiet")),
                    confirm_dialog(
                        name,
                        "Отозвать просьбу?",
                        "Данные в книжке останутся прежними, а документ мы удалим.",
                        confirm="Отозвать",
                        on_confirm=IdentityState.withdraw(change.ref),
                    ),
                ),
            ),
            title=change.title,
            actions=badge(change.status, change.tone),
            level=3,
        ),
        key=change.ref,
    )


def _form() -> rx.Component:
    now: Any = IdentityState.now
    return cards.section(
        "Новые данные",
        rx.el.p("Напишите так, как в новом документе.", class_name="e-muted"),
        rx.el.div(
            forms.send_form(
                _told("last", forms.text_field("Фамилия", "last", default_value=now.last)),
                _told("first", forms.text_field("Имя", "first", default_value=now.first)),
                _told(
                    "patronymic",
                    forms.text_field(
                        "Отчество", "patronymic", default_value=now.patronymic, required=False
                    ),
                ),
                _told(
                    "born_on",
                    forms.date_field("Дата рождения", "born_on", default_value=now.born),
                ),
                _told(
                    "basis",
                    forms.select_field(
                        "Какой документ подтверждает изменение",
                        "basis",
                        [(basis.value, text) for basis, text in rows.BASES.items()],
                        default_value="",
                        placeholder="Выберите документ",
                    ),
                ),
                forms.picked_file(
                    "Скан документа",
                    PAPER,
                    accept="application/pdf,image/jpeg",
                    limit_bytes=SIZE_LIMIT,
                    limit_text=f"PDF или JPEG, не больше {file_size(SIZE_LIMIT)}",
                    codes=(PAPER,),
                ),
                send_url="/api/identities",
                send="Отправить на проверку",
                sending="Проверяем документ…",
            ),
            class_name="max-w-2xl",
            # What the book says may change while the form is open: then it begins anew.
            key=now.name + now.born,
        ),
    )


def _told(name: str, control: rx.Component) -> rx.Component:
    """Return a control with the place beside it for what the server refuses."""
    return rx.el.div(control, forms.refusal(name, (name,)), class_name="grid gap-1")


def changes() -> rx.Component:
    """Return the operators' list."""
    state = ChangesState
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            data_table(
                ["Книжка", "Документ", "Отправлено"],
                state.rows,
                lambda row: [
                    link(row.number, row.href, "e-link e-number whitespace-nowrap"),
                    row.basis,
                    row.at,
                ],
                caption="Изменения данных, которые ждут проверки, сначала давние",
                key=lambda row: row.href,
                empty=cards.empty_state(
                    "Никто не ждёт", "Новая просьба появится здесь сама.", icon_name="check"
                ),
            ),
            cards.loading(),
        ),
        title="Изменение данных",
        lead="Сверьте новые данные с документом. Список обновляется сам.",
        menu=OPERATOR_MENU,
        current=CHANGES,
    )


def change() -> rx.Component:
    """Return one wish beside the old data and the paper."""
    state = ChangeState
    case: Any = state.case
    return frames.signed_in(
        rx.cond(
            state.is_missing,
            cards.empty_state(
                "Такой просьбы нет",
                "Владелец мог её отозвать.",
                buttons.button_link("К списку", CHANGES, kind="secondary"),
                icon_name="search",
            ),
            rx.cond(state.is_loaded, _change(), cards.loading("Открываем…")),
        ),
        title=rx.cond(case.number != "", case.number, "Изменение данных"),
        menu=OPERATOR_MENU,
        current=CHANGES,
        back=("К списку", CHANGES),
        wide=True,
    )


def _change() -> rx.Component:
    case: Any = ChangeState.case
    return rx.el.div(
        rx.el.div(viewer(ChangeState.papers), class_name="e-beside-stays"),
        rx.el.div(
            cards.card(
                when(given(case.text), cards.notice(case.text, tone=case.tone)),
                cards.summary_list(
                    cards.summary_row("Документ", case.basis),
                    cards.summary_row("Отправлено", case.at),
                ),
                data_table(
                    ["Что", "Сейчас в книжке", "Должно стать"],
                    ChangeState.sides,
                    lambda row: [
                        row.name,
                        row.was,
                        rx.cond(
                            row.tone == "neutral",
                            rx.el.span(row.became),
                            badge(row.became, row.tone),
                        ),
                    ],
                    caption="Прежние и новые данные",
                    key=lambda row: row.name,
                ),
                when(
                    case.may_decide,
                    buttons.actions(
                        dialog_button("Изменить данные", APPROVE, kind="primary", icon="check"),
                        dialog_button("Отказать", REJECT, icon="cross"),
                    ),
                ),
                title="Что меняется",
                actions=badge(case.status, case.tone),
            ),
            class_name="grid min-w-0 gap-8",
        ),
        when(case.may_decide, _dialogs()),
        class_name="e-beside",
    )


def _dialogs() -> rx.Component:
    errors = ChangeState.errors
    return rx.fragment(
        dialog(
            APPROVE,
            "Изменить данные в книжке?",
            rx.el.p(
                "Вы сверили новые данные с документом, и всё сходится. Выйдет новая версия, "
                "прежние ссылки назовут книжку заменённой."
            ),
            forms.form(
                when(
                    ChangeState.needs_code,
                    fresh_factor(
                        "code",
                        hint="Шесть цифр. Решение подтверждается свежим кодом.",
                        error=errors["code"],
                    ),
                ),
                buttons.actions(
                    buttons.primary_button("Изменить данные", type="submit"),
                    close_button(kind="secondary"),
                ),
                on_submit=ChangeState.approve,
                reset_on_submit=False,
            ),
        ),
        dialog(
            REJECT,
            "Отказать в изменении",
            forms.form(
                forms.select_field(
                    "Причина",
                    "ground",
                    rows.GROUNDS,
                    default_value="",
                    placeholder="Выберите причину",
                    error=errors["ground"],
                ),
                forms.textarea_field(
                    "Пояснение для владельца",
                    "note",
                    error=errors["note"],
                    rows=3,
                    required=False,
                    max_length=500,
                ),
                buttons.actions(
                    buttons.danger_button("Отказать", type="submit"),
                    close_button(kind="secondary"),
                ),
                on_submit=ChangeState.reject,
                reset_on_submit=False,
            ),
        ),
    )


PAGES = (
    Page(MINE, "Изменение личных данных", mine, (PersonState.load, IdentityState.follow)),
    Page(CHANGES, "Изменение данных", changes, (PersonState.load, ChangesState.follow)),
    Page(
        f"{CHANGES}/[ref_arg]",
        "Изменение данных",
        change,
        (PersonState.load, ChangeState.follow),
    ),
)
