"""The page of keys for an employer's own systems."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, dialogs, forms
from emk_app.components.badges import badge
from emk_app.components.markup import given, when
from emk_app.components.tables import Column, data_table
from emk_app.domain.employer_keys import NAME_LIMIT
from emk_app.pages import frames
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import EMPLOYER_MENU
from emk_app.pages.table import Page
from emk_app.presenting import employer_keys as rows
from emk_app.states.employer_keys import KEYS, EmployerKeysState
from emk_app.states.session import PersonState

TITLE: Final = "Ключи для программ"


def employer_keys() -> rx.Component:
    """Return the page."""
    state = EmployerKeysState
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.cond(state.is_owner, _keys(), _not_yours()),
            cards.loading("Загружаем ключи…"),
        ),
        title=TITLE,
        lead="С ключом кадровая программа сама ведёт список сотрудников и проверяет книжки.",
        menu=EMPLOYER_MENU,
        current=KEYS,
        wide=True,
    )


def _not_yours() -> rx.Component:
    return cards.empty_state(
        "Ключами управляет владелец кабинета",
        "Попросите его сделать ключ для вашей программы.",
        icon_name="lock",
    )


def _keys() -> rx.Component:
    state = EmployerKeysState
    return rx.el.div(
        when(given(state.made), _made()),
        cards.details("Сделать ключ", _making(), opened=~given(state.keys)),
        data_table(
            [
                "Ключ",
                "Что может",
                "Состояние",
                "Действует до",
                "Последний раз",
                Column("Действие", hidden=True),
            ],
            state.keys,
            _line,
            caption="Ключи",
            key=lambda row: row.id.to(str),
            empty=cards.empty_state(
                "Ключей пока нет",
                "Сделайте ключ для каждой программы отдельно: так проще отозвать один.",
                icon_name="lock",
            ),
        ),
        class_name="e-body",
    )


def _made() -> rx.Component:
    state = EmployerKeysState
    return cards.card(
        rx.el.p("Скопируйте ключ в программу сейчас: больше мы его не покажем."),
        rx.el.code(
            state.made,
            class_name="[overflow-wrap:anywhere]",
            custom_attrs={"translate": "no"},
        ),
        buttons.actions(
            buttons.copy_button("Скопировать ключ", state.made, done="Ключ скопирован"),
            buttons.quiet_button("Готово, убрать с экрана", state.hide),
        ),
        title="Новый ключ",
        tone="success",
    )


def _making() -> rx.Component:
    state = EmployerKeysState
    return forms.form(
        when(
            given(state.errors["key"]),
            cards.notice(state.errors["key"], tone="danger", live=True),
        ),
        forms.field_row(
            forms.text_field(
                "Для какой программы",
                "name",
                hint="Например: кадровый учёт, склад на Мира.",
                error=state.errors["name"],
                max_length=NAME_LIMIT,
            ),
            forms.select_field(
                "На сколько",
                "days",
                rows.LIFETIMES,
                default_value=rows.DEFAULT_LIFETIME,
                error=state.errors["days"],
            ),
        ),
        forms.fieldset(
            "Что разрешить",
            *[
                forms.checkbox_field(title, rows.SCOPE_FIELDS[scope], hint=text)
                for scope, (title, text) in rows.SCOPES.items()
            ],
            when(
                given(state.errors["scopes"]),
                cards.notice("Отметьте хотя бы одно право.", tone="danger", live=True),
            ),
        ),
        when(
            state.needs_code,
            fresh_factor(
                hint="Прошло больше пяти минут, поэтому действие подтверждается свежим кодом."
            ),
        ),
        rx.el.p(
            "Ключ действует от вашего имени, пока вы владелец кабинета. Храните его как пароль.",
            class_name="e-muted",
        ),
        buttons.actions(buttons.primary_button("Сделать ключ", type="submit", icon="plus")),
        on_submit=state.make,
        key=state.form_key.to(str),
    )


def _line(row: Any) -> list[rx.Component | rx.Var]:
    dialog = "revoke-key-" + row.id.to(str)
    return [
        rx.el.div(
            rx.el.b(row.name, class_name="break-words"),
            rx.el.span(
                "сделан ",
                row.created,
                ", кончается на ",
                rx.el.code(row.hint),
                class_name="e-muted",
            ),
            class_name="grid",
        ),
        row.scopes,
        badge(row.state, row.tone),
        row.until,
        row.used,
        when(
            row.is_live,
            rx.fragment(
                dialogs.dialog_button("Отозвать", dialog, kind="quiet"),
                dialogs.confirm_dialog(
                    dialog,
                    "Отозвать ключ?",
                    rx.el.p(
                        "Программа с ключом ",
                        rx.el.b(row.name),
                        " сразу потеряет доступ. Вернуть ключ нельзя, можно сделать новый.",
                    ),
                    confirm="Отозвать ключ",
                    on_confirm=EmployerKeysState.revoke(row.id),
                ),
            ),
        ),
    ]


PAGES: Final = (Page(KEYS, TITLE, employer_keys, (PersonState.load, EmployerKeysState.follow)),)
