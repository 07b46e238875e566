"""The search on the book's page."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.components import buttons, cards, forms, links
from emk_app.components.markup import given, some, when
from emk_app.states.book_search import BookSearchState


def section() -> rx.Component:
    """Search everything the book, its versions and its papers say."""
    state = BookSearchState
    return cards.section(
        "Найти в книжке",
        forms.search_box(
            "Слово, врач, вакцина, серия или дата",
            "words",
            on_submit=state.find,
            hint="Например, «гепатит», «терапевт» или «11.2026». Ищем и в прежних версиях.",
        ),
        rx.el.div(
            when(given(state.summary), rx.el.p(state.summary)),
            role="status",
        ),
        when(
            some(state.found),
            rx.el.div(
                rx.el.ol(
                    rx.foreach(state.found, found_row),
                    class_name="max-w-3xl",
                ),
                buttons.actions(buttons.quiet_button("Убрать найденное", state.forget)),
                class_name="grid gap-4",
            ),
        ),
        id="search",
    )


def found_row(row: Any) -> rx.Component:
    """One place that a search has found, as a line of a list."""
    return rx.el.li(
        links.plain_link(_marked(row.title), row.href, class_name="e-link font-medium"),
        rx.el.p(_marked(row.text), class_name="break-words"),
        rx.el.p(row.where, class_name="e-muted"),
        class_name="border-b border-base-300 py-3",
        key=row.key,
    )


def _marked(pieces: Any) -> rx.Component:
    return rx.el.span(
        rx.foreach(
            pieces,
            lambda piece: rx.cond(
                piece.is_hit,
                rx.el.mark(piece.text, class_name="rounded-sm bg-warning/30 text-inherit"),
                rx.el.span(piece.text),
            ),
        )
    )
