"""What the holder was told, and where to be told of what."""

from __future__ import annotations

from typing import Final

import reflex as rx

from emk_app.components import badges, buttons, cards, forms, links, tables
from emk_app.components.markup import given, some, when
from emk_app.domain.notices import Channel
from emk_app.pages import frames
from emk_app.pages.menus import HOLDER_MENU, NOTICES
from emk_app.pages.table import Page
from emk_app.presenting.notices import NoticeRow, WishRow
from emk_app.states.notices import NoticesState, WishesState
from emk_app.states.session import PersonState

SETTINGS: Final = f"{NOTICES}/settings"


def notices() -> rx.Component:
    """Return the list of what the holder was told."""
    state = NoticesState
    nothing = rx.cond(
        state.only_unread,
        cards.empty_state(
            "Непрочитанных нет",
            "Всё, что вам сообщали, вы уже видели.",
            buttons.secondary_button("Показать все", on_click=state.filter(False)),
            icon_name="bell",
        ),
        cards.empty_state(
            "Уведомлений пока нет",
            "Здесь появится всё о ваших заявках, осмотрах и книжке.",
            icon_name="bell",
        ),
    )
    shown = rx.fragment(
        rx.el.ul(rx.foreach(state.rows, _notice), class_name="e-notices"),
        when(
            state.pages > 1,
            tables.pager(state.page, state.pages, on_page=state.turn, label="Страницы уведомлений"),
        ),
    )
    return frames.signed_in(
        rx.el.div(
            forms.checkbox_field(
                "Только непрочитанные",
                "only_unread",
                checked=state.only_unread,
                on_change=state.filter,
            ),
            when(
                state.unread > 0,
                buttons.secondary_button(
                    "Отметить все прочитанными", on_click=state.read_all, icon="check"
                ),
            ),
            class_name="e-notices-head",
        ),
        when(state.is_loaded, when(some(state.rows), shown, nothing), cards.loading()),
        title="Уведомления",
        lead="Новое появляется само, страницу обновлять не нужно.",
        menu=HOLDER_MENU,
        current=NOTICES,
        actions=buttons.button_link("Куда присылать", SETTINGS, kind="secondary"),
    )


def settings() -> rx.Component:
    """Return the choice of channels."""
    state = WishesState
    table = tables.data_table(
        ["О чём", "На экране", "СМС", "Почта"],
        state.rows,
        _wish,
        caption="О чём и куда сообщать",
        loading=~state.is_loaded,
        key=lambda row: row.kind,
    )
    return frames.signed_in(
        table,
        when(
            state.is_loaded,
            cards.card(
                cards.summary_list(
                    cards.summary_row("СМС", state.sms, empty="номер не подтверждён"),
                    cards.summary_row("Почта", state.email, empty="адрес не подтверждён"),
                ),
                rx.el.p(
                    "С 22 до 8 часов по Москве СМС не приходят: они дождутся утра. Коды и "
                    "сообщения о безопасности приходят сразу.",
                    class_name="mt-3",
                ),
                title="Куда приходят сообщения",
            ),
        ),
        title="Куда присылать уведомления",
        lead="Выбор сохраняется сразу. На экране вы увидите всё в любом случае.",
        menu=HOLDER_MENU,
        current=NOTICES,
        back=("Уведомления", NOTICES),
    )


def _notice(row: rx.Var[NoticeRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.b(row.title),
            when(row.is_unread, badges.badge("новое", "info")),
            rx.el.span(row.at, class_name="e-by"),
            class_name="e-notices-title",
        ),
        rx.el.p(row.text),
        rx.el.div(
            links.link(row.action, row.href, on_click=NoticesState.read(row.id)),
            when(
                row.is_unread,
                buttons.quiet_button(
                    rx.fragment("Прочитано", rx.el.span(" — ", row.title, class_name="e-hidden")),
                    on_click=NoticesState.read(row.id),
                ),
            ),
            class_name="e-notices-acts",
        ),
        key=row.id.to(str),
        custom_attrs={"data-unread": rx.cond(row.is_unread, "true", "false")},
    )


def _wish(row: rx.Var[WishRow]) -> list[rx.Component | rx.Var]:
    return [
        rx.el.div(rx.el.b(row.name), rx.el.p(row.hint, class_name="e-muted")),
        badges.badge("всегда", "success"),
        _switch(row, Channel.SMS, row.sms, WishesState.sms),
        _switch(row, Channel.EMAIL, row.email, WishesState.email),
    ]


def _switch(
    row: rx.Var[WishRow], channel: Channel, is_on: rx.Var[bool], contact: rx.Var[str]
) -> rx.Component:
    name = "СМС" if channel is Channel.SMS else "почта"
    control = rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=is_on,
            on_change=lambda checked: WishesState.choose(row.kind, channel.value, checked),
            class_name="checkbox",
        ),
        rx.el.span(row.name, ": ", name, class_name="e-hidden"),
        class_name="e-check",
    )
    fixed = rx.cond(row.is_fixed, badges.badge("всегда", "success"), control)
    return rx.cond(given(contact), fixed, rx.el.span("нет контакта", class_name="e-muted"))


PAGES = (
    Page(NOTICES, "Уведомления", notices, (PersonState.load, NoticesState.follow)),
    Page(SETTINGS, "Куда присылать уведомления", settings, (PersonState.load, WishesState.load)),
)
