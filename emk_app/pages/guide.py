"""Who needs a book, which papers, how long: each fact from the tables the program itself uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import reflex as rx

from emk_app import clock
from emk_app.components import buttons, cards, forms, links
from emk_app.components.markup import given, some, when
from emk_app.pages import frames
from emk_app.pages.book_search import found_row
from emk_app.pages.table import Page
from emk_app.presenting.guide import Entry, Topic, topics
from emk_app.states.guide import GuideState

TITLE = "Кому нужна книжка и как её получить"


def guide() -> rx.Component:
    """Return the page for whoever asks whether and how."""
    told = topics(clock.today())
    return frames.open_to_all(
        _search(),
        rx.el.nav(
            rx.el.ul(
                *(rx.el.li(links.plain_link(each.title, f"#{each.id}")) for each in told),
                class_name="flex flex-wrap gap-x-6 gap-y-2",
            ),
            aria_label="Содержание",
        ),
        *(_section(each) for each in told),
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
    return cards.section(topic.title, *lead, _SHAPES.get(topic.id, _rows)(topic), id=topic.id)


def _grid(topic: Topic) -> rx.Component:
    return rx.el.div(
        *(
            rx.el.div(rx.el.h3(each.title, class_name="font-semibold"), _lines(each))
            for each in topic.entries
        ),
        class_name="grid gap-6 sm:grid-cols-2 lg:grid-cols-3",
    )


def _rows(topic: Topic) -> rx.Component:
    return cards.summary_list(
        *(cards.summary_row(each.title, _lines(each)) for each in topic.entries)
    )


def _ordered(topic: Topic) -> rx.Component:
    return rx.el.ol(
        *(
            rx.el.li(rx.el.h3(each.title, class_name="font-semibold"), _lines(each))
            for each in topic.entries
        ),
        class_name="max-w-3xl list-decimal space-y-3 pl-6",
    )


def _questions(topic: Topic) -> rx.Component:
    return rx.el.div(
        *(cards.details(each.title, _lines(each)) for each in topic.entries),
        class_name="grid max-w-3xl gap-2",
    )


def _plain(topic: Topic) -> rx.Component:
    return rx.el.div(*(_lines(each) for each in topic.entries), class_name="max-w-3xl")


_SHAPES: Mapping[str, Callable[[Topic], rx.Component]] = {
    "who": _grid,
    "papers": _grid,
    "examination": _grid,
    "steps": _ordered,
    "questions": _questions,
    "laws": _plain,
}


def _lines(entry: Entry) -> rx.Component:
    if len(entry.lines) == 1:
        return rx.el.p(entry.lines[0])
    return rx.el.ul(
        *(rx.el.li(line) for line in entry.lines),
        class_name="mt-1 list-disc space-y-1 pl-5",
    )


PAGES = (Page("/guide", TITLE, guide, on_load=(GuideState.begin,)),)
