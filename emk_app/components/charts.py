"""Charts as plain SVG from finished numbers; the same numbers stand in a table beside each.

Widths are per cent of what there is and heights are pixels, so that a chart takes the width of the
screen and its words keep their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import reflex as rx

from emk_app.components.markup import Text, fixed_id


def columns_chart(id: str, title: Text, told: Text, columns: rx.Var[Any]) -> rx.Component:
    """Draw ``presenting.charts.ColumnMark``s; ``told`` says in a sentence what is seen."""

    def column(each: Any) -> rx.Component:
        return rx.el.svg.g(
            _bar(each.x, each.y, each.width, each.height, "info"),
            _words(each.number, each.middle, each.number_y, "e-chart-middle"),
            _words(each.label, each.middle, "194", "e-chart-middle e-chart-faint"),
            key=each.key,
        )

    return _chart(id, title, told, "200", rx.foreach(columns, column))


def shares_chart(
    id: str, title: Text, told: Text, height: Text, lines: rx.Var[Any]
) -> rx.Component:
    """Draw ``presenting.charts.ShareMark``s: a name, its per cent, and a bar of parts."""

    def line(each: Any) -> rx.Component:
        return rx.el.svg.g(
            _words(each.label, "0", each.label_y),
            _words(each.share, "100%", each.label_y, "e-chart-end"),
            rx.foreach(
                each.parts,
                lambda part: _bar(part.x, each.bar_y, part.width, "16", part.tone, key=part.tone),
            ),
            key=each.key,
        )

    return _chart(id, title, told, height, rx.foreach(lines, line))


def legend(parts: Sequence[tuple[str, str]]) -> rx.Component:
    """Say what the parts of the bars are, in their order: pairs of tone and words."""
    return rx.el.ul(
        *[
            rx.el.li(
                rx.el.span(
                    class_name="e-chart-key",
                    custom_attrs={"data-tone": tone, "aria-hidden": "true"},
                ),
                words,
            )
            for tone, words in parts
        ],
        class_name="e-chart-legend",
    )


def _chart(id: str, title: Text, told: Text, height: Text, drawn: Any) -> rx.Component:
    name, words = f"{id}-title", f"{id}-told"
    return rx.el.svg(
        rx.el.svg.title(title, id=fixed_id(name)),
        rx.el.svg.desc(told, id=fixed_id(words)),
        drawn,
        width="100%",
        height=height,
        role="img",
        class_name="e-chart",
        custom_attrs={"aria-labelledby": name, "aria-describedby": words, "focusable": "false"},
    )


def _bar(x: Text, y: Text, width: Text, height: Text, tone: Text, **props: Any) -> rx.Component:
    return rx.el.svg.rect(
        x=x,
        y=y,
        width=width,
        height=height,
        class_name="e-chart-bar",
        custom_attrs={"data-tone": tone},
        **props,
    )


def _words(text: Text, x: Text, y: Text, class_name: Text = "") -> rx.Component:
    return rx.el.svg.text(text, x=x, y=y, class_name=class_name)
