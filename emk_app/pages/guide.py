"""Who needs a book, which papers, how long: each fact from the tables the program itself uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import reflex as rx

from emk_app.components import buttons, cards, forms, links
from emk_app.components.markup import given, repeated, some, when
from emk_app.pages import frames
from emk_app.pages.book_search import found_row
from emk_app.pages.table import Page
from emk_app.presenting.guide import AMENDABLE, Entry, Topic, shipped
from emk_app.states.guide import GuideState

TITLE = "Кому нужна книжка и как её получить"


def guide() -> rx.Component:
    """Return the page for whoever asks whether and how."""
    told = shipped()
    return frames.open_to_all(
        _search(),
        rx.el.nav(
            rx.el.ul(
                *(rx.el.li(links.plain_link(topic.title, f"#{topic.id}")) for topic in told),
                class_name="flex flex-wrap gap-x-6 gap-y-2",
            ),
            aria_label="Содержание",
        ),
        *map(_section, told),
        buttons.actions(
            buttons.button_link("Оформить книжку", "/register", icon="arrow-right"),
        ),
        title=TITLE,
        current="/guide",
    )


def _search() -> rx.Component:
    return rx.el.div(
        forms.search_box(
            "Слово или вопрос",
            "words",
            on_submit=GuideState.find,
            hint="Например, «повар», «паспорт», «сколько действует».",
        ),
        rx.el.div(
            when(given(GuideState.summary), rx.el.p(GuideState.summary)),
            role="status",
        ),
        when(
            some(GuideState.found),
            rx.el.div(
                rx.el.ol(rx.foreach(GuideState.found, found_row), class_name="max-w-3xl"),
                buttons.actions(buttons.quiet_button("Убрать найденное", GuideState.forget)),
                class_name="grid gap-4",
            ),
        ),
        class_name="grid gap-4",
    )


def _section(topic: Topic) -> rx.Component:
    lead = [rx.el.p(topic.lead, class_name="mb-4 max-w-3xl")] if topic.lead else []
    shape = _SHAPES.get(topic.id, _rows)
    told = shape(topic.entries)
    if topic.id in AMENDABLE:
        amended = getattr(GuideState, topic.id)
        told = when(some(amended), shape(amended), told)
    return cards.section(topic.title, *lead, told, id=topic.id)


Entries = Sequence[Entry] | rx.Var[Sequence[Entry]]
"""As they were built, or as they have been amended since."""


def _grid(entries: Entries) -> rx.Component:
    return rx.el.div(
        *repeated(entries, _titled), class_name="grid gap-6 sm:grid-cols-2 lg:grid-cols-3"
    )


def _titled(entry: Entry) -> rx.Component:
    return rx.el.div(*_told(entry))


def _told(entry: Entry) -> tuple[rx.Component, rx.Component]:
    return rx.el.h3(entry.title, class_name="font-semibold"), _lines(entry)


def _rows(entries: Entries) -> rx.Component:
    return cards.summary_list(
        *repeated(entries, lambda entry: cards.summary_row(entry.title, _lines(entry)))
    )


def _ordered(entries: Entries) -> rx.Component:
    return rx.el.ol(
        *repeated(entries, lambda entry: rx.el.li(*_told(entry))),
        class_name="max-w-3xl list-decimal space-y-3 pl-6",
    )


def _questions(entries: Entries) -> rx.Component:
    return rx.el.div(
        *repeated(entries, lambda entry: cards.details(entry.title, _lines(entry))),
        class_name="grid max-w-3xl gap-2",
    )


def _plain(entries: Entries) -> rx.Component:
    return rx.el.div(*repeated(entries, _lines), class_name="max-w-3xl")


_SHAPES: Mapping[str, Callable[[Entries], rx.Component]] = {
    "who": _grid,
    "papers": _grid,
    "examination": _grid,
    "steps": _ordered,
    "questions": _questions,
    "laws": _plain,
}


def _lines(entry: Entry) -> rx.Component:
    lines: Any = entry.lines
    alone = rx.fragment(*repeated(lines, rx.el.p))
    many = rx.el.ul(*repeated(lines, rx.el.li), class_name="mt-1 list-disc space-y-1 pl-5")
    if isinstance(lines, rx.Var):
        return when(lines.length() == 1, alone, many)
    return alone if len(lines) == 1 else many


PAGES = (Page("/guide", TITLE, guide, on_load=(GuideState.begin,)),)
