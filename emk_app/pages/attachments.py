"""A paper of an examination, as clinic and holder see it."""

from __future__ import annotations

from typing import Any

import reflex as rx


def paper(row: Any, *, remove: rx.Component | None = None) -> rx.Component:
    """Return a line of a list: what it is, its pages folded away, its file to be saved."""
    return rx.el.li(
        rx.el.p(rx.el.b(row.label), ": ", row.name),
        rx.el.p(row.details, " · ", row.by, class_name="e-hint"),
        rx.el.details(
            rx.el.summary(
                "Посмотреть",
                rx.el.span(f": {row.name}", class_name="e-hidden"),
                class_name="cursor-pointer py-3",
            ),
            rx.el.div(
                rx.foreach(
                    row.pages,
                    lambda address, index: rx.el.img(
                        src=address,
                        alt=f"{row.name}, страница {index + 1}",
                        loading="lazy",
                        class_name="e-page-picture",
                        key=address,
                    ),
                ),
                class_name="grid gap-4",
            ),
        ),
        rx.el.div(
            rx.cond(
                row.file_url,
                rx.el.a(
                    rx.el.span("Скачать"),
                    rx.el.span(f": {row.name}", class_name="e-hidden"),
                    href=row.file_url,
                    download=True,
                    class_name="btn btn-ghost",
                ),
            ),
            *([remove] if remove is not None else []),
            class_name="flex flex-wrap gap-2",
        ),
        key=row.id,
        class_name="border-b border-[var(--line)] pb-3 last:border-0",
    )
