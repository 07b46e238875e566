"""Tables that are real tables, and turn into cards on a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from emk_app.components.buttons import button
from emk_app.components.cards import empty_state, skeleton
from emk_app.components.markup import Child, Flag, Handler, Text, repeated, some, when


@dataclass(frozen=True)
class Column:
    """A column; one without a visible heading (``hidden``) still has a name for screen readers."""

    label: str
    numeric: bool = False
    hidden: bool = False


def data_table(
    columns: Sequence[Column | str],
    rows: Sequence[Any] | rx.Var[Any],
    cells: Callable[[Any], Sequence[Child]],
    *,
    caption: Text,
    empty: Child | None = None,
    loading: Flag = False,
    key: Callable[[Any], Any] | None = None,
    show_caption: bool = False,
    figures: bool = False,
) -> rx.Component:
    """List ``rows``, each turned by ``cells`` into one child per column.

    On the phone each row becomes a card; a table of ``figures`` stays one, to compare them, and is
    moved sideways where it is wider.
    """
    heads = [Column(column) if isinstance(column, str) else column for column in columns]

    def line(row: Any) -> rx.Component:
        props = {"key": key(row)} if key is not None else {}
        return rx.el.tr(
            *[
                rx.el.td(
                    child if isinstance(child, rx.Component) else rx.el.span(child),
                    class_name="e-numeric" if head.numeric else "",
                    custom_attrs={"data-label": "" if head.hidden else head.label},
                    role="cell",
                )
                for head, child in zip(heads, cells(row), strict=True)
            ],
            role="row",
            **props,
        )

    # Blocks lose their table semantics when CSS turns them into cards; the roles keep them.
    table = rx.el.table(
        rx.el.caption(rx.el.span(caption), class_name="" if show_caption else "e-hidden"),
        rx.el.thead(
            rx.el.tr(
                *[
                    rx.el.th(
                        rx.el.span(head.label, class_name="e-hidden" if head.hidden else ""),
                        scope="col",
                        role="columnheader",
                        class_name="e-numeric" if head.numeric else "",
                    )
                    for head in heads
                ],
                role="row",
            ),
            role="rowgroup",
        ),
        rx.el.tbody(*repeated(rows, line), role="rowgroup"),
        role="table",
        class_name="e-table e-figures" if figures else "e-table",
    )
    if figures:
        table = rx.el.div(
            table,
            class_name="e-sideways",
            role="region",
            tab_index=0,
            custom_attrs={"aria-label": caption},
        )
    nothing = empty if empty is not None else empty_state("Пока ничего нет")
    waiting = rx.el.div(
        rx.el.p("Загружаем…", role="status", class_name="e-muted mb-3"), skeleton(4)
    )
    return when(loading, waiting, when(some(rows), table, nothing))


def pager(
    page: Text | int,
    pages: Text | int,
    *,
    on_page: Callable[[Any], Handler],
    label: str = "Страницы списка",
) -> rx.Component:
    """Step through a long list; ``on_page`` gets the number of the page to show, from 1."""
    here = rx.Var.create(page).to(int)
    last = rx.Var.create(pages).to(int)
    return rx.el.nav(
        button("Назад", on_page(here - 1), kind="secondary", icon="arrow-left", disabled=here <= 1),
        rx.el.span("Страница ", rx.el.b(here), " из ", last, role="status"),
        button(
            "Дальше", on_page(here + 1), kind="secondary", icon="arrow-right", disabled=here >= last
        ),
        class_name="e-pager",
        custom_attrs={"aria-label": label},
    )
