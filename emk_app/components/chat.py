"""A conversation: one's own words to the right, others' to the left, what was done between them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.components.links import plain_link
from emk_app.components.markup import some, when


def chat(lines: rx.Var[Any]) -> rx.Component:
    """Show ``lines`` (rows with ``id``, ``who``, ``at``, ``text``, ``side``, ``files``).

    New ones are read aloud as they come.
    """
    return rx.el.div(
        rx.el.ol(rx.foreach(lines, _line), class_name="e-chat"),
        role="log",
        custom_attrs={"aria-label": "Переписка"},
    )


def _line(row: Any) -> rx.Component:
    return rx.el.li(
        rx.el.p(rx.el.b(row.who), " · ", row.at, class_name="e-by"),
        rx.el.p(row.text, class_name="e-chat-text"),
        when(some(row.files), rx.el.div(rx.foreach(row.files, _file), class_name="grid gap-2")),
        key=row.id.to(str),
        custom_attrs={"data-side": row.side},
    )


def _file(file: Any) -> rx.Component:
    return rx.el.details(
        rx.el.summary("Снимок экрана: ", file.name, ", ", file.details),
        rx.el.img(
            src=file.preview_url,
            alt="Снимок экрана " + file.name.to(str),
            loading="lazy",
            class_name="e-page-picture mt-2",
        ),
        plain_link("Скачать", file.file_url, download=True),
        key=file.ref,
    )
