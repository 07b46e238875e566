"""«Кто смотрел»: every look at the holder's records and every change of them by others."""

from __future__ import annotations

from typing import Final

import reflex as rx

from emk_app.components import badges, buttons, cards, forms, links, tables
from emk_app.components.markup import given, when
from emk_app.pages import frames
from emk_app.pages.menus import HOLDER_MENU
from emk_app.pages.table import Page
from emk_app.presenting.watching import SPANS, WatchedRow, complaint_href
from emk_app.states.session import PersonState
from emk_app.states.watching import WatchingState

LOOKS: Final = "/cabinet/looks"


def looks() -> rx.Component:
    """Return the page of who has seen or changed the holder's records."""
    state = WatchingState
    return frames.signed_in(
        rx.el.div(
            forms.select_field(
                "За какое время",
                "span",
                [(span.value, text) for span, text in SPANS.items()],
                value=state.span,
                on_change=state.choose_span,
                placeholder="",
                width="long",
            ),
            forms.checkbox_field(
                "Только просмотры",
                "only_views",
                checked=state.only_views,
                on_change=state.choose_views,
            ),
            class_name="e-notices-head",
        ),
        when(state.is_loaded, rx.el.p(state.found, class_name="e-muted", role="status")),
        tables.data_table(
            ["Когда", "Кто", "Что", "Зачем"],
            state.rows,
            _cells,
            caption="Кто смотрел и менял ваши данные",
            loading=~state.is_loaded,
            empty=cards.empty_state(
                "За это время никто не смотрел",
                "Запись появится здесь, как только кто-то откроет ваши данные.",
                icon_name="eye",
            ),
            key=lambda row: row.id,
        ),
        when(
            state.pages > 1,
            tables.pager(state.page, state.pages, on_page=state.turn, label="Страницы списка"),
        ),
        cards.card(
            rx.el.p(
                "Имена сотрудников не показываем, но сервис их знает. Если запись вас удивила, "
                "назовите её дату и время: мы проверим и ответим."
            ),
            buttons.actions(
                links.plain_link("Пожаловаться в поддержку", complaint_href(), "btn btn-outline"),
                links.link("Проверить, где открыт вход", "/cabinet/security"),
            ),
            title="Что-то не так?",
        ),
        title="Кто смотрел",
        lead="Кто, кроме вас, открывал и менял ваши данные. Новое появляется само.",
        menu=HOLDER_MENU,
        current="/cabinet",
        back=("Главная", "/cabinet"),
        actions=when(state.is_loaded, buttons.print_button()),
    )


def _cells(row: rx.Var[WatchedRow]) -> list[rx.Component | rx.Var]:
    return [
        rx.el.span(row.at, class_name="whitespace-nowrap"),
        rx.fragment(row.who, when(given(row.where), rx.el.p(row.where, class_name="e-muted"))),
        rx.fragment(rx.el.p(row.what), badges.badge(row.kind, row.tone)),
        row.why,
    ]


PAGES: Final = (Page(LOOKS, "Кто смотрел", looks, (PersonState.load, WatchingState.follow)),)
