"""The journal of acts: search, pages, a file, and whether the chain holds."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, forms, tables
from emk_app.components.links import link
from emk_app.components.markup import given, when
from emk_app.pages import frames
from emk_app.pages.menus import ADMIN_MENU
from emk_app.pages.table import Page
from emk_app.presenting.inspecting import RESULTS, EntryRow
from emk_app.states.inspecting import AuditState
from emk_app.states.session import PersonState

PLACE: Final = "/admin/audit"


def audit() -> rx.Component:
    """Return the journal."""
    state = AuditState
    return frames.signed_in(
        cards.card(
            buttons.actions(
                buttons.secondary_button(
                    "Проверить цепочку", on_click=state.verify, icon="refresh", busy=state.busy
                ),
            ),
            rx.el.div(
                when(given(state.chain), cards.notice(state.chain, tone=state.chain_tone)),
                role="status",
                class_name="mt-3",
            ),
            rx.el.p(
                "Каждая запись подписана вместе с предыдущей: удалить или исправить её незаметно "
                "нельзя.",
                class_name="e-muted",
            ),
            title="Цепочка записей",
        ),
        forms.form(
            forms.field_row(
                _field("С", "since", "По Москве: 26.11.2026 или 26.11.2026 09:00. Пусто — 7 дней."),
                _field("До", "until", "Пусто — по сейчас."),
            ),
            forms.field_row(
                _field("Кто", "who", "Логин или номер учётной записи."),
                _field("Чьи данные", "whose", "Логин или номер учётной записи."),
            ),
            forms.field_row(
                _field("Действие", "action", "Код или его начало, как в таблице."),
                _field("Объект", "target", "Вид и номер или их начало, как в таблице."),
            ),
            forms.select_field(
                "Итог",
                "result",
                RESULTS,
                default_value="",
                placeholder="Любой",
                required=False,
                width="long",
            ),
            buttons.actions(
                buttons.primary_button("Найти", type="submit", icon="search"),
                buttons.download_link("Скачать CSV", state.csv),
            ),
            on_submit=state.seek,
            reset_on_submit=False,
            role="search",
        ),
        tables.data_table(
            ["Время", "Кто", "Действие", "Объект", "Чьи данные", "Поля", "Итог"],
            state.rows,
            _cells,
            caption="Записи журнала, сначала новые",
            loading=~state.is_loaded,
            key=lambda row: row.id.to(str),
            empty=cards.empty_state(
                "Ничего не нашли", "Измените время или условия.", icon_name="search"
            ),
        ),
        rx.el.nav(
            when(
                ~state.is_first,
                buttons.secondary_button("К новым", state.show_newest, icon="arrow-left"),
            ),
            when(
                state.older > 0,
                buttons.secondary_button("Старее", state.show_older, icon="arrow-right"),
            ),
            class_name="e-pager",
            custom_attrs={"aria-label": "Страницы журнала"},
        ),
        title="Журнал действий",
        lead="Кто что сделал и с чем. Значений здесь нет, только названия полей.",
        menu=ADMIN_MENU,
        current=PLACE,
        wide=True,
    )


def _field(label: str, name: str, hint: str) -> rx.Component:
    return forms.text_field(
        label,
        name,
        hint=hint,
        error=AuditState.errors[name],
        required=False,
        max_length=60,
    )


def _cells(row: rx.Var[EntryRow]) -> list[Any]:
    return [
        rx.el.span(row.at, class_name="whitespace-nowrap"),
        rx.fragment(
            rx.el.p(rx.cond(given(row.who_href), link(row.who, row.who_href), row.who)),
            rx.el.p(row.role, class_name="e-muted"),
        ),
        rx.fragment(
            when(given(row.words), rx.el.p(row.words)),
            rx.el.p(rx.el.code(row.action), class_name="e-muted"),
        ),
        rx.el.code(row.target, class_name="[overflow-wrap:anywhere]"),
        when(given(row.whose), link(row.whose, row.whose_href)),
        rx.el.code(row.fields, class_name="[overflow-wrap:anywhere]"),
        badges.badge(row.result, row.tone),
    ]


PAGES: Final = (Page(PLACE, "Журнал действий", audit, (PersonState.load, AuditState.load)),)
