"""The book on one sheet of paper: what the page of the book prints, without anything else of it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.components import cards, layout
from emk_app.components.markup import given, some, when
from emk_app.states.book import BookState


def sheet() -> rx.Component:
    """Return the sheet; a screen does not show it."""
    state = BookState
    card: Any = state.card
    return rx.el.div(
        layout.print_only(
            rx.el.div(
                cards.summary_list(
                    cards.summary_row("Номер", card.number),
                    cards.summary_row("Состояние", card.status),
                    cards.summary_row("Срок действия", card.term),
                    when(
                        given(card.items_until),
                        cards.summary_row("Осмотры в порядке по", card.items_until),
                    ),
                    when(
                        card.is_readable,
                        rx.fragment(
                            cards.summary_row("Владелец", card.name),
                            cards.summary_row("Дата рождения", card.born),
                            cards.summary_row("Профессия", card.occupation),
                            cards.summary_row("Заключение", card.conclusion),
                            when(
                                given(card.restrictions),
                                cards.summary_row("Ограничения", card.restrictions),
                            ),
                            cards.summary_row("Медорганизация", card.clinic),
                            cards.summary_row("Подписал председатель", card.chair),
                        ),
                    ),
                    cards.summary_row("Версия", card.version + ", подписана " + card.signed),
                    cards.summary_row("Отпечаток", rx.el.code(card.hash_short)),
                ),
                # The newest open link, as on the screen.
                rx.foreach(state.open_links[:1], _code),
                class_name="e-sheet-top",
            ),
            when(some(state.items), _lines("Исследования", state.items, _study)),
            when(some(state.shots), _lines("Прививки", state.shots, _shot)),
            rx.el.p(
                "Распечатано в личном кабинете ЭМК Онлайн, сведения на ",
                state.as_of,
                ". Лист удобно держать под рукой, но подписи на нём нет: документ с подписью — "
                "выписка в PDF, а действует ли книжка сейчас, покажет QR-код.",
                class_name="e-sheet-foot",
            ),
        ),
        class_name="e-sheet",
    )


def _code(link: Any) -> rx.Component:
    return rx.el.figure(
        rx.el.img(src=link.png + "?show", alt="QR-код книжки"),
        rx.el.figcaption("Код открыт до ", link.term, rx.el.br(), rx.el.code(link.url)),
    )


def _lines(title: str, rows: Any, draw: Any) -> rx.Component:
    return rx.el.div(rx.el.h2(title), rx.el.ul(rx.foreach(rows, draw)), class_name="e-sheet-part")


def _study(item: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(item.name),
        rx.el.span(item.performed, when(given(item.until), ", действует " + item.until)),
        key=item.code,
    )


def _shot(shot: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(shot.name),
        rx.el.span(shot.kind, when(given(shot.on), ", " + shot.on)),
        key=shot.key,
    )
